"""The next step, branch by branch: what is made, mended, deleted, waited for, and what is left as it is."""

from dataclasses import replace
from typing import Any

import pytest

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus, Status
from ibpe.aws.gateway import EndpointID, EndpointState, ModifyEndpoint
from ibpe.reconcile.actions import Create, Delete, Modify, Resolve, Retag
from ibpe.reconcile.fields import Field
from ibpe.reconcile.holdings import Holding
from ibpe.reconcile.observation import Absence, Observation
from ibpe.reconcile.plan import Patience, Response, RolePlan
from ibpe.reconcile.planning import next_attempt
from ibpe.reconcile.refusals import EVERYTHING, Refusal
from tests.unit.reconcile.given import (
    A1,
    B1,
    C1,
    GROUP2,
    IB_ID,
    IMAGE_BUILDER,
    desired,
    entry,
    facts,
    holdings,
    made,
    planned,
    seen,
    status_of,
    subnet,
    wanted,
)

IB = Role.IMAGE_BUILDER
ONLY = desired(s3=None)
WANT = wanted()
RECORDED = status_of(entry(WANT))
OTHER_ID = EndpointID("vpce-00000002")
OTHER = made(WANT, id=OTHER_ID)
INTENT = EndpointStatus(role=IB, state="creating", attempt=3)
REFUSED = Refusal("VpcDnsDisabled", "Turn it on.", IB, frozenset({Field.PRIVATE_DNS}))
WHOLE = Refusal("VpcNotFound", "There is none.")


def plan_of(look: Observation, status: Status | None = None, **more: Any) -> RolePlan:
    found = planned(ONLY, look, status, **more).role(IB)
    assert found is not None
    return found


def in_place(**changes: Any) -> Observation:
    """An observation of the endpoint in use, changed."""
    return seen(holdings(made(WANT, **changes)))


# Nothing there


def test_what_the_spec_asks_for_and_aws_lacks_is_made_in_the_order_of_the_roles() -> None:
    plan = planned(desired(), seen())
    assert [(type(a), a.role) for a in plan.actions] == [(Create, IB), (Create, Role.S3)]
    first = plan.actions[0]
    assert isinstance(first, Create)
    assert (first.attempt, first.service_name, first.endpoint) == (1, IMAGE_BUILDER, WANT)
    assert plan.findings == ()


def test_the_service_name_that_the_region_has_is_used() -> None:
    services = dict(facts().services)
    services["com.amazonaws.us-west-2.likelier"] = replace(
        services[IMAGE_BUILDER], name="com.amazonaws.us-west-2.likelier"
    )
    endpoint = replace(WANT, services=("com.amazonaws.us-west-2.unknown", IMAGE_BUILDER))
    want = replace(ONLY, endpoints=(endpoint,))
    (action,) = planned(want, seen(facts=facts(services=services))).actions
    assert isinstance(action, Create)
    assert action.service_name == IMAGE_BUILDER


def test_an_endpoint_that_is_refused_is_not_made_and_nothing_is_awaited() -> None:
    plan = plan_of(seen(), refusals=[REFUSED])
    assert (plan.actions, plan.wait, plan.works) == ((), None, False)
    assert planned(desired(), seen(), refusals=[REFUSED]).actions, "the other endpoint is not refused"


def test_a_refusal_of_the_whole_stops_every_role() -> None:
    assert planned(desired(), seen(), refusals=[WHOLE]).actions == ()


@pytest.mark.parametrize(
    ("before", "abandoned", "attempt"),
    [
        (EndpointStatus(role=IB), False, 1),
        (EndpointStatus(role=IB, attempt=1), False, 1),
        (INTENT, False, 3),
        (INTENT, True, 4),
        (entry(WANT, state="absent", attempt=2), False, 3),
        (entry(WANT, attempt=2), True, 3),
    ],
    ids=["first", "refused before", "open intent", "intent given up", "the last is gone", "given up with an id"],
)
def test_the_attempt_rises_only_over_what_is_dead_or_given_up(
    before: EndpointStatus, attempt: int, *, abandoned: bool
) -> None:
    assert next_attempt(before, abandoned=abandoned) == attempt
    patience = Patience(abandoned_intents=frozenset({IB} if abandoned else ()))
    (action,) = plan_of(seen(), status_of(before), patience=patience).actions
    assert isinstance(action, Create)
    assert action.attempt == attempt


def test_an_endpoint_that_was_applied_and_is_gone_is_drift_and_made_again() -> None:
    plan = plan_of(seen(absent={IB_ID: Absence(proved=True)}), RECORDED)
    (finding,) = plan.findings
    assert (finding.difference.field, finding.drift, finding.response) == (Field.ENDPOINT, True, Response.REPAIRING)
    assert finding.difference.observed == f"{IB_ID} is gone"
    assert [type(action) for action in plan.actions] == [Create]


def test_an_endpoint_that_was_never_as_specified_is_no_drift_when_it_is_lacking() -> None:
    assert plan_of(seen(), status_of(entry(WANT, applied={}))).findings == ()


def test_an_id_that_aws_does_not_show_yet_is_awaited() -> None:
    plan = plan_of(seen(absent={IB_ID: Absence(proved=False)}), status_of(entry(WANT, state="creating", applied={})))
    assert plan.actions == ()
    assert plan.wait
    assert plan.wait.reason == "NotVisibleYet"
    assert IB_ID in plan.wait.message


def test_while_many_endpoints_are_missing_none_is_made_again() -> None:
    plan = plan_of(seen(braked=True, absent={IB_ID: Absence(proved=True)}), RECORDED)
    assert plan.actions == ()
    assert plan.wait
    assert plan.wait.reason == "ManyEndpointsVanished"
    assert plan_of(seen(braked=True)).actions, "a first endpoint did not vanish"


def test_making_again_waits_for_its_backoff_but_an_open_intent_does_not() -> None:
    patience = Patience(recreate_in={IB: 40.0})
    gone = seen(absent={IB_ID: Absence(proved=True)})
    plan = plan_of(gone, RECORDED, patience=patience)
    assert plan.actions == ()
    assert plan.wait
    assert (plan.wait.reason, plan.wait.seconds) == ("BackingOff", 40.0)
    assert plan_of(seen(), status_of(INTENT), patience=patience).actions


@pytest.mark.parametrize("state", [EndpointState.FAILED, EndpointState.REJECTED, EndpointState.EXPIRED])
def test_a_dead_endpoint_is_deleted_before_its_successor_is_made(state: EndpointState) -> None:
    dead = Holding(IB, dead=(made(WANT, state=state),))
    plan = plan_of(seen(holdings(imagebuilder=dead)), RECORDED)
    (action,) = plan.actions
    assert action == Delete(IB, (IB_ID,), str(state))
    assert plan.wait
    assert plan.wait.reason == "Replacing"
    assert plan.findings[0].difference.observed == f"{IB_ID} is {state}"


def test_an_endpoint_of_ours_that_is_leaving_is_awaited() -> None:
    leaving = Holding(IB, leaving=(made(WANT, state=EndpointState.DELETING),))
    plan = plan_of(seen(holdings(imagebuilder=leaving)), RECORDED)
    assert plan.actions == ()
    assert plan.wait
    assert (plan.wait.reason, IB_ID in plan.wait.message) == ("Replacing", True)
    assert plan.findings[0].difference.observed == f"{IB_ID} is being deleted"


# Something there


def test_an_endpoint_as_desired_needs_nothing() -> None:
    plan = plan_of(in_place(), RECORDED)
    assert (plan.actions, plan.findings, plan.wait, plan.works) == ((), (), None, True)


def test_drift_is_repaired_in_one_call_with_every_field() -> None:
    drifted = in_place(private_dns=False, security_group_ids=frozenset({GROUP2}), tags={})
    plan = plan_of(drifted, RECORDED)
    tags, change = plan.actions
    assert isinstance(tags, Retag)
    assert tags.change.put == WANT.tags
    assert isinstance(change, Modify)
    assert change.fields == (Field.SECURITY_GROUPS, Field.PRIVATE_DNS)
    assert (change.change.private_dns, change.change.add_security_group_ids) == (True, WANT.security_group_ids)
    assert {f.response for f in plan.findings} == {Response.REPAIRING}
    assert all(f.drift for f in plan.findings)
    assert not plan.works


def test_an_edit_of_the_spec_is_no_drift() -> None:
    before = entry(WANT, applied={**{str(k): v for k, v in WANT.fields().items()}, "privateDNS": "of another spec"})
    plan = plan_of(in_place(private_dns=False), status_of(before))
    (finding,) = plan.findings
    assert (finding.drift, finding.response) == (False, Response.UPDATING)
    assert [type(a) for a in plan.actions] == [Modify]


def test_what_was_never_applied_is_brought_about_and_is_no_drift() -> None:
    (finding,) = plan_of(in_place(private_dns=False), status_of(entry(WANT, applied={}))).findings
    assert (finding.drift, finding.response) == (False, Response.UPDATING)


def test_of_a_pending_endpoint_only_tags_are_changed() -> None:
    plan = plan_of(in_place(state=EndpointState.PENDING, private_dns=False, tags={}), RECORDED)
    assert [type(action) for action in plan.actions] == [Retag]
    assert plan.wait
    assert plan.wait.reason == "Pending"
    assert not plan.works


def test_a_refused_field_is_left_alone_and_the_others_are_repaired() -> None:
    plan = plan_of(in_place(private_dns=False, policy="{}"), RECORDED, refusals=[REFUSED])
    (action,) = plan.actions
    assert isinstance(action, Modify)
    assert action.fields == (Field.POLICY,)
    assert action.change.private_dns is None
    assert {f.difference.field: f.response for f in plan.findings} == {
        Field.POLICY: Response.REPAIRING,
        Field.PRIVATE_DNS: Response.BLOCKED,
    }


def test_an_endpoint_that_is_no_longer_ours_is_not_touched_at_all() -> None:
    lost = Refusal("OwnershipMismatch", "Put the tags back.", IB, EVERYTHING)
    stranger = Holding(IB, live=OTHER, surplus=(made(WANT),), stranger=made(WANT, id=EndpointID("vpce-3"), tags={}))
    look = seen(holdings(imagebuilder=stranger))
    assert plan_of(look, RECORDED, refusals=[lost]).actions == ()


def test_a_second_endpoint_of_ours_is_deleted() -> None:
    two = Holding(IB, live=made(WANT), surplus=(OTHER,))
    plan = plan_of(seen(holdings(imagebuilder=two)), RECORDED)
    assert plan.actions == (Delete(IB, (OTHER_ID,), "another endpoint of this role is in use"),)
    assert plan_of(seen(holdings(imagebuilder=two)), RECORDED, refusals=[WHOLE]).actions == ()


def test_a_swap_of_subnets_asks_for_the_zones_of_the_surroundings() -> None:
    look = seen(
        holdings(made(WANT, subnet_ids=frozenset({C1}))), facts=facts(subnets=[subnet(A1), subnet(B1), subnet(C1)])
    )
    (action,) = plan_of(look, RECORDED).actions
    assert isinstance(action, Modify)
    assert action.change == ModifyEndpoint(IB_ID, add_subnet_ids=WANT.subnet_ids), "C1 leaves once the others are there"


# Report


def test_in_report_drift_is_told_and_left() -> None:
    plan = plan_of(in_place(private_dns=False, tags={}), RECORDED, report=True)
    assert plan.actions == ()
    assert {finding.response for finding in plan.findings} == {Response.REPORTED}


def test_in_report_an_edit_of_the_spec_is_still_carried_out() -> None:
    plan = plan_of(in_place(private_dns=False), status_of(entry(WANT, applied={})), report=True)
    assert [type(action) for action in plan.actions] == [Modify]


def test_in_report_a_first_endpoint_is_made_and_a_lost_one_is_not() -> None:
    assert [type(action) for action in plan_of(seen(), report=True).actions] == [Create]
    plan = plan_of(seen(absent={IB_ID: Absence(proved=True)}), RECORDED, report=True)
    assert (plan.actions, plan.wait) == ((), None)
    assert plan.findings[0].response == Response.REPORTED


def test_in_report_a_dead_endpoint_that_served_is_left_and_one_that_never_did_is_not() -> None:
    dead = seen(holdings(imagebuilder=Holding(IB, dead=(made(WANT, state=EndpointState.FAILED),))))
    assert plan_of(dead, RECORDED, report=True).actions == ()
    assert [type(a) for a in plan_of(dead, status_of(entry(WANT, applied={})), report=True).actions] == [Delete]


# Contention and slow answers


def test_a_contended_field_is_left_alone_and_the_others_are_repaired() -> None:
    patience = Patience(contended=frozenset({(IB, Field.PRIVATE_DNS)}))
    plan = plan_of(in_place(private_dns=False, policy="{}"), RECORDED, patience=patience)
    (action,) = plan.actions
    assert isinstance(action, Modify)
    assert action.fields == (Field.POLICY,)
    assert Response.CONTENDED in {f.response for f in plan.findings}


def test_an_edit_of_a_contended_field_is_carried_out() -> None:
    patience = Patience(contended=frozenset({(IB, Field.PRIVATE_DNS)}))
    plan = plan_of(in_place(private_dns=False), status_of(entry(WANT, applied={})), patience=patience)
    assert [type(action) for action in plan.actions] == [Modify]


@pytest.mark.parametrize("applied", [entry(WANT).applied, {}], ids=["repair", "edit"])
def test_what_was_just_changed_and_looks_as_before_is_awaited_and_what_looks_otherwise_is_not(
    applied: dict[str, str],
) -> None:
    drifted, status = in_place(private_dns=False, policy="{}"), status_of(entry(WANT, applied=applied))
    sights = {(f.difference.role, f.difference.field): f.difference.observed for f in plan_of(drifted, status).findings}
    plan = plan_of(drifted, status, patience=Patience(resting=sights))
    assert plan.actions == ()
    assert plan.wait
    assert "does not show it yet" in plan.wait.message
    other = {**sights, (IB, Field.POLICY): "another policy"}
    (action,) = plan_of(drifted, status, patience=Patience(resting=other)).actions
    assert isinstance(action, Modify)
    assert action.fields == (Field.POLICY,)


# Roles that the spec no longer asks for


S3_ONLY = desired(imageBuilder=None, builds={"subnets": {"ids": [A1, B1]}})


def retired(look: Observation, status: Status | None = None, **more: Any) -> RolePlan | None:
    return planned(S3_ONLY, look, status, **more).role(IB)


def test_a_role_that_nothing_is_left_of_is_not_planned() -> None:
    assert retired(seen()) is None
    assert retired(seen(absent={IB_ID: Absence(proved=True)}), RECORDED) is None


def test_everything_of_a_role_that_is_no_longer_asked_for_is_deleted() -> None:
    everything = Holding(
        IB,
        live=made(WANT),
        dead=(made(WANT, id=EndpointID("vpce-3"), state=EndpointState.FAILED),),
        surplus=(OTHER,),
        leaving=(made(WANT, id=EndpointID("vpce-4"), state=EndpointState.DELETING),),
    )
    plan = retired(seen(holdings(imagebuilder=everything)), RECORDED)
    assert plan
    (action,) = plan.actions
    assert isinstance(action, Delete)
    assert set(action.ids) == {IB_ID, OTHER_ID, "vpce-3"}
    assert plan.wait
    assert plan.wait.reason == "Deleting"


def test_while_the_last_of_a_role_is_leaving_it_is_awaited() -> None:
    plan = retired(seen(holdings(imagebuilder=Holding(IB, leaving=(made(WANT, state=EndpointState.DELETING),)))))
    assert plan
    assert (plan.actions, bool(plan.wait)) == ((), True)


def test_an_open_intent_of_a_role_that_is_no_longer_asked_for_is_resolved_first() -> None:
    plan = retired(seen(), status_of(INTENT))
    assert plan
    assert plan.actions == (Resolve(IB, 3),)


def test_an_id_that_may_yet_appear_is_awaited() -> None:
    plan = retired(seen(absent={IB_ID: Absence(proved=False)}), RECORDED)
    assert plan
    assert (plan.actions, bool(plan.wait)) == ((), True)


def test_a_stranger_is_left_and_a_refusal_of_the_whole_deletes_nothing() -> None:
    stranger = Holding(IB, stranger=made(WANT, tags={}))
    assert retired(seen(holdings(imagebuilder=stranger)), RECORDED) is None
    assert retired(seen(holdings(made(WANT))), RECORDED, refusals=[WHOLE]) is None


def test_planning_is_a_function_of_what_it_is_given() -> None:
    look, status = in_place(private_dns=False), RECORDED
    assert planned(ONLY, look, status) == planned(ONLY, look, status)
