"""The laws of the work queue, on a clock that only the test moves."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ibpe.runtime.queue import BACKOFF_CAP, WorkQueue

KEYS = st.sampled_from(["a", "b", "c", "d"])


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class QueueLaws(RuleBasedStateMachine):
    """A model: `wanted` keys in order of arrival, `delayed` keys with their time, `held` keys with workers."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.queue: WorkQueue[str] = WorkQueue(clock=self.clock, chance=lambda: 0.0)
        self.wanted: list[str] = []
        self.dirty: set[str] = set()
        self.held: set[str] = set()
        self.delayed: dict[str, float] = {}
        self.failures: dict[str, int] = {}

    def _want(self, key: str) -> None:
        self.delayed.pop(key, None)
        if key in self.held:
            self.dirty.add(key)
        elif key not in self.wanted:
            self.wanted.append(key)

    def _delay(self, key: str, due: float) -> None:
        if key not in self.wanted and key not in self.dirty and due < self.delayed.get(key, float("inf")):
            self.delayed.pop(key, None)
            self.delayed[key] = due

    @rule(key=KEYS)
    def add(self, key: str) -> None:
        self._settle()
        self.queue.add(key)
        self._want(key)

    @rule(key=KEYS, seconds=st.integers(min_value=0, max_value=20))
    def add_after(self, key: str, seconds: int) -> None:
        self._settle()
        self.queue.add_after(key, seconds)
        if seconds:
            self._delay(key, self.clock.now + seconds)
        else:
            self._want(key)

    @rule(key=KEYS)
    def add_backoff(self, key: str) -> None:
        self._settle()
        seconds = self.queue.add_backoff(key)
        assert seconds == min(2.0 ** self.failures.get(key, 0), BACKOFF_CAP)
        self.failures[key] = self.failures.get(key, 0) + 1
        self._delay(key, self.clock.now + seconds)

    @rule(key=KEYS)
    def forget(self, key: str) -> None:
        self.queue.forget(key)
        self.failures.pop(key, None)

    @rule(seconds=st.integers(min_value=1, max_value=30))
    def time_passes(self, seconds: int) -> None:
        self.clock.now += seconds
        self._settle()

    @precondition(lambda self: self.wanted)
    @rule()
    def take(self) -> None:
        key = self.queue.get()
        assert key == self.wanted.pop(0), "first come, first served"
        assert key not in self.held, "a key is never worked on twice at once"
        self.held.add(key)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        self._settle()
        key = data.draw(st.sampled_from(sorted(self.held)))
        self.queue.done(key)
        self.held.remove(key)
        if key in self.dirty:
            self.dirty.remove(key)
            self.wanted.append(key)

    def _settle(self) -> None:
        # Delayed keys that are due become wanted, earliest first; the queue does it whenever it is looked at.
        len(self.queue)
        for key in sorted(self.delayed, key=self.delayed.__getitem__):
            if self.delayed[key] <= self.clock.now:
                self._want(key)

    @invariant()
    def nothing_is_lost_or_invented(self) -> None:
        assert len(self.queue) == len(self.wanted)
        assert self.queue.processing() == self.held


TestQueueLaws = QueueLaws.TestCase
TestQueueLaws.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_equal_due_times_keep_the_order_of_arrival() -> None:
    clock = Clock()
    queue: WorkQueue[str] = WorkQueue(clock=clock)
    for key in "zyx":
        queue.add_after(key, 5)
    clock.now += 5
    assert [queue.get() for _ in range(3)] == ["z", "y", "x"]


def test_a_delayed_entry_that_was_overtaken_does_not_come_back() -> None:
    clock = Clock()
    queue: WorkQueue[str] = WorkQueue(clock=clock)
    queue.add_after("key", 5)
    queue.add("key")
    assert queue.get() == "key"
    queue.done("key")
    clock.now += 5
    assert len(queue) == 0


def test_backoff_grows_to_its_cap_and_is_forgotten() -> None:
    queue: WorkQueue[str] = WorkQueue(clock=Clock(), chance=lambda: 0.5)
    delays = [queue.add_backoff("key") for _ in range(12)]
    assert delays[:4] == [0.9, 1.8, 3.6, 7.2]
    assert delays == sorted(delays)
    assert delays[-1] == 270.0
    queue.forget("key")
    assert queue.add_backoff("key") == 0.9


def test_a_cap_of_the_callers_own_bounds_a_backoff() -> None:
    queue: WorkQueue[str] = WorkQueue(clock=Clock(), chance=lambda: 0.5)
    assert max(queue.add_backoff("key", 15.0) for _ in range(12)) <= 15.0
    assert queue.add_backoff("key") > 15.0


@pytest.mark.parametrize("chance", [lambda: 0.0, lambda: 0.999999])
def test_no_chance_takes_backoff_out_of_its_bounds(chance: Callable[[], float]) -> None:
    queue: WorkQueue[str] = WorkQueue(clock=Clock(), chance=chance)
    delays = [queue.add_backoff("key") for _ in range(2000)]
    assert min(delays) >= 0.8
    assert max(delays) <= BACKOFF_CAP


def test_a_waiting_worker_wakes_for_an_add() -> None:
    queue: WorkQueue[str] = WorkQueue()
    got: list[str | None] = []
    waiter = threading.Thread(target=lambda: got.append(queue.get()))
    waiter.start()
    queue.add("key")
    waiter.join(10)
    assert got == ["key"]


def test_a_waiting_worker_wakes_for_a_delayed_key_that_is_due() -> None:
    queue: WorkQueue[str] = WorkQueue()
    got: list[str | None] = []
    waiter = threading.Thread(target=lambda: got.append(queue.get()))
    waiter.start()
    queue.add_after("late", 600)
    queue.add_after("soon", 0.01)
    waiter.join(10)
    assert got == ["soon"]


def test_shutting_down_frees_waiting_workers_and_waits_for_busy_ones() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("busy")
    assert queue.get() == "busy"
    got: list[str | None] = []
    waiter = threading.Thread(target=lambda: got.append(queue.get()))
    waiter.start()
    queue.shut_down()
    waiter.join(10)
    assert got == [None]
    assert not queue.drain(0.01)
    queue.add("too late")
    assert len(queue) == 0
    queue.done("busy")
    assert queue.drain(0)


def test_moving_a_key_often_does_not_fill_the_memory() -> None:
    queue: WorkQueue[str] = WorkQueue(clock=Clock())
    for number in range(10_000):
        queue.add_after("key", 1_000_000 - number)
    assert len(queue._heap) < 200  # noqa: SLF001 -- the bound is the point, and no public figure shows it


def test_many_threads_never_share_a_key_and_lose_none() -> None:
    queue: WorkQueue[int] = WorkQueue()
    at_work: set[int] = set()
    clashes: list[int] = []
    counts = dict.fromkeys(range(20), 0)
    guard = threading.Lock()

    def work() -> None:
        while (key := queue.get()) is not None:
            with guard:
                if key in at_work:
                    clashes.append(key)
                at_work.add(key)
                counts[key] += 1
            with guard:
                at_work.discard(key)
            queue.done(key)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        for key in counts:
            queue.add(key)
    for key in counts:
        queue.add(key)
    deadline = threading.Event()
    while len(queue) or queue.processing():
        deadline.wait(0.001)
    queue.shut_down()
    for thread in threads:
        thread.join(10)
    assert not clashes
    assert all(count >= 1 for count in counts.values())
