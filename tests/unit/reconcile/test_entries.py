"""The status entries after a look: ids are kept until they are proved gone, and what is as desired becomes the base."""

from typing import Any

import pytest

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus, Status
from ibpe.aws.gateway import Endpoint, EndpointID, EndpointState
from ibpe.reconcile.entries import PREVIOUS_LIMIT, refreshed
from ibpe.reconcile.fields import Field
from ibpe.reconcile.holdings import Holding
from ibpe.reconcile.observation import Absence, Observation
from ibpe.reconcile.plan import Patience
from ibpe.reconcile.wanted import Desired
from tests.unit.reconcile.given import (
    A1,
    B1,
    IB_ID,
    desired,
    entry,
    holdings,
    made,
    planned,
    seen,
    status_of,
    wanted,
)

IB = Role.IMAGE_BUILDER
ONLY, WANT = desired(s3=None), wanted()
NEW = EndpointID("vpce-00000002")
PROVED, MAYBE = Absence(proved=True), Absence(proved=False)
S3_ONLY = desired(imageBuilder=None, builds={"subnets": {"ids": [A1, B1]}})


def after(look: Observation, *entries: EndpointStatus, want: Desired | None = ONLY) -> EndpointStatus | None:
    status = status_of(*entries)
    plan = planned(want or ONLY, look, status)
    found = refreshed(status, want, look.holdings, look.absent, plan)
    assert len({e.role for e in found}) == len(found)
    Status.model_validate({"endpoints": [e.model_dump() for e in found]})
    return next((e for e in found if e.role is IB), None)


def in_use(**changes: Any) -> Observation:
    return seen(holdings(made(WANT, **changes)))


def test_an_endpoint_that_is_seen_is_recorded_as_it_is() -> None:
    found = after(in_use())
    assert found
    assert (found.id, found.state, found.attempt) == (IB_ID, "available", 1)
    assert found.network_interface_ids == ("eni-1", "eni-2"), "in order, so that a status never changes by order alone"
    assert found.service_name == WANT.services[0]
    assert found.policy_digest == WANT.fields()[Field.POLICY]


def test_a_policy_that_cannot_be_read_has_a_digest_of_its_own() -> None:
    one, other = after(in_use(policy="{")), after(in_use(policy="[["))
    assert one
    assert other
    assert one.policy_digest
    assert one.policy_digest != other.policy_digest


def test_what_is_as_desired_becomes_the_base_and_what_differs_keeps_its_own() -> None:
    found = after(in_use(private_dns=False))
    assert found
    assert set(found.applied) == {str(f) for f in WANT.fields()} - {"privateDNS"}
    known = entry(WANT, applied={**entry(WANT).applied, "privateDNS": "of the spec before"})
    kept = after(in_use(private_dns=False), known)
    assert kept
    assert kept.applied["privateDNS"] == "of the spec before", "until the edit is there, the old spec is the base"


def test_a_field_that_the_endpoint_no_longer_has_is_dropped() -> None:
    found = after(in_use(), entry(WANT, applied={**entry(WANT).applied, "routeTables": "x"}))
    assert found
    assert "routeTables" not in found.applied


def test_tag_keys_follow_the_spec_once_the_tags_are_there() -> None:
    before = entry(WANT, tag_keys=("old",))
    done, pending = after(in_use(), before), after(in_use(tags={**WANT.tags, "old": "x"}), before)
    assert done
    assert pending
    assert pending.tag_keys == ("old",)


@pytest.mark.parametrize("absence", [PROVED, MAYBE], ids=["gone", "perhaps not shown yet"])
def test_an_id_that_is_not_shown_is_kept_and_called_absent_only_when_proved(absence: Absence) -> None:
    found = after(seen(absent={IB_ID: absence}), entry(WANT))
    assert found
    assert found.id == IB_ID
    assert found.state == ("absent" if absence.proved else "available")
    assert found.applied, "its loss is drift as long as it is asked for"


def test_an_earlier_id_is_kept_until_it_is_proved_gone() -> None:
    before = entry(WANT, previous_ids=(NEW, "vpce-00000003"))
    found = after(seen(holdings(made(WANT)), absent={NEW: PROVED, EndpointID("vpce-00000003"): MAYBE}), before)
    assert found
    assert found.previous_ids == ("vpce-00000003",)


def test_a_successor_pushes_its_predecessor_back() -> None:
    found = after(in_use(id=NEW), entry(WANT))
    assert found
    assert (found.id, found.previous_ids) == (NEW, (IB_ID,))
    found = after(seen(holdings(made(WANT, id=NEW)), absent={IB_ID: PROVED}), entry(WANT))
    assert found
    assert found.previous_ids == ()


def test_a_second_endpoint_is_remembered_until_it_is_gone() -> None:
    two = Holding(IB, live=made(WANT), surplus=(made(WANT, id=NEW),))
    found = after(seen(holdings(imagebuilder=two)), entry(WANT))
    assert found
    assert found.previous_ids == (NEW,)
    again = after(seen(holdings(imagebuilder=two)), found)
    assert again == found, "and only once"


def test_a_dead_one_is_shown_while_it_is_there() -> None:
    dead: Endpoint = made(WANT, state=EndpointState.FAILED)
    found = after(seen(holdings(imagebuilder=Holding(IB, dead=(dead,)))), entry(WANT))
    assert found
    assert (found.id, found.state) == (IB_ID, "failed")


def test_the_memory_of_earlier_ids_is_bounded() -> None:
    many = tuple(made(WANT, id=EndpointID(f"vpce-{n:08x}")) for n in range(100, 140))
    found = after(seen(holdings(imagebuilder=Holding(IB, live=made(WANT), surplus=many))))
    assert found
    assert len(found.previous_ids) == PREVIOUS_LIMIT


def test_an_open_intent_is_kept_whatever_the_spec_asks_for() -> None:
    intent = EndpointStatus(role=IB, state="creating", attempt=2)
    assert after(seen(), intent) == intent
    assert after(seen(), intent, want=None) == intent
    assert after(seen(), intent, want=S3_ONLY) == intent


def test_a_role_that_is_over_loses_what_was_applied() -> None:
    found = after(seen(holdings(made(WANT))), entry(WANT), want=S3_ONLY)
    assert found
    assert (found.id, found.applied) == (IB_ID, {}), "asked for again, its difference from the old spec is no drift"


@pytest.mark.parametrize(
    "over",
    [
        (seen(absent={IB_ID: PROVED}), entry(WANT, attempt=3, state="absent", previous_ids=(NEW,)), Patience()),
        (
            seen(),
            EndpointStatus(role=IB, state="creating", attempt=3, previous_ids=(NEW,)),
            Patience(abandoned_intents=frozenset({IB})),
        ),
    ],
    ids=["gone", "given up"],
)
def test_of_a_role_that_is_over_and_gone_the_used_attempts_stay(
    over: tuple[Observation, EndpointStatus, Patience],
) -> None:
    look, before, patience = over
    status = status_of(before)
    plan = planned(S3_ONLY, look, status, patience=patience)
    found = {e.role: e for e in refreshed(status, S3_ONLY, look.holdings, look.absent, plan)}
    assert found[IB] == EndpointStatus(role=IB, attempt=4, previous_ids=(NEW,))
    again = {e.role: e for e in refreshed(status_of(found[IB]), S3_ONLY, seen().holdings, {}, planned(S3_ONLY, seen()))}
    assert again[IB].attempt == 4, "it is counted once"


def test_while_everything_goes_an_id_stays_until_it_is_proved() -> None:
    found = after(seen(absent={IB_ID: MAYBE}), entry(WANT), want=None)
    assert found
    assert found.id == IB_ID


def test_a_role_without_anything_has_no_entry() -> None:
    assert after(seen()) is None
