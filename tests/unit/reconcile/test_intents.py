"""What counts as an endpoint that is made again: one that was in use, and only once for each attempt."""

import pytest

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus, Ownership
from ibpe.reconcile.intents import begun_again, intents
from ibpe.reconcile.observation import Absence
from ibpe.reconcile.plan import Plan
from tests.unit.reconcile.given import IB_ID, desired, entry, planned, seen, status_of, wanted

IB = Role.IMAGE_BUILDER
ONLY = desired(s3=None)
IN_USE = entry(wanted())


def plan_over(before: EndpointStatus) -> Plan:
    """The plan when AWS proves the recorded endpoint gone."""
    return planned(ONLY, seen(absent={IB_ID: Absence(proved=True)}), status_of(before))


def test_the_successor_of_an_endpoint_that_was_in_use_is_told() -> None:
    assert begun_again(status_of(IN_USE), plan_over(IN_USE)) == (IB,)


@pytest.mark.parametrize(
    "before",
    [
        EndpointStatus(role=IB),
        EndpointStatus(role=IB, attempt=2),
        IN_USE.model_copy(update={"applied": {}}),
        IN_USE.model_copy(update={"ownership": Ownership.EXISTING, "attempt": 0}),
    ],
    ids=["the first", "asked for anew", "on its way out when asked for anew", "somebody else's before"],
)
def test_what_was_not_in_use_is_not_made_again(before: EndpointStatus) -> None:
    assert begun_again(status_of(before), plan_over(before)) == ()


def test_an_attempt_that_has_to_be_repeated_is_told_once() -> None:
    before = status_of(IN_USE)
    plan = plan_over(IN_USE)
    stored = intents(before, plan)
    assert stored.endpoint(IB).attempt == 2
    assert begun_again(stored, planned(ONLY, seen(), stored)) == ()
