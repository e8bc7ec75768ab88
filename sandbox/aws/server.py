"""The HTTP server: threads, keep-alive, a port of its own on loopback; in this process, or alone by `python -m`."""

import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, overload

import boto3
from botocore.config import Config
from mypy_boto3_ec2 import EC2Client
from mypy_boto3_sts import STSClient
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request

from sandbox.aws.app import AwsApplication
from sandbox.aws.call import Call
from sandbox.aws.control import Control
from sandbox.aws.control_app import ControlApplication
from sandbox.aws.settings import Settings
from sandbox.aws.world import World

if TYPE_CHECKING:  # the standard library has these types for type checkers alone
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class _Handler(WSGIRequestHandler):
    """HTTP/1.1 for keep-alive, no delay for small packets, no line on stderr for each request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The call log knows more than an access log would."""


class AwsServer:
    """AWS on loopback, as a context manager; its state is its own, several in a process don't see each other."""

    def __init__(self, settings: Settings | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._application = AwsApplication(World(settings or Settings()))
        self._control_application = ControlApplication(self._application)
        self._server: BaseWSGIServer = make_server(host, port, self._wsgi, threaded=True, request_handler=_Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="sandbox-aws", daemon=True)
        self._session = boto3.session.Session()
        self._session_lock = threading.Lock()
        self._clients: dict[tuple[str, str, str], EC2Client | STSClient] = {}
        self.url = f"http://{host}:{self._server.server_port}"
        self.control = Control(self.url)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to answer, from an empty world."""
        self._application.world.reset()
        self._thread.start()

    def stop(self) -> None:
        """Let go of what is held, and answer no more."""
        self._application.waiting.end()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def world(self) -> World:
        """What really is."""
        return self._application.world

    def authorize_by(self, authorize: Callable[[Call], bool]) -> None:
        """Have each call judged as IAM does, before it has its effect; what is not allowed is UnauthorizedOperation."""
        self._application.authorize = authorize

    def reset(self) -> None:
        """Back to the beginning; see `Control.reset`."""
        self.control.reset()

    @overload
    def client(self, service: Literal["ec2"], region: str = ..., access_key: str = ...) -> EC2Client: ...
    @overload
    def client(self, service: Literal["sts"], region: str = ..., access_key: str = ...) -> STSClient: ...
    def client(
        self, service: Literal["ec2", "sts"], region: str = "us-east-1", access_key: str = "AKIASANDBOX"
    ) -> EC2Client | STSClient:
        """A boto3 client to this server: one attempt a call, so that a test counts what it sent."""
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=50, connect_timeout=5, read_timeout=30)
        with self._session_lock:
            key = (service, region, access_key)
            if key not in self._clients:
                self._clients[key] = self._session.client(
                    service,
                    region_name=region,
                    endpoint_url=self.url,
                    aws_access_key_id=access_key,
                    aws_secret_access_key="sandbox",  # noqa: S106 - signatures are not verified
                    config=config,
                )
            return self._clients[key]

    def _wsgi(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        application = self._control_application if request.path.startswith("/_control/") else self._application
        return application.answer(request)(environ, start_response)
