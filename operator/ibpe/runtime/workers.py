"""The worker threads: take a key, reconcile it, tell the queue when to look again. Knows no step of a reconcile."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from ibpe.reconcile.ports import Key, KubernetesUnavailable, Outcome, WriteConflict
from ibpe.runtime.logs import bound
from ibpe.runtime.queue import WorkQueue

log: Final = logging.getLogger(__name__)

Reconcile = Callable[[Key, datetime], Outcome]
"""May raise: the worker logs, counts and backs off."""


class WorkerObserver(Protocol):
    """What the workers tell whoever measures them."""

    def reconciled(self, result: str, seconds: float) -> None:
        """One reconcile ended; `result` as in Outcome.result."""


def utc_now() -> datetime:
    """The wall clock, aware, in UTC."""
    return datetime.now(UTC)


class Workers:
    """A fixed number of threads that work on one queue, from `begin` on.

    An Exception of a reconcile concerns its key alone. Anything else that ends a thread (MemoryError is an Exception;
    SystemExit and a defect in the queue are not) is reported once through `on_death`: the process must end, since a
    silently shrinking crew is worse than a restart.
    """

    def __init__(
        self,
        queue: WorkQueue[Key],
        reconcile: Reconcile,
        *,
        count: int,
        on_death: Callable[[BaseException], None],
        observer: WorkerObserver,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._queue = queue
        self._reconcile = reconcile
        self._on_death = on_death
        self._observer = observer
        self._now = now
        self._begun = threading.Event()
        self._threads = [
            threading.Thread(target=self._live, name=f"worker-{number}", daemon=True) for number in range(count)
        ]

    def start(self) -> None:
        """Have the threads ready."""
        for thread in self._threads:
            thread.start()

    def begin(self) -> None:
        """Begin to work: everything that decides between resources is known."""
        self._begun.set()

    @property
    def alive(self) -> bool:
        """Whether every thread is at work."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self, seconds: float) -> bool:
        """Take no further key, and wait at most so many seconds for those at work. True when all ended in time."""
        self._queue.shut_down()
        self._begun.set()
        ended = self._queue.drain(seconds)
        if not ended:
            left = ", ".join(sorted(str(key) for key in self._queue.processing()))
            log.warning("Ending with unfinished work on %s; the next start takes it up.", left)
        return ended

    def _live(self) -> None:
        try:
            self._begun.wait()
            while (key := self._queue.get()) is not None:
                try:
                    self._work(key)
                finally:
                    self._queue.done(key)
        except BaseException as death:
            log.critical("A worker thread died; the process ends.", exc_info=True)
            self._on_death(death)
            raise

    def _work(self, key: Key) -> None:
        started = time.monotonic()
        with bound(key=str(key)):
            outcome = self._outcome(key)
            self._observer.reconciled(outcome.result, time.monotonic() - started)
            if outcome.retry:
                seconds = self._queue.add_backoff(key, outcome.backoff_cap)
                log.debug("Looking again in %.1f s.", seconds)
                return
            self._queue.forget(key)
            if outcome.requeue_after is not None:
                self._queue.add_after(key, outcome.requeue_after)

    def _outcome(self, key: Key) -> Outcome:
        try:
            return self._reconcile(key, self._now())
        except WriteConflict as conflict:
            log.info("The resource changed under us; reading it again: %s", conflict)
            return Outcome(retry=True, result="conflict")
        except KubernetesUnavailable as unavailable:
            log.warning("Kubernetes did not do what was asked: %s", unavailable)
            return Outcome(retry=True, result="error")
        except Exception:
            log.exception("The reconcile failed.")
            return Outcome(retry=True, result="error")
