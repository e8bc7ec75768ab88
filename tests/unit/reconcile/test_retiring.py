"""When our statements leave a policy: once what the spec asks for instead works, never before."""

from dataclasses import replace
from typing import Any

import pytest

from ibpe.api.names import Role
from ibpe.api.status import Status
from ibpe.aws.gateway import Endpoint, EndpointState
from ibpe.reconcile.actions import Contribute, Withdraw
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.plan import Patience, Plan
from ibpe.reconcile.refusals import Refusal
from ibpe.reconcile.retiring import can_withdraw
from ibpe.reconcile.wanted import Desired
from tests.unit.reconcile.foreign import (
    ALL,
    BUILDS,
    LOCK,
    MARK,
    OTHERS,
    STRAY,
    TEAM,
    THEIRS,
    contributed,
    contributing,
    existing,
    gateway,
    ours,
    policy,
    sight,
    with_ours,
)
from tests.unit.reconcile.given import desired, facts, holdings, made, planned, status_of, wanted

WANT = contributing()
SHARED = with_ours(policy(TEAM), WANT)
HELD = gateway(SHARED)
TAKE_OUT = Withdraw(Role.S3, THEIRS, MARK, "the spec no longer contributes to it")
WITHOUT_S3 = desired(s3=None)
MANAGED = desired(imageBuilder=None, builds=BUILDS)


def plan_for(want: Desired, look: Observation, status: Status | None = None, **more: Any) -> Plan:
    return planned(want, look, status if status is not None else status_of(contributed(WANT)), **more)


def withdrawn(plan: Plan) -> list[Withdraw]:
    return [action for action in plan.actions if isinstance(action, Withdraw)]


def moving(other: Endpoint, *more: Endpoint) -> Observation:
    """The spec names another endpoint now; ours are still in the first, and perhaps in the second."""
    found = sight(HELD, other, *more)
    return Observation(**{**vars(found), "named": {other.id: other}})


def test_what_the_spec_contributes_to_keeps_ours() -> None:
    assert withdrawn(plan_for(WANT, sight(HELD))) == []


def test_a_spec_without_s3_takes_them_out_at_once() -> None:
    plan = plan_for(WITHOUT_S3, sight(HELD, named={}))
    assert withdrawn(plan) == [TAKE_OUT]
    role = plan.role(Role.S3)
    assert role is not None
    assert role.wait is not None
    assert (role.wait.reason, role.wait.message) == (
        "Withdrawing",
        f"Our statements are being taken out of {THEIRS}.",
    )


def test_after_a_move_they_leave_the_first_endpoint_once_the_second_lets_builds_through() -> None:
    want = contributing(OTHERS)
    bare, full = (gateway(text, id=OTHERS) for text in (policy(TEAM), SHARED))
    first = plan_for(want, moving(bare))
    assert first.actions == (Contribute(Role.S3, OTHERS, ours(want), MARK),)
    assert withdrawn(plan_for(want, moving(full))) == [TAKE_OUT]


@pytest.mark.parametrize(
    "second",
    [
        gateway(SHARED, id=OTHERS, state=EndpointState.PENDING),
        gateway(with_ours(policy(TEAM, LOCK), WANT), id=OTHERS),
        gateway(SHARED, id=OTHERS, route_table_ids=frozenset()),
        gateway("{", id=OTHERS),
    ],
    ids=["pending", "denying", "without the builds' routes", "not to be read"],
)
def test_after_a_move_to_what_does_not_work_they_stay(second: Endpoint) -> None:
    assert withdrawn(plan_for(contributing(OTHERS), moving(second))) == []


def test_after_a_move_to_what_does_not_exist_they_stay() -> None:
    assert plan_for(contributing(OTHERS), sight(HELD, named={})).actions == ()


def test_an_endpoint_of_our_own_must_work_before_they_leave_the_shared_one() -> None:
    own = made(wanted(Role.S3))
    held = sight(HELD, named={}, holdings=holdings(own))
    assert withdrawn(plan_for(MANAGED, held, status_of())) == [TAKE_OUT]
    for broken in (replace(own, state=EndpointState.PENDING), replace(own, route_table_ids=frozenset())):
        look = sight(HELD, named={}, holdings=holdings(broken))
        assert withdrawn(plan_for(MANAGED, look, status_of())) == []
    assert withdrawn(plan_for(MANAGED, sight(HELD, named={}, neighbours=(HELD,)), status_of())) == []


def test_only_looking_at_it_takes_them_out_once_builds_pass_without_them() -> None:
    assert withdrawn(plan_for(existing(), sight(gateway(with_ours(policy(ALL), WANT))))) == [TAKE_OUT]
    assert withdrawn(plan_for(existing(), sight(HELD))) == []


def test_stray_ones_leave_an_endpoint_that_no_spec_of_ours_ever_named() -> None:
    stray = gateway(policy(TEAM, STRAY), id=OTHERS)
    look = Observation(**{**vars(sight(HELD, stray)), "named": {THEIRS: HELD}})
    assert [action.id for action in withdrawn(plan_for(WANT, look))] == [OTHERS]


def test_where_nothing_else_would_be_left_they_stay() -> None:
    alone = gateway(policy(STRAY))
    assert plan_for(WITHOUT_S3, sight(alone, named={})).role(Role.S3) is None
    assert not can_withdraw(alone.policy, MARK)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(SHARED, True), (policy(TEAM), False), (policy(STRAY), False), ("{", False)],
    ids=["beside others", "none of ours", "alone", "not to be read"],
)
def test_what_can_be_withdrawn(text: str, *, expected: bool) -> None:
    assert can_withdraw(text, MARK) is expected


@pytest.mark.parametrize("state", [EndpointState.PENDING, EndpointState.DELETING])
def test_while_aws_works_on_it_they_are_awaited_and_not_written(state: EndpointState) -> None:
    plan = plan_for(WITHOUT_S3, sight(gateway(SHARED, state=state), named={}))
    assert withdrawn(plan) == []
    role = plan.role(Role.S3)
    assert role is not None
    assert role.wait is not None


def test_what_was_just_taken_out_and_is_still_shown_is_awaited() -> None:
    plan = plan_for(WITHOUT_S3, sight(HELD, named={}), patience=Patience(withdrawn=frozenset({THEIRS})))
    assert withdrawn(plan) == [], "what somebody else wrote since would be lost with what AWS shows of before"
    role = plan.role(Role.S3)
    assert role is not None
    assert role.wait is not None


def test_nothing_is_taken_out_while_the_whole_resource_is_refused() -> None:
    gone = Refusal("VpcNotFound", "There is none.")
    assert plan_for(WITHOUT_S3, sight(HELD, named={}, facts=facts()), refusals=[gone]).actions == ()
