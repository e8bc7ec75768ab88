"""What is worth an event: what was made, what drifted and came back, turns of conditions; nothing in steady state."""

from datetime import timedelta

import pytest

from ibpe.api.names import ConditionStatus, ConditionType, Role
from ibpe.api.status import Condition, DriftEntry, EndpointStatus, Status
from ibpe.reconcile.notices import drift_news, notices
from tests.unit.reconcile.given import IB_ID, NOW, S3_ID, entry, made, status_of, wanted

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


def test_an_endpoint_that_is_found_and_not_made_is_told() -> None:
    found = status_of(entry(wanted()))
    assert told(QUIET, found) == [
        ("Adopted", f"Found the imagebuilder endpoint {IB_ID} by this resource's tags, and look after it.", False)
    ]
    assert told(found, found) == []
    intent = status_of(entry(wanted(), id=None, state="creating"))
    assert told(intent, found) == [], "it was made, and the answer lost"


def test_what_is_gone_for_good_is_told_and_what_will_be_made_again_is_not() -> None:
    held, lost = status_of(entry(wanted())), status_of(entry(wanted(), state="absent"))
    assert told(held, lost) == []
    assert told(held, status_of()) == [("Deleted", f"AWS shows {IB_ID} (imagebuilder) gone.", False)]
    replaced = status_of(entry(wanted(), previous_ids=("vpce-00000001",)))
    assert told(replaced, held) == [("Deleted", "AWS shows vpce-00000001 (imagebuilder) gone.", False)]


def shared(*contributed: str, id_: str = S3_ID, **changes: object) -> Status:
    fields = {"role": Role.S3, "ownership": "Contributed", "id": id_, "contributed_ids": contributed, **changes}
    return status_of(EndpointStatus.model_validate(fields))


def test_statements_in_others_policies_are_told_when_they_come_and_when_they_went() -> None:
    there = shared(S3_ID, applied={"policy": "abc"})
    assert told(QUIET, shared(S3_ID)) == [], "sent, and not seen yet"
    assert told(QUIET, shared(applied={"policy": "abc"})) == [], "it allows everything already"
    assert told(shared(S3_ID), there) == [("Contributed", f"Our statements are in the policy of {S3_ID}.", False)]
    assert told(there, there) == []
    assert told(there, shared(applied={"policy": "abc"})) == [], "somebody took them out: that is drift"
    gone = ("Withdrawn", f"AWS shows none of our statements in the policy of {S3_ID} any more.", False)
    assert told(shared(S3_ID, "vpce-00000002", id_="vpce-00000002"), shared("vpce-00000002", id_="vpce-00000002")) == [
        gone
    ]


def test_contention_is_told_once() -> None:
    contended = with_conditions(DriftFree=("False", "Contended"))
    assert [reason for reason, _, _ in told(QUIET, contended)] == ["Contended"]
    assert told(contended, contended) == []


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
