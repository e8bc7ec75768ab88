"""The status entry of somebody else's endpoint: what is recorded of it, and what is not forgotten when modes change."""

from typing import Any

import pytest

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus, Ownership, Status
from ibpe.aws.gateway import EndpointID, EndpointState
from ibpe.reconcile.actions import Create
from ibpe.reconcile.entries import is_unresolved, refreshed
from ibpe.reconcile.fields import Field
from ibpe.reconcile.holdings import Holding
from ibpe.reconcile.intents import intents
from ibpe.reconcile.observation import Absence, Observation
from ibpe.reconcile.plan import Plan
from ibpe.reconcile.wanted import Desired
from tests.unit.reconcile.foreign import (
    ALL,
    BUILDS,
    OTHERS,
    TEAM,
    THEIRS,
    contributed,
    contributing,
    existing,
    gateway,
    policy,
    shared,
    sight,
    with_ours,
)
from tests.unit.reconcile.given import (
    OWNER,
    S3_ID,
    UID,
    desired,
    entry,
    holdings,
    made,
    planned,
    seen,
    status_of,
    wanted,
)

WANT, OURS = contributing(), wanted(Role.S3)
PLAIN, HELD = gateway(policy(TEAM)), gateway(with_ours(policy(TEAM), contributing()))
MANAGED = desired(imageBuilder=None, builds=BUILDS)
PROVED, MAYBE = Absence(proved=True), Absence(proved=False)
EARLIER = EndpointID("vpce-0000000e")


def after(look: Observation, *before: EndpointStatus, want: Desired | None = WANT) -> EndpointStatus:
    status = status_of(*before)
    plan = planned(want, look, status) if want is not None else Plan(())
    found = refreshed(
        status,
        want,
        look.holdings,
        look.absent,
        plan,
        look.uncontributed,
        [each.id for each in look.contributions],
    )
    Status.model_validate({"endpoints": [each.model_dump() for each in found]})
    return next((each for each in found if each.role is Role.S3), EndpointStatus(role=Role.S3))


def own(**changes: Any) -> dict[str, Any]:
    """What an observation says while our own gateway of before is there."""
    return {"holdings": holdings(made(OURS, **changes))}


# What is recorded


def test_it_is_recorded_as_it_is_seen_and_whose_it_is() -> None:
    found = after(sight(HELD), contributed(WANT, applied={}))
    assert (found.id, found.ownership, found.state) == (THEIRS, Ownership.CONTRIBUTED, "available")
    assert found.service_name == HELD.service_name
    assert found.policy_digest
    assert found.made_ids == (), "nothing of it is ever deleted"
    looked = after(sight(HELD), want=existing())
    assert (looked.id, looked.ownership, looked.applied) == (THEIRS, Ownership.EXISTING, {})


def test_one_that_does_not_exist_is_recorded_by_its_id_alone() -> None:
    found = after(sight())
    assert (found.id, found.state, found.service_name, found.applied) == (THEIRS, "absent", None, {})


def test_our_statements_become_the_base_once_they_are_seen() -> None:
    base = {"policy": shared(WANT).fields()[Field.POLICY]}
    assert after(sight(PLAIN)).applied == {}
    assert after(sight(HELD)).applied == base
    assert after(sight(PLAIN), contributed(WANT)).applied == base, "their loss is drift"
    assert after(sight(gateway(policy(ALL)))).applied == base


def test_the_base_of_one_endpoint_is_none_for_another_nor_for_another_mode() -> None:
    bare = gateway(policy(TEAM), id=OTHERS)
    assert after(sight(bare), contributed(WANT), want=contributing(OTHERS)).applied == {}
    assert after(sight(HELD), contributed(WANT), want=existing()).applied == {}


# Where our statements are


@pytest.mark.parametrize(
    "want",
    [WANT, contributing(OTHERS), existing(), MANAGED, desired(s3=None), None],
    ids=["the same", "another endpoint", "only looking", "one of our own", "no S3", "nothing any more"],
)
def test_an_endpoint_that_may_hold_them_is_remembered_whatever_the_spec_asks_for(want: Desired | None) -> None:
    before = contributed(WANT, contributed_ids=(THEIRS, OTHERS))
    assert after(sight(HELD), before, want=want).contributed_ids == (THEIRS, OTHERS)
    proved = sight(HELD, uncontributed=frozenset({OTHERS}))
    assert after(proved, before, want=want).contributed_ids == (THEIRS,)


def test_statements_that_were_put_in_are_unshown_until_they_are_seen() -> None:
    stored = intents(status_of(), planned(WANT, sight(PLAIN))).endpoint(Role.S3)
    assert (stored.contributed_ids, stored.unshown_ids) == ((THEIRS,), (THEIRS,))
    assert after(sight(PLAIN), stored).unshown_ids == (THEIRS,)
    assert after(sight(HELD), stored).unshown_ids == ()
    assert after(sight(HELD), stored, want=MANAGED).unshown_ids == ()
    assert after(sight(PLAIN), stored, want=MANAGED).unshown_ids == (THEIRS,)
    gone = after(sight(PLAIN, uncontributed=frozenset({THEIRS})), stored, want=MANAGED)
    assert (gone.contributed_ids, gone.unshown_ids) == ((), ())


def test_that_they_were_not_there_before_a_repair_proves_nothing_after_it() -> None:
    look = sight(PLAIN, uncontributed=frozenset({THEIRS}))
    before = status_of(contributed(WANT))
    stored = intents(before, planned(WANT, look, before)).endpoint(Role.S3)
    found = after(look, stored)
    assert (found.contributed_ids, found.unshown_ids) == ((THEIRS,), (THEIRS,))


# What we made before


def test_what_we_made_before_is_remembered_until_it_is_gone() -> None:
    before = entry(OURS, previous_ids=(EARLIER,))
    taken = after(sight(HELD, absent={EARLIER: MAYBE}, **own()), before)
    assert (taken.id, taken.ownership) == (THEIRS, Ownership.CONTRIBUTED)
    assert taken.previous_ids == (EARLIER, S3_ID)
    later = after(sight(HELD, absent={EARLIER: PROVED}, **own(state=EndpointState.DELETING)), taken)
    assert later.previous_ids == (S3_ID,)
    assert after(sight(HELD, absent={S3_ID: PROVED}), later).previous_ids == ()


def test_what_we_made_before_and_the_status_lost_is_remembered_too() -> None:
    assert after(sight(HELD, **own()), contributed(WANT)).previous_ids == (S3_ID,)


@pytest.mark.parametrize(
    ("before", "attempt"),
    [
        (entry(OURS, attempt=3), 4),
        (entry(OURS, attempt=3, state="absent"), 4),
        (EndpointStatus(role=Role.S3, state="absent", attempt=3), 3),
        (EndpointStatus(role=Role.S3), 0),
        (contributed(WANT, attempt=3), 3),
    ],
    ids=["in use", "gone", "refused by AWS at once", "nothing yet", "taken over before"],
)
def test_a_take_over_uses_the_attempt_up_that_made_an_endpoint(before: EndpointStatus, attempt: int) -> None:
    found = after(sight(HELD), before)
    assert found.attempt == attempt
    assert after(sight(HELD), found).attempt == attempt, "it is counted once"


@pytest.mark.parametrize(
    ("before", "absent", "unresolved"),
    [
        (EndpointStatus(role=Role.S3, state="creating", attempt=2), {}, True),
        (EndpointStatus(role=Role.S3, state="creating", attempt=2, id=S3_ID), {S3_ID: MAYBE}, True),
        (EndpointStatus(role=Role.S3, state="creating", attempt=2, id=S3_ID), {S3_ID: PROVED}, False),
        (EndpointStatus(role=Role.S3, state="available", attempt=2, id=S3_ID), {S3_ID: MAYBE}, False),
        (contributed(WANT, state="creating"), {}, False),
    ],
    ids=["no answer", "not shown yet", "gone", "was shown", "somebody else's"],
)
def test_what_may_have_been_made_and_was_never_shown_is_not_overwritten(
    before: EndpointStatus, absent: dict[EndpointID, Absence], *, unresolved: bool
) -> None:
    assert is_unresolved(before, Holding(Role.S3), absent) is unresolved
    found = after(sight(HELD, absent=absent), before)
    assert (found.ownership is Ownership.MANAGED) is unresolved
    if unresolved:
        assert (found.state, found.id, found.attempt) == (before.state, before.id, before.attempt)
    assert not is_unresolved(before, Holding(Role.S3, live=made(OURS)), absent)


# Back to our own


def test_an_endpoint_of_our_own_again_is_made_with_a_token_of_its_own() -> None:
    gone = contributed(WANT, attempt=2)  # the first attempt's endpoint was retired
    plan = planned(MANAGED, sight(HELD, named={}), status_of(gone), refusals=())
    (create,) = plan.actions
    assert isinstance(create, Create)
    assert create.attempt == 2
    stored = intents(status_of(gone), plan).endpoint(Role.S3)
    assert (stored.ownership, stored.state, stored.id) == (Ownership.MANAGED, "creating", None)
    assert (stored.applied, stored.previous_ids, stored.contributed_ids) == ({}, (), (THEIRS,))
    first = OWNER.client_token(UID, Role.S3, 1)
    assert OWNER.client_token(UID, Role.S3, create.attempt) != first


def test_our_own_of_before_is_taken_back_while_it_is_there() -> None:
    before = contributed(WANT, attempt=2, previous_ids=(S3_ID,))
    found = after(sight(HELD, named={}, **own()), before, want=MANAGED)
    assert (found.id, found.ownership, found.previous_ids) == (S3_ID, Ownership.MANAGED, ())
    assert found.contributed_ids == (THEIRS,)
    assert found.applied, "as it is desired again"


def test_a_role_that_is_over_forgets_somebody_elses_endpoint_and_keeps_what_is_ours_to_clean_up() -> None:
    before = contributed(WANT, attempt=2, previous_ids=(S3_ID,))
    found = after(sight(HELD, named={}, absent={S3_ID: MAYBE}), before, want=desired(s3=None))
    assert found == EndpointStatus(role=Role.S3, attempt=2, previous_ids=(S3_ID,), contributed_ids=(THEIRS,))


# The end


def test_while_everything_goes_somebody_elses_endpoint_stays_named_and_ours_are_remembered() -> None:
    before = contributed(WANT, previous_ids=(S3_ID, EARLIER))
    found = after(seen(absent={S3_ID: MAYBE, EARLIER: PROVED}), before, want=None)
    assert found == before.model_copy(update={"previous_ids": (S3_ID,)})


def test_the_memory_of_endpoints_that_hold_them_is_bounded() -> None:
    many = tuple(f"vpce-{number:08x}" for number in range(16))
    before = status_of(contributed(contributing(OTHERS), contributed_ids=many))
    stored = intents(before, planned(WANT, sight(PLAIN), before)).endpoint(Role.S3)
    assert stored.contributed_ids == (*many[1:], THEIRS)
    Status.model_validate({"endpoints": [stored.model_dump()]})
