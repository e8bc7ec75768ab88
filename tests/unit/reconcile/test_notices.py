"""What is worth an event: what was made, what drifted and came back, turns of conditions; nothing in steady state."""

from datetime import timedelta

import pytest

from ibpe.api.names import ConditionStatus, ConditionType, Role
from ibpe.api.status import Condition, DriftEntry, Status
from ibpe.reconcile.notices import drift_news, notices
from tests.unit.reconcile.given import IB_ID, NOW, entry, made, status_of, wanted

IB = Role.IMAGE_BUILDER
QUIET = Status()


def condition(type_: ConditionType, status: ConditionStatus, reason: str) -> Condition:
    return Condition(
        type=type_,
        status=status,
        reason=reason,
        message=f"{reason}, in words.",
        last_transition_time=NOW,
        observed_generation=1,
    )


def with_conditions(**of: tuple[ConditionStatus, str]) -> Status:
    return status_of(conditions=tuple(condition(ConditionType(name), *rest) for name, rest in of.items()))


def drifted(action: str = "Repairing", field: str = "policy") -> Status:
    drift = DriftEntry(role=IB, field=field, desired="as it was", observed="open", detected_at=NOW, action=action)
    return status_of(drift=(drift,))


def told(before: Status, after: Status, seconds: float = 2.0) -> list[tuple[str, str, bool]]:
    news = drift_news(before, after, NOW + timedelta(seconds=seconds))
    return [(n.reason, n.note, n.warning) for n in notices(before, after, news, {})]


def test_a_new_endpoint_is_told_and_a_second_one_is_told_apart() -> None:
    news = drift_news(QUIET, QUIET, NOW)
    endpoint = made(wanted())
    (first,) = notices(QUIET, status_of(entry(wanted())), news, {IB: endpoint})
    (again,) = notices(QUIET, status_of(entry(wanted(), attempt=2)), news, {IB: endpoint})
    assert (first.reason, first.note, first.warning) == ("Created", f"Made the imagebuilder endpoint {IB_ID}.", False)
    assert again.note == f"Made the imagebuilder endpoint {IB_ID} again."


def test_drift_is_told_when_it_comes_and_when_it_went() -> None:
    came = ("DriftDetected", "imagebuilder policy: open instead of as it was (repairing).", True)
    went = ("DriftRepaired", "imagebuilder policy is as it was again, after 2.0 s.", False)
    assert told(QUIET, drifted()) == [came]
    assert told(drifted(), drifted()) == []
    assert told(drifted(), QUIET) == [went]
    assert [reason for reason, _, _ in told(drifted(), drifted(field="privateDNS"))] == [
        "DriftDetected",
        "DriftRepaired",
    ]


@pytest.mark.parametrize("action", ["Reported", "Blocked", "Contended"])
def test_what_was_not_repaired_is_not_called_so(action: str) -> None:
    assert told(drifted(action), QUIET) == []


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [
        (QUIET, with_conditions(Stalled=("True", "VpcNotFound")), ["Refused"]),
        (with_conditions(Stalled=("False", "Ready")), with_conditions(Stalled=("True", "VpcNotFound")), ["Refused"]),
        (with_conditions(Stalled=("True", "A")), with_conditions(Stalled=("True", "B")), ["Refused"]),
        (with_conditions(Stalled=("True", "A")), with_conditions(Stalled=("True", "A")), []),
        (with_conditions(Stalled=("True", "A")), with_conditions(Stalled=("False", "Ready")), []),
        (QUIET, with_conditions(Reconciling=("True", "Throttled")), ["Throttled"]),
        (with_conditions(Reconciling=("True", "Throttled")), with_conditions(Reconciling=("True", "Throttled")), []),
        (QUIET, with_conditions(Reconciling=("True", "Creating")), []),
        (QUIET, with_conditions(Ready=("True", "Ready")), ["Ready"]),
        (with_conditions(Ready=("False", "Creating")), with_conditions(Ready=("True", "Ready")), ["Ready"]),
        (with_conditions(Ready=("True", "Ready")), with_conditions(Ready=("True", "RepairingDrift")), []),
        (with_conditions(Ready=("True", "Ready")), with_conditions(Ready=("Unknown", "ObservationFailed")), []),
    ],
    ids=str,
)
def test_turns_of_conditions_are_told_once(before: Status, after: Status, reasons: list[str]) -> None:
    assert [reason for reason, _, _ in told(before, after)] == reasons
    assert told(after, after) == []
    assert {warning for reason, _, warning in told(before, after) if reason != "Ready"} <= {True}
