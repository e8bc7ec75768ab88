"""What AWS may never show: how long it holds things up, and that the wait ends. No waiting here: time is given."""

import pytest

from ibpe.api.names import Role
from ibpe.aws.gateway import EndpointState
from tests.crash.fakes import Behaviour
from tests.crash.fuse import Interruption
from tests.crash.specs import SPECS
from tests.crash.world import World

BOUND = 300.0
"""EC2's developer guide, eventual consistency: back off for up to five minutes."""
NEVER = 100_000.0
CRASH_AFTER_CREATE = Interruption(1, "after", "crash", "CreateVpcEndpoint")
CREATE_IS_LOST = Interruption(1, "after", "lost", "CreateVpcEndpoint")
ALMOST = 0.9 * BOUND
SLACK = 90.0
"""Seconds: the longest pause between two looks, and the second look."""


def world_with(applied: str, **behaviour: float | bool) -> World:
    world = World(Behaviour(**behaviour))  # type: ignore[arg-type] # fields by name
    world.cluster.apply(SPECS[applied])
    return world


def rounds_until(world: World, seconds: float) -> None:
    while world.clock.seconds < seconds:
        world.round()


def lose(world: World, role: Role) -> None:
    """The endpoint of a role is gone before AWS ever showed it."""
    (endpoint,) = world.live(role)
    world.aws.intrude(endpoint.id, state=EndpointState.DELETED)


def tokens(world: World) -> int:
    return world.fuse.writes.count("CreateVpcEndpoint")


def test_an_id_that_was_never_shown_holds_the_deletion_for_the_lag_bound() -> None:
    world = world_with("S3 alone", create_lag=NEVER, deletes_lag=True)
    world.round()
    lose(world, Role.S3)
    world.restart()
    world.cluster.delete()
    begun = world.clock.seconds
    rounds_until(world, begun + ALMOST)
    assert world.cluster.stored is not None, "released while the endpoint could still appear"
    rounds_until(world, begun + BOUND + SLACK)
    assert world.cluster.stored is None, world.account_of_itself()


def test_an_id_that_is_shown_just_within_the_lag_bound_is_deleted() -> None:
    world = world_with("S3 alone", create_lag=ALMOST, deletes_lag=True)
    world.round()
    world.restart()
    world.cluster.delete()
    rounds_until(world, 2 * BOUND)
    assert world.cluster.stored is None, world.account_of_itself()
    assert not world.ours()


def test_an_accepted_deletion_of_what_was_never_shown_needs_no_such_wait() -> None:
    world = world_with("S3 alone", create_lag=NEVER)
    world.round()
    world.cluster.delete()
    rounds_until(world, world.clock.seconds + 60)
    assert world.cluster.stored is None, world.account_of_itself()


def test_an_unanswered_create_of_what_nobody_can_see_holds_the_deletion_for_the_lag_bound() -> None:
    world = world_with("S3 alone", create_lag=NEVER)
    world.interrupted(CRASH_AFTER_CREATE)
    lose(world, Role.S3)
    world.cluster.apply(SPECS["tagged"])
    world.cluster.delete()
    begun = world.clock.seconds
    rounds_until(world, begun + ALMOST)
    assert world.cluster.stored is not None, "released while the endpoint could still appear"
    rounds_until(world, begun + BOUND + SLACK)
    assert world.cluster.stored is None, world.account_of_itself()
    assert tokens(world) == 1, "nothing is made for a resource that is going"


@pytest.mark.parametrize("edited", ["S3 alone, tagged", "without S3"])
def test_an_unanswered_create_of_what_nobody_can_see_is_given_up_after_the_lag_bound(edited: str) -> None:
    world = world_with("S3 alone", create_lag=NEVER)
    world.interrupted(CRASH_AFTER_CREATE)
    lose(world, Role.S3)
    world.aws.behaviour = Behaviour()
    world.cluster.apply(SPECS[edited])
    begun = world.clock.seconds
    rounds_until(world, begun + ALMOST)
    assert not world.live(Role.S3), "made again while the first could still appear"
    rounds_until(world, begun + BOUND + SLACK)
    assert bool(world.live(Role.S3)) is (edited != "without S3"), world.account_of_itself()
    world.settle()


def test_the_next_attempt_has_a_lag_bound_of_its_own() -> None:
    world = world_with("S3 alone", create_lag=100.0, strict=False)
    world.interrupted(CRASH_AFTER_CREATE)
    lose(world, Role.S3)
    world.cluster.apply(SPECS["S3 alone, tagged"])
    world.interrupted(CREATE_IS_LOST, rounds=200)
    assert world.clock.seconds > BOUND, world.account_of_itself()
    world.cluster.apply(SPECS["S3 alone"])  # another spec: the lost Create is answered with a mismatch from here on
    world.settle()  # and the world fails as soon as there is a second endpoint
    assert tokens(world) == 2


def test_statements_that_were_recorded_and_never_shown_hold_the_deletion_for_the_lag_bound() -> None:
    world = world_with("contributing")
    world.interrupted(Interruption(1, "before", "crash", "ModifyVpcEndpoint"))
    world.cluster.delete()
    begun = world.clock.seconds
    rounds_until(world, begun + ALMOST)
    assert world.cluster.stored is not None, "released while the statements could still appear"
    rounds_until(world, begun + BOUND + SLACK)
    assert world.cluster.stored is None, world.account_of_itself()


@pytest.mark.parametrize("lag", [0.0, 60.0])
def test_statements_that_were_shown_hold_no_deletion_longer_than_aws_shows_them(lag: float) -> None:
    world = world_with("contributing")
    world.settle()
    world.aws.behaviour = Behaviour(change_lag=lag)
    world.cluster.delete()
    world.interrupted(Interruption(1, "after", "crash", "ModifyVpcEndpoint"))
    rounds_until(world, world.clock.seconds + lag + 30)
    assert world.cluster.stored is None, world.account_of_itself()


def test_a_namesake_of_what_is_gone_has_tokens_of_its_own() -> None:
    world = world_with("both")
    world.settle()
    first = {endpoint.id for endpoint in world.ours()}
    world.cluster.delete()
    world.settle()
    world.cluster.apply(SPECS["both"])
    world.settle()
    assert first.isdisjoint(endpoint.id for endpoint in world.ours())
    assert tokens(world) == 4, "a token of the first one's was tried again"
