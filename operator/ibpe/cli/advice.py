"""What a person should do about a resource and should know, from its status. Pure; adds no verdict of its own."""

from collections.abc import Iterator
from typing import Final

from ibpe.api.names import ConditionType, Role
from ibpe.api.status import Condition
from ibpe.policy.canonical import digest
from ibpe.policy.explanation import UNLOGGED_CALLS
from ibpe.policy.imagebuilder import full_access
from ibpe.reconcile.ports import Resource

NOTHING: Final = "Nothing."
_REPAIRING: Final = frozenset({"Repairing"})


def advice(resource: Resource) -> tuple[str, ...]:
    """Sentences, the most pressing first; never empty."""
    return tuple(dict.fromkeys(_sentences(resource))) or (NOTHING,)


def notes(resource: Resource) -> tuple[str, ...]:
    """What comes with the resource as it is, and asks for nothing. May be empty."""
    default = digest(full_access())
    narrowed = any(
        entry.role is Role.IMAGE_BUILDER and entry.policy_digest not in {None, default}
        for entry in resource.status.endpoints
    )
    return (UNLOGGED_CALLS,) if narrowed else ()


def _sentences(resource: Resource) -> Iterator[str]:
    status = resource.status
    if status.observed_generation < 0:
        yield "The operator has not seen it yet: check that it runs and serves this namespace."
        return
    if status.observed_generation < resource.generation:
        yield "The operator has not acted on the latest edit yet: look again in some seconds."
    stalled = status.condition(ConditionType.STALLED)
    if _is(stalled, "True"):
        yield stalled.message if stalled else ""
    if resource.deleting:
        yield "Being deleted: it goes when AWS shows its endpoints gone."
    if suspended(resource):
        yield "Suspended: nothing is written to AWS; set spec.suspend to false to go on."
    yield from _about_drift(resource)
    prerequisites = status.condition(ConditionType.PREREQUISITES_MET)
    if prerequisites is not None and prerequisites.status == "False":
        yield prerequisites.message
    reconciling = status.condition(ConditionType.RECONCILING)
    if reconciling is not None and reconciling.status == "True" and not _is(stalled, "True"):
        yield f"Wait, the operator is at work: {reconciling.message}"


def _about_drift(resource: Resource) -> Iterator[str]:
    actions = {entry.action for entry in resource.status.drift} - _REPAIRING
    if "Reported" in actions:
        yield "Drift is only reported: set spec.driftPolicy to Repair to have it undone, or write it into the spec."
    if "Contended" in actions:
        yield "Somebody else keeps changing the same fields: see who in CloudTrail, and let one of you manage them."


def suspended(resource: Resource) -> bool:
    """Whether the spec asks for nothing to be written."""
    return resource.spec.get("suspend") is True


def _is(condition: Condition | None, status: str) -> bool:
    return condition is not None and condition.status == status
