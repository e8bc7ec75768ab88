"""The probes: /healthz and /readyz over plain HTTP. Knows what to ask, not what the answers are made of."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

log: Final = logging.getLogger(__name__)

Check = Callable[[], bool]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    probes: Mapping[str, Mapping[str, Check]]


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        """200 when every check of the probe holds, else 503; the body names each."""
        checks = self.server.probes.get(self.path.partition("?")[0])
        if checks is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        answers = {name: check() for name, check in checks.items()}
        body = json.dumps(answers).encode()
        self.send_response(HTTPStatus.OK if all(answers.values()) else HTTPStatus.SERVICE_UNAVAILABLE)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Probes come every few seconds."""
        log.debug(format, *args)


class ProbeServer:
    """Serves probes from its own thread. Port 0 takes a free one; `port` tells which. Raises OSError when taken."""

    def __init__(self, host: str, port: int, probes: Mapping[str, Mapping[str, Check]]) -> None:
        self._server = (_Server6 if ":" in host else _Server)((host, port), _Handler)
        self._server.probes = probes
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="probes", daemon=True).start()

    def close(self) -> None:
        """Stop and free the port."""
        self._server.shutdown()
        self._server.server_close()
