"""A policy that came to allow more: an edit is told when it is written, drift when it is first seen, nothing twice."""

from typing import Any

import pytest

from ibpe.api.names import Role
from ibpe.aws.errors import classify
from ibpe.aws.gateway import Endpoint
from ibpe.policy.canonical import digest
from ibpe.policy.document import render
from ibpe.policy.parse import parse
from ibpe.reconcile.actions import Failure
from ibpe.reconcile.fields import Field
from ibpe.reconcile.intents import intents
from ibpe.reconcile.notices import of_widening
from ibpe.reconcile.plan import Applied, Plan
from ibpe.reconcile.wanted import Desired
from ibpe.reconcile.widening import Widening, by_drift, pending, settled
from tests.unit.reconcile.foreign import ALL, MARK, TEAM, THEIRS, contributed, contributing, gateway, policy, sight
from tests.unit.reconcile.given import (
    IB_ID,
    OPEN,
    SHUT,
    desired,
    entry,
    holdings,
    image_builder,
    made,
    planned,
    seen,
    status_of,
    wanted,
)

IB = Role.IMAGE_BUILDER
TIGHT, WIDE = desired(s3=None), desired(s3=None, imageBuilder=image_builder(policy={"preset": "FullAccess"}))
CONTRIBUTING = contributing()
SEEN_AS_APPLIED = status_of(entry(TIGHT.endpoints[0], policy_digest="0123456789abcdef"))
REFUSED = classify("ModifyVpcEndpoint", "InvalidParameter", "No such policy.", 400)


def policy_of(want: Desired) -> str:
    document = want.endpoints[0].policy
    assert not isinstance(document, Exception)
    return render(document)


def told(want: Desired, plan: Plan, *, applied: Applied | None = None) -> list[Widening]:
    """What is told of a round that carried the whole plan out, unless said otherwise."""
    stored = intents(status_of(), plan, pending(want, plan))
    done = applied or Applied({}, done=list(plan.actions))
    edits = [settled(each, want, plan, done)[0] for each in stored.endpoints]
    return [*filter(None, edits), *by_drift(SEEN_AS_APPLIED, want, plan)]


def round_of(want: Desired, shown: Endpoint, *, applied: bool = False, **more: Any) -> Plan:
    """The plan for an endpoint of ours; `applied`: the spec is as it was when it was applied last."""
    before = status_of(entry(want.endpoints[0])) if applied else status_of(entry(want.endpoints[0], applied={}))
    return planned(want, seen(holdings(shown)), before, refusals=(), **more)


def shown(text: str) -> Endpoint:
    return made(wanted(), policy=text)


# Our own changes


def test_an_edit_that_allows_more_is_told_with_a_request_that_people_know() -> None:
    (widening,) = told(WIDE, round_of(WIDE, shown(policy_of(TIGHT))))
    assert (widening.role, widening.cause) == (IB, "edit")
    notice = of_widening(widening)
    assert (notice.reason, notice.warning) == ("PolicyWidened", False)
    assert f"The policy of {IB_ID} (imagebuilder) allows more than before, such as imagebuilder:Delete" in notice.note


@pytest.mark.parametrize(
    ("want", "text"),
    [(TIGHT, OPEN), (TIGHT, policy_of(TIGHT)), (TIGHT, "{"), (WIDE, policy_of(WIDE))],
    ids=["tightened", "the same", "from what can't be read", "the same, wide"],
)
def test_what_allows_no_more_is_not_told(want: Desired, text: str) -> None:
    assert told(want, round_of(want, shown(text))) == []


def test_an_edit_is_told_when_it_is_written_not_when_it_is_planned() -> None:
    plan = round_of(WIDE, shown(policy_of(TIGHT)))
    assert told(WIDE, plan, applied=Applied({})) == [], "suspended, or AWS took nothing"


def test_an_edit_whose_policy_alone_was_refused_is_not_told() -> None:
    plan = round_of(WIDE, made(wanted(), policy=policy_of(TIGHT), private_dns=False))
    part = Applied({}, done=list(plan.actions), failures=[Failure(IB, REFUSED, (Field.POLICY,))])
    assert told(WIDE, plan, applied=part) == []
    other = Applied({}, done=list(plan.actions), failures=[Failure(IB, REFUSED, (Field.PRIVATE_DNS,))])
    assert len(told(WIDE, plan, applied=other)) == 1


def test_an_edit_whose_answer_was_lost_is_told_by_the_round_that_sees_it_done() -> None:
    plan = round_of(WIDE, shown(policy_of(TIGHT)))
    stored = intents(status_of(), plan, pending(WIDE, plan)).endpoint(IB)
    nothing, still = settled(stored, WIDE, plan, Applied({}))
    assert (nothing, still) == (None, stored.widening)
    seen_done = round_of(WIDE, shown(policy_of(WIDE)))
    widening, left = settled(stored, WIDE, seen_done, Applied({}))
    assert widening is not None
    assert (widening.cause, left) == ("edit", None)


def test_an_edit_that_was_taken_back_before_it_was_made_is_forgotten() -> None:
    plan = round_of(WIDE, shown(policy_of(TIGHT)))
    stored = intents(status_of(), plan, pending(WIDE, plan)).endpoint(IB)
    assert settled(stored, TIGHT, round_of(TIGHT, shown(policy_of(TIGHT))), Applied({})) == (None, None)
    assert settled(stored, desired(imageBuilder=None), planned(desired(imageBuilder=None), seen()), Applied({})) == (
        None,
        None,
    )


# Behind our back


def test_drift_that_allows_more_is_told_once_whether_it_is_mended_or_not() -> None:
    for report in (False, True):
        plan = round_of(TIGHT, shown(OPEN), applied=True, report=report)
        (widening,) = told(TIGHT, plan)
        assert widening.cause == "drift"
        notice = of_widening(widening)
        assert notice.warning
        assert "allows more than before behind the operator's back, such as" in notice.note
        known = status_of(entry(TIGHT.endpoints[0], policy_digest=digest(parse(OPEN))))
        assert list(by_drift(known, TIGHT, plan)) == []


def test_drift_that_first_narrows_and_then_opens_is_told_when_it_opens() -> None:
    narrowed = status_of(entry(TIGHT.endpoints[0], policy_digest=digest(parse(SHUT))))
    assert len(list(by_drift(narrowed, TIGHT, round_of(TIGHT, shown(OPEN), applied=True, report=True)))) == 1


def test_drift_that_allows_less_and_its_repair_are_not_told() -> None:
    plan = round_of(TIGHT, shown(SHUT), applied=True)
    assert plan.actions
    assert told(TIGHT, plan) == [], "a repair brings back what was told when it was first written"


def test_drift_of_another_field_is_none_of_a_policy() -> None:
    assert told(TIGHT, round_of(TIGHT, made(wanted(), private_dns=False), applied=True)) == []


# Others' policies


def test_what_our_statements_add_to_anothers_policy_is_told_when_they_are_put_in() -> None:
    plan = planned(CONTRIBUTING, sight(gateway(policy(TEAM))), refusals=())
    (widening,) = told(CONTRIBUTING, plan)
    assert (widening.role, widening.cause) == (Role.S3, "edit")
    assert widening.note.startswith(f"The policy of {THEIRS} (s3) allows more than before, such as s3:GetObject on")


def test_where_everything_is_allowed_already_nothing_is_told() -> None:
    stray = TEAM.replace("Team", f"{MARK}Stray")
    plan = planned(CONTRIBUTING, sight(gateway(policy(ALL, stray))), refusals=())
    assert plan.actions, "a stray statement of ours is taken out"
    assert told(CONTRIBUTING, plan) == []


def test_bringing_our_statements_back_is_a_repair() -> None:
    plan = planned(CONTRIBUTING, sight(gateway(policy(TEAM))), status_of(contributed(CONTRIBUTING)), refusals=())
    assert plan.actions
    assert told(CONTRIBUTING, plan) == []


def test_a_role_without_an_endpoint_has_nothing_to_tell() -> None:
    plan = planned(WIDE, seen(), status_of(), refusals=())
    assert plan.actions
    assert told(WIDE, plan) == []
