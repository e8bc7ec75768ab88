"""A proxy in front of a control plane's API server that records requests and breaks chosen ones: for crash tests.

What is broken and how is in ``hooks``, connections are in ``intercept``.
"""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from sandbox.kube.control_plane import ControlPlane
from sandbox.kube.hooks import Action, Hook, Journal, Predicate, Record
from sandbox.kube.intercept import InterceptingServer
from sandbox.kube.relay import Target, loopback_trust

_POLL_SECONDS = 0.05


class ApiProxy:
    """An HTTPS server on loopback whose ``kubeconfig`` shows ``token`` (the admin's unless given) to the API server.

    Its ``with`` block raises at its end what a predicate raised, so that a test with a wrong predicate fails.
    """

    def __init__(self, control_plane: ControlPlane, token: str | None = None) -> None:
        self._journal = Journal()
        target = Target(urlsplit(control_plane.url).port or 443, loopback_trust(control_plane.ca_file))
        self._server = InterceptingServer(self._journal, target, control_plane.serving_certificate())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), name="api-proxy")
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        self.kubeconfig: Path = control_plane.kubeconfig_with_token(
            "proxy", token or control_plane.admin_token, url=self.url
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._journal.remove_hooks()
        self._server.end_connections()
        self._server.server_close()  # waits for the connections' threads
        if error is None:
            self._journal.raise_first_error()

    @property
    def records(self) -> tuple[Record, ...]:
        """Every request so far, in the order in which it was known what came of them."""
        return self._journal.records

    @property
    def writes(self) -> tuple[Record, ...]:
        """The records of requests that asked for a change."""
        return tuple(record for record in self.records if record.request.is_write)

    def on_request(self, predicate: Predicate, action: Action, times: int | None = 1) -> Hook:
        """Carry out ``action`` on the next ``times`` requests (None: all) that ``predicate`` accepts.

        Where several hooks accept a request the oldest has it. Predicates run one at a time, in the threads of the
        connections.
        """
        return self._journal.add(Hook(predicate, action, times))

    def drop_connections(self) -> None:
        """Close every open connection, watches among them; new ones are taken."""
        self._server.drop_connections()
