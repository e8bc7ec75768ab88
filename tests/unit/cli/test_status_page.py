"""The page and the table, word for word: in 80 columns, in a pipe, without colours."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from textwrap import dedent

import pytest
from rich.console import RenderableType

from ibpe.api.names import ConditionStatus, ConditionType, Role
from ibpe.api.status import Condition, DriftEntry, EndpointStatus, PlannedAction, Status
from ibpe.cli.advice import advice
from ibpe.cli.page import age, page, table
from ibpe.cli.status import as_data, as_text
from ibpe.policy.canonical import digest
from ibpe.policy.explanation import UNLOGGED_CALLS
from ibpe.policy.imagebuilder import deny_deletion, full_access
from ibpe.reconcile.ports import Key, Resource

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
VPC = "vpc-0123456789abcdef0"


def condition(kind: ConditionType, status: ConditionStatus, reason: str, message: str, minutes: int = 5) -> Condition:
    return Condition(
        type=kind,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=NOW - timedelta(minutes=minutes),
        observed_generation=3,
    )


READY = condition(ConditionType.READY, "True", "EndpointsAvailable", "Builds can run privately in the VPC.")
QUIET = (
    condition(ConditionType.RECONCILING, "False", "Idle", ""),
    condition(ConditionType.STALLED, "False", "Idle", ""),
)
ENDPOINT = EndpointStatus(
    role=Role.IMAGE_BUILDER,
    id="vpce-0a1b2c3d4e5f60718",
    state="available",
    service_name="com.amazonaws.us-west-2.imagebuilder",
    dns_names=("vpce-0a1b2c3d4e5f60718-abcd1234.imagebuilder.us-west-2.vpce.amazonaws.com",),
)


def resource(*conditions: Condition, **changes: object) -> Resource:
    status = Status(observed_generation=3, account_id="123456789012", conditions=conditions)
    return Resource(
        key=Key("team-a", "images"),
        uid="u",
        generation=3,
        resource_version="1",
        created_at=NOW - timedelta(days=12),
        deleted_at=None,
        spec={"region": "us-west-2", "vpcID": VPC},
        status=status.model_copy(update=changes),
    )


def shown(rendered: RenderableType) -> str:
    return as_text(rendered) + "\n"


def test_a_ready_resource() -> None:
    assert shown(page(resource(*QUIET, READY, endpoints=(ENDPOINT,)), NOW)) == dedent("""\
        team-a/images  Ready: True (EndpointsAvailable)
        Region   us-west-2
        VPC      vpc-0123456789abcdef0
        Account  123456789012
        Age      12d

        What to do
          - Nothing.

        Conditions
          TYPE         STATUS  REASON              SINCE
          Ready        True    EndpointsAvailable  5m
          Reconciling  False   Idle                5m
          Stalled      False   Idle                5m

          Ready: Builds can run privately in the VPC.

        Endpoints
          ROLE          ID                      STATE      SERVICE
          imagebuilder  vpce-0a1b2c3d4e5f60718  available  com.amazonaws.us-west-2.image
                                                           builder

          DNS name
          imagebuilder:
          vpce-0a1b2c3d4e5f60718-abcd1234.imagebuilder.us-west-2.vpce.amazonaws.com
        """)


@pytest.mark.parametrize(
    ("reference", "known", "line"),
    [
        ({"name": "network"}, "123456789012", "Account  123456789012 (network)\n"),
        ({"name": "network"}, None, "Account  - (network)\n"),
        ({"name": 1}, "123456789012", "Account  123456789012\n"),
    ],
    ids=["known", "not yet", "unreadable"],
)
def test_the_account_is_shown_with_its_name(reference: object, known: str | None, line: str) -> None:
    seen = resource(*QUIET, READY, account_id=known)
    assert line in shown(page(replace(seen, spec={**seen.spec, "accountRef": reference}), NOW))


def test_drift_that_is_only_reported_with_the_plan() -> None:
    drift = DriftEntry(
        role=Role.S3,
        field="policy",
        desired="AllowImageBuilderBuckets",
        observed="an unexpected statement allows * on * to *",
        detected_at=NOW - timedelta(seconds=42),
        action="Reported",
    )
    plan = PlannedAction(role=Role.S3, action="Modify", detail="policy of vpce-0b")
    text = shown(page(resource(*QUIET, READY, drift=(drift,), plan=(plan,)), NOW))
    assert text.endswith(
        dedent("""\
        Drift
          s3 policy: Reported, seen 42s ago
            applied  AllowImageBuilderBuckets
            in AWS   an unexpected statement allows * on * to *

        Plan
          Modify s3: policy of vpce-0b
        """)
    )
    assert "- Drift is only reported: set spec.driftPolicy to Repair to have it undone" in text


def test_a_message_that_several_conditions_share_is_told_once() -> None:
    stuck = "subnet-0a does not exist: correct imageBuilder.subnets.ids."
    text = shown(
        page(
            resource(
                condition(ConditionType.READY, "False", "SubnetNotFound", stuck),
                condition(ConditionType.STALLED, "True", "SubnetNotFound", stuck),
                condition(ConditionType.PREREQUISITES_MET, "False", "SubnetNotFound", stuck),
            ),
            NOW,
        )
    )
    assert f"  - {stuck}\n" in text
    assert f"Ready, Stalled, PrerequisitesMet: {stuck}" in " ".join(text.split())
    assert text.count("does not exist") == 2


def test_a_table_of_all() -> None:
    unseen = replace(resource(), key=Key("team-b", "others"), status=Status())
    suspended = replace(resource(READY), key=Key("team-b", "paused"), spec={"region": "eu-west-1", "suspend": True})
    rendered = table([resource(READY), unseen, suspended], namespaces=True)
    assert shown(rendered) == dedent("""\
        NAMESPACE  NAME    REGION     VPC                    READY  STATUS         DRIFT
        team-a     images  us-west-2  vpc-0123456789abcdef0  True   EndpointsAvai  0
                                                                    lable
        team-b     others  us-west-2  vpc-0123456789abcdef0  -      NotSeenYet     0
        team-b     paused  eu-west-1  -                      True   Suspended      0
        """)


@pytest.mark.parametrize(
    ("role", "policy", "told"),
    [
        (Role.IMAGE_BUILDER, digest(deny_deletion()), True),
        (Role.IMAGE_BUILDER, digest(full_access()), False),
        (Role.IMAGE_BUILDER, None, False),
        (Role.S3, digest(deny_deletion()), False),
    ],
    ids=["narrowed", "the-default", "not-known", "another-service"],
)
def test_calls_that_may_be_missing_from_cloudtrail_are_told_where_they_may(
    role: Role, policy: str | None, *, told: bool
) -> None:
    entry = ENDPOINT.model_copy(update={"role": role, "policy_digest": policy})
    subject = resource(*QUIET, READY, endpoints=(entry,))
    assert (UNLOGGED_CALLS in " ".join(shown(page(subject, NOW)).split())) is told
    assert as_data(subject)["notes"] == ([UNLOGGED_CALLS] if told else [])
    assert advice(subject) == ("Nothing.",)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        (replace(resource(), status=Status()), "The operator has not seen it yet"),
        (replace(resource(*QUIET, READY), generation=4), "The operator has not acted on the latest edit yet"),
        (resource(condition(ConditionType.STALLED, "True", "X", "Do this.")), "Do this."),
        (replace(resource(READY), deleted_at=NOW), "Being deleted"),
        (replace(resource(READY), spec={"suspend": True}), "Suspended: nothing is written to AWS"),
        (resource(condition(ConditionType.PREREQUISITES_MET, "False", "X", "Let 443 in.")), "Let 443 in."),
        (
            resource(condition(ConditionType.RECONCILING, "True", "X", "pending.")),
            "Wait, the operator is at work: p",
        ),
        (resource(*QUIET, READY), "Nothing."),
    ],
    ids=["unseen", "edited", "stalled", "deleting", "suspended", "prerequisites", "reconciling", "ready"],
)
def test_the_first_advice_is_the_most_pressing(shape: Resource, sentence: str) -> None:
    assert advice(shape)[0].startswith(sentence)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (86_399, "23h"), (864_000, "10d")],
)
def test_ages_are_short(seconds: int, text: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == text
