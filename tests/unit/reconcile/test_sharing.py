"""Somebody else's endpoint: when our statements are put in, when they are left alone, and when ours of before goes."""

from typing import Any

import pytest

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus, Ownership, Status
from ibpe.aws.gateway import EndpointState, EndpointType
from ibpe.reconcile.actions import Contribute, Delete, Resolve
from ibpe.reconcile.fields import Field
from ibpe.reconcile.observation import Absence, Observation
from ibpe.reconcile.plan import Patience, Response, RolePlan
from ibpe.reconcile.refusals import Refusal, refuse
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
from tests.unit.reconcile.given import (
    IB_ID,
    OTHER_VPC,
    S3_ID,
    desired,
    entry,
    holdings,
    made,
    planned,
    seen,
    status_of,
    tagged,
    wanted,
)

WANT = contributing()
PLAIN = policy(TEAM)
SHARED = with_ours(PLAIN, WANT)
OURS = wanted(Role.S3)
MANAGED = status_of(entry(OURS))
PUT_IN = Contribute(Role.S3, THEIRS, ours(WANT), MARK)
RETIRE = Delete(Role.S3, (S3_ID,), "the spec no longer asks for it")
NONE = f"s3 policy: none of ours instead of statements {', '.join(sorted(s.sid for s in ours(WANT)))}"


def plan_of(look: Observation, status: Status | None = None, want: Desired = WANT, **more: Any) -> RolePlan:
    found = planned(want, look, status, **more).role(Role.S3)
    assert found is not None
    return found


# What is contributed


def test_where_ours_are_there_nothing_is_done() -> None:
    plan = plan_of(sight(gateway(SHARED)), status_of(contributed(WANT)))
    assert (plan.actions, plan.findings, plan.wait, plan.works) == ((), (), None, True)
    assert plan.note == f"{THEIRS} is somebody else's, with our statements in its policy"


@pytest.mark.parametrize(
    ("text", "have"),
    [
        (PLAIN, "none of ours"),
        (SHARED.replace(ours(WANT)[0].sid, "Taken"), "others or changed ones of ours"),
        (SHARED.replace("components/*", "components/x"), "others or changed ones of ours"),
        (with_ours(policy(TEAM, STRAY), WANT).replace(TEAM, f"{TEAM},{STRAY}"), "others or changed ones of ours"),
        (policy(ALL, STRAY), "others or changed ones of ours"),
    ],
    ids=["none", "one is missing", "one is changed", "one too many", "stray ones where everything is allowed"],
)
@pytest.mark.parametrize("applied", [False, True], ids=["asked for anew", "as it was before"])
def test_what_is_not_as_it_must_be_is_put_in(text: str, have: str, *, applied: bool) -> None:
    plan = plan_of(sight(gateway(text)), status_of(contributed(WANT)) if applied else None)
    assert plan.actions == (PUT_IN,)
    (finding,) = plan.findings
    assert (finding.difference.field, finding.drift) == (Field.POLICY, applied)
    assert finding.response == (Response.REPAIRING if applied else Response.UPDATING)
    assert finding.difference.observed == have


def test_what_was_applied_to_another_endpoint_is_no_base_for_drift() -> None:
    before = contributed(contributing(OTHERS))
    (finding,) = plan_of(sight(gateway(PLAIN)), status_of(before)).findings
    assert not finding.drift


def test_an_endpoint_that_allows_everything_is_left_alone() -> None:
    plan = plan_of(sight(gateway(policy(ALL))))
    assert (plan.actions, plan.findings, plan.works) == ((), (), True)
    assert plan.note == f"{THEIRS} allows everything already: nothing is contributed to it"


def test_ours_stay_where_everything_came_to_be_allowed() -> None:
    plan = plan_of(sight(gateway(with_ours(policy(ALL), WANT))), status_of(contributed(WANT)))
    assert (plan.actions, plan.works) == ((), True)
    assert "with our statements" in plan.note


def test_one_that_stops_allowing_everything_gets_ours() -> None:
    before = status_of(contributed(WANT, contributed_ids=()))
    assert plan_of(sight(gateway(PLAIN)), before).actions == (PUT_IN,)


def test_a_policy_that_lets_builds_through_without_ours_works_and_is_not_said_to_hold_them() -> None:
    everybody = TEAM.replace("arn:aws:s3:::team/*", "*")
    plan = plan_of(sight(gateway(policy(everybody))), status_of(contributed(WANT)), report=True)
    assert (plan.actions, plan.works) == ((), True)
    assert plan.note == f"{THEIRS} is somebody else's, and lets builds through without our statements"


@pytest.mark.parametrize("state", [EndpointState.PENDING, EndpointState.FAILED, EndpointState.DELETING])
def test_while_it_is_not_available_nothing_is_written(state: EndpointState) -> None:
    plan = plan_of(sight(gateway(PLAIN, state=state)))
    assert (plan.actions, plan.works) == ((), False)
    assert plan.wait is not None
    assert f"{THEIRS} is {state}" in plan.wait.message


# What keeps it from being contributed


def test_drift_is_only_reported_where_the_spec_says_so_and_an_edit_is_made_all_the_same() -> None:
    plan = plan_of(sight(gateway(PLAIN)), status_of(contributed(WANT)), report=True)
    assert plan.actions == ()
    assert [finding.response for finding in plan.findings] == [Response.REPORTED]
    assert str(plan.findings[0].difference).startswith(NONE)
    assert plan_of(sight(gateway(PLAIN)), report=True).actions == (PUT_IN,)


def test_somebody_who_keeps_taking_them_out_is_not_fought() -> None:
    patience = Patience(contended=frozenset({(Role.S3, Field.POLICY)}))
    plan = plan_of(sight(gateway(PLAIN)), status_of(contributed(WANT)), patience=patience)
    assert plan.actions == ()
    assert [finding.response for finding in plan.findings] == [Response.CONTENDED]


def test_what_was_just_put_in_and_is_not_shown_yet_is_awaited() -> None:
    patience = Patience(resting={(Role.S3, Field.POLICY): "none of ours"})
    plan = plan_of(sight(gateway(PLAIN)), patience=patience)
    assert plan.actions == ()
    assert plan.wait is not None
    assert plan.wait.reason == "Updating"


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (sight(), "EndpointNotFound"),
        (sight(gateway(PLAIN, vpc_id=OTHER_VPC)), "EndpointInAnotherVpc"),
        (sight(gateway(PLAIN, service_name="com.amazonaws.us-west-2.ec2")), "EndpointOfAnotherService"),
        (sight(gateway(PLAIN, type=EndpointType.INTERFACE)), "EndpointOfAnotherType"),
        (sight(gateway(PLAIN, tags=tagged("s3", **{"ibpe.dev/owner": "x/y"}))), "EndpointIsManaged"),
        (sight(gateway(PLAIN, state=EndpointState.REJECTED)), "EndpointNotAvailable"),
        (sight(gateway("{")), "PolicyUnreadable"),
        (sight(gateway(policy(TEAM, f'{{"Sid":"{"x" * 21_000}"}}'))), "PolicyUnreadable"),
        (sight(gateway(policy(TEAM.replace("team/*", "t" * 20_000)))), "PolicyTooLong"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_must_not_be_written_is_not(look: Observation, reason: str) -> None:
    assert [refusal.reason for refusal in refuse(WANT, look)] == [reason]
    plan = plan_of(look)
    assert (plan.actions, plan.works) == ((), False)


def test_of_an_endpoint_in_another_vpc_nothing_is_told() -> None:
    plan = plan_of(sight(gateway(PLAIN, vpc_id=OTHER_VPC)))
    assert (plan.live, plan.note, plan.findings) == (None, "", ())


def test_a_foreign_deny_keeps_builds_out_but_not_our_statements() -> None:
    look = sight(gateway(policy(TEAM, LOCK)))
    (refusal,) = refuse(WANT, look)
    assert refusal.reason == "ForeignDeny"
    assert f'Statement "Lock" of {THEIRS} denies anonymous s3:GetObject' in refusal.message
    plan = plan_of(look)
    assert plan.actions == (PUT_IN,), "once the Deny is gone, nothing is missing"
    assert not plan.works


# Existing


def test_an_existing_endpoint_is_never_written() -> None:
    look = sight(gateway(with_ours(PLAIN, WANT)), contributions=())
    for text in (PLAIN, policy(ALL), policy(LOCK), "{"):
        plan = plan_of(sight(gateway(text), contributions=()), want=existing())
        assert plan.actions == ()
    assert plan_of(look, want=existing()).actions == ()


def test_on_what_it_depends_that_builds_pass_an_existing_endpoint_is_said() -> None:
    locked = LOCK.replace('"Resource":"*"', '"Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"x"}}')
    odd = LOCK.replace('"Resource":"*"', '"Resource":"*","Condition":{"StringEquals":{"aws:UserAgent":"curl"}}')
    assert refuse(existing(), sight(gateway(policy(ALL, locked))))[0].reason == "ForeignDeny"
    plan = plan_of(sight(gateway(policy(ALL, odd))), want=existing())
    assert plan.works
    assert "provided that what it asks for holds: s3:GetObject is" in plan.note
    assert plan_of(sight(gateway(policy(ALL))), want=existing()).note == (
        f"{THEIRS} is somebody else's, and lets builds through"
    )


# What we made for the role before


def before(look: Observation) -> Observation:
    """The observation, with the gateway of our own that is still there."""
    return Observation(**{**vars(look), "holdings": holdings(made(OURS))})


def test_our_own_of_before_goes_once_the_shared_one_lets_builds_through() -> None:
    plan = plan_of(before(sight(gateway(SHARED))), MANAGED)
    assert plan.actions == (RETIRE,)
    assert plan.wait is not None
    assert plan.wait.reason == "Deleting"
    assert plan_of(before(sight(gateway(policy(ALL)))), MANAGED, existing()).actions == (RETIRE,)


@pytest.mark.parametrize(
    "look",
    [
        sight(),
        sight(gateway(SHARED, vpc_id=OTHER_VPC)),
        sight(gateway(SHARED, state=EndpointState.PENDING)),
        sight(gateway(with_ours(policy(TEAM, LOCK), WANT))),
        sight(gateway("{")),
        sight(gateway(SHARED, tags=tagged("s3", **{"ibpe.dev/owner": "x/y"}))),
    ],
    ids=["not there", "of another VPC", "pending", "denying", "not to be read", "managed by another"],
)
def test_our_own_of_before_stays_while_the_shared_one_is_of_no_use(look: Observation) -> None:
    assert RETIRE not in plan_of(before(look), MANAGED).actions


def test_our_own_of_before_stays_until_our_statements_are_seen_in_the_shared_one() -> None:
    assert plan_of(before(sight(gateway(PLAIN))), MANAGED).actions == (PUT_IN,)


def test_our_own_of_before_goes_where_it_is_what_keeps_the_route_from_the_shared_one() -> None:
    look = before(sight(gateway(SHARED, route_table_ids=frozenset())))
    assert [refusal.reason for refusal in refuse(WANT, look)] == ["BuildsNotRouted"]
    assert plan_of(look, MANAGED).actions == (RETIRE,), "a route table has one S3 endpoint at a time"


def test_our_own_of_before_goes_where_it_is_what_keeps_the_private_name_from_the_shared_one() -> None:
    own = wanted()
    want = desired(s3=None, builds=BUILDS, imageBuilder={"mode": "Existing", "endpointID": OTHERS})
    look = seen(holdings(made(own)), named={OTHERS: made(own, id=OTHERS, tags={}, private_dns=False)})
    assert [refusal.reason for refusal in refuse(want, look)] == ["PrivateDnsOff"]
    plan = planned(want, look, status_of(entry(own))).role(Role.IMAGE_BUILDER)
    assert plan is not None
    assert plan.actions == (Delete(Role.IMAGE_BUILDER, (IB_ID,), "the spec no longer asks for it"),)


def test_our_own_is_not_retired_in_favour_of_itself() -> None:
    own = made(OURS)
    look = seen(holdings(own), named={S3_ID: own})
    want = existing(S3_ID)
    assert [refusal.reason for refusal in refuse(want, look)] == ["EndpointIsOurs"]
    for status in (MANAGED, status_of(EndpointStatus(role=Role.S3, previous_ids=(S3_ID,)))):
        assert plan_of(look, status, want).actions == ()


@pytest.mark.parametrize(
    ("unresolved", "actions"),
    [
        (EndpointStatus(role=Role.S3, state="creating", attempt=2), (Resolve(Role.S3, 2),)),
        (EndpointStatus(role=Role.S3, state="creating", attempt=2, id=S3_ID), ()),
    ],
    ids=["an intent without an answer", "an id that AWS does not show"],
)
def test_what_became_of_a_former_create_is_found_out_first(
    unresolved: EndpointStatus, actions: tuple[Resolve, ...]
) -> None:
    look = sight(gateway(PLAIN), absent={S3_ID: Absence(proved=False)})
    plan = plan_of(look, status_of(unresolved))
    assert plan.actions == actions
    assert plan.wait is not None


def test_nothing_is_asked_of_a_former_create_while_the_whole_resource_is_refused() -> None:
    unresolved = EndpointStatus(role=Role.S3, state="creating", attempt=2)
    plan = plan_of(sight(gateway(PLAIN)), status_of(unresolved), refusals=[Refusal("VpcNotFound", "There is none.")])
    assert plan.actions == ()


def test_a_former_create_that_came_to_nothing_does_not_hold_up_the_contribution() -> None:
    gone = EndpointStatus(role=Role.S3, ownership=Ownership.MANAGED, state="absent", attempt=1)
    assert plan_of(sight(gateway(PLAIN)), status_of(gone)).actions == (PUT_IN,)
