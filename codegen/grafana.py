"""How a dashboard is written in Grafana's JSON model (schema 39, Grafana 10 and later). Knows none of our queries."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

WIDTH: Final = 24
"""Grafana's grid."""
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Step:
    """A colour from a value on; without one, from the least on."""

    color: str
    value: float | None = None


@dataclass(frozen=True)
class Panel:
    """Queries by legend, and how they are shown."""

    title: str
    kind: str
    queries: Mapping[str, str]
    width: int
    height: int
    description: str = ""
    unit: str = "short"
    steps: tuple[Step, ...] = (Step("green"),)
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, init=False)
class Row:
    """Panels under one question."""

    title: str
    panels: tuple[Panel, ...]

    def __init__(self, title: str, *panels: Panel) -> None:
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "panels", panels)


@dataclass(frozen=True)
class Dashboard:
    """Rows, and the variables that their queries name, by the query that lists a variable's values."""

    uid: str
    title: str
    variables: Mapping[str, str]
    rows: tuple[Row, ...] = field(default=())


def stat(
    title: str,
    query: str,
    steps: tuple[Step, ...],
    description: str = "",
    *,
    legend: str = "",
    width: int = 3,
    unit: str = "short",
) -> Panel:
    """One number, coloured; or one for each series, by legend."""
    return Panel(title, "stat", {legend: query}, width, 7, description, unit, steps)


def series(title: str, queries: Mapping[str, str], *, width: int, unit: str = "short", description: str = "") -> Panel:
    """Lines over time, by legend."""
    return Panel(title, "timeseries", queries, width, 7, description, unit)


def duration_panel(title: str, queries: Mapping[str, str], *, width: int, description: str = "") -> Panel:
    """Seconds over time, by legend."""
    return series(title, queries, width=width, unit="s", description=description)


def table(title: str, query: str, columns: tuple[str, ...], *, width: int) -> Panel:
    """The labels of what a query gives now, one row a series."""
    return Panel(title, "table", {"": query}, width, 7, columns=columns)


def rendered(dashboard: Dashboard) -> str:
    """The JSON, which `Import` and a provisioned file both take."""
    model = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["imagebuilder-private-endpoint-operator"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_datasource(), *(_variable(*each) for each in dashboard.variables.items())]},
        "panels": _laid_out(dashboard.rows),
    }
    return json.dumps(model, indent=2) + "\n"


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}}


def _variable(name: str, query: str) -> dict[str, Any]:
    """`.*` for all also matches what has no such label: one cluster alone needs none."""
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _laid_out(rows: tuple[Row, ...]) -> list[dict[str, Any]]:
    """Rows below each other, panels from the left, into the next line where they don't fit."""
    found: list[dict[str, Any]] = []
    y = 0
    for row in rows:
        place = {"x": 0, "y": y, "w": WIDTH, "h": 1}
        found.append({"id": len(found) + 1, "type": "row", "title": row.title, "gridPos": place, "panels": []})
        x, y, height = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y, height = 0, y + height, 0
            place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
            found.append({"id": len(found) + 1, "gridPos": place, **_panel(panel)})
            x, height = x + panel.width, max(height, panel.height)
        y += height
    return found


def _panel(panel: Panel) -> dict[str, Any]:
    steps = [{"color": step.color, "value": step.value} for step in panel.steps]
    defaults: dict[str, Any] = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        defaults["min"] = 0
    written = {
        "type": panel.kind,
        "title": panel.title,
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [_target(panel, *each) for each in zip("ABCDEF", panel.queries.items(), strict=False)],
    }
    if panel.description:
        written["description"] = panel.description
    if panel.columns:
        written["transformations"] = [_columns(panel.columns)]
    return written


def _target(panel: Panel, ref: str, query: tuple[str, str]) -> dict[str, Any]:
    legend, expr = query
    now = {"instant": True, "range": False} if panel.kind in {"stat", "table"} else {"range": True}
    shown = {"format": "table"} if panel.kind == "table" else {"legendFormat": legend}
    return {"refId": ref, "datasource": DATASOURCE, "expr": expr, **now, **shown}


def _columns(columns: tuple[str, ...]) -> dict[str, Any]:
    """Only these labels, in this order."""
    order = {name: index for index, name in enumerate(columns)}
    return {"id": "organize", "options": {"includeByName": dict.fromkeys(columns, True), "indexByName": order}}
