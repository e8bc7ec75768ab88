"""The proxy's server side: takes connections, reads requests, carries out what a hook says or passes them on.

Knows threads, sockets and the journal; must not know which requests a test cares for.
"""

import contextlib
import http.server
import json
import os
import select
import signal
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from sandbox.kube.certificates import KeyPair
from sandbox.kube.hooks import Answer, DropAnswer, Hang, Hook, Journal, Kill, Request
from sandbox.kube.relay import CallerGoneError, Exchange, Headers, ServerGoneError, Target

_HANDSHAKE_SECONDS = 10.0
_DEATH_SECONDS = 10.0
_POLL_SECONDS = 0.05
_DEAD = {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}

# metav1.StatusReason of each HTTP status (Kubernetes API reference, "Status").
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class InterceptingServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Takes connections on a free port; each has a thread, where TLS begins too: a silent caller holds up nobody."""

    request_queue_size = 128
    daemon_threads = False  # server_close waits for them

    def __init__(self, journal: Journal, target: Target, pair: KeyPair) -> None:
        self.journal = journal
        self.target = target
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pair.certificate, pair.key)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._ended = False
        super().__init__(("127.0.0.1", 0), _Connection)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection, in its own thread; one that breaks is no error."""
        request.settimeout(_HANDSHAKE_SECONDS)
        with contextlib.suppress(OSError), self._context.wrap_socket(request, server_side=True) as connection:
            connection.settimeout(None)
            with self._known(connection):
                super().finish_request(connection, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as in the parent
        """Keep the error for whoever closes the proxy."""
        error = sys.exc_info()[1]
        if error is not None:
            self.journal.failed(error)

    def drop_connections(self) -> None:
        """Close every open connection; new ones are taken."""
        with self._lock:
            for connection in self._open:
                _shut(connection)

    def end_connections(self) -> None:
        """Close every open connection and those that are just being taken."""
        self._ended = True
        self.drop_connections()

    @contextlib.contextmanager
    def _known(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.add(connection)
        if self._ended:
            _shut(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)


class _Connection(http.server.BaseHTTPRequestHandler):
    """The requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    server: InterceptingServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the parent
        """Say nothing: the journal has it."""

    def handle_one_request(self) -> None:
        """Read one request and serve it, whatever its method."""
        self.raw_requestline = self.rfile.readline(1 << 16)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        try:
            self._serve(self._request())
        except (CallerGoneError, ServerGoneError, ConnectionError, ssl.SSLError):
            self.close_connection = True
        except Exception as error:  # noqa: BLE001 - a wrong predicate or process id: raised to the test by the proxy
            self.server.journal.failed(error)
            self.close_connection = True

    def _request(self) -> Request:
        path, _, query = self.path.partition("?")
        return Request(
            time=time.monotonic(),
            method=self.command,
            path=path,
            query=query,
            user_agent=self.headers.get("User-Agent", ""),
            content_type=self.headers.get("Content-Type", ""),
            body=self._body(),
        )

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(chunks)

    def _serve(self, request: Request) -> None:
        hook = self.server.journal.claim(request)
        if hook is None:
            self._pass_on(request)
        elif isinstance(hook.action, Answer):
            self._answer(request, hook.action)
            hook.carried_out()
        else:
            self.close_connection = True
            self._break_off(request, hook)

    def _pass_on(self, request: Request) -> None:
        with self._executed(request) as (exchange, status, headers):
            self.server.journal.record(request, status, delivered=True)
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            for block in exchange.body():
                self.wfile.write(block)

    @contextlib.contextmanager
    def _executed(self, request: Request) -> Iterator[tuple[Exchange, int, Headers]]:
        """The request after the API server has executed it and begun to answer; one that it did not is recorded."""
        with contextlib.ExitStack() as opened:
            try:
                exchange = opened.enter_context(Exchange(self.server.target, self.connection, request.method))
                exchange.send(self.path, self.headers.items(), request.body)
                status, headers = exchange.head()
            except (CallerGoneError, ServerGoneError):
                self.server.journal.record(request, None, delivered=False)
                raise
            yield exchange, status, headers

    def _break_off(self, request: Request, hook: Hook) -> None:
        """Carry out an action after which the caller gets no answer."""
        status: int | None = None
        if isinstance(hook.action, DropAnswer | Kill):
            with self._executed(request) as (_, executed, _):
                status = executed
        self.server.journal.record(request, status, delivered=False)
        if isinstance(hook.action, Kill):
            _kill(hook.action.pid)
        hook.carried_out()
        if isinstance(hook.action, Hang):
            while not hook.removed.is_set() and not select.select([self.connection], [], [], _POLL_SECONDS)[0]:
                pass

    def _answer(self, request: Request, action: Answer) -> None:
        body = json.dumps(
            {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": action.message,
                "reason": _REASONS.get(action.status, ""),
                "code": action.status,
            }
        ).encode()
        self.server.journal.record(request, action.status, delivered=True)
        self.send_response_only(action.status)
        if action.retry_after_seconds is not None:
            self.send_header("Retry-After", str(action.retry_after_seconds))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _shut(connection: socket.socket) -> None:
    """Close a connection that another thread reads: by the plain socket's call, ssl's own drops that thread's state."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _kill(pid: int | Callable[[], int]) -> None:
    """SIGKILL the process, and return when it runs no more (it may stay a zombie until its parent looks)."""
    number = pid() if callable(pid) else pid
    os.kill(number, signal.SIGKILL)
    deadline = time.monotonic() + _DEATH_SECONDS
    with contextlib.suppress(psutil.NoSuchProcess):
        while psutil.Process(number).status() not in _DEAD:
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {number} survived SIGKILL for {_DEATH_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS / 10)
