"""The truth in conditions: every row of the table of states, as kstatus and Argo CD read it, and when it changes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ibpe.api.names import ConditionType, Role
from ibpe.api.status import MESSAGE_LIMIT, Condition, EndpointStatus, Status
from ibpe.aws.errors import AwsError, classify
from ibpe.aws.gateway import EndpointState
from ibpe.reconcile.actions import Failure
from ibpe.reconcile.fields import Field
from ibpe.reconcile.held_up import defective, deleting, stalled, unobserved
from ibpe.reconcile.holdings import Holding
from ibpe.reconcile.observation import Absence, Observation
from ibpe.reconcile.plan import Patience, Plan
from ibpe.reconcile.refusals import Refusal, refuse
from ibpe.reconcile.status import Round, conclude
from ibpe.reconcile.wanted import Desired
from tests.unit.reconcile.given import (
    A1,
    ACCOUNT,
    B1,
    GROUP,
    IB_ID,
    NOW,
    OPEN,
    S3_ID,
    VPC,
    desired,
    entry,
    facts,
    group,
    holdings,
    image_builder,
    made,
    planned,
    seen,
    status_of,
    wanted,
)

BOTH = desired()
IB, S3 = wanted(), wanted(Role.S3)
RECORDED = status_of(entry(IB), entry(S3))
HEALTHY = seen(holdings(made(IB), made(S3)))
GONE = seen(holdings(made(S3)), absent={IB_ID: Absence(proved=True)})
SHUT = facts(security_groups=[group(GROUP)])
READY, RECONCILING, STALLED = ConditionType.READY, ConditionType.RECONCILING, ConditionType.STALLED
DRIFT_FREE = ConditionType.DRIFT_FREE


def concluded(
    look: Observation,
    before: Status = RECORDED,
    *,
    want: Desired = BOTH,
    plan: Plan | None = None,
    report: bool = False,
    patience: Patience | None = None,
    **more: Any,
) -> Status:
    """The status after a round that saw this."""
    plan = plan or planned(want, look, before, report=report, patience=patience)
    usual: dict[str, Any] = {
        "generation": 1,
        "now": NOW,
        "account": ACCOUNT,
        "desired": want,
        "plan": plan,
        "refusals": refuse(want, look),
        "report": report,
    }
    return conclude(before, before.endpoints, Round(**{**usual, **more}))


def verdict(status: Status, type_: ConditionType) -> str:
    found = status.condition(type_)
    return found.status if found else "-"


def row(status: Status) -> tuple[str, str, str, str]:
    ready, reconciling, blocked, drift_free = (
        verdict(status, type_) for type_ in (READY, RECONCILING, STALLED, DRIFT_FREE)
    )
    return ready, reconciling, blocked, drift_free


def message(status: Status, type_: ConditionType = READY) -> str:
    found = status.condition(type_)
    return found.message if found else ""


def reason(status: Status, type_: ConditionType = READY) -> str:
    found = status.condition(type_)
    return found.reason if found else ""


def kstatus(status: Status, generation: int = 1) -> str:
    """As sigs.k8s.io/cli-utils reads conditions: a generation behind, then Reconciling, then Stalled, then Ready."""
    if status.observed_generation != generation or verdict(status, RECONCILING) == "True":
        return "InProgress"
    if verdict(status, STALLED) == "True":
        return "Failed"
    return "Current" if verdict(status, READY) == "True" else "InProgress"


def argo(status: Status, generation: int = 1) -> str:
    """As the project's health.lua reads them."""
    if status.observed_generation != generation:
        return "Progressing"
    if verdict(status, STALLED) == "True":
        return "Degraded"
    if verdict(status, RECONCILING) == "True":
        return "Progressing"
    if verdict(status, READY) == "True" or reason(status) == "Suspended":
        return "Healthy"
    return "Progressing"


def throttle() -> AwsError:
    return classify("CreateVpcEndpoint", "RequestLimitExceeded", "Request limit exceeded.", 503, "req-1")


def denial(request: str = "req-1") -> AwsError:
    return classify("CreateVpcEndpoint", "UnauthorizedOperation", "You are not authorized.", 403, request)


ROWS: Mapping[str, tuple[Status, tuple[str, str, str, str], str, str]] = {
    "nothing made yet": (
        concluded(seen(), Status()),
        ("False", "True", "False", "Unknown"),
        "Progressing",
        "InProgress",
    ),
    "pending": (
        concluded(seen(holdings(made(IB, state=EndpointState.PENDING), made(S3))), status_of()),
        ("False", "True", "False", "True"),
        "Progressing",
        "InProgress",
    ),
    "throttled": (
        concluded(seen(), Status(), failures=(Failure(Role.IMAGE_BUILDER, throttle()),)),
        ("False", "True", "False", "Unknown"),
        "Progressing",
        "InProgress",
    ),
    "ready": (concluded(HEALTHY), ("True", "False", "False", "True"), "Healthy", "Current"),
    "drift being repaired, endpoint works": (
        concluded(seen(holdings(made(IB, policy=OPEN), made(S3)))),
        ("True", "True", "False", "False"),
        "Progressing",
        "InProgress",
    ),
    "drift being repaired, builds can't use it": (
        concluded(seen(holdings(made(IB, private_dns=False), made(S3)))),
        ("False", "True", "False", "False"),
        "Progressing",
        "InProgress",
    ),
    "gone and being made again": (concluded(GONE), ("False", "True", "False", "False"), "Progressing", "InProgress"),
    "Report: drift, endpoint works": (
        concluded(seen(holdings(made(IB, policy=OPEN), made(S3))), report=True),
        ("True", "False", "False", "False"),
        "Healthy",
        "Current",
    ),
    "Report: endpoint missing": (
        concluded(GONE, report=True),
        ("False", "False", "True", "False"),
        "Degraded",
        "Failed",
    ),
    "Report: builds can't use it": (
        concluded(seen(holdings(made(IB, private_dns=False), made(S3))), report=True),
        ("False", "False", "True", "False"),
        "Degraded",
        "Failed",
    ),
    "user must fix: refused": (
        concluded(seen(facts=SHUT), Status()),
        ("False", "False", "True", "Unknown"),
        "Degraded",
        "Failed",
    ),
    "user must fix: denied": (
        concluded(seen(), Status(), failures=(Failure(Role.IMAGE_BUILDER, denial()),)),
        ("False", "False", "True", "Unknown"),
        "Degraded",
        "Failed",
    ),
    "user must fix: spec": (
        stalled(Status(), 1, NOW, "InvalidSpec", "spec.region: Write one."),
        ("False", "False", "True", "Unknown"),
        "Degraded",
        "Failed",
    ),
    "snapshot too old": (
        unobserved(concluded(HEALTHY), 1, NOW, throttle(), user_must_act=False),
        ("Unknown", "True", "False", "Unknown"),
        "Progressing",
        "InProgress",
    ),
    "suspended while ready": (
        concluded(HEALTHY, concluded(HEALTHY), suspended=True),
        ("True", "False", "False", "True"),
        "Healthy",
        "Current",
    ),
    "suspended while not ready": (
        concluded(seen(), concluded(seen(), Status()), suspended=True),
        ("False", "False", "False", "Unknown"),
        "Healthy",
        "InProgress",
    ),
    "deleting": (
        deleting(concluded(HEALTHY), 1, NOW, "Waiting for vpce-1."),
        ("False", "True", "False", "True"),
        "Progressing",
        "InProgress",
    ),
    "deletion blocked": (
        stalled(concluded(HEALTHY), 1, NOW, "Suspended", "Deletion waits: spec.suspend is true."),
        ("False", "False", "True", "True"),
        "Degraded",
        "Failed",
    ),
    "contended, endpoint works": (
        concluded(
            seen(holdings(made(IB, policy=OPEN), made(S3))),
            patience=Patience(contended=frozenset({(Role.IMAGE_BUILDER, Field.POLICY)})),
        ),
        ("True", "False", "False", "False"),
        "Healthy",
        "Current",
    ),
}


@pytest.mark.parametrize("case", ROWS.values(), ids=ROWS.keys())
def test_every_state_reads_as_the_table_of_states_has_it(
    case: tuple[Status, tuple[str, str, str, str], str, str],
) -> None:
    status, conditions, health, progress = case
    shown = "\n".join(f"{c.type}={c.status} {c.reason}: {c.message}" for c in status.conditions)
    assert row(status) == conditions, shown
    assert argo(status) == health, shown
    assert kstatus(status) == progress, shown


@pytest.mark.parametrize("case", ROWS.values(), ids=ROWS.keys())
def test_every_condition_is_always_there_with_a_reason_and_a_message(
    case: tuple[Status, tuple[str, str, str, str], str, str],
) -> None:
    status = case[0]
    assert [condition.type for condition in status.conditions] == list(ConditionType)
    assert all(condition.message and condition.observed_generation == 1 for condition in status.conditions)
    Status.model_validate(status.model_dump())


def test_a_spec_edit_that_was_not_seen_yet_is_in_progress_whatever_the_conditions_say() -> None:
    assert (kstatus(concluded(HEALTHY), 2), argo(concluded(HEALTHY), 2)) == ("InProgress", "Progressing")
    assert Status().observed_generation == -1


# Messages


def test_ready_names_the_endpoints() -> None:
    assert message(concluded(HEALTHY)) == f"Available and as specified: imagebuilder {IB_ID}, s3 {S3_ID}."


def test_an_endpoint_of_another_versions_role_is_told() -> None:
    assert "vpce-0abc: our tags, with a role" in message(concluded(HEALTHY, unknown_roles=("vpce-0abc",)))


def test_reported_drift_stands_in_the_message_of_a_ready_resource() -> None:
    shown = message(concluded(seen(holdings(made(IB, subnet_ids=frozenset({A1})), made(S3))), report=True))
    assert f"imagebuilder subnets: {A1} instead of {A1}, {B1}" in shown


def test_a_missing_endpoint_in_report_says_what_to_do() -> None:
    status = concluded(GONE, report=True)
    assert reason(status, STALLED) == "EndpointMissing"
    assert f"{IB_ID} is gone" in message(status, STALLED)
    assert "Set driftPolicy to Repair" in message(status, STALLED)


def test_contention_that_breaks_builds_calls_the_user_and_tells_whom_to_look_for() -> None:
    patience = Patience(contended=frozenset({(Role.IMAGE_BUILDER, Field.PRIVATE_DNS)}))
    status = concluded(seen(holdings(made(IB, private_dns=False), made(S3))), patience=patience)
    assert (reason(status, STALLED), reason(status, DRIFT_FREE)) == ("Contended", "Contended")
    assert "Find who else keeps changing it" in message(status, STALLED)


def test_a_second_refusal_is_counted() -> None:
    look = seen(facts=replace(SHUT, route_tables={}))
    status = concluded(look, Status())
    assert "And 1 more" in message(status, STALLED)
    assert reason(status, ConditionType.S3_ACCESS_READY) == "RouteTableNotFound"
    assert reason(status, ConditionType.IMAGE_BUILDER_ENDPOINT_READY) == "HttpsNotLetIn"


def test_every_refusal_is_told_in_full_somewhere_and_none_twice() -> None:
    bad = desired(
        imageBuilder=image_builder(policy={"preset": "Custom", "document": "{"}),
        builds={"subnets": {"ids": [A1, B1, "subnet-0000dead"]}},
    )
    look = seen(holdings(made(IB), made(S3)), facts=replace(SHUT, route_tables={}))
    status = concluded(look, want=bad)
    told = {refusal.message for refusal in refuse(bad, look)}
    assert len(told) == 4
    shown = message(status, ConditionType.PREREQUISITES_MET) + message(status, ConditionType.POLICY_VALID)
    assert [words for words in told if shown.count(words) != 1] == []
    assert "And 3 more, see PrerequisitesMet and PolicyValid." in message(status, STALLED)


def test_a_failed_call_is_told_with_operation_code_fix_and_request() -> None:
    shown = message(concluded(seen(), Status(), failures=(Failure(Role.IMAGE_BUILDER, denial()),)), STALLED)
    for word in ("CreateVpcEndpoint", "UnauthorizedOperation", "req-1", denial().fix):
        assert word in shown


def test_a_message_is_clamped() -> None:
    long = Refusal("PolicyInvalid", "x" * 10_000, Role.IMAGE_BUILDER, frozenset({Field.POLICY}))
    status = concluded(seen(), Status(), refusals=(long,))
    assert max(len(c.message) for c in status.conditions) == MESSAGE_LIMIT
    assert message(status).endswith("…")


def test_a_first_endpoint_is_made_and_a_later_one_made_again() -> None:
    assert message(concluded(seen(), Status())) == "The imagebuilder endpoint is being made."
    assert message(concluded(GONE)) == "The imagebuilder endpoint is being made again."


def test_a_failed_call_is_told_with_the_endpoint_or_the_vpc_it_was_about() -> None:
    failures = (Failure(Role.IMAGE_BUILDER, denial(), (Field.POLICY,)),)
    look = seen(holdings(made(IB, policy=OPEN), made(S3)))
    assert f"imagebuilder endpoint {IB_ID}: policy" in message(concluded(look, failures=failures), STALLED)
    assert f"imagebuilder endpoint in {VPC}" in message(concluded(seen(), Status(), failures=failures), STALLED)


# Components and checks


def test_components_say_each_endpoint_by_itself() -> None:
    status = concluded(GONE)
    assert verdict(status, ConditionType.IMAGE_BUILDER_ENDPOINT_READY) == "False"
    assert verdict(status, ConditionType.S3_ACCESS_READY) == "True"
    assert S3_ID in message(status, ConditionType.S3_ACCESS_READY)


def test_what_the_spec_does_not_ask_for_is_unknown_and_says_why() -> None:
    want = desired(s3=None)
    status = concluded(seen(holdings(made(IB))), status_of(entry(IB)), want=want)
    assert row(status)[0] == "True"
    assert (verdict(status, ConditionType.S3_ACCESS_READY), reason(status, ConditionType.S3_ACCESS_READY)) == (
        "Unknown",
        "NotManaged",
    )


def test_a_refused_policy_is_no_missing_prerequisite_and_the_other_way_round() -> None:
    bad = desired(imageBuilder=image_builder(policy={"preset": "Custom", "document": "{"}))
    status = concluded(seen(), Status(), want=bad)
    assert verdict(status, ConditionType.POLICY_VALID) == "False"
    assert verdict(status, ConditionType.PREREQUISITES_MET) == "True"
    status = concluded(seen(facts=SHUT), Status())
    assert verdict(status, ConditionType.POLICY_VALID) == "True"
    assert verdict(status, ConditionType.PREREQUISITES_MET) == "False"


def test_a_refused_field_of_an_endpoint_that_works_leaves_its_component_true() -> None:
    status = concluded(seen(holdings(made(IB), made(S3)), facts=SHUT))
    assert row(status)[:3] == ("False", "False", "True")
    assert verdict(status, ConditionType.IMAGE_BUILDER_ENDPOINT_READY) == "True"


def test_a_denied_repair_of_an_endpoint_that_works_is_told_by_its_component() -> None:
    look = seen(holdings(made(IB, tags={}), made(S3)))
    status = concluded(look, failures=(Failure(Role.IMAGE_BUILDER, denial()),))
    component = ConditionType.IMAGE_BUILDER_ENDPOINT_READY
    assert verdict(status, component) == "True"
    assert "The endpoint works" in message(status, component)
    assert "UnauthorizedOperation" in message(status, component)
    assert "Unauthorized" not in message(status, ConditionType.S3_ACCESS_READY), "it is the other one's"


def test_a_denied_first_endpoint_is_not_there() -> None:
    status = concluded(seen(), Status(), failures=(Failure(Role.IMAGE_BUILDER, denial()),))
    assert verdict(status, ConditionType.IMAGE_BUILDER_ENDPOINT_READY) == "False"
    assert reason(status, ConditionType.S3_ACCESS_READY) == "Creating"


# Suspension


def test_a_suspended_resource_keeps_what_was_known_and_shows_what_waits() -> None:
    before = concluded(HEALTHY)
    drifted = seen(holdings(made(IB, private_dns=False), made(S3)))
    status = concluded(drifted, before, suspended=True)
    assert verdict(status, READY) == "True"
    assert reason(status) == "Suspended"
    assert "1 action(s) wait in status.plan" in message(status)
    assert [(action.action, action.role) for action in status.plan] == [("Modify", Role.IMAGE_BUILDER)]
    assert "disabled instead of enabled" in status.plan[0].detail
    assert status.drift == before.drift


def test_a_resource_that_was_never_ready_is_unknown_while_suspended() -> None:
    assert verdict(concluded(seen(), Status(), suspended=True), READY) == "Unknown"


# Time


def test_a_transition_keeps_its_time_until_the_status_changes() -> None:
    first = concluded(seen(), Status())
    later = concluded(seen(), first, now=NOW + timedelta(minutes=1), failures=(Failure(Role.S3, throttle()),))
    assert reason(later) == "Throttled"
    assert time_of(later, READY) == NOW, "the reason changed, the status didn't"
    done = concluded(HEALTHY, later, now=NOW + timedelta(minutes=2))
    assert time_of(done, READY) == NOW + timedelta(minutes=2)
    assert time_of(done, STALLED) == NOW


def test_nothing_that_is_new_changes_nothing() -> None:
    first = concluded(HEALTHY)
    assert concluded(HEALTHY, first, now=NOW + timedelta(hours=1)) == first


def test_drift_keeps_the_time_when_it_was_first_seen() -> None:
    drifted = seen(holdings(made(IB, policy=OPEN), made(S3)))
    first = concluded(drifted)
    assert [(d.field, d.detected_at, d.action) for d in first.drift] == [("policy", NOW, "Repairing")]
    later = concluded(drifted, first, now=NOW + timedelta(minutes=1))
    assert later.drift[0].detected_at == NOW
    assert concluded(HEALTHY, later).drift == ()


def test_an_edit_of_the_spec_is_not_in_drift() -> None:
    status = concluded(seen(holdings(made(IB, policy=OPEN), made(S3))), status_of(entry(IB, applied={}), entry(S3)))
    assert status.drift == ()
    assert verdict(status, DRIFT_FREE) == "True"
    assert (verdict(status, READY), reason(status)) == ("False", "Updating")


def test_the_same_failure_with_another_request_id_is_no_news() -> None:
    first = concluded(seen(), Status(), failures=(Failure(Role.IMAGE_BUILDER, denial("req-1")),))
    second = concluded(seen(), first, now=NOW + timedelta(1), failures=(Failure(Role.IMAGE_BUILDER, denial("req-2")),))
    assert second == first


def test_the_same_failure_of_another_generation_is_news() -> None:
    first = concluded(seen(), Status(), failures=(Failure(Role.IMAGE_BUILDER, denial("req-1")),))
    second = concluded(seen(), first, generation=2, failures=(Failure(Role.IMAGE_BUILDER, denial("req-2")),))
    assert "req-2" in message(second, STALLED)


def test_another_code_is_news() -> None:
    first = concluded(seen(), Status(), failures=(Failure(Role.IMAGE_BUILDER, denial()),))
    second = concluded(seen(), first, failures=(Failure(Role.IMAGE_BUILDER, throttle()),))
    assert "RequestLimitExceeded" in message(second, RECONCILING)


# What is written once


def test_the_account_is_written_once() -> None:
    assert concluded(HEALTHY, status_of(entry(IB), account_id=None)).account_id == ACCOUNT
    assert concluded(HEALTHY, status_of(account_id="210987654321")).account_id == "210987654321"


def test_no_account_is_written_before_there_is_anything_in_it() -> None:
    assert concluded(HEALTHY, status_of(account_id=None)).account_id is None


def test_a_defect_of_the_operator_is_no_stale_ready() -> None:
    status = defective(concluded(HEALTHY), 1, NOW, ValueError("no such thing"))
    ready, stalled_ = status.condition(ConditionType.READY), status.condition(ConditionType.STALLED)
    assert ready is not None
    assert stalled_ is not None
    assert (ready.status, ready.reason, stalled_.status) == ("Unknown", "InternalError", "False")
    assert "ValueError: no such thing" in ready.message


@pytest.mark.parametrize("user_must_act", [False, True])
def test_what_cannot_be_looked_at_is_unknown_with_code_and_request(*, user_must_act: bool) -> None:
    status = unobserved(concluded(HEALTHY), 1, NOW, denial(), user_must_act=user_must_act)
    unknown = [READY, DRIFT_FREE, ConditionType.IMAGE_BUILDER_ENDPOINT_READY, ConditionType.S3_ACCESS_READY]
    assert {verdict(status, type_) for type_ in unknown} == {"Unknown"}
    assert "req-1" in message(status)
    assert (verdict(status, STALLED), verdict(status, RECONCILING)) == (
        ("True", "False") if user_must_act else ("False", "True")
    )
    assert status.endpoints == RECORDED.endpoints, "what is ours is still known"


def test_the_plan_is_shown_where_it_is_not_carried_out() -> None:
    assert concluded(seen(), Status()).plan == ()
    refused = concluded(seen(facts=SHUT), Status())
    assert [action.action for action in refused.plan] == ["Create"], "the other endpoint is still made"
    reported = concluded(GONE, report=True)
    assert [(p.role, "not repaired" in p.detail) for p in reported.plan] == [(Role.IMAGE_BUILDER, True)]


def test_a_dead_endpoint_that_is_replaced_says_so() -> None:
    dead = Holding(Role.IMAGE_BUILDER, dead=(made(IB, state=EndpointState.FAILED),))
    status = concluded(seen(holdings(made(S3), imagebuilder=dead)))
    assert reason(status) == "Deleting"
    assert f"{IB_ID} (imagebuilder) is being deleted: failed" in message(status)


def time_of(status: Status, type_: ConditionType) -> Any:
    found = status.condition(type_)
    assert isinstance(found, Condition)
    return found.last_transition_time


def test_an_empty_status_has_no_entry_of_a_role() -> None:
    assert Status().endpoint(Role.S3) == EndpointStatus(role=Role.S3)
