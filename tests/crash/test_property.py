"""Thousands of lives: the operator dies, or loses an answer, at any write, while specs change and endpoints die."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st

from ibpe.api.names import Role
from ibpe.aws.gateway import EndpointState
from tests.crash.fakes import Behaviour
from tests.crash.fuse import Interruption
from tests.crash.specs import SPECS
from tests.crash.world import World

EXAMPLES = int(os.environ.get("IBPE_CRASH_EXAMPLES", "300"))
"""How many lives to try; more finds more."""


@dataclass(frozen=True)
class Step:
    """Something that happens in a world; its name is its repr, so that a failing life reads as a story."""

    name: str
    happen: Callable[[World], None]

    def __repr__(self) -> str:
        return self.name


def interrupted(interruption: Interruption) -> Step:
    return Step(str(interruption), lambda world: world.interrupted(interruption))


def interruptions() -> st.SearchStrategy[Step]:
    return st.builds(
        Interruption,
        nth=st.integers(1, 6),
        phase=st.sampled_from(["before", "after"]),
        how=st.sampled_from(["crash", "crash", "lost"]),
    ).map(interrupted)


def rounds(count: int) -> Step:
    def happen(world: World) -> None:
        for _ in range(count):
            world.round()

    return Step(f"{count} rounds", happen)


def passing(seconds: int) -> Step:
    return Step(f"{seconds} s pass", lambda world: world.clock.advance(seconds))


def edit(name: str) -> Step:
    return Step(f"apply {name!r}", lambda world: world.cluster.apply(SPECS[name]))


def intrusion(role: Role, state: EndpointState) -> Step:
    return Step(f"{role} becomes {state}", lambda world: world.intrude(role, state))


DELETE = Step("delete", lambda world: world.cluster.delete())
STRIP = Step("somebody takes our statements out", lambda world: world.strip())
RESTART = Step("restart", lambda world: world.restart())

STEPS = st.one_of(
    interruptions(),
    interruptions(),
    st.integers(1, 4).map(rounds),
    st.integers(1, 400).map(passing),
    st.sampled_from(sorted(SPECS)).map(edit),
    st.builds(intrusion, st.sampled_from(Role), st.sampled_from([EndpointState.DELETING, EndpointState.FAILED])),
    st.just(DELETE),
    st.just(STRIP),
    st.just(RESTART),
)
BEHAVIOURS = st.builds(
    Behaviour,
    create_lag=st.sampled_from([0.0, 0.0, 1.5, 10.0, 60.0, 240.0]),
    change_lag=st.sampled_from([0.0, 0.0, 1.5, 10.0, 60.0]),
    pending=st.sampled_from([0.0, 2.0, 30.0]),
    deleting=st.sampled_from([0.0, 5.0, 120.0]),
    listed=st.sampled_from([0.0, 60.0, 3600.0]),
    deletes_lag=st.booleans(),
    strict=st.booleans(),
)


TAGS_ARE_NOT_SHOWN_YET = [
    rounds(1),
    edit("open"),
    interrupted(Interruption(1, "after", "crash", "CreateTags")),
    edit("S3 alone"),
]
CREATED_DELETED_AND_NO_LONGER_ASKED_FOR = [
    interrupted(Interruption(1, "after", "crash", "CreateVpcEndpoint")),
    edit("S3 alone"),
    intrusion(Role.IMAGE_BUILDER, EndpointState.DELETING),
]


CONTRIBUTED_AND_DELETED_BEFORE_IT_SHOWS = [rounds(1), DELETE]
CONTRIBUTED_AND_MOVED_BEFORE_IT_SHOWS = [
    interrupted(Interruption(1, "after", "crash", "ModifyVpcEndpoint")),
    edit("contributing elsewhere"),
]
PUT_IN_AGAIN_SHORTLY_BEFORE_THE_FIRST_ONES_ARE_GIVEN_UP = [
    rounds(6),
    passing(238),
    STRIP,
    rounds(1),
    DELETE,
]
REPAIRED_AND_DELETED_BEFORE_IT_SHOWS = [
    rounds(6),
    passing(30),
    STRIP,
    rounds(1),
    DELETE,
]
MANAGED_AGAIN_BEFORE_THE_FORMER_ENDPOINT_WENT = [
    rounds(1),
    edit("contributing"),
    interrupted(Interruption(4, "after", "crash", "")),
    edit("S3 alone"),
]


@pytest.mark.timeout(1800)
@example(Behaviour(change_lag=10.0, strict=False), "S3 alone", TAGS_ARE_NOT_SHOWN_YET)
@example(Behaviour(deleting=0.0, listed=0.0), "both", CREATED_DELETED_AND_NO_LONGER_ASKED_FOR)
@example(Behaviour(change_lag=60.0), "contributing", CONTRIBUTED_AND_DELETED_BEFORE_IT_SHOWS)
@example(Behaviour(change_lag=60.0), "contributing", CONTRIBUTED_AND_MOVED_BEFORE_IT_SHOWS)
@example(Behaviour(change_lag=60.0), "contributing", PUT_IN_AGAIN_SHORTLY_BEFORE_THE_FIRST_ONES_ARE_GIVEN_UP)
@example(Behaviour(change_lag=10.0), "contributing", REPAIRED_AND_DELETED_BEFORE_IT_SHOWS)
@example(
    Behaviour(0.0, 0.0, 0.0, 0.0, 0.0, deletes_lag=False, strict=False),
    "open",
    MANAGED_AGAIN_BEFORE_THE_FORMER_ENDPOINT_WENT,
)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(behaviour=BEHAVIOURS, first=st.sampled_from(sorted(SPECS)), steps=st.lists(STEPS, max_size=12))
def test_a_life_of_crashes_ends_as_the_spec_says_without_a_second_endpoint_or_an_orphan(
    behaviour: Behaviour, first: str, steps: list[Step]
) -> None:
    world = World(behaviour)
    world.cluster.apply(SPECS[first])
    for step in steps:
        note(f"{world.clock.seconds:.1f} s: {step}")
        step.happen(world)
    note(f"{world.clock.seconds:.1f} s: settle")
    world.settle()
    world.cluster.delete()
    world.settle()
