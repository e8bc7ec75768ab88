"""Worker threads with a reconcile of the test's own."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from ibpe.reconcile.ports import Key, KubernetesUnavailable, Outcome, WriteConflict
from ibpe.runtime.queue import WorkQueue
from ibpe.runtime.workers import Reconcile, Workers

KEY = Key("team", "one")
OTHER = Key("team", "two")
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class Results:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def reconciled(self, result: str, seconds: float) -> None:
        assert seconds >= 0
        self.seen.append(result)


class Recorder(WorkQueue[Key]):
    """A queue that keeps what it was asked, and returns nothing by itself: delayed keys stay delayed."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: 0.0)
        self.asked: list[tuple[str, Key, float]] = []
        self.idle = threading.Event()

    def add_after(self, key: Key, seconds: float) -> None:
        self.asked.append(("after", key, seconds))

    def add_backoff(self, key: Key, cap: float | None = None) -> float:
        self.asked.append(("backoff", key, cap or 0))
        return 0

    def forget(self, key: Key) -> None:
        self.asked.append(("forget", key, 0))

    def done(self, key: Key) -> None:
        super().done(key)
        self.idle.set()


@contextmanager
def working(queue: WorkQueue[Key], reconcile: Reconcile, results: Results, count: int = 1) -> Iterator[Workers]:
    deaths: list[BaseException] = []
    workers = Workers(queue, reconcile, count=count, on_death=deaths.append, observer=results, now=lambda: NOON)
    workers.start()
    workers.begin()
    try:
        yield workers
    finally:
        assert workers.stop(10)
    assert deaths == []


def raising(failure: Exception) -> Reconcile:
    def reconcile(_key: Key, _now: datetime) -> Outcome:
        raise failure

    return reconcile


@pytest.mark.parametrize(
    ("reconcile", "asked", "result"),
    [
        (lambda _k, _n: Outcome(), ["forget"], "success"),
        (lambda _k, _n: Outcome(requeue_after=30, result="waiting"), ["forget", "after"], "waiting"),
        (lambda _k, _n: Outcome(retry=True, result="error"), ["backoff"], "error"),
        (raising(ValueError("x")), ["backoff"], "error"),
        (raising(WriteConflict("x")), ["backoff"], "conflict"),
        (raising(KubernetesUnavailable("x")), ["backoff"], "error"),
        (raising(MemoryError()), ["backoff"], "error"),
    ],
    ids=["done", "look again", "retry", "a defect", "a conflict", "no API server", "out of memory"],
)
def test_each_outcome_asks_its_own_of_the_queue(reconcile: Reconcile, asked: list[str], result: str) -> None:
    queue, results = Recorder(), Results()
    with working(queue, reconcile, results):
        queue.add(KEY)
        assert queue.idle.wait(10)
    assert [what for what, _, _ in queue.asked] == asked
    assert results.seen == [result]


def test_nothing_is_worked_on_before_the_beginning() -> None:
    queue, reached = Recorder(), threading.Event()

    def reconcile(_key: Key, _now: datetime) -> Outcome:
        reached.set()
        return Outcome()

    workers = Workers(queue, reconcile, count=1, on_death=lambda _: None, observer=Results())
    queue.add(KEY)
    workers.start()
    assert workers.alive
    assert not reached.wait(0.1)
    workers.begin()
    assert reached.wait(10)
    assert workers.stop(10)


def test_workers_that_never_began_stop_at_once() -> None:
    workers = Workers(Recorder(), lambda _key, _now: Outcome(), count=2, on_death=lambda _: None, observer=Results())
    workers.start()
    assert workers.stop(10)
    wait_until(lambda: not workers.alive)


def test_now_is_the_workers_clock() -> None:
    queue, times = Recorder(), list[datetime]()

    def reconcile(_key: Key, now: datetime) -> Outcome:
        times.append(now)
        return Outcome()

    with working(queue, reconcile, Results()):
        queue.add(KEY)
        assert queue.idle.wait(10)
    assert times == [NOON]


def test_a_key_that_hangs_holds_one_worker_only() -> None:
    queue: WorkQueue[Key] = WorkQueue()
    release, went_on = threading.Event(), threading.Event()

    def reconcile(key: Key, _now: datetime) -> Outcome:
        if key == KEY:
            release.wait(10)
        else:
            went_on.set()
        return Outcome()

    with working(queue, reconcile, Results(), count=2):
        queue.add(KEY)
        queue.add(OTHER)
        assert went_on.wait(10)
        release.set()


def test_a_defect_is_logged_with_its_traceback_and_the_key(caplog: pytest.LogCaptureFixture) -> None:
    queue = Recorder()
    with working(queue, raising(ValueError("the reason")), Results()):
        queue.add(KEY)
        assert queue.idle.wait(10)
    assert "ValueError: the reason" in caplog.text


def test_no_api_server_is_logged_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    queue = Recorder()
    with working(queue, raising(KubernetesUnavailable("timed out")), Results()):
        queue.add(KEY)
        assert queue.idle.wait(10)
    assert "timed out" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # the death is the point
def test_a_dead_worker_is_reported_and_no_longer_alive(caplog: pytest.LogCaptureFixture) -> None:
    queue, died = WorkQueue[Key](), threading.Event()
    deaths: list[BaseException] = []

    def fatal(_key: Key, _now: datetime) -> Outcome:
        raise KeyboardInterrupt

    def report(death: BaseException) -> None:
        deaths.append(death)
        died.set()

    workers = Workers(queue, fatal, count=2, on_death=report, observer=Results())
    workers.start()
    workers.begin()
    assert workers.alive
    with caplog.at_level(logging.CRITICAL):
        queue.add(KEY)
        assert died.wait(10)
    assert isinstance(deaths[0], KeyboardInterrupt)
    wait_until(lambda: not workers.alive)
    assert workers.stop(10)


def wait_until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it never came")
