"""The alert rules as they are, and each with one thing changed that its promtool tests must notice."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
RULES = REPOSITORY / "deploy" / "prometheus" / "rules.yaml"
RULE_TESTS = sorted((REPOSITORY / "deploy" / "prometheus" / "tests").glob("*.yaml"))


@dataclass(frozen=True)
class Alert:
    """One alerting rule."""

    name: str
    expr: str
    lasts: str | None
    labels: dict[str, str]
    annotations: dict[str, str]

    def as_rule(self) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        rule = {"alert": self.name, "expr": self.expr, "labels": self.labels, "annotations": self.annotations}
        return {**rule, "for": self.lasts} if self.lasts else rule


def alerts() -> list[Alert]:
    """Every alert of the rule file."""
    return [
        Alert(rule["alert"], rule["expr"], rule.get("for"), rule["labels"], rule["annotations"])
        for group in yaml.safe_load(RULES.read_text())["groups"]
        for rule in group["rules"]
    ]


def promtool_groups() -> list[dict[str, Any]]:
    """Every group of promtool tests."""
    return [group for path in RULE_TESTS for group in yaml.safe_load(path.read_text())["tests"]]


@dataclass(frozen=True)
class Mutation:
    """An alert that differs from the shipped one in what `change` says."""

    alert: Alert
    change: str

    def __str__(self) -> str:
        return f"{self.alert.name}: {self.change}"


def mutations(alert: Alert) -> Iterator[Mutation]:
    """Every small change that would make the alert another one."""
    if alert.lasts:
        for other in (None, *_other_durations(alert.lasts)):
            yield Mutation(replace(alert, lasts=other), f"for: {alert.lasts} -> {other}")
    for change, expr in _expressions(alert.expr):
        yield Mutation(replace(alert, expr=expr), change)


def _expressions(expr: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"(?P<how>[=><!]=|[><])(?P<bool> bool)? (?P<number>[0-9.]+)", expr):
        for number in _other_numbers(found["number"]):
            new = f"{found['how']}{found['bool'] or ''} {number}"
            yield f"{found[0]} -> {new}", _spliced(expr, found.span(), new)
    for found in re.finditer(r"\b(?:max|min|sum) by", expr.partition("unless")[0]):
        other = {"max by": "min by", "min by": "max by", "sum by": "min by"}[found[0]]
        yield f"{found[0]} -> {other} at {found.start()}", _spliced(expr, found.span(), other)
    for found in re.finditer(r"\[(?P<window>\d+[mh])(?P<step>:\d+m)?\]", expr):
        for other in _other_durations(found["window"]):
            new = f"[{other}{found['step'] or ''}]"
            yield f"{found[0]} -> {new} at {found.start()}", _spliced(expr, found.span(), new)
    for found in re.finditer(r"\{[^}]+\}", expr):
        yield f"without {found[0][:40]}", _spliced(expr, found.span(), "")
    yield from _without_clauses(expr)


def _without_clauses(expr: str) -> Iterator[tuple[str, str]]:
    """The expression without one of the operands that `and`, `or` and `unless` join, each on lines of its own."""
    parts = re.split(r"\n *(and|or|unless)(?=\s)", expr)
    for index in range(1, len(parts), 2):
        rest = parts[:index] + parts[index + 2 :]
        closing = "\n)" if parts[index + 1].rstrip().endswith("\n)") else ""
        left = "".join(f"\n{part}" if number % 2 else part for number, part in enumerate(rest)) + closing
        yield f"without: {parts[index]} {' '.join(parts[index + 1].split())[:60]}", left


def _other_durations(duration: str) -> tuple[str, ...]:
    """A shorter and a longer one; the tests' samples are a minute apart."""
    minutes = int(duration[:-1]) * (60 if duration.endswith("h") else 1)
    return (f"{minutes // 2}m", f"{minutes * 2}m") if minutes > 1 else (f"{minutes * 2}m",)


def _other_numbers(number: str) -> tuple[str, ...]:
    if number in {"0", "1"}:
        return ("1" if number == "0" else "0",)
    if "." in number:
        return (f"{float(number) * 0.8:g}", f"{float(number) * 1.25:g}")
    return (str(math.floor(int(number) * 0.8)), str(math.ceil(int(number) * 1.25)))


def _spliced(text: str, span: tuple[int, int], new: str) -> str:
    return text[: span[0]] + new + text[span[1] :]
