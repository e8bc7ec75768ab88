"""The troubleshooting page against the source: reasons are string constants at known places, found by reading it."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache

from ibpe.aws.error_table import TABLE, UNKNOWN
from ibpe.reconcile.plan import Response
from tests.docs.pages import DOCS, REPOSITORY, first_cells, section

PAGE = DOCS / "troubleshooting.md"
SOURCE = REPOSITORY / "operator" / "ibpe" / "reconcile"
CONDITION_REASONS = {"Denied": 0, "Verdict": 1, "Refusal": 0, "refuse": 0, "Wait": 0, "_stall": 2, "_hold": 2}
"""Where a call's reason stands among its arguments."""
EVENT_REASONS = {"Notice": 0, "publish": 1}
DRIFT_RESPONSES = {Response.REPAIRING, Response.BLOCKED, Response.CONTENDED}
"""What DriftFree may have as its reason; Reported is DriftReported there."""


@cache
def _constants() -> Mapping[str, set[str]]:
    """Words that have a name: `IN_ANOTHER_VPC = "EndpointInAnotherVpc"` at the top of a module."""
    found: dict[str, set[str]] = {}
    for tree in _trees():
        for node in ast.iter_child_nodes(tree):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(word))) if name.isupper():
                    found.setdefault(name, set()).add(word)
    return found


def _words(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(word)):
            yield word
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield from _constants().get(name, ())
        case ast.IfExp(body=one, orelse=other):
            yield from _words(one)
            yield from _words(other)


def _in_calls(tree: ast.AST, places: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if len(node.args) > places.get(name, len(node.args)):
                yield from ((name, word) for word in _words(node.args[places[name]]))


def _assigned(tree: ast.AST) -> Iterator[str]:
    """`reason = …`, also as the first of several names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                match target, node.value:
                    case ast.Name(id="reason"), value:
                        yield from _words(value)
                    case ast.Tuple(elts=[ast.Name(id="reason"), *_]), ast.Tuple(elts=[value, *_]):
                        yield from _words(value)


def _trees() -> list[ast.AST]:
    return [ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py"))]


def _documented() -> set[str]:
    page = PAGE.read_text()
    return first_cells(page.replace(section(PAGE, "Events"), "").replace(section(PAGE, "The operator itself"), ""))


def test_every_reason_of_a_condition_is_explained_and_no_other() -> None:
    found = [pair for tree in _trees() for pair in _in_calls(tree, CONDITION_REASONS)]
    assert {name for name, _ in found} == set(CONDITION_REASONS), "a place where reasons stood has another name now"
    emitted = {word for _, word in found} | {word for tree in _trees() for word in _assigned(tree)}
    emitted |= {row.reason for row in (*TABLE, UNKNOWN)} | DRIFT_RESPONSES
    assert emitted - _documented() == set(), "not in docs/troubleshooting.md"
    assert _documented() - emitted == set(), "in docs/troubleshooting.md, and no longer in the code"


def test_every_reason_of_an_event_is_explained_and_no_other() -> None:
    found = [pair for tree in _trees() for pair in _in_calls(tree, EVENT_REASONS)]
    assert {name for name, _ in found} == set(EVENT_REASONS), "a place where reasons stood has another name now"
    assert {word for _, word in found} == first_cells(section(PAGE, "Events"))
