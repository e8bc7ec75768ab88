"""What a policy means, in one form for every way to write it: equality and digests build on it.

The rules, with their sources: IAM user guide, "Grammar of the IAM JSON policy language" (one value or a list, lists
without order), "Principal" (`"*"`, account IDs), "Action" and "Condition" (letter case), "Version", "Policy variables".
The digest is kept in clusters for as long as they live: what `canonical` returns for a document must never change.
"""

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple, TypeVar

from ibpe.policy.document import (
    DEFAULT_VERSION,
    Condition,
    PolicyDocument,
    PolicyError,
    Principal,
    Statement,
    Version,
    render,
)
from ibpe.policy.operators import canonical_value
from ibpe.policy.parse import parse

_ACCOUNT_ROOT: Final = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):root")
_DIGEST_LENGTH: Final = 16


class CanonicalCondition(NamedTuple):
    """Operator and key in lower case; values as the operator reads them, sorted."""

    operator: str
    key: str
    values: tuple[str, ...]


class CanonicalStatement(NamedTuple):
    """A statement's meaning. Each element is whether it is excluded (NotAction, …), then its values, sorted."""

    sid: str
    effect: str
    principals: tuple[bool, tuple[tuple[str, str], ...]]
    actions: tuple[bool, tuple[str, ...]]
    resources: tuple[bool, tuple[str, ...]]
    conditions: tuple[CanonicalCondition, ...]
    variables_version: str
    """The document's version where the statement uses `${…}`, else empty: only there does it change anything."""


class CanonicalPolicy(NamedTuple):
    """A policy's meaning: its Id and its statements, sorted, each once (evaluation knows no order)."""

    id: str
    statements: tuple[CanonicalStatement, ...]


S = TypeVar("S", str, tuple[str, str], CanonicalCondition, CanonicalStatement)


def canonical(document: PolicyDocument) -> CanonicalPolicy:
    """The form that equivalent documents share; hashable, and built of strings and tuples alone."""
    version = document.effective_version
    return CanonicalPolicy(
        document.id, _sorted_once(canonical_statement(statement, version) for statement in document.statements)
    )


def canonical_statement(statement: Statement, version: Version = DEFAULT_VERSION) -> CanonicalStatement:
    """A statement's canonical form, in a document of this (effective) version."""
    return CanonicalStatement(
        statement.sid,
        statement.effect,
        (statement.principals.excluded, _sorted_once(map(canonical_principal, statement.principals.values))),
        (statement.actions.excluded, _sorted_once(map(str.lower, statement.actions.values))),
        (statement.resources.excluded, _sorted_once(statement.resources.values)),
        _sorted_once(map(canonical_condition, statement.conditions)),
        version if statement.uses_variables else "",
    )


def canonical_principal(principal: Principal) -> tuple[str, str]:
    """Kind and value; the root of an account is the account's ID (IAM user guide, "Principal")."""
    root = _ACCOUNT_ROOT.fullmatch(principal.value) if principal.kind == "AWS" else None
    return principal.kind, root[1] if root else principal.value


def canonical_condition(condition: Condition) -> CanonicalCondition:
    """Keys and operators don't regard letter case, values do as the operator says (IAM user guide, "Condition")."""
    values = (canonical_value(condition.operator, value) for value in condition.values)
    return CanonicalCondition(condition.operator.lower(), condition.key.lower(), _sorted_once(values))


def equivalent(one: PolicyDocument, other: PolicyDocument) -> bool:
    """Whether AWS reads both documents alike. An Id and Sids count: they are how people find a statement again."""
    return canonical(one) == canonical(other)


def same_policy(desired: PolicyDocument, observed_text: str) -> bool:
    """Whether AWS has the desired policy: by meaning, or by text alone where the observed one can't be read."""
    if observed_text == render(desired):
        return True
    try:
        observed = parse(observed_text)
    except PolicyError:
        return False
    return equivalent(desired, observed)


def digest(document: PolicyDocument) -> str:
    """16 hex digits that equivalent documents share, in every version of the operator."""
    text = json.dumps(canonical(document), separators=(",", ":"))
    return sha256(text.encode("ascii")).hexdigest()[:_DIGEST_LENGTH]


def _sorted_once(values: Iterable[S]) -> tuple[S, ...]:
    return tuple(sorted(set(values)))
