"""Two candidates and one Lease, in a time that the test owns: they never lead at once, whatever gets lost or late."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from ibpe.kube.lease import Record
from ibpe.reconcile.ports import KubernetesUnavailable, WriteConflict
from ibpe.runtime.elected import Elected, NotLeading
from ibpe.runtime.election import NEVER, Election, Terms

TERMS = Terms(duration=15, renew_deadline=10, retry=2)


@dataclass
class Time:
    """Seconds that pass when the test says so."""

    now: float = 1_000.0

    def clock(self, ahead: float, pace: float = 1.0) -> Callable[[], float]:
        """Somebody's own clock, which shows another time and runs somewhat faster or slower."""
        return lambda: self.now * pace + ahead


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

    def delete(self) -> None:
        """Somebody's `kubectl delete lease`."""
        self.record = None

    def put(self, known: Record | None, holder: str, duration: float) -> Record:
        if (known.version if known else None) != (self.record.version if self.record else None):
            raise WriteConflict("another version")
        self.writes += 1
        self.record = Record(str(self.writes), holder, duration, 0, f"renewal {self.writes}")
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
    ahead: float = 0.0
    pace: float = 1.0
    lives: int = 0
    led: bool = False
    may_until: float = NEVER
    """Until when it may begin to write, unless it ends before."""
    elected: Elected = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.may_until = min(self.may_until, self.server.time.now)
        self.lives += 1
        self.led = False
        self.elected = Elected(
            Kept(self.server),
            f"{self.name}-{self.lives}",
            TERMS,
            leading=lambda _: None,
            clock=self.server.time.clock(self.ahead, self.pace),
            end=self.begin,
        )

    def turn(self) -> None:
        if self.led and not self.elected.election.leads:
            self.begin()  # the watchdog
        self.elected.turn(self.won)

    def won(self) -> None:
        self.led = True

    def release(self) -> None:
        """A clean end; then a new life."""
        self.elected.release()
        self.begin()
        self.may_until = NEVER  # it was drained: nothing is on its way

    def writes(self) -> bool:
        """Whether a write to AWS would begin now."""
        life = self.elected
        try:
            life.permit()
        except NotLeading:
            return False
        return life is self.elected


fates = st.one_of(
    st.just(Fate()),
    st.just(Fate()),
    st.builds(
        Fate,
        there=st.floats(0, 12),
        arrives=st.sampled_from([True, True, True, False]),
        back=st.floats(0, 12),
        heard=st.sampled_from([True, True, True, False]),
    ),
)
pauses = st.one_of(st.floats(0, 20), st.floats(0, 4), st.sampled_from([2.0, 9.5, 14.5]))
ACTS = ("turn", "turn", "turn", "turn", "turn", "turn", "release", "die", "delete")
# Who acts and how, after how long (it may be stopped), and between which two steps of it the other takes a turn.
moves = st.tuples(st.sampled_from([0, 1]), st.sampled_from(ACTS), pauses, st.integers(0, 6))
ON_ITS_WAY = 4.0
"""Seconds between the question at the fence and the call's arrival: `duration` less `renew_deadline`, by any clock."""


@dataclass
class Witness:
    """Sees until when two candidates may begin to write, and that there is time for what is on its way in between."""

    time: Time
    both: list[Candidate]

    def look(self) -> None:
        for one, other in (self.both, reversed(self.both)):
            if one.elected.election.leads:
                assert one.writes()
                one.may_until = self.time.now + one.elected.election.left / one.pace
                assert self.time.now >= other.may_until + ON_ITS_WAY, "a write of the other may be on its way"


@settings(max_examples=500, deadline=None)  # its last words are said by a thread of their own
@given(
    st.lists(moves, max_size=40),
    st.lists(fates, max_size=80),
    st.floats(-1e6, 1e6),
    st.tuples(st.floats(0.97, 1.03), st.floats(0.97, 1.03)),
)
def test_two_never_write_at_once(
    script: list[tuple[int, str, float, int]], drawn: list[Fate], skew: float, paces: tuple[float, float]
) -> None:
    time = Time()
    server = Server(time, iter(drawn), record=Record("0", "", 1, 0))
    both = [Candidate("a", server, 0.0, paces[0]), Candidate("b", server, skew, paces[1])]
    witness = Witness(time, both)
    for who, act, pause, moment in script:
        time.now += pause
        witness.look()
        moments = iter([None] * moment + [both[1 - who].turn])

        def meanwhile(moments: Iterator[Callable[[], None] | None] = moments) -> None:
            witness.look()
            turn = next(moments, None)
            if turn is not None:
                turn()

        server.meanwhile = meanwhile
        match act:
            case "turn":
                both[who].turn()
            case "release":
                both[who].release()
            case "die":
                both[who].begin()
            case _:
                server.delete()
        witness.look()


def test_a_lease_that_was_let_go_is_taken_at_once() -> None:
    election = Election("b", TERMS, lambda: 0.0)
    election.saw(Record("7", "", 1, 3))
    assert election.free_in == 0


def test_nothing_is_taken_before_a_first_look() -> None:
    assert Election("b", TERMS, lambda: 0.0).free_in > 1e9


def test_a_lease_that_somebody_renews_is_never_taken() -> None:
    time = Time()
    election = Election("b", TERMS, time.clock(0))
    for version in range(20):
        election.saw(Record(str(version), "a", 15, 0, f"renewal {version}"))
        assert election.free_in == 15
        time.now += 14.5


def test_a_dead_leaders_lease_that_others_put_labels_on_is_taken_all_the_same() -> None:
    time = Time()
    election = Election("b", TERMS, time.clock(0))
    for version in range(16):
        election.saw(Record(str(version), "a", 15, 0, "its last renewal"))
        time.now += 1
    assert election.free_in == 0


def test_a_lease_that_stands_still_is_taken_when_it_has_ended_by_our_own_clock() -> None:
    time = Time()
    election = Election("b", TERMS, time.clock(0))
    found = Record("7", "a", 15, 0)
    election.saw(found)
    time.now += 14.75
    election.saw(found)  # once more: the wait is not begun anew
    assert election.free_in == 0.25
    time.now += 0.25
    assert election.free_in == 0


def test_a_holder_that_counts_on_longer_is_given_longer() -> None:
    time = Time()
    election = Election("b", TERMS, time.clock(0))
    election.saw(Record("7", "a", 60, 0))
    time.now += 59
    assert election.free_in == 1


def test_who_makes_a_lease_holds_it_for_as_long_as_a_holder_before_may_not_know_and_only_then_leads() -> None:
    server = Server(Time(), iter([]))
    candidate = Candidate("a", server)
    for _ in range(7):
        candidate.turn()
        assert not candidate.led
        server.time.now += TERMS.retry
    server.time.now += 1
    candidate.turn()
    assert candidate.led
    assert server.record == Record("8", "a-1", 15, 0)


def test_a_lease_that_was_made_and_taken_away_before_it_counted_is_waited_for_anew() -> None:
    server = Server(Time(), iter([]))
    candidate = Candidate("a", server)
    candidate.turn()
    server.delete()
    server.time.now += TERMS.duration
    candidate.turn()
    candidate.turn()
    assert not candidate.led


def leading(fates: list[Fate]) -> tuple[Server, Candidate]:
    """A candidate that leads, whose later requests have these fates."""
    server = Server(Time(), iter([]), record=Record("0", "", 1, 0))
    candidate = Candidate("a", server)
    candidate.turn()
    assert candidate.elected.election.leads
    server.fates = iter(fates)
    return server, candidate


def test_a_write_whose_answer_was_lost_is_known_for_our_own() -> None:
    server = Server(Time(), iter([Fate(), Fate(heard=False)]), record=Record("0", "", 1, 0))
    candidate = Candidate("a", server)
    candidate.turn()
    assert not candidate.elected.election.leads
    candidate.turn()
    assert candidate.elected.election.leads


def test_a_leader_whose_renewal_was_answered_by_nobody_still_leads_by_the_next() -> None:
    server, candidate = leading([Fate(heard=False), Fate(), Fate()])
    for _ in range(3):
        server.time.now += 2
        candidate.turn()
    assert candidate.elected.election.left == TERMS.renew_deadline
    assert candidate.lives == 1


def test_a_leader_that_sees_another_in_its_place_ends() -> None:
    server, candidate = leading([])
    server.put(server.record, "b", 15)
    candidate.turn()
    assert candidate.lives == 2


def test_a_leader_whose_lease_was_deleted_ends() -> None:
    server, candidate = leading([])
    server.delete()
    candidate.turn()
    assert candidate.lives == 2


def test_a_leader_counts_from_before_it_asked_since_others_may_count_from_before_it_was_answered() -> None:
    _server, candidate = leading([Fate(there=1, back=8)])
    candidate.turn()
    assert candidate.elected.election.left == 1


def test_a_leader_that_could_not_renew_in_time_may_not_write_and_ends() -> None:
    server, candidate = leading([])
    assert candidate.writes()
    server.time.now += TERMS.renew_deadline
    assert not candidate.writes()
    assert candidate.lives == 2
