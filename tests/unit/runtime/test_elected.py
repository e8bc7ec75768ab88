"""The threads that look after a Lease, by the real clock: they end a process in time, whatever hangs."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from ibpe.kube.calls import Forbidden, NotFound, Unauthenticated, Unreachable
from ibpe.kube.lease import Record
from ibpe.reconcile.ports import KubernetesUnavailable, WriteConflict
from ibpe.runtime.elected import Elected, since_boot
from ibpe.runtime.election import Terms

TERMS = Terms(duration=0.9, renew_deadline=0.6, retry=0.1)
PATIENCE = 20.0


@dataclass
class Lease:
    """A Lease that was let go; `renewing` is what a renewal does."""

    renewing: Callable[[], None] = lambda: None
    reading: Callable[[], None] = lambda: None
    label: str = "test/lease"
    record: Record = field(default_factory=lambda: Record("0", "", 1, 0))

    def _put(self, holder: str) -> Record:
        self.record = Record(str(int(self.record.version) + 1), holder, TERMS.duration, 0)
        return self.record

    def read(self) -> Record | None:
        self.reading()
        return self.record

    def create(self, identity: str, duration: float, now: datetime) -> Record:  # noqa: ARG002 -- the seam's
        return self._put(identity)

    def take(self, known: Record, identity: str, duration: float, now: datetime) -> Record:  # noqa: ARG002 -- the seam's
        return self._put(identity)

    def renew(self, known: Record, duration: float, now: datetime) -> Record:  # noqa: ARG002 -- the seam's
        self.renewing()
        return self._put(known.holder)

    def release(self, known: Record, now: datetime) -> Record:  # noqa: ARG002 -- the seam's
        return self._put("")


@dataclass
class Replica:
    """One candidate; `ended` in place of the end of its process."""

    lease: Lease
    ended: threading.Event = field(default_factory=threading.Event)
    won: threading.Event = field(default_factory=threading.Event)
    gauge: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.elected = Elected(self.lease, "me", TERMS, leading=self.gauge.append, end=self.ended.set)
        self.elected.start(self.won.set)
        assert self.won.wait(PATIENCE)


Lead = Callable[[Lease], Replica]


@pytest.fixture
def never() -> threading.Event:
    """What is waited for in vain, until the test ends."""
    return threading.Event()


@pytest.fixture
def lead(never: threading.Event) -> Iterator[Lead]:
    """Makes a leader of a Lease, whose threads end with the test."""
    led: list[Replica] = []

    def leader(lease: Lease) -> Replica:
        led.append(Replica(lease))
        return led[-1]

    yield leader
    never.set()
    for replica in led:
        replica.elected.release()


class Blocked(logging.Handler):
    """A log whose reader is gone: whoever writes to it waits."""

    def __init__(self, until: threading.Event) -> None:
        super().__init__()
        self._until = until

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.CRITICAL:
            self._until.wait()


def test_a_leader_goes_on_while_it_renews_and_ends_nothing_when_it_lets_go(lead: Lead) -> None:
    lease = Lease()
    replica = lead(lease)
    deadline = time.monotonic() + PATIENCE
    while int(lease.record.version) < 12:
        assert time.monotonic() < deadline
        replica.elected.permit()
        time.sleep(0.02)
    replica.elected.release()
    assert lease.record.holder == ""
    assert replica.gauge == [True, False]
    assert not replica.ended.wait(2 * TERMS.duration)


def test_a_leader_ends_though_its_renewal_hangs_and_nobody_takes_its_log(lead: Lead, never: threading.Event) -> None:
    log, blocked = logging.getLogger("ibpe"), Blocked(never)
    log.addHandler(blocked)
    try:
        began = time.monotonic()
        replica = lead(Lease(renewing=lambda: _wait(never)))
        assert replica.ended.wait(PATIENCE)
        assert time.monotonic() - began >= TERMS.renew_deadline
    finally:
        log.removeHandler(blocked)


def test_a_defect_of_the_thread_that_renews_ends_the_leader(lead: Lead) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    assert lead(Lease(renewing=fail)).ended.wait(PATIENCE)


def test_a_thread_that_is_stuck_does_not_count_as_alive() -> None:
    now = [1000.0]
    elected = Elected(Lease(), "me", Terms(), leading=lambda _: None, clock=lambda: now[0])
    now[0] += 60
    assert elected.alive
    now[0] += 10
    assert not elected.alive


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        (Forbidden("403"), "allow create, get and patch"),
        (NotFound("404"), "the namespace of test/lease does not exist"),
        (Unauthenticated("401"), "check the service account"),
        (Unreachable("refused"), "it is asked again"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_stands_in_the_way_is_said_once_with_the_fix(
    failure: KubernetesUnavailable | WriteConflict, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise failure

    elected = Elected(Lease(reading=fail), "me", TERMS, leading=lambda _: None)
    for _ in range(3):
        elected.turn(lambda: None)
    assert [says in line.getMessage() for line in caplog.records] == [True]


def test_the_clock_goes_on_and_never_back() -> None:
    first = since_boot()
    assert since_boot() >= first


def _wait(event: threading.Event) -> None:
    event.wait()
