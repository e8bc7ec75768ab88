"""Two candidates and one Lease, in a time that the test owns: they never lead at once, whatever gets lost or late."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from ibpe.kube.lease import Record
from ibpe.reconcile.ports import KubernetesUnavailable, WriteConflict
from ibpe.runtime.election import Election, Terms
from ibpe.runtime.leadership import Elected

TERMS = Terms(duration=15, renew_deadline=10, retry=2)


@dataclass
class Time:
    """Seconds that pass when the test says so."""

    now: float = 1_000.0

    def clock(self, ahead: float) -> Callable[[], float]:
        """Somebody's own clock, which shows another time and runs as fast."""
        return lambda: self.now + ahead


@dataclass(frozen=True)
class Fate:
    """What becomes of one request: seconds to the server, whether it gets there, seconds back, whether it is heard."""

    there: float = 0.0
    arrives: bool = True
    back: float = 0.0
    heard: bool = True


@dataclass
class Server:
    """A Lease as the API server keeps it: one version, and a conflict for whoever read another."""

    time: Time
    fates: Iterator[Fate]
    meanwhile: Callable[[], None] = lambda: None
    record: Record | None = None
    writes: int = 0

    def handle(self, act: Callable[[], Record | None]) -> Record | None:
        fate = next(self.fates, Fate())
        self.time.now += fate.there
        self.meanwhile()
        answer, conflict = None, False
        if fate.arrives:
            try:
                answer = act()
            except WriteConflict:
                conflict = True
        self.meanwhile()
        self.time.now += fate.back
        if not (fate.arrives and fate.heard):
            raise KubernetesUnavailable("no answer")
        if conflict:
            raise WriteConflict("another version")
        return answer

    def put(self, known: Record | None, holder: str, duration: float) -> Record:
        if (known.version if known else None) != (self.record.version if self.record else None):
            raise WriteConflict("another version")
        self.writes += 1
        self.record = Record(str(self.writes), holder, duration, 0)
        return self.record


@dataclass
class Kept:
    """The Lease, kept by the test's server."""

    server: Server
    label: str = "test/lease"

    def _put(self, known: Record | None, holder: str, duration: float) -> Record:
        answer = self.server.handle(lambda: self.server.put(known, holder, duration))
        assert answer is not None
        return answer

    def read(self) -> Record | None:
        return self.server.handle(lambda: self.server.record)

    def create(self, identity: str, duration: float, now: datetime) -> Record:  # noqa: ARG002 -- the seam's
        return self._put(None, identity, duration)

    def take(self, known: Record, identity: str, duration: float, now: datetime) -> Record:  # noqa: ARG002 -- the seam's
        return self._put(known, identity, duration)

    def renew(self, known: Record, duration: float, now: datetime) -> Record:  # noqa: ARG002 -- the seam's
        return self._put(known, known.holder, duration)

    def release(self, known: Record, now: datetime) -> Record:  # noqa: ARG002 -- the seam's
        return self._put(known, "", 1)


@dataclass
class Candidate:
    """A replica: ends when it ceases to lead, and another takes its place."""

    name: str
    server: Server
    ahead: float
    lives: int = 0
    led: bool = False
    elected: Elected = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.lives += 1
        self.led = False
        self.elected = Elected(
            Kept(self.server),
            f"{self.name}-{self.lives}",
            TERMS,
            leading=lambda _: None,
            clock=self.server.time.clock(self.ahead),
            end=self.begin,
        )

    def turn(self) -> None:
        if self.led and not self.elected.election.leads:
            self.begin()  # the watchdog
        self.elected.turn(self.won)

    def won(self) -> None:
        self.led = True


fates = st.builds(
    Fate,
    there=st.floats(0, 12),
    arrives=st.sampled_from([True, True, True, False]),
    back=st.floats(0, 12),
    heard=st.sampled_from([True, True, True, False]),
)
# Who takes a turn, after how long, and between which two steps of it the other takes one.
moves = st.tuples(st.sampled_from([0, 1]), st.floats(0, 20), st.integers(0, 6))


@settings(max_examples=300)
@given(st.lists(moves, max_size=40), st.lists(fates, max_size=80), st.floats(-1e6, 1e6))
def test_two_never_lead_at_once(script: list[tuple[int, float, int]], drawn: list[Fate], skew: float) -> None:
    time = Time()
    server = Server(time, iter(drawn))
    both = [Candidate("a", server, 0.0), Candidate("b", server, skew)]

    def check() -> None:
        assert not all(each.elected.election.leads for each in both)

    for who, pause, moment in script:
        time.now += pause
        check()
        moments = iter([None] * moment + [both[1 - who].turn])

        def meanwhile(moments: Iterator[Callable[[], None] | None] = moments) -> None:
            check()
            turn = next(moments, None)
            if turn is not None:
                turn()

        server.meanwhile = meanwhile
        both[who].turn()
        check()


def test_a_lease_that_was_let_go_is_taken_at_once() -> None:
    election = Election("b", TERMS, lambda: 0.0)
    assert election.may_take(Record("7", "", 1, 3))


def test_a_lease_that_somebody_renews_is_never_taken() -> None:
    time = Time()
    election = Election("b", TERMS, time.clock(0))
    for version in range(20):
        found = Record(str(version), "a", 15, 0)
        election.saw(found)
        assert not election.may_take(found)
        time.now += 14.9


def test_a_lease_that_stands_still_is_taken_when_it_has_ended_by_our_own_clock() -> None:
    time = Time()
    election = Election("b", TERMS, time.clock(0))
    found = Record("7", "a", 15, 0)
    election.saw(found)
    time.now += 14.9
    election.saw(found)  # once more: the wait is not begun anew
    assert not election.may_take(found)
    time.now += 0.1
    assert election.may_take(found)


def test_a_holder_that_counts_on_longer_is_given_longer() -> None:
    time = Time()
    election = Election("b", TERMS, time.clock(0))
    found = Record("7", "a", 60, 0)
    election.saw(found)
    time.now += 59
    assert not election.may_take(found)


def test_a_write_whose_answer_was_lost_is_known_for_our_own() -> None:
    server = Server(Time(), iter([Fate(), Fate(heard=False)]))
    candidate = Candidate("a", server, 0.0)
    candidate.turn()
    assert not candidate.elected.election.leads
    candidate.turn()
    assert candidate.elected.election.leads


def test_a_leader_whose_renewal_was_answered_by_nobody_still_leads_by_the_next() -> None:
    server = Server(Time(), iter([Fate(), Fate(), Fate(heard=False), Fate(), Fate()]))
    candidate = Candidate("a", server, 0.0)
    for _ in range(4):
        candidate.turn()
        server.time.now += 2
    assert candidate.elected.election.leads
    assert candidate.lives == 1


def test_a_leader_that_sees_another_in_its_place_ends() -> None:
    server = Server(Time(), iter([]))
    candidate = Candidate("a", server, 0.0)
    candidate.turn()
    server.put(server.record, "b", 15)
    candidate.turn()
    assert candidate.lives == 2


def test_a_leader_counts_from_before_it_asked_since_others_may_count_from_before_it_was_answered() -> None:
    server = Server(Time(), iter([Fate(), Fate(there=1, back=8)]))
    candidate = Candidate("a", server, 0.0)
    candidate.turn()
    assert candidate.elected.election.left == 1
