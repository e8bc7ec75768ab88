"""The accounts file as a JSON Schema for Helm, from the model by which the operator reads it. Knows no Kubernetes."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ibpe.api.names import OWN_ACCOUNT
from ibpe.api.rules import VALIDATIONS
from ibpe.runtime.accounts_file import AccountsFile

Schema = dict[str, Any]

_DROPPED: Final = frozenset({"title", "default", "anyOf", "$ref", "$defs", VALIDATIONS})
_MATCHES: Final = re.compile(r"self\.matches\('\^\(\?:(?P<pattern>.*?)\)\$'\)")
_LETTERS: Final = re.compile(r"(?P<letters>\[[^]]+\])\{(?P<least>\d+),(?P<most>\d+)\}")
_NOT_OWN: Final = f"self != '{OWN_ACCOUNT}'"
_FILLED: Final = "size(self) > 0"
_LEAST: Final[Mapping[str, str]] = MappingProxyType({"array": "minItems", "object": "minProperties"})


def accounts_schema() -> Schema:
    """What `accounts` of the chart's values may be: such a file, or nothing at all."""
    whole = AccountsFile.model_json_schema(by_alias=True)
    return {**_plain(whole, whole["$defs"]), "required": []}


def _plain(written: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """The same without references, and without null for what may be left out; CEL rules in JSON Schema's own words."""
    if "anyOf" in written:
        (given,) = (each for each in written["anyOf"] if each.get("type") != "null")
        written = {**given, **{key: value for key, value in written.items() if key != "anyOf"}}
    if "$ref" in written:
        written = {**definitions[written["$ref"].rpartition("/")[2]], **written}
    result = {key: value for key, value in written.items() if key not in _DROPPED}
    if "properties" in written:
        result["properties"] = {name: _plain(field, definitions) for name, field in written["properties"].items()}
    if "items" in written:
        result["items"] = _plain(written["items"], definitions)
        if result["items"]["type"] == "string":
            result["uniqueItems"] = True
    if isinstance(written.get("additionalProperties"), dict):
        result["additionalProperties"] = _plain(written["additionalProperties"], definitions)
    for rule in written.get(VALIDATIONS, ()):
        result.update(_said(rule["rule"], result["type"]))
    return result


def _said(rule: str, kind: str) -> Schema:
    """A CEL rule in JSON Schema's words. Raises ValueError for one that has none."""
    said: Schema = {}
    for part in rule.split(" && "):
        if part == _FILLED:
            said[_LEAST[kind]] = 1
        elif (found := _MATCHES.fullmatch(part)) is not None:
            said.update(_matching(found["pattern"]))
        elif part != _NOT_OWN:  # of that the template has a sentence; JSON Schema would say "not failed"
            raise ValueError(f"{part} has no word in JSON Schema")
    return said


def _matching(pattern: str) -> Schema:
    """Text that matches all of it. Go takes no repetition beyond 1,000: what is only letters is counted by length."""
    if (found := _LETTERS.fullmatch(pattern)) is None:
        return {"pattern": f"^({pattern})$"}
    return {"pattern": f"^{found['letters']}*$", "minLength": int(found["least"]), "maxLength": int(found["most"])}
