"""What a kubelet does about one container: starts it, starts it again when it ends, ends it when its pod is deleted.

Knows the restart policy Always and its back-off; carries out no probes, and knows nothing of what the process does.
"""

import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from sandbox.stage import OperatorProcess

FIRST_BACKOFF_SECONDS: Final = 10.0
LONGEST_BACKOFF_SECONDS: Final = 300.0
SOUND_SECONDS: Final = 600.0
"""A container that ran for so long is restarted at once again (Kubernetes, "Pod Lifecycle", container restarts)."""
GRACE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True)
class Exit:
    """The end of a container's process; `code` is minus the signal's number where one ended it."""

    code: int
    at: datetime


class Backoff:
    """Seconds before the next restart: none at first, then 10, 20, 40, … 300, until it ran for ten minutes."""

    def __init__(self) -> None:
        self._next = 0.0

    def after(self, ran: float) -> float:
        """The wait after a run of so many seconds."""
        wait = 0.0 if ran >= SOUND_SECONDS else self._next
        self._next = min(max(2 * wait, FIRST_BACKOFF_SECONDS), LONGEST_BACKOFF_SECONDS)
        return wait


class Kubelet:
    """Keeps an operator's process running until its pod is deleted; at the end of the ``with`` block at the latest."""

    def __init__(self, operator: OperatorProcess) -> None:
        self.operator = operator
        self._exits: list[Exit] = []
        self._deleted = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"kubelet-{id(operator)}")

    def __enter__(self) -> Self:
        self.operator.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.delete_pod()

    @property
    def exits(self) -> tuple[Exit, ...]:
        """Every end so far, oldest first."""
        return tuple(self._exits)

    def send(self, number: signal.Signals) -> None:
        """A signal to the process that runs now."""
        os.kill(self.operator.pid, number)

    def delete_pod(self, grace: float = GRACE_SECONDS) -> int:
        """SIGTERM, SIGKILL after the grace period, no restart; returns the exit code."""
        self._deleted.set()
        self._thread.join()
        try:
            return self.operator.stop(grace)
        except subprocess.TimeoutExpired:
            self.operator.kill()
            return self.operator.stop()

    def _keep(self) -> None:
        backoff, began = Backoff(), time.monotonic()
        while not self._deleted.wait(_POLL_SECONDS):
            if self.operator.running:
                continue
            self._exits.append(Exit(self.operator.wait_for_exit(), datetime.now(UTC)))
            if self._deleted.wait(backoff.after(time.monotonic() - began)):
                return
            self.operator.start()
            began = time.monotonic()
