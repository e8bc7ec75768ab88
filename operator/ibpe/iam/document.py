"""Identity and trust policies of IAM as frozen values, and their rendering. Knows no service."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MANAGED_POLICY_LIMIT: Final = 6_144
"""Characters of a managed policy, white space not counted (IAM user guide, "IAM and AWS STS quotas")."""
INLINE_POLICY_LIMIT: Final = 10_240
"""Characters of all inline policies of a role together, white space not counted (ibid.)."""

Conditions = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Operator -> key -> the values that it may have."""


@dataclass(frozen=True)
class Statement:
    """One statement that allows something. `principal` is for trust policies alone: kind -> who."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()
    conditions: Conditions = field(default_factory=dict)
    principal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """A whole policy."""

    statements: tuple[Statement, ...]

    def plain(self) -> dict[str, object]:
        """As JSON values, elements in the usual order."""
        return {"Version": "2012-10-17", "Statement": [_plain(statement) for statement in self.statements]}

    def render(self) -> str:
        """As JSON for people: indented, with a new line at the end."""
        return json.dumps(self.plain(), indent=2) + "\n"

    @property
    def size(self) -> int:
        """Characters, as IAM counts them against its limits."""
        return len(json.dumps(self.plain(), separators=(",", ":")))


def _plain(statement: Statement) -> dict[str, object]:
    written: dict[str, object] = {"Sid": statement.sid, "Effect": "Allow"}
    if statement.principal:
        written["Principal"] = dict(statement.principal)
    written["Action"] = _one_or_many(statement.actions)
    if statement.resources:
        written["Resource"] = _one_or_many(statement.resources)
    if statement.conditions:
        written["Condition"] = {
            operator: {key: _one_or_many(values) for key, values in keys.items()}
            for operator, keys in statement.conditions.items()
        }
    return written


def _one_or_many(values: tuple[str, ...]) -> object:
    return values[0] if len(values) == 1 else list(values)
