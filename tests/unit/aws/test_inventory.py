"""Laws of the shared snapshot: floors, one look for many, who is told of a change, and the brake."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibpe.aws.gateway import AccountID, Endpoint, EndpointState
from ibpe.aws.inventory import Inventory, ObservationFailed
from ibpe.aws.snapshot import Change
from tests.unit.aws.fake_cloud import CLUSTER, REGION, Clock, FakeCloud, endpoint, throttled

DEADLINE = 10.0
LOOK_SECONDS = 0.25


@pytest.fixture
def inventory(cloud: FakeCloud, clock: Clock) -> Inventory:
    cloud.after_list = lambda: clock.advance(LOOK_SECONDS)  # a look takes time
    return Inventory(cloud, cluster=CLUSTER, clock=clock)


@contextmanager
def held_lists(cloud: FakeCloud) -> Iterator[tuple[threading.Semaphore, threading.Semaphore]]:
    """Lists wait: `begun` counts those that did begin, each release of `go` lets one end."""
    begun, go = threading.Semaphore(0), threading.Semaphore(0)

    def wait(name: str) -> None:
        if name == "list_endpoints":
            begun.release()
            assert go.acquire(timeout=DEADLINE)

    cloud.before = wait
    try:
        yield begun, go
    finally:
        cloud.before = lambda _: None
        go.release(100)


def owners(found: frozenset[Change]) -> set[str]:
    return {owner for each in found for owner in each.owners}


def test_a_snapshot_is_shared_until_somebody_needs_a_newer_one(
    cloud: FakeCloud, clock: Clock, inventory: Inventory
) -> None:
    first = inventory.snapshot(REGION)
    clock.advance(1000)
    assert inventory.snapshot(REGION) is first
    assert inventory.age(REGION) == 1000 + LOOK_SECONDS
    assert inventory.snapshot(REGION, not_before=first.begun_at) is first
    asked_at = clock.now
    assert inventory.snapshot(REGION, not_before=first.begun_at + 1).begun_at == asked_at
    assert cloud.calls["list_endpoints"] == 2
    assert cloud.calls["caller_account"] == 2


@given(steps=st.lists(st.tuples(st.floats(0, 100), st.floats(-200, 200)), max_size=30))
def test_no_snapshot_began_before_the_floor(steps: list[tuple[float, float]]) -> None:
    clock = Clock()
    inventory = Inventory(FakeCloud(), cluster=CLUSTER, clock=clock)
    for seconds, offset in steps:
        clock.advance(seconds)
        floor = min(clock.now, clock.now + offset)
        assert inventory.snapshot(REGION, not_before=floor).begun_at >= floor


def test_callers_who_wait_share_one_look(cloud: FakeCloud, inventory: Inventory) -> None:
    with ThreadPoolExecutor(8) as pool, held_lists(cloud) as (begun, go):
        futures = [pool.submit(inventory.snapshot, REGION) for _ in range(8)]
        assert begun.acquire(timeout=DEADLINE)
        go.release()
        results = {id(future.result(timeout=DEADLINE)) for future in futures}
    assert len(results) == 1
    assert cloud.calls["list_endpoints"] == 1


def test_who_wrote_while_a_look_was_under_way_gets_a_later_one(
    cloud: FakeCloud, clock: Clock, inventory: Inventory
) -> None:
    with ThreadPoolExecutor(4) as pool, held_lists(cloud) as (begun, go):
        early = pool.submit(inventory.snapshot, REGION)
        assert begun.acquire(timeout=DEADLINE)
        clock.advance(1)
        written_at = clock.now
        late = [pool.submit(inventory.snapshot, REGION, written_at) for _ in range(2)]
        go.release()
        assert early.result(timeout=DEADLINE).begun_at < written_at
        assert begun.acquire(timeout=DEADLINE)
        go.release()
        assert all(future.result(timeout=DEADLINE).begun_at >= written_at for future in late)
    assert cloud.calls["list_endpoints"] == 2


def test_a_failed_look_is_told_to_all_who_waited_and_the_last_good_one_stands(
    cloud: FakeCloud, clock: Clock, inventory: Inventory
) -> None:
    good = inventory.snapshot(REGION)
    clock.advance(30)

    def fail(_: str) -> None:
        raise throttled()

    cloud.before = fail
    with pytest.raises(ObservationFailed) as caught:
        inventory.snapshot(REGION, not_before=clock.now)
    assert (caught.value.region, caught.value.age, caught.value.error.reason) == (
        REGION,
        30 + LOOK_SECONDS,
        "Throttled",
    )
    assert inventory.latest(REGION) is good
    with pytest.raises(ObservationFailed):
        inventory.refresh(REGION)
    cloud.before = lambda _: None
    asked_at = clock.now
    assert inventory.snapshot(REGION, not_before=asked_at).begun_at == asked_at


def test_while_a_region_fails_one_tries_again_and_nobody_else_waits(cloud: FakeCloud, inventory: Inventory) -> None:
    def fail(_: str) -> None:
        raise throttled()

    cloud.before = fail
    with pytest.raises(ObservationFailed):
        inventory.snapshot(REGION)
    with ThreadPoolExecutor(1) as pool, held_lists(cloud) as (begun, go):
        trying = pool.submit(inventory.snapshot, REGION)
        assert begun.acquire(timeout=DEADLINE)
        with pytest.raises(ObservationFailed):
            inventory.snapshot(REGION)
        go.release()
        found = trying.result(timeout=DEADLINE)
        assert inventory.snapshot(REGION) is found


def test_a_fault_of_our_own_leaves_no_one_waiting(cloud: FakeCloud, inventory: Inventory) -> None:
    def fail(_: str) -> None:
        raise ZeroDivisionError

    cloud.before = fail
    with pytest.raises(ZeroDivisionError):
        inventory.snapshot(REGION)
    cloud.before = lambda _: None
    assert inventory.snapshot(REGION).endpoints == {}


def test_before_the_first_snapshot_the_age_is_infinite(inventory: Inventory) -> None:
    assert inventory.age(REGION) == float("inf")
    assert inventory.latest(REGION) is None


def test_a_snapshot_has_the_account_of_the_credentials_at_the_time(
    cloud: FakeCloud, clock: Clock, inventory: Inventory
) -> None:
    assert inventory.snapshot(REGION).account == "123456789012"
    cloud.account = AccountID("210987654321")
    clock.advance(1)
    assert inventory.snapshot(REGION, not_before=clock.now).account == "210987654321"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(endpoint(1, owner="a/x"), endpoint(1, owner="a/x", policy="{1}"), {"a/x"}, id="policy"),
        pytest.param(endpoint(1, owner="a/x"), None, {"a/x"}, id="gone"),
        pytest.param(None, endpoint(1, owner="a/x"), {"a/x"}, id="new"),
        pytest.param(endpoint(1, owner="a/x"), endpoint(1, owner="b/y"), {"a/x", "b/y"}, id="another owner"),
        pytest.param(endpoint(1, owner="a/x"), endpoint(1), {"a/x"}, id="tags taken off"),
        pytest.param(endpoint(1), endpoint(1, owner="b/y"), {"b/y"}, id="tags put on"),
    ],
)
def test_a_change_names_the_owners_before_and_after(
    cloud: FakeCloud, inventory: Inventory, before: Endpoint | None, after: Endpoint | None, expected: set[str]
) -> None:
    cloud.hold(*filter(None, (before, endpoint(9, owner="z/z"))))
    assert inventory.refresh(REGION) == frozenset()
    cloud.hold(*filter(None, (after, endpoint(9, owner="z/z"))))
    (change,) = inventory.refresh(REGION)
    assert change.owners == expected
    assert not change.foreign
    assert inventory.refresh(REGION) == frozenset()


def test_another_cluster_s_owner_is_nobody_of_ours(cloud: FakeCloud, inventory: Inventory) -> None:
    inventory.refresh(REGION)
    cloud.hold(endpoint(1, owner="a/x", cluster="green"))
    (change,) = inventory.refresh(REGION)
    assert (change.owners, change.foreign, change.vpc_id) == (frozenset(), True, "vpc-1")


def test_what_was_undone_again_is_told_to_whoever_saw_it_in_between(
    cloud: FakeCloud, clock: Clock, inventory: Inventory
) -> None:
    """Our own change, seen by our own look, and undone by somebody before the watch looks again."""
    cloud.hold(endpoint(1, owner="a/x"))
    inventory.refresh(REGION)
    cloud.hold(endpoint(1, owner="a/x", policy="{1}"))
    clock.advance(1)
    inventory.snapshot(REGION, not_before=clock.now)
    cloud.hold(endpoint(1, owner="a/x"))
    assert owners(inventory.refresh(REGION)) == {"a/x"}
    assert inventory.refresh(REGION) == frozenset()


def test_what_a_reconcile_s_own_look_saw_first_is_told_all_the_same(
    cloud: FakeCloud, clock: Clock, inventory: Inventory
) -> None:
    inventory.snapshot(REGION)
    cloud.hold(endpoint(1, owner="a/x"))
    clock.advance(1)
    inventory.snapshot(REGION, not_before=clock.now)
    assert owners(inventory.refresh(REGION)) == {"a/x"}


def test_what_changed_while_looks_failed_is_told_afterwards(cloud: FakeCloud, inventory: Inventory) -> None:
    inventory.refresh(REGION)
    cloud.hold(endpoint(1, owner="a/x"))

    def fail(_: str) -> None:
        raise throttled()

    cloud.before = fail
    with pytest.raises(ObservationFailed):
        inventory.refresh(REGION)
    cloud.before = lambda _: None
    assert owners(inventory.refresh(REGION)) == {"a/x"}


def test_an_endpoint_that_did_not_change_is_the_same_object(
    cloud: FakeCloud, clock: Clock, inventory: Inventory
) -> None:
    cloud.hold(endpoint(1), endpoint(2))
    first = inventory.snapshot(REGION)
    cloud.hold(endpoint(1), endpoint(2, policy="{1}"))
    clock.advance(1)
    second = inventory.snapshot(REGION, not_before=clock.now)
    same = [each for each in first.endpoints if first.endpoints[each] is second.endpoints[each]]
    assert same == [endpoint(1).id]


def test_a_vpc_s_endpoints_are_those_in_it(cloud: FakeCloud, inventory: Inventory) -> None:
    cloud.hold(endpoint(2), endpoint(1), endpoint(3, vpc_id="vpc-2"))
    found = inventory.snapshot(REGION)
    assert [each.id for each in found.in_vpc(endpoint(1).vpc_id)] == ["vpce-0001", "vpce-0002"]


class TestLookingOften:
    @pytest.mark.parametrize("state", [EndpointState.PENDING, EndpointState.DELETING])
    def test_an_endpoint_of_ours_in_transition_is_looked_at_often_for_15_minutes(
        self, cloud: FakeCloud, clock: Clock, inventory: Inventory, state: EndpointState
    ) -> None:
        cloud.hold(endpoint(1, owner="a/x", state=state))
        inventory.refresh(REGION)
        assert inventory.is_transitional(REGION)
        clock.advance(14 * 60)
        inventory.refresh(REGION)
        assert inventory.is_transitional(REGION)
        clock.advance(60)
        inventory.refresh(REGION)
        assert not inventory.is_transitional(REGION)

    def test_it_ends_when_the_endpoint_arrives(self, cloud: FakeCloud, inventory: Inventory) -> None:
        cloud.hold(endpoint(1, owner="a/x", state=EndpointState.PENDING))
        inventory.refresh(REGION)
        cloud.hold(endpoint(1, owner="a/x"))
        inventory.refresh(REGION)
        assert not inventory.is_transitional(REGION)

    def test_others_transitions_do_not_count(self, cloud: FakeCloud, inventory: Inventory) -> None:
        cloud.hold(
            endpoint(1, state=EndpointState.PENDING), endpoint(2, owner="a/x", cluster="green", state="deleting")
        )
        inventory.refresh(REGION)
        assert not inventory.is_transitional(REGION)

    def test_a_hint_holds_for_a_while(self, clock: Clock, inventory: Inventory) -> None:
        inventory.hint_transitional(REGION)
        assert inventory.is_transitional(REGION)
        clock.advance(121)
        assert not inventory.is_transitional(REGION)

    def test_hints_without_end_wear_off_after_15_minutes(self, clock: Clock, inventory: Inventory) -> None:
        for _ in range(15 * 60 // 30 + 1):
            inventory.hint_transitional(REGION)
            clock.advance(30)
        assert not inventory.is_transitional(REGION)
        clock.advance(300)
        inventory.hint_transitional(REGION)
        assert inventory.is_transitional(REGION)


class TestTheBrake:
    MANY = tuple(endpoint(number, owner=f"a/{number}") for number in range(20))

    def test_a_few_that_vanish_are_believed(self, cloud: FakeCloud, inventory: Inventory) -> None:
        cloud.hold(*self.MANY)
        inventory.refresh(REGION)
        cloud.hold(*self.MANY[5:])
        assert len(inventory.refresh(REGION)) == 5
        assert not inventory.braked(REGION)

    def test_a_fifth_of_many_is_believed_and_one_more_is_not(self, cloud: FakeCloud, inventory: Inventory) -> None:
        many = tuple(endpoint(number, owner=f"a/{number}") for number in range(50))
        cloud.hold(*many)
        inventory.refresh(REGION)
        cloud.hold(*many[10:])
        inventory.refresh(REGION)
        assert not inventory.braked(REGION)
        cloud.hold(*many[19:])
        inventory.refresh(REGION)
        assert inventory.braked(REGION)

    def test_many_at_once_brake_until_each_is_gone_by_id(self, cloud: FakeCloud, inventory: Inventory) -> None:
        cloud.hold(*self.MANY)
        inventory.refresh(REGION)
        cloud.hold()
        inventory.refresh(REGION)
        assert inventory.braked(REGION)
        assert inventory.is_transitional(REGION)
        assert cloud.calls["endpoint"] == 0  # the second look is at another time than the first
        told = inventory.refresh(REGION)
        assert cloud.calls["endpoint"] == 20
        assert not inventory.braked(REGION)
        assert owners(told) == {f"a/{number}" for number in range(20)}

    def test_a_list_that_lies_keeps_the_brake_on_until_it_tells_the_truth(
        self, cloud: FakeCloud, inventory: Inventory
    ) -> None:
        cloud.hold(*self.MANY)
        inventory.refresh(REGION)
        cloud.hidden, cloud.listed = cloud.listed, {}
        for _ in range(3):
            inventory.refresh(REGION)
            assert inventory.braked(REGION)
        cloud.hold(*self.MANY)
        inventory.refresh(REGION)
        assert not inventory.braked(REGION)

    def test_a_second_look_that_fails_confirms_nothing(self, cloud: FakeCloud, inventory: Inventory) -> None:
        cloud.hold(*self.MANY)
        inventory.refresh(REGION)
        cloud.hold()
        inventory.refresh(REGION)

        def fail(name: str) -> None:
            if name == "endpoint":
                raise throttled()

        cloud.before = fail
        inventory.refresh(REGION)
        assert inventory.braked(REGION)

    def test_the_look_of_a_reconcile_brakes_too(self, cloud: FakeCloud, clock: Clock, inventory: Inventory) -> None:
        cloud.hold(*self.MANY)
        inventory.snapshot(REGION)
        cloud.hold()
        clock.advance(1)
        inventory.snapshot(REGION, not_before=clock.now)
        assert inventory.braked(REGION)

    def test_endpoints_that_were_deleting_may_go_together(self, cloud: FakeCloud, inventory: Inventory) -> None:
        cloud.hold(*(endpoint(number, owner="a/x", state=EndpointState.DELETING) for number in range(20)))
        inventory.refresh(REGION)
        cloud.hold()
        inventory.refresh(REGION)
        assert not inventory.braked(REGION)

    def test_others_endpoints_do_not_brake(self, cloud: FakeCloud, inventory: Inventory) -> None:
        cloud.hold(*(endpoint(number) for number in range(20)))
        inventory.refresh(REGION)
        cloud.hold()
        inventory.refresh(REGION)
        assert not inventory.braked(REGION)

    def test_another_account_s_emptiness_confirms_nothing(self, cloud: FakeCloud, inventory: Inventory) -> None:
        cloud.hold(*self.MANY)
        inventory.refresh(REGION)
        cloud.hold()
        inventory.refresh(REGION)
        cloud.account = AccountID("210987654321")
        inventory.refresh(REGION)
        inventory.refresh(REGION)
        assert cloud.calls["endpoint"] == 0
        assert not inventory.braked(REGION)
        cloud.account = AccountID("123456789012")
        inventory.refresh(REGION)
        assert inventory.braked(REGION)

    def test_a_change_of_account_is_not_a_loss(self, cloud: FakeCloud, inventory: Inventory) -> None:
        cloud.hold(*self.MANY)
        inventory.refresh(REGION)
        cloud.account = AccountID("210987654321")
        cloud.hold()
        inventory.refresh(REGION)
        assert not inventory.braked(REGION)


def test_a_look_that_failed_is_told_until_one_succeeds(cloud: FakeCloud, inventory: Inventory) -> None:
    inventory.snapshot(REGION)
    assert not inventory.failing(REGION)

    def fail(_: str) -> None:
        raise throttled()

    cloud.before = fail
    with pytest.raises(ObservationFailed):
        inventory.refresh(REGION)
    assert inventory.failing(REGION)
    cloud.before = lambda _: None
    inventory.refresh(REGION)
    assert not inventory.failing(REGION)
