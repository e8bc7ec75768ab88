"""When a region is looked at, and whom it wakes."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from ibpe.api.names import OWN_ACCOUNT
from ibpe.reconcile.ports import Key, Place
from ibpe.runtime.aws_watch import AwsWatch, FirstTier, Periods, SecondTier, concerned
from ibpe.runtime.interest import Interest

REGION = "us-west-2"
HERE, ELSEWHERE = Place(OWN_ACCOUNT, REGION), Place(OWN_ACCOUNT, "eu-west-1")
A, B, C = Key("team", "a"), Key("team", "b"), Key("team", "c")


@dataclass(frozen=True)
class Change:
    endpoint_id: str = "vpce-1"
    vpc_id: str = "vpc-1"
    owners: frozenset[str] = frozenset()
    foreign: bool = False


@dataclass
class Snapshots:
    clock: "Clock"
    found: frozenset[Change] = frozenset()
    failing: bool = False
    transitional: bool = False
    good_at: float = float("-inf")
    looks: int = 0
    forgotten: list[str] = field(default_factory=list)

    def refresh(self, region: str) -> frozenset[Change]:
        assert region == REGION
        self.looks += 1
        if self.failing:
            raise ConnectionError("no sight")
        self.good_at = self.clock.now
        return self.found

    def age(self, region: str) -> float:
        assert region == REGION
        return self.clock.now - self.good_at

    def braked(self, region: str) -> bool:
        raise AssertionError(f"the watch has no business with the brake of {region}")

    def is_transitional(self, region: str) -> bool:
        assert region == REGION
        return self.transitional

    def forget_region(self, region: str) -> None:
        self.forgotten.append(region)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Setting:
    clock: Clock = field(default_factory=Clock)
    woken: list[Key] = field(default_factory=list)
    interest: Interest = field(default_factory=Interest)

    def __post_init__(self) -> None:
        self.snapshots = Snapshots(self.clock)
        self.interest.note(A, HERE, "vpc-1", ["vpce-1"])
        self.interest.note(B, HERE, "vpc-1", ["vpce-2"])
        self.interest.note(C, ELSEWHERE, "vpc-1", ["vpce-3"])
        self.tier = FirstTier(
            HERE, self.snapshots, self.interest, self.woken.append, periods=Periods(60, 5, 600), clock=self.clock
        )

    def look_after(self, seconds: float) -> None:
        self.clock.now += seconds
        self.tier.look()


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        (Change(endpoint_id="vpce-9", owners=frozenset({"team/a"})), {A}),
        (Change(endpoint_id="vpce-9", owners=frozenset({"team/a", "other/new"})), {A, Key("other", "new")}),
        (Change(endpoint_id="vpce-2"), {B}),
        (Change(endpoint_id="vpce-9"), set()),
        (Change(endpoint_id="vpce-9", foreign=True), {A, B}),
        (Change(endpoint_id="vpce-9", vpc_id="vpc-2", foreign=True), set()),
        (Change(endpoint_id="vpce-9", owners=frozenset({"nonsense", "a/b/c", ""})), set()),
    ],
    ids=["its owner", "old and new owner", "who looks at it", "nobody", "the VPC", "another VPC", "forged tags"],
)
def test_a_difference_wakes_whom_it_concerns(change: Change, keys: set[Key]) -> None:
    assert concerned(HERE, change, Setting().interest) == keys


def test_interest_follows_the_latest_note_and_forgets() -> None:
    interest = Setting().interest
    interest.note(A, ELSEWHERE, "vpc-7", ["vpce-7"])
    assert interest.of_endpoint("vpce-1") == frozenset()
    assert interest.in_vpc(ELSEWHERE, "vpc-7") == {A}
    assert interest.at(HERE) == {B}
    interest.forget(B)
    interest.forget(B)
    assert interest.places() == {ELSEWHERE}


def test_the_same_region_of_another_account_is_another_place() -> None:
    setting = Setting()
    theirs, key = Place("network", REGION), Key("team", "theirs")
    setting.interest.note(key, theirs, "vpc-1", ["vpce-7"])
    foreign = Change(endpoint_id="vpce-9", foreign=True)
    assert concerned(HERE, foreign, setting.interest) == {A, B}
    assert concerned(theirs, foreign, setting.interest) == {key}
    assert setting.interest.places() == {HERE, ELSEWHERE, theirs}


def test_a_look_is_due_each_minute_and_each_five_seconds_in_transition() -> None:
    setting = Setting()
    assert setting.tier.seconds_until_due() == 60
    setting.clock.now += 10
    setting.snapshots.transitional = True
    assert setting.tier.seconds_until_due() == -5, "at once, though the minute is not over"
    setting.tier.look()
    assert setting.tier.seconds_until_due() == 5


def test_a_look_wakes_the_owner_and_nobody_else() -> None:
    setting = Setting()
    setting.snapshots.found = frozenset({Change(endpoint_id="vpce-1", owners=frozenset({"team/a"}))})
    setting.look_after(60)
    assert setting.woken == [A]


def test_short_blindness_wakes_nobody() -> None:
    setting = Setting()
    setting.look_after(0)
    setting.snapshots.failing = True
    for _ in range(4):
        setting.look_after(60)
    setting.snapshots.failing = False
    setting.look_after(10)
    assert setting.woken == []


def test_five_minutes_of_blindness_wake_the_region_once_and_sight_wakes_it_again() -> None:
    setting = Setting()
    setting.look_after(0)
    setting.snapshots.failing = True
    for _ in range(10):
        setting.look_after(60)
    assert sorted(setting.woken) == [A, B]
    setting.snapshots.failing = False
    for _ in range(3):
        setting.look_after(60)
    assert sorted(setting.woken) == [A, A, B, B]


def test_a_region_never_seen_is_blind_from_its_beginning() -> None:
    setting = Setting()
    setting.snapshots.failing = True
    setting.look_after(60)
    assert setting.woken == []
    setting.look_after(240)
    assert sorted(setting.woken) == [A, B]


@dataclass
class View:
    snapshots: Snapshots
    prerequisites: "Facts"


class Facts:
    def __init__(self) -> None:
        self.failing = False
        self.looks = 0

    def refresh(self, region: str) -> frozenset[Key]:
        self.looks += 1
        if self.failing:
            raise ConnectionError(region)
        return frozenset({A})


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 600.0), (0.5, 570.0)])
def test_the_second_tier_is_spread_and_goes_on_after_a_failure(chance: float, seconds: float) -> None:
    clock, facts, woken = Clock(), Facts(), list[Key]()
    tier = SecondTier(HERE, facts, Interest(), woken.append, period=600, clock=clock, chance=lambda: chance)
    assert tier.seconds_until_due() == seconds
    clock.now += 1000
    tier.look()
    assert (woken, tier.seconds_until_due()) == ([A], seconds)
    facts.failing = True
    clock.now += 600
    tier.look()
    assert (woken, tier.seconds_until_due()) == ([A], 30), "soon again"


def test_the_second_tier_wakes_the_region_once_when_its_facts_grow_old() -> None:
    clock, facts, woken = Clock(), Facts(), list[Key]()
    interest = Setting().interest
    tier = SecondTier(HERE, facts, interest, woken.append, period=600, clock=clock, chance=lambda: 0)
    facts.failing = True
    woken_at = []
    for _ in range(40):
        clock.now += 30
        tier.look()
        woken_at.append(len(woken))
    assert woken_at == [0] * 30 + [2] * 10
    assert sorted(woken) == [A, B]
    facts.failing = False
    tier.look()
    facts.failing = True
    clock.now += 901
    tier.look()
    assert sorted(woken) == [A, A, A, B, B], "once more after a good look, which found something for one of them"


def test_the_second_tier_looks_no_rarer_after_a_failure_than_before() -> None:
    clock, facts = Clock(), Facts()
    tier = SecondTier(HERE, facts, Interest(), lambda _: None, period=10, clock=clock, chance=lambda: 0)
    facts.failing = True
    tier.look()
    assert tier.seconds_until_due() == 10


def test_a_region_is_watched_for_as_long_as_it_interests_somebody() -> None:
    interest, snapshots, facts = Interest(), Snapshots(Clock()), Facts()
    deaths: list[BaseException] = []
    watch = AwsWatch(
        lambda _: View(snapshots, facts),
        interest,
        lambda _: None,
        periods=Periods(0.02, 0.01, 0.02),
        on_death=deaths.append,
    )
    watch.start()
    wait_until(lambda: watch.alive)
    assert threads_of(REGION) == 0
    interest.note(A, HERE, "vpc-1", [])
    wait_until(lambda: snapshots.looks > 2 and facts.looks > 2)
    assert threads_of(REGION) == 2
    interest.forget(A)
    wait_until(lambda: threads_of(REGION) == 0)
    wait_until(lambda: snapshots.forgotten == [REGION])
    watch.stop()
    wait_until(lambda: not watch.alive)
    assert deaths == []


def threads_of(region: str) -> int:
    return sum(thread.name.endswith(region) for thread in threading.enumerate())


def wait_until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it never came")
