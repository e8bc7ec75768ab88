"""Leading and ceasing to lead, as threads: one that takes and renews the Lease, one that ends the process in time.

A process that led never goes back to waiting: it ends, and is started anew. Knows the Lease; not what leading is for.
"""

import logging
import os
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NoReturn

from ibpe.kube.calls import Forbidden, NotFound, Unauthenticated
from ibpe.kube.lease import Record
from ibpe.reconcile.ports import KubernetesUnavailable, WriteConflict
from ibpe.runtime.election import Election, Lock, Terms

log: Final = logging.getLogger(__name__)

EXIT_NOT_LEADING: Final = 75
"""The exit code of a leader that could no longer count on its Lease (sysexits.h: try again)."""
WATCH_SECONDS: Final = 0.1
LAST_WORDS_SECONDS: Final = 0.5
"""How long the end waits for its own log line: a log that nobody reads must not keep a leader alive."""
HUNG_SECONDS: Final = 60.0
"""Silence of the thread that looks after the Lease after which the process no longer counts as alive."""
JITTER: Final = 0.2


class NotLeading(Exception):  # noqa: N818 -- a state of the process
    """The process may not write; it is ending."""


def end_at_once() -> NoReturn:
    """End the process without a further instruction of any other thread."""
    os._exit(EXIT_NOT_LEADING)


def since_boot() -> float:
    """A monotonic clock that goes on while the machine is suspended, where there is one (Linux: CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Elected:
    """One of several replicas. `end` ends the process; it is given for tests, which go on."""

    def __init__(
        self,
        lease: Lock,
        identity: str,
        terms: Terms,
        *,
        leading: Callable[[bool], None],
        clock: Callable[[], float] = since_boot,
        end: Callable[[], None] = end_at_once,
    ) -> None:
        self.election = Election(identity, terms, clock)
        self._lease = lease
        self._terms = terms
        self._clock = clock
        self._leading = leading
        self._end = end
        self._record: Record | None = None
        self._making = False
        self._led = threading.Event()
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._turned_at = clock()
        self._told = ""

    @property
    def alive(self) -> bool:
        """Whether the Lease is looked after: one attempt ends soon, whatever becomes of it."""
        silence = self._clock() - self._turned_at
        return self._stopping.is_set() or silence < self._terms.retry + max(HUNG_SECONDS, 3 * self._terms.attempt)

    def start(self, won: Callable[[], None]) -> None:
        """Be a candidate until elected, then hold on to the Lease."""
        log.info("Waiting for the Lease.", extra={"lease": self._lease.label, "identity": self.election.identity})
        threading.Thread(target=self._guarded, args=(self._campaign, won), name="lease", daemon=True).start()
        threading.Thread(target=self._guarded, args=(self._watch,), name="lease-watchdog", daemon=True).start()

    def permit(self) -> None:
        """Returns only while the Lease can be counted on; otherwise the process ends here. Raises NotLeading."""
        if not self.election.leads:
            self._cease("a write was about to begin after the Lease's end")
            raise NotLeading

    def release(self) -> None:
        """Let go of the Lease, if we hold it; a failure costs the others a wait and nothing else."""
        self._stopping.set()
        with self._writing:
            record, led = self._record, self.election.leads
            self.election.lost()
            self._leading(False)  # noqa: FBT003 -- the gauge's value
            if not led or record is None:
                return
            try:
                self._lease.release(record, _now())
            except (WriteConflict, KubernetesUnavailable) as failure:
                log.warning("The Lease was not released; the others wait for its end: %s", failure)
            else:
                log.info("Released the Lease.", extra={"lease": self._lease.label})

    def _campaign(self, won: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            began = self._clock()
            with self._writing:
                if not self._stopping.is_set():
                    self.turn(won)
            self._turned_at = self._clock()
            pause = self._terms.retry * (1 - JITTER * random.random())  # noqa: S311 -- spreads candidates, hides nothing
            if not self._led.is_set() and self.election.free_in > 0:
                pause = min(pause, self._turned_at - began + self.election.free_in)  # its end is not waited past
            self._stopping.wait(max(pause - (self._turned_at - began), 0.0))

    def turn(self, won: Callable[[], None]) -> None:
        """One attempt to take the Lease or to renew it. What fails passes, or the watchdog ends it."""
        try:
            sent_at = self._clock()
            record = self._write()
        except WriteConflict as conflict:
            self._look(conflict)
            return
        except KubernetesUnavailable as failure:
            self._tell(failure)
            return
        self._told = ""
        if record is None or not self.election.held(record, sent_at, made=self._making):
            return
        self._record, self._making = record, False
        if not self._led.is_set() and self.election.leads:
            self._led.set()
            log.info("Leading.", extra={"lease": self._lease.label, "identity": self.election.identity})
            self._leading(True)  # noqa: FBT003 -- the gauge's value
            won()

    def _write(self) -> Record | None:
        """The record that was written; None where there was nothing to write: another holds it."""
        duration = self._terms.duration
        if self._record is not None:
            return self._lease.renew(self._record, duration, _now())
        found = self._lease.read()
        self.election.saw(found)
        if self.election.free_in > 0:
            return None
        self._making = self._making or found is None  # also where the answer to a write is lost
        if found is None:
            return self._lease.create(self.election.identity, duration, _now())
        return self._lease.take(found, self.election.identity, duration, _now())

    def _look(self, conflict: WriteConflict) -> None:
        """Somebody wrote meanwhile: another holder ends us; our own write whose answer was lost is read again."""
        if not self._led.is_set():
            self._record, self._making = None, False
            self.election.outrun()
            if isinstance(conflict, NotFound):
                self._tell(conflict)
            return
        try:
            found = self._lease.read()
        except (WriteConflict, KubernetesUnavailable) as failure:
            self._tell(failure)
            return
        if found is None or found.holder != self.election.identity:
            self.election.lost()
            self._cease(f"{found.holder if found and found.holder else 'nobody'} holds the Lease")
            return
        self._record = found

    def _watch(self) -> None:
        """End the process as soon as the Lease can't be counted on, whatever every other thread is doing."""
        self._led.wait()
        while not self._stopping.is_set():
            left = self.election.left
            if left <= 0 and not self._stopping.is_set():  # letting go also ends our time, after it set this
                self._cease("the Lease could not be renewed in time")
                return
            time.sleep(max(min(left, WATCH_SECONDS), 0.0))

    def _cease(self, why: str) -> None:
        """Say it and end: by another thread, since a log that blocks would hold up the end."""
        try:
            words = threading.Thread(target=self._say, args=(why,), name="last-words", daemon=True)
            words.start()
            words.join(LAST_WORDS_SECONDS)
        finally:
            self._end()

    def _say(self, why: str) -> None:
        log.critical("No longer leading: %s. The process ends so that it is started anew.", why)
        self._leading(False)  # noqa: FBT003 -- the gauge's value

    def _tell(self, failure: KubernetesUnavailable | WriteConflict) -> None:
        """One line for each obstacle, not for each attempt."""
        kind = type(failure).__name__
        if kind == self._told:
            return
        self._told = kind
        match failure:
            case Forbidden():
                advice = f"RBAC does not let us use the Lease {self._lease.label}; allow create, get and patch of it"
            case NotFound():
                advice = f"the namespace of {self._lease.label} does not exist; make it, or set IBPE_LEASE_NAMESPACE"
            case Unauthenticated():
                advice = "the API server does not accept our credentials; check the service account"
            case _:
                advice = "the API server does not do what is asked; it is asked again"
        log.warning("The Lease %s: %s: %s", self._lease.label, advice, failure)

    def _guarded(self, run: Callable[..., None], *arguments: object) -> None:
        try:
            run(*arguments)
        except Exception as failure:
            log.critical("A thread of the election died.", exc_info=True)
            self._cease(f"an unforeseen {failure!r}")


def _now() -> datetime:
    return datetime.now(UTC)
