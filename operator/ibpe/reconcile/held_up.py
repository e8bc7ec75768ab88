"""The status of a round that was not carried through: nobody could look, a user must act first, it is the end. Pure."""

from collections.abc import Mapping
from datetime import datetime

from ibpe.api.names import ConditionType, Role
from ibpe.api.status import Status
from ibpe.aws.errors import AwsError
from ibpe.reconcile.conditions import Verdict, merge
from ibpe.reconcile.failed_calls import describe

COMPONENTS: Mapping[Role, ConditionType] = {
    Role.IMAGE_BUILDER: ConditionType.IMAGE_BUILDER_ENDPOINT_READY,
    Role.S3: ConditionType.S3_ACCESS_READY,
}


def stalled(before: Status, generation: int, now: datetime, reason: str, message: str) -> Status:
    """The status when a user must act before anything can be looked at: a spec, an account, access."""
    verdicts = {
        ConditionType.READY: Verdict("False", reason, message),
        ConditionType.RECONCILING: Verdict("False", reason, "Nothing is being done until that is mended."),
        ConditionType.STALLED: Verdict("True", reason, message),
    }
    return _with(before, generation, now, verdicts)


def kept_off(before: Status, generation: int, now: datetime, reason: str, message: str) -> Status:
    """The status of a resource whose namespace may not use what it asks for: nothing in AWS was looked at."""
    status = stalled(before, generation, now, reason, message)
    unknown = Verdict("Unknown", reason, "Not looked at: this namespace may not use it.")
    verdicts = dict.fromkeys(
        (ConditionType.PREREQUISITES_MET, ConditionType.POLICY_VALID, ConditionType.DRIFT_FREE, *COMPONENTS.values()),
        unknown,
    )
    return _with(status, generation, now, verdicts)


def unobserved(before: Status, generation: int, now: datetime, error: AwsError, *, user_must_act: bool) -> Status:
    """The status when AWS could not be looked at for too long: unknown, never a stale True."""
    message = describe(error, before.account_id)
    verdicts = dict.fromkeys(
        (ConditionType.READY, ConditionType.DRIFT_FREE, *COMPONENTS.values()),
        Verdict("Unknown", "ObservationFailed", message),
    )
    verdicts[ConditionType.RECONCILING] = Verdict("True", "ObservationFailed", "Trying again to look at AWS.")
    verdicts[ConditionType.STALLED] = Verdict("False", "ObservationFailed", "It is not known whether a user must act.")
    if user_must_act:
        verdicts[ConditionType.RECONCILING] = Verdict("False", error.reason, "Waiting for access to AWS.")
        verdicts[ConditionType.STALLED] = Verdict("True", error.reason, message)
    return _with(before, generation, now, verdicts)


def defective(before: Status, generation: int, now: datetime, defect: Exception) -> Status:
    """The status when the operator itself failed: unknown, and whose fault it is."""
    message = f"A defect of the operator, not of this resource: {type(defect).__name__}: {defect}. Its log has more."
    verdicts = dict.fromkeys(
        (ConditionType.READY, ConditionType.DRIFT_FREE), Verdict("Unknown", "InternalError", message)
    )
    verdicts[ConditionType.RECONCILING] = Verdict("True", "InternalError", "Trying again.")
    verdicts[ConditionType.STALLED] = Verdict(
        "False", "InternalError", "Nothing that a user of this resource can mend."
    )
    return _with(before, generation, now, verdicts)


def deleting(before: Status, generation: int, now: datetime, message: str) -> Status:
    """The status while a deletion is on its way."""
    verdicts = {
        ConditionType.READY: Verdict("False", "Deleting", message),
        ConditionType.RECONCILING: Verdict("True", "Deleting", message),
        ConditionType.STALLED: Verdict("False", "Deleting", "The deletion proceeds."),
    }
    return _with(before, generation, now, verdicts)


def _with(before: Status, generation: int, now: datetime, verdicts: Mapping[ConditionType, Verdict]) -> Status:
    return before.model_copy(
        update={
            "observed_generation": generation,
            "conditions": merge(before.conditions, {**initial(before), **verdicts}, generation, now),
        }
    )


def initial(before: Status) -> Mapping[ConditionType, Verdict]:
    """Every condition is always there."""
    known = {condition.type for condition in before.conditions}
    unknown = Verdict("Unknown", "NotObserved", "Not looked at yet.")
    return {type_: unknown for type_ in ConditionType if type_ not in known}
