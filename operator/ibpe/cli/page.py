"""How resources look in a terminal: a page for one, a table for many. Pure: resources and `now` in, rich values out.

Good in 80 columns, in a pipe and without colours: nothing is told by colour alone, and nothing is cut off.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ibpe.api.names import ConditionType
from ibpe.api.status import Condition, DriftEntry, PlannedAction
from ibpe.cli.advice import advice, notes, suspended
from ibpe.reconcile.ports import Resource

UNKNOWN: Final = "-"
_WHOLE: Final = frozenset({"REGION", "VPC", "READY", "DRIFT", "ROLE", "ID", "STATE", "SINCE"})
_BAD_WHEN_TRUE: Final = frozenset({ConditionType.STALLED, ConditionType.RECONCILING})


def page(resource: Resource, now: datetime) -> RenderableType:
    """Everything about one resource, the most important first."""
    status = resource.status
    sections: list[tuple[str, Sequence[RenderableType]]] = [
        ("What to do", [Text(f"- {sentence}") for sentence in advice(resource)]),
        ("Conditions", [_conditions(status.conditions, now)] if status.conditions else []),
        ("Endpoints", [_endpoints(resource)] if status.endpoints else []),
        ("Drift", [_drift(entry, now) for entry in status.drift]),
        ("Plan", [_planned(action) for action in status.plan]),
        ("Good to know", [Text(f"- {sentence}") for sentence in notes(resource)]),
    ]
    return Group(_head(resource, now), *_sections(sections))


def table(resources: Sequence[Resource], *, namespaces: bool) -> RenderableType:
    """One line a resource; `namespaces` adds their column."""
    grid = _grid(*(["NAMESPACE"] if namespaces else []), "NAME", "REGION", "VPC", "READY", "STATUS", "DRIFT")
    for resource in resources:
        ready = resource.status.condition(ConditionType.READY)
        grid.add_row(
            *([resource.key.namespace] if namespaces else []),
            resource.key.name,
            spec_text(resource, "region"),
            spec_text(resource, "vpcID"),
            _verdict(ready),
            _state(resource, ready),
            str(len(resource.status.drift)),
        )
    return grid


def spec_text(resource: Resource, field: str) -> str:
    """A field of the raw spec, which may not be what it should."""
    value = resource.spec.get(field)
    return value if isinstance(value, str) else UNKNOWN


def account_text(resource: Resource) -> str:
    """The account's id, with the name by which the raw spec asks for it, where it does."""
    reference, known = resource.spec.get("accountRef"), resource.status.account_id or UNKNOWN
    name = reference.get("name") if isinstance(reference, Mapping) else None
    return f"{known} ({name})" if isinstance(name, str) else known


def age(since: datetime, now: datetime) -> str:
    """`45s`, `3m`, `7h`, `12d`: the largest unit, rounded down."""
    seconds = max(0, int((now - since).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _head(resource: Resource, now: datetime) -> RenderableType:
    ready = resource.status.condition(ConditionType.READY)
    title = Text.assemble((str(resource.key), "bold"), "  Ready: ", _verdict(ready), f" ({_state(resource, ready)})")
    facts = _grid()
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.show_header = False
    facts.add_row("Region", spec_text(resource, "region"))
    facts.add_row("VPC", spec_text(resource, "vpcID"))
    facts.add_row("Account", account_text(resource))
    facts.add_row("Age", age(resource.created_at, now))
    return Group(title, facts)


def _sections(sections: Sequence[tuple[str, Sequence[RenderableType]]]) -> Iterator[RenderableType]:
    for title, lines in sections:
        if lines:
            yield Group(Text(""), Text(title, "bold"), *(Padding(line, (0, 0, 0, 2)) for line in lines))


def _conditions(conditions: Sequence[Condition], now: datetime) -> RenderableType:
    order = {kind: place for place, kind in enumerate(ConditionType)}
    grid = _grid("TYPE", "STATUS", "REASON", "SINCE")
    for condition in sorted(conditions, key=lambda condition: order[condition.type]):
        since = age(condition.last_transition_time, now)
        grid.add_row(condition.type.value, _verdict(condition), condition.reason, since)
    told = _distinct_messages(conditions)
    return Group(grid, *([Text("")] if told else []), *told)


def _distinct_messages(conditions: Sequence[Condition]) -> list[Text]:
    """Each message once, with the conditions that say it: several often say the same."""
    by_message: dict[str, list[str]] = {}
    for condition in conditions:
        if condition.message:
            by_message.setdefault(condition.message, []).append(condition.type.value)
    return [Text(f"{', '.join(types)}: {message}") for message, types in by_message.items()]


def _endpoints(resource: Resource) -> RenderableType:
    grid = _grid("ROLE", "ID", "STATE", "SERVICE")
    for entry in resource.status.endpoints:
        grid.add_row(entry.role.value, entry.id or UNKNOWN, entry.state, entry.service_name or UNKNOWN)
    names = [
        Text(f"{entry.role.value}: {entry.dns_names[0]}") for entry in resource.status.endpoints if entry.dns_names
    ]
    return Group(grid, *([Text(""), Text("DNS name")] if names else []), *names)


def _drift(entry: DriftEntry, now: datetime) -> RenderableType:
    return Group(
        Text(f"{entry.role.value} {entry.field}: {entry.action}, seen {age(entry.detected_at, now)} ago"),
        Padding(Text(f"applied  {entry.desired}"), (0, 0, 0, 2)),
        Padding(Text(f"in AWS   {entry.observed}"), (0, 0, 0, 2)),
    )


def _planned(action: PlannedAction) -> RenderableType:
    return Text(f"{action.action} {action.role.value}: {action.detail}")


def _state(resource: Resource, ready: Condition | None) -> str:
    if resource.deleting:
        return "Deleting"
    if suspended(resource):
        return "Suspended"
    return ready.reason if ready else "NotSeenYet"


def _verdict(condition: Condition | None) -> Text:
    if condition is None:
        return Text(UNKNOWN)
    good = "False" if condition.type in _BAD_WHEN_TRUE else "True"
    colour = "yellow" if condition.status == "Unknown" else "green" if condition.status == good else "red"
    return Text(condition.status, colour)


def _grid(*headers: str) -> Table:
    """A table without lines. Where it is too wide, names and reasons go on in the next line; ids stay whole."""
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for header in headers:
        grid.add_column(header, overflow="fold", no_wrap=header in _WHOLE)
    return grid
