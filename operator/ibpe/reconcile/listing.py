"""Drift and plans as the status lists them, in words for a person. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ibpe.api.names import Role
from ibpe.api.status import DriftEntry, PlannedAction
from ibpe.reconcile.actions import Action, Contribute, Create, Delete, Modify, Resolve, Retag, Withdraw
from ibpe.reconcile.fields import Field
from ibpe.reconcile.plan import Finding, Plan, Response, RolePlan

WORD_LIMIT = 2048


def drift_entries(before: Sequence[DriftEntry], plan: Plan, now: datetime) -> tuple[DriftEntry, ...]:
    """The drift of a plan for the status; what was seen before keeps the time at which it was."""
    since = {(entry.role, entry.field): entry for entry in before}
    return tuple(_drift_entry(finding, since, now) for finding in plan.findings if finding.drift)


def _drift_entry(finding: Finding, since: Mapping[tuple[Role, str], DriftEntry], now: datetime) -> DriftEntry:
    difference = finding.difference
    old = since.get((difference.role, str(difference.field)))
    return DriftEntry(
        role=difference.role,
        field=str(difference.field),
        desired=clamped(difference.desired, WORD_LIMIT),
        observed=clamped(difference.observed, WORD_LIMIT),
        detected_at=old.detected_at if old else now,
        action=finding.response,
    )


def planned(plan: Plan) -> Iterable[PlannedAction]:
    """A plan in words: what would be written, and what is only reported."""
    for role in plan.roles:
        for action in (*role.actions, *role.held):
            yield _in_words(action, role)
        for finding in role.findings:
            if finding.response in {Response.REPORTED, Response.BLOCKED}:
                detail = clamped(f"{finding.response}, not repaired: {finding.difference}", WORD_LIMIT)
                yield PlannedAction(role=role.role, action="Modify", detail=detail)


def _in_words(action: Action, role: RolePlan) -> PlannedAction:
    match action:
        case Create(service_name=name, attempt=attempt):
            return PlannedAction(role=role.role, action="Create", detail=f"{name} (attempt {attempt})")
        case Resolve():
            return PlannedAction(role=role.role, action="Create", detail="again, to find out whether it was made")
        case Delete(ids=ids, why=why):
            return PlannedAction(role=role.role, action="Delete", detail=f"{', '.join(ids)}: {why}")
        case Contribute(id=id_, statements=statements):
            sids = ", ".join(statement.sid for statement in statements)
            return PlannedAction(
                role=role.role, action="Modify", detail=clamped(f"{id_}: statements {sids}", WORD_LIMIT)
            )
        case Withdraw(id=id_, why=why):
            return PlannedAction(role=role.role, action="Modify", detail=f"{id_}: our statements taken out: {why}")
        case Retag(id=id_):
            fields: tuple[Field, ...] = (Field.TAGS,)
            name = "Tag"
        case Modify(change=change, fields=fields):
            id_, name = change.id, "Modify"
    what = "; ".join(str(f.difference) for f in role.findings if f.difference.field in fields)
    what = what or "tags that the spec no longer names"
    return PlannedAction(role=role.role, action=name, detail=clamped(f"{id_}: {what}", WORD_LIMIT))


def clamped(text: str, limit: int) -> str:
    """At most so many characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
