"""Where a process dies, or an answer is lost: at the Nth write from now, before or after its effect."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from ibpe.aws.errors import classify
from ibpe.reconcile.ports import KubernetesUnavailable

Phase = Literal["before", "after"]
How = Literal["crash", "lost"]


class SimulatedCrash(BaseException):
    """The process is no more. No code of the product's may stop it, so it is no Exception."""


@dataclass(frozen=True)
class Interruption:
    """`how` ends it: the whole process (crash), or just the answer (lost: the caller can't know what came of it)."""

    nth: int
    phase: Phase
    how: How
    only: str = ""
    """Count writes of this name alone."""


class Fuse:
    """Counts writes of either kind, and interrupts the one that it is armed for."""

    def __init__(self) -> None:
        self._armed: Interruption | None = None
        self._left = 0
        self.writes: list[str] = []
        """Every write so far, by name."""

    def arm(self, interruption: Interruption | None) -> None:
        """Interrupt the Nth write from now on; None: none."""
        self._armed = interruption
        self._left = interruption.nth if interruption else 0

    @property
    def burnt(self) -> bool:
        """Whether the interruption has come."""
        return self._armed is None

    @contextmanager
    def aws(self, operation: str) -> Iterator[None]:
        """Around the effect of a write to AWS."""
        with self._around(operation) as lost:
            yield
        if lost:
            raise classify(operation, "Timeout", "no answer in time")

    @contextmanager
    def kubernetes(self, what: str) -> Iterator[None]:
        """Around the effect of a write to the API server."""
        with self._around(what) as lost:
            yield
        if lost:
            raise KubernetesUnavailable(f"{what}: no answer in time")

    @contextmanager
    def _around(self, what: str) -> Iterator[bool]:
        self.writes.append(what)
        interruption = self._hit(what)
        if interruption is None:
            yield False
            return
        self.writes.append(f"-- {interruption.how} {interruption.phase} {what}")
        if interruption.phase == "before":
            self._raise(interruption.how, what)
        yield interruption.how == "lost"
        if interruption.how == "crash":
            raise SimulatedCrash(what)

    def _hit(self, what: str) -> Interruption | None:
        if self._armed is None or self._armed.only not in {"", what}:
            return None
        self._left -= 1
        if self._left > 0:
            return None
        hit, self._armed = self._armed, None
        return hit

    @staticmethod
    def _raise(how: How, what: str) -> None:
        if how == "crash":
            raise SimulatedCrash(what)
        if what in KUBERNETES_WRITES:
            raise KubernetesUnavailable(f"{what}: no answer in time")
        raise classify(what, "Timeout", "no answer in time")


KUBERNETES_WRITES = frozenset({"add finalizer", "remove finalizer", "write status"})
