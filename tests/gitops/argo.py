"""Argo CD as our objects meet it: its Lua without libraries, the patch that an action makes, and its three-way diff.

Facts of argoproj/argo-cd: util/lua/lua.go (which libraries are open, an empty table is an empty list until it is
compared with what was there), gitops-engine/pkg/diff (three-way JSON merge for custom resources).
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lupa.lua51 import LuaRuntime

from codegen.argocd import FOLDER

HEALTH = (FOLDER / "health.lua").read_text()
DISCOVERY = (FOLDER / "actions" / "discovery.lua").read_text()
CLOSED = ("string", "math", "io", "os", "debug", "coroutine", "python", "module")
SAFE_OS = "local safe = { time = os.time, date = os.date }\n"
"""All that Argo CD's own `os` has; of the other libraries it opens `table` alone."""


@dataclass(frozen=True)
class Health:
    """What Argo CD shows."""

    status: str
    message: str


def health(resource: Mapping[str, Any]) -> Health:
    """What health.lua answers, where even `os` is missing."""
    answered = _run(HEALTH, resource, with_os=False)
    assert set(answered) == {"status", "message"}, answered
    return Health(answered["status"], answered["message"])


def actions(resource: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What discovery.lua offers: name -> its settings."""
    offered: dict[str, dict[str, Any]] = _run(DISCOVERY, resource)
    return offered


def act(resource: Mapping[str, Any], action: str) -> dict[str, Any]:
    """The resource as an action leaves it."""
    script = (FOLDER / "actions" / action / "action.lua").read_text()
    acted: dict[str, Any] = _as_it_was(_run(script, resource), resource)
    return acted


def merge_patch(before: Any, after: Any) -> dict[str, Any]:
    """The JSON merge patch (RFC 7386) from one object to another."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        if key not in before:
            patch[key] = value
        elif isinstance(value, dict) and isinstance(before[key], dict):
            if deeper := merge_patch(before[key], value):
                patch[key] = deeper
        elif value != before[key]:
            patch[key] = value
    return patch


def three_way(
    last_applied: Mapping[str, Any], desired: Mapping[str, Any], live: Mapping[str, Any], at: str = ""
) -> list[str]:
    """Paths that a sync would change: desired fields that differ in live, and applied ones that are desired no more.

    A list is compared whole, as JSON merge patches replace it whole.
    """
    found = [f"{at}/{key}" for key in last_applied if key not in desired and key in live]
    for key, value in desired.items():
        there = live.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            applied = last_applied.get(key)
            found += three_way(applied if isinstance(applied, dict) else {}, value, there, f"{at}/{key}")
        elif value != there:
            found.append(f"{at}/{key}")
    return found


def _run(script: str, resource: Mapping[str, Any], *, with_os: bool = True) -> Any:
    lua = LuaRuntime(register_eval=False, register_builtins=False, unpack_returned_tuples=True)
    lua.execute(SAFE_OS + _closing(with_os=with_os))
    lua.globals()["obj"] = _to_lua(lua, resource)
    return _from_lua(lua.execute(script))


def _closing(*, with_os: bool) -> str:
    lines = [f"{name} = nil; package.loaded[{name!r}] = nil" for name in CLOSED]
    lines.append("getmetatable('').__index = nil")  # or ("x"):upper() would still be there
    if with_os:
        lines.append("os = safe; package.loaded.os = safe")
    return "\n".join(lines)


def _to_lua(lua: LuaRuntime, value: Any) -> Any:
    """As Argo CD passes an object: a null is not there."""
    match value:
        case dict():
            return lua.table_from({key: _to_lua(lua, each) for key, each in value.items() if each is not None})
        case list():
            return lua.table_from([_to_lua(lua, each) for each in value])
        case _:
            return value


def _from_lua(value: Any) -> Any:
    """As gopher-json encodes a table: one with a first element, and an empty one, is a list."""
    if not hasattr(value, "items"):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    items = {key: _from_lua(each) for key, each in value.items()}
    if all(isinstance(key, int) for key in items):
        return [items[key] for key in sorted(items)]
    return items


def _as_it_was(new: Any, old: Any) -> Any:
    """What was an empty object before Lua is one after it."""
    if new == [] and isinstance(old, dict):
        return copy.deepcopy(old)
    if isinstance(new, dict) and isinstance(old, dict):
        return {key: _as_it_was(value, old.get(key)) for key, value in new.items()}
    if isinstance(new, list) and isinstance(old, list):
        return [_as_it_was(value, old[index] if index < len(old) else None) for index, value in enumerate(new)]
    return new
