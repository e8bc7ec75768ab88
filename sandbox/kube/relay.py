"""One HTTP/1.1 request to a TLS server and its answer, passed on as it arrives. Knows HTTP framing, not Kubernetes.

Each request has a connection of its own with ``Connection: close``: the body then reaches the caller byte for byte as
the server framed it, a watch's chunks at the moment they come, and its end is the end of the connection.
"""

import http
import http.client
import io
import select
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_CONNECT_SECONDS = 5.0
_BLOCK = 1 << 16
_LIMIT_OF_HEAD = 1 << 18
_END_OF_HEAD = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "te", "trailer", "upgrade", "expect", "proxy-connection"})
_FRAMING = frozenset({"content-length", "transfer-encoding"})

Headers = list[tuple[str, str]]


class CallerGoneError(Exception):
    """Who asked has closed the connection."""


class ServerGoneError(Exception):
    """The server can't be reached, or closed the connection before the answer was whole."""


@dataclass(frozen=True)
class Target:
    """The server on loopback: its port, and whose certificate to take for its."""

    port: int
    trust: ssl.SSLContext


class Exchange:
    """A connection for one request, until closed. ``caller`` is watched meanwhile: a watch ends with its reader."""

    def __init__(self, target: Target, caller: socket.socket, method: str) -> None:
        self._caller = caller
        self._method = method
        self._received = b""
        try:
            plain = socket.create_connection(("127.0.0.1", target.port), timeout=_CONNECT_SECONDS)
        except OSError as error:
            raise ServerGoneError(str(error)) from error
        self._server = _with_tls(plain, target.trust, caller)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()

    def send(self, path: str, headers: Headers, body: bytes) -> None:
        """Send the request; ``headers`` are the caller's, those about its own connection are replaced."""
        kept = [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP | _FRAMING]
        length = [("Content-Length", str(len(body)))] if body or self._method in {"POST", "PUT", "PATCH"} else []
        lines = [f"{self._method} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in [*kept, *length])]
        try:
            self._server.sendall("\r\n".join([*lines, "Connection: close"]).encode("latin-1") + _END_OF_HEAD + body)
        except OSError as error:
            raise ServerGoneError(str(error)) from error

    def head(self) -> tuple[int, Headers]:
        """Status and headers of the answer. A Kubernetes API server sends them when a write is in its store."""
        while _END_OF_HEAD not in self._received:
            block = self._receive()
            if not block or len(self._received) > _LIMIT_OF_HEAD:
                raise ServerGoneError("no answer")
            self._received += block
        raw, _, self._received = self._received.partition(_END_OF_HEAD)
        first, _, rest = raw.partition(b"\r\n")
        self._status = int(first.split(b" ", 2)[1])
        parsed = http.client.parse_headers(io.BytesIO(rest + _END_OF_HEAD))
        self._length = parsed.get("Content-Length")
        self._chunked = parsed.get("Transfer-Encoding", "").lower() == "chunked"
        return self._status, [(name, value) for name, value in parsed.items() if name.lower() not in _HOP_BY_HOP]

    def body(self) -> Iterator[bytes]:
        """The body in blocks as they arrive, framed as the server framed it.

        Raises ServerGoneError where it ends before its framing says so.
        """
        count, tail = 0, b""
        block = self._received or self._receive()
        while block:
            count, tail = count + len(block), (tail + block)[-len(_LAST_CHUNK) :]
            yield block
            block = self._receive()
        if not self._is_whole(count, tail):
            raise ServerGoneError("the answer is cut off")

    def _is_whole(self, count: int, tail: bytes) -> bool:
        if self._method == "HEAD" or self._status in {http.HTTPStatus.NO_CONTENT, http.HTTPStatus.NOT_MODIFIED}:
            return True
        if self._chunked:
            return tail == _LAST_CHUNK
        return self._length is not None and count == int(self._length)

    def _receive(self) -> bytes:
        if not self._server.pending():
            _until_readable(self._server, self._caller)
        try:
            return self._server.recv(_BLOCK)
        except OSError as error:
            raise ServerGoneError(str(error)) from error


def loopback_trust(ca_file: Path) -> ssl.SSLContext:
    """Trust in ``ca_file`` alone, at TLS 1.2: 1.3 sends tickets after the handshake, which look like an answer."""
    trust = ssl.create_default_context(cafile=str(ca_file))
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    return trust


def _with_tls(plain: socket.socket, trust: ssl.SSLContext, caller: socket.socket) -> ssl.SSLSocket:
    """``plain`` with TLS; a server that accepts and never speaks holds this only while the caller stays."""
    tls = trust.wrap_socket(plain, server_hostname="127.0.0.1", do_handshake_on_connect=False)
    try:
        tls.setblocking(False)  # noqa: FBT003 - the standard library's signature
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                _until_readable(tls, caller)
        tls.setblocking(True)  # noqa: FBT003 - as above
    except OSError as error:
        tls.close()
        raise ServerGoneError(str(error)) from error
    except CallerGoneError:
        tls.close()
        raise
    return tls


def _until_readable(server: socket.socket, caller: socket.socket) -> None:
    """Wait for the server; a caller who may only wait says something when it leaves alone."""
    readable, _, _ = select.select([server, caller], [], [])
    if server not in readable:
        raise CallerGoneError
