"""An HTTP server that answers every request in the one way that a test chose, and counts them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What the server does with each request: `status` and `body`, or one of the ways not to answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/xml"
    close: bool = False
    """Close the connection without a byte."""
    cut_after: int | None = None
    """Announce the whole body, send so many bytes of it, close."""
    hang: threading.Event | None = None
    """Wait for this before anything else."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """User agent and body of each request that came."""


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """The URL of a server that answers so, on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer.requests.append((self.headers["User-Agent"], body))
            if answer.hang is not None:
                answer.hang.wait(30)
            if answer.close or answer.hang is not None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: answer.cut_after])
            self.close_connection = answer.cut_after is not None

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's name
            """Tests print what they need themselves."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        if answer.hang is not None:
            answer.hang.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


def error_body(code: str, message: str) -> bytes:
    """An EC2 error as AWS writes it."""
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><Response><Errors><Error><Code>{code}</Code>"
        f"<Message>{message}</Message></Error></Errors><RequestID>0b2d3ba5-54a2-4e7d-a9b4-90b4ba1c4e4f</RequestID></Response>"
    ).encode()
