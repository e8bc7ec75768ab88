"""Token buckets: what they let through in any span of time, in which order, and how a throttle slows them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibpe.aws.limits import (
    CREATE,
    DELETE,
    LAPSE_SECONDS,
    LIMITED,
    MODIFY,
    RECOVERY_SECONDS,
    UNDER_WAY_SECONDS,
    Bucket,
    Limits,
    Unlimited,
)

ACCOUNT, REGION = "123456789012", "us-west-2"


@dataclass
class Line:
    """Callers of one bucket, and a clock that moves as told."""

    burst: float = 4
    rate: float = 0.5
    now: float = 1000.0
    granted: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.limits = Limits(self.burst, self.rate, lambda: self.now)

    def ask(self, caller: str, operation: str = CREATE, account: str = ACCOUNT, region: str = REGION) -> float:
        wait = self.limits.turn(account=account, region=region, operation=operation, caller=caller)
        if not wait:
            self.granted.append((self.now, caller))
            self.end(operation, account, region)
        return wait

    def end(self, operation: str = CREATE, account: str = ACCOUNT, region: str = REGION) -> None:
        """A call ended."""
        self.limits.called(service="ec2", operation=operation, code="ok", account=account, region=region, seconds=0.1)

    def throttle(self, operation: str = CREATE, service: str = "ec2") -> None:
        self.limits.throttled(service=service, operation=operation, account=ACCOUNT, region=REGION)

    def serve(self, callers: Sequence[str]) -> None:
        """Each asks, and asks again just when it was told to, until all were served."""
        due = dict.fromkeys(callers, self.now)
        while due:
            caller = min(due, key=lambda who: due[who])
            self.now = max(self.now, due[caller])
            wait = self.ask(caller)
            due[caller] = self.now + wait
            if not wait:
                del due[caller]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "e", "throttle"]), st.floats(0, 20, allow_nan=False, allow_infinity=False)
    ),
    max_size=60,
)


@given(st.integers(1, 6), st.floats(0.05, 5), STEPS)
def test_no_span_of_time_sees_more_than_the_burst_and_what_flows_in(
    burst: int, rate: float, steps: list[tuple[str, float]]
) -> None:
    line = Line(burst, rate)
    for who, seconds in steps:
        if who == "throttle":
            line.throttle()
        else:
            line.ask(who)
        line.now += seconds
    times = [at for at, _ in line.granted]
    for first, begin in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + rate * (times[last] - begin) + 1e-6


@given(st.integers(1, 6), st.floats(0.05, 5), STEPS)
def test_after_a_throttle_no_more_flows_in_than_the_rate_that_is_left(
    burst: int, rate: float, steps: list[tuple[str, float]]
) -> None:
    """The integral of a rate that begins at a half and rises by the whole in RECOVERY_SECONDS."""
    line = Line(burst, rate)
    line.throttle()
    begin = line.now
    for who, seconds in steps:
        line.now += seconds
        if who != "throttle":
            line.ask(who)
    for number, (at, _) in enumerate(line.granted, 1):
        passed = at - begin
        rising = min(passed, RECOVERY_SECONDS / 2)
        whole = rate * (rising / 2 + rising**2 / (2 * RECOVERY_SECONDS) + passed - rising)
        assert number <= whole + 1e-6


@given(st.integers(1, 6), st.floats(0.05, 5), st.integers(1, 30), st.booleans())
def test_who_keeps_to_its_turn_is_served_in_the_order_of_coming(
    burst: int,
    rate: float,
    count: int,
    throttled: bool,  # noqa: FBT001 -- drawn
) -> None:
    line = Line(burst, rate)
    if throttled:
        line.throttle()
    callers = [f"caller {number}" for number in range(count)]
    begin = line.now
    line.serve(callers)
    assert [who for _, who in line.granted] == callers
    if not throttled:
        assert line.now - begin <= max(count - burst, 0) / rate + 0.002 * count, "no slower than the rate"


@given(
    st.integers(1, 5),
    st.floats(0.05, 5),
    st.lists(st.tuples(st.floats(0, 8), st.floats(0, 29), st.floats(0, 1)), max_size=40),
)
def test_aws_finds_its_own_bucket_no_emptier_however_long_calls_are_on_their_way(
    burst: int, rate: float, calls: list[tuple[float, float, float]]
) -> None:
    """Each call is asked for after a pause, takes so long, and comes to AWS at some point of that."""
    bucket, now, ends, arrivals = Bucket(burst, rate, 0.0), 0.0, list[float](), list[float]()
    for number, (pause, lasts, part) in enumerate(calls):
        now += pause
        for end in sorted(end for end in ends if end <= now):
            bucket.called(end)
            ends.remove(end)
        if not bucket.turn(f"caller {number % 7}", now):
            ends.append(now + lasts)
            arrivals.append(now + lasts * part)
    level, last = float(burst), 0.0
    for arrival in sorted(arrivals):
        level, last = min(burst, level + rate * (arrival - last)), arrival
        assert level >= 1 - 1e-6, "AWS would throttle"
        level -= 1


def test_a_token_is_set_aside_until_its_call_has_ended_or_cannot_be_on_its_way_any_more() -> None:
    bucket = Bucket(1, 1.0, 0.0)
    assert bucket.turn("a", 0.0) == 0
    assert bucket.turn("b", 5.0) > 0, "the bucket is full, and its one token is a's"
    bucket.called(5.0)
    assert bucket.turn("b", 5.5) > 0
    assert bucket.turn("b", 6.1) == 0
    assert bucket.turn("c", 6.1 + UNDER_WAY_SECONDS - 0.1) > 0
    assert bucket.turn("d", 6.1 + UNDER_WAY_SECONDS + 2.1) > 0, "c is before d"
    assert bucket.turn("c", 6.1 + UNDER_WAY_SECONDS + 2.1) == 0


def test_each_who_waits_is_told_a_turn_of_its_own() -> None:
    line = Line(burst=2, rate=0.5)
    waits = [line.ask(who) for who in "abcde"]
    assert waits == pytest.approx([0, 0, 2, 4, 6], abs=0.01)
    assert [line.ask(who) for who in "dec"] == pytest.approx([4, 6, 2], abs=0.01), "asking again changes nothing"
    line.now += 2.01
    assert line.ask("d") > 0, "the token is c's, whoever asks first"
    assert line.ask("c") == 0


def test_a_place_is_lost_only_long_after_its_turn() -> None:
    line = Line(burst=1, rate=0.5)
    assert line.ask("a") == 0
    turn = line.ask("gone")
    line.now += turn + LAPSE_SECONDS - 0.1
    assert line.ask("late") == pytest.approx(1 / 0.5, abs=0.01), "the one token there is is kept"
    line.now += 0.2
    assert line.ask("late") == 0, "now it is no longer"
    assert line.ask("gone") > 0


def test_a_throttle_empties_the_bucket_and_halves_its_rate_which_comes_back() -> None:
    line = Line(burst=4, rate=0.5)
    line.throttle()
    assert line.ask("a") == pytest.approx(1 / 0.25, abs=0.01)
    line.throttle()
    assert line.ask("a") == pytest.approx(1 / 0.25, abs=0.01), "of calls under way together, one is counted"
    line.now += 6
    line.throttle()
    assert line.ask("a") == pytest.approx(1 / 0.125, rel=0.1)
    for _ in range(9):
        line.now += 6
        line.throttle()
    assert line.ask("a") == pytest.approx(1 / (0.5 / 8), rel=0.1), "never slower than an eighth"
    line.now += RECOVERY_SECONDS
    assert [line.ask(who) for who in "abcde"] == pytest.approx([0, 0, 0, 0, 2], abs=0.01)


def test_accounts_regions_and_operations_have_buckets_of_their_own() -> None:
    line = Line(burst=1, rate=0.5)
    assert line.ask("a") == 0
    assert line.ask("b") > 0
    assert [line.ask("b", MODIFY), line.ask("b", DELETE)] == [0, 0]
    assert line.ask("b", account="210987654321") == 0
    assert line.ask("b", region="eu-west-1") == 0
    line.throttle(MODIFY, service="sts")
    shown = {(level.account, level.region, level.operation): level.tokens for level in line.limits.levels()}
    assert len(shown) == len(line.granted) == 5
    line.now += 1
    assert {level.tokens for level in line.limits.levels()} == {0.5}


def test_tags_and_looks_are_not_limited() -> None:
    line = Line(burst=1)
    assert {line.ask("a", operation) for operation in ("CreateTags", "DescribeVpcEndpoints") for _ in range(50)} == {0}
    line.throttle("CreateTags")
    assert list(line.limits.levels()) == []
    unlimited = Unlimited()
    assert {unlimited.turn(account="", region="", operation=each, caller="a") for each in LIMITED} == {0}


def test_the_clock_may_stand_still_and_tokens_never_exceed_the_burst() -> None:
    bucket = Bucket(2, 0.5, 100.0)
    assert bucket.level(1e9) == 2
    assert bucket.level(99.0) == 2
    bucket.called(1e9)
    assert bucket.level(0.0) == 1, "time that goes back brings nothing"


def test_threads_share_one_bucket() -> None:
    line = Line(burst=50, rate=0.001)
    threads = [threading.Thread(target=lambda who=who: [line.ask(f"{who} {n}") for n in range(40)]) for who in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(line.granted) == 50
