"""TCP ports on loopback that stay ours while nothing listens on them. Knows nothing of who will listen."""

import socket
from types import TracebackType
from typing import Self


class ReservedPort:
    """A port (``number``) of 127.0.0.1 that the kernel chose, held until closed.

    Bound with SO_REUSEPORT and never listening: a program of the same user that sets SO_REUSEPORT too can listen on it,
    again and again, and in between connections are refused and nobody else is given the port (socket(7)). Without that
    a stopped server's port may become the source port of any outgoing connection on the machine.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()
