"""Who leads, as one candidate sees it: when it may take the Lease, and until when it may count on it.

Knows the monotonic clock that it is given, and no other; does no I/O. Safe because a leader counts from the moment
*before* it sent its last renewal, and others from the moment *after* they first saw it, and because a leader gives up
(`renew_deadline`) long before others may take over (`duration`).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from ibpe.kube.lease import Record

NEVER: Final = float("-inf")


class Lock(Protocol):
    """What is held: `kube.lease.Lease`. Writes raise WriteConflict or KubernetesUnavailable."""

    @property
    def label(self) -> str:
        """`namespace/name`."""

    def read(self) -> Record | None:
        """The record, or None when there is none."""

    def create(self, identity: str, duration: float, now: datetime) -> Record:
        """Make it and hold it."""

    def take(self, known: Record, identity: str, duration: float, now: datetime) -> Record:
        """Hold what nobody holds any more."""

    def renew(self, known: Record, duration: float, now: datetime) -> Record:
        """Hold on to what we hold."""

    def release(self, known: Record, now: datetime) -> Record:
        """Let go."""


@dataclass(frozen=True)
class Terms:
    """Seconds. `retry` < `renew_deadline` < `duration`."""

    duration: float = 15.0
    """How long others leave a Lease alone that they see unchanged."""
    renew_deadline: float = 10.0
    """How long a leader goes on without a renewal that succeeded."""
    retry: float = 2.0
    """Between two attempts to take or to renew."""

    @property
    def attempt(self) -> float:
        """The bound of one request: one that hangs is given up before others may take over."""
        return min(self.renew_deadline / 2, self.duration - self.renew_deadline)


class Election:
    """One candidate's view. Thread-safe: the fence asks from every worker."""

    def __init__(self, identity: str, terms: Terms, clock: Callable[[], float]) -> None:
        self.identity = identity
        self.terms = terms
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[str, int, str] | None = None
        self._free_at = -NEVER
        self._from = NEVER
        self._until = NEVER

    def saw(self, record: Record | None) -> None:
        """What a read showed, just now; None: there is no Lease, and it may be made.

        What others change beside the record (a label, an annotation) renews nothing.
        """
        with self._lock:
            if record is None or record.holder in {"", self.identity}:  # ours: a write whose answer was lost
                self._seen, self._free_at = None, NEVER
                return
            seen = (record.holder, record.transitions, record.renewed)
            if seen != self._seen:
                self._seen, self._free_at = seen, self._clock() + max(record.duration, self.terms.duration)

    def outrun(self) -> None:
        """Another wrote between our read and our write: what was seen is no longer so, and the wait begins anew."""
        with self._lock:
            self._seen, self._free_at = None, self._clock() + self.terms.duration

    @property
    def free_in(self) -> float:
        """Seconds until what was seen last may be taken, should it stay as it is; none when it was let go."""
        with self._lock:
            return max(self._free_at - self._clock(), 0.0)

    def held(self, record: Record, sent_at: float, *, made: bool = False) -> bool:
        """A write that began at `sent_at` was answered with `record`; returns whether it is held by us.

        A Lease that was `made` may replace one that was taken away from under a leader who has not noticed yet: it is
        held, and renewed, for as long as that one may go on, before we lead by it.
        """
        self.saw(record)
        with self._lock:
            if made:
                self._from = self._clock() + self.terms.duration
            if record.holder != self.identity:
                self._until = NEVER
                return False
            self._until = max(self._until, sent_at + self.terms.renew_deadline)
            return True

    def lost(self) -> None:
        """Another holds it, or we let go."""
        with self._lock:
            self._until = NEVER

    @property
    def leads(self) -> bool:
        """Whether we may act as the leader at this instant."""
        return self.left > 0

    @property
    def left(self) -> float:
        """Seconds for which we may still act, without a further renewal."""
        with self._lock:
            now = self._clock()
            return self._until - now if now >= self._from else NEVER
