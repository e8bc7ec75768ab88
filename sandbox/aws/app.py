"""The WSGI application: reads a call, lets the arranged faults have it, lets it have its effect, answers, logs.

Knows HTTP and the order of these steps; what an action does is in `actions`, what a test may ask in `control_app`.
"""

import logging
import re
import secrets
import socket
from collections.abc import Callable, Iterable

from werkzeug.wrappers import Request, Response

from sandbox.aws import errors
from sandbox.aws.actions import perform
from sandbox.aws.call import Call, new_request_id, read_credential, read_form
from sandbox.aws.call_log import CallLog
from sandbox.aws.errors import AwsFault
from sandbox.aws.faults import ArrangedFault, Faults
from sandbox.aws.parameters import Parameters
from sandbox.aws.waiting import Waiting
from sandbox.aws.world import World
from sandbox.aws.xml import fault_answer

_ERROR_CODE = re.compile(r"<Code>(.*?)</Code>")
_log = logging.getLogger(__name__)


class LostAnswerError(Exception):
    """The connection is to be closed without an answer."""


class AwsApplication:
    """AWS over HTTP: one world, its faults, its log."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = Faults()
        self.calls = CallLog()
        self.waiting = Waiting()
        self.authorize: Callable[[Call], bool] = lambda _: True
        """Whether IAM lets a call pass; everything passes unless a test says what may."""

    def answer(self, request: Request) -> Response:
        """The answer to one request; closes the connection in place of it when a fault says so."""
        call = self._read(request)
        sequence = self.calls.begin(call)
        faults = self.faults.take(call)
        try:
            response = self._run(call, faults, sequence)
        except LostAnswerError:
            self.calls.note(sequence, outcome="lost")
            _close(request)
            return Response(status=500)
        outcome = "lost" if _is_closed(request) else "answered"
        self.calls.note(sequence, outcome=outcome, status=response.status_code)
        return response

    def _read(self, request: Request) -> Call:
        flat = read_form(request.get_data(), request.query_string.decode())
        credential = read_credential(request.headers.get("Authorization", ""))
        return Call(
            service=credential.service,
            action=flat.get("Action", ""),
            parameters=Parameters(flat),
            access_key=credential.access_key,
            region=credential.region,
            account=self.world.accounts.of(credential.access_key),
            user_agent=request.headers.get("User-Agent", ""),
            request_id=new_request_id(),
        )

    def _run(self, call: Call, faults: Iterable[ArrangedFault], sequence: int) -> Response:
        try:
            for arranged in (each for each in faults if each.fault.phase == "before"):
                instead = self._suffer(arranged, sequence)
                if instead is not None:
                    return instead
            response = self._perform(call, sequence)
        except AwsFault as fault:
            response = self._refusal(call, fault, sequence)
        except LostAnswerError:
            raise
        except Exception:  # noqa: BLE001 - whatever breaks in moto must reach the caller as AWS's own 500, not as HTML
            _log.exception("%s failed", call.action)
            response = self._refusal(call, errors.internal_error(), sequence)
        for arranged in (each for each in faults if each.fault.phase == "after"):
            response = self._suffer_after(call, arranged, sequence) or response
        return response

    def _suffer_after(self, call: Call, arranged: ArrangedFault, sequence: int) -> Response | None:
        """An error after the effect: the call was executed, and the caller is told that it failed."""
        try:
            return self._suffer(arranged, sequence)
        except AwsFault as fault:
            return self._refusal(call, fault, sequence)

    def _perform(self, call: Call, sequence: int) -> Response:
        if self.faults.denies(call.action) or not self.authorize(call):
            raise errors.unauthorized(call.service, call.action, secrets.token_urlsafe(96))
        status, body = perform(self.world, call)
        code = _ERROR_CODE.search(body) if status >= 400 else None
        self.calls.note(sequence, executed=status < 400, error_code=code[1] if code else None)
        return _xml(body, status, call.request_id)

    def _refusal(self, call: Call, fault: AwsFault, sequence: int) -> Response:
        self.calls.note(sequence, error_code=fault.code)
        return _xml(fault_answer(call.service, fault, call.request_id), fault.status, call.request_id)

    def _suffer(self, arranged: ArrangedFault, sequence: int) -> Response | None:
        """Let a fault have its effect: an answer in place of the real one, or None to go on."""
        fault = arranged.fault
        match fault.effect:
            case "error":
                raise AwsFault(fault.code, fault.message, fault.status)
            case "raw":
                return Response(fault.body, fault.status, content_type=fault.content_type)
            case "close":
                raise LostAnswerError
            case "delay":
                self.waiting.sleep(fault.seconds)
            case "hold" | "hang":
                self.calls.note(sequence, outcome="held")
                self.waiting.until(arranged.released)
                self.calls.note(sequence, outcome="running")
                if fault.effect == "hang":
                    raise LostAnswerError
        return None


def _xml(body: str, status: int, request_id: str) -> Response:
    response = Response(body, status, content_type="text/xml;charset=UTF-8")
    response.headers["x-amzn-requestid"] = request_id
    return response


def _is_closed(request: Request) -> bool:
    """Whether the caller hung up meanwhile (it was killed while its call was held, say)."""
    connection = request.environ.get("werkzeug.socket")
    if not isinstance(connection, socket.socket):
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _close(request: Request) -> None:
    """Shut the caller's connection, so that what is sent after this reaches nobody."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            _log.debug("the caller had closed the connection already")
