"""Our statements in somebody else's policy: known by their Sids, put in, mended and taken out, all else as it was.

Works on the policy's own JSON, so that nobody else's statement is rewritten or reordered: each is kept as it is
spelled, down to its numbers and escapes; only white space between the tokens goes. Need not understand them either:
what AWS holds may be newer than this version's grammar.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from itertools import chain, count
from typing import Final

from ibpe.policy.canonical import CanonicalStatement, canonical_statement
from ibpe.policy.document import (
    CURRENT_VERSION,
    DEFAULT_VERSION,
    PolicyDocument,
    PolicyError,
    Principal,
    Statement,
    Version,
    render,
)
from ibpe.policy.parse import BYTE_ORDER_MARK, load, parse_statements
from ibpe.policy.values import Values, object_of, quoted

SID_PREFIX: Final = "IBPE"
"""What every mark begins with."""
_MARK_DIGITS: Final = 12
_UNFIT_FOR_SIDS: Final = re.compile(r"[^A-Za-z0-9]+")
_STRING_OR_SPACE: Final = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\n\r]+')
_DECODER: Final = json.JSONDecoder(parse_float=Decimal)
_ANYONE: Final = Principal("AWS", "*")
_ALL_ACTIONS: Final = frozenset({"*", "s3:*"})


def mark(cluster: str, uid: str) -> str:
    """What the Sids of a resource's statements begin with: `IBPE` and 12 hexadecimal digits of cluster and uid.

    All marks are of one length, so none is the beginning of another.
    """
    return SID_PREFIX + sha256(f"{cluster}\n{uid}".encode()).hexdigest()[:_MARK_DIGITS]


def marked(statements: Sequence[Statement], mark_: str) -> tuple[Statement, ...]:
    """The statements under Sids of ours: mark, then their own Sid or a number; letters and digits only.

    Sids that come out alike are told apart by a number behind them, so each is there once.
    """
    names = [_UNFIT_FOR_SIDS.sub("", statement.sid) for statement in statements]
    taken: set[str] = set()
    chosen = {index: _untaken(name, taken) for index, name in enumerate(names) if name}
    chosen |= {index: _untaken("", taken) for index, name in enumerate(names) if not name}
    return tuple(replace(statement, sid=mark_ + chosen[index]) for index, statement in enumerate(statements))


def is_contributed(text: str, mark_: str) -> bool:
    """Whether the policy holds any statement of this mark; False for text that is no policy."""
    try:
        items = _read(text).items
    except PolicyError:
        return False
    return any(item.is_of(mark_) for item in items)


def holds(text: str, statements: Sequence[Statement], mark_: str) -> bool:
    """Whether of this mark the policy holds just these (marked) statements, by meaning; False for what is no policy."""
    try:
        return _holds(_read(text), statements, mark_)
    except PolicyError:
        return False


def contribute(text: str, statements: Sequence[Statement], mark_: str) -> str:
    """The policy with just these (marked) statements of this mark in it; the very text where nothing is to change.

    Statements of ours stay at their place when they are mended; new ones go to the end. Raises PolicyError for a text
    that is no policy, where no statement would be left, and where ours need a newer Version than the policy has;
    ValueError for statements that aren't marked.
    """
    wanted = {statement.sid: statement for statement in statements}
    if len(wanted) != len(statements) or not all(_is_sid_of(mark_, sid) for sid in wanted):
        raise ValueError(f"the statements don't have Sids of {mark_}, each once")
    policy = _read(text)
    _refuse_plain_variables(policy, statements)
    if _holds(policy, statements, mark_):
        return text
    merged: list[str] = []
    for item in policy.items:
        if not item.is_of(mark_):
            merged.append(item.text)
        elif statement := wanted.pop(item.sid, None):
            merged.append(item.text if item.says(statement, policy.version) else _written(statement))
    merged += map(_written, wanted.values())
    if not merged:
        raise PolicyError("Statement", "nothing would be left in it", "contribute at least one statement")
    return policy.with_statements(merged)


def withdraw(text: str, mark_: str) -> str | None:
    """The policy without statements of this mark; the very text where there are none.

    None where no other statement would be left: an empty list is no policy, and AWS's default would be wider. Raises
    PolicyError for a text that is no policy.
    """
    policy = _read(text)
    others = [item.text for item in policy.items if not item.is_of(mark_)]
    if len(others) == len(policy.items):
        return text
    return policy.with_statements(others) if others else None


def allows_all(text: str, mark_: str) -> bool:
    """Whether a statement of somebody else's allows everything to everybody, as AWS's default does, without condition.

    Everything is all of S3, the one service behind the endpoint. False for a text that is no policy.
    """
    try:
        policy = _read(text)
    except PolicyError:
        return False
    statements = (item.statement() for item in policy.items if not item.is_of(mark_))
    return any(statement is not None and _allows_all(statement) for statement in statements)


@dataclass(frozen=True, slots=True)
class _Item:
    """A statement as the policy spells it (without white space), and what it says."""

    text: str
    values: Values

    @property
    def sid(self) -> str:
        """The Sid; empty where there is none, or none that could be ours."""
        sid = self.values.get("Sid")
        return sid if isinstance(sid, str) else ""

    def is_of(self, mark_: str) -> bool:
        """Whether the statement is of this mark."""
        return _is_sid_of(mark_, self.sid)

    def statement(self) -> Statement | None:
        """None where this version can't read it."""
        try:
            return parse_statements([self.values], "Statement")[0]
        except PolicyError:
            return None

    def says(self, desired: Statement, version: Version) -> bool:
        """Whether it means the same, in a policy of this version, as ours does where it was written."""
        observed = self.statement()
        return observed is not None and canonical_statement(observed, version) == _meaning(desired)


@dataclass(frozen=True, slots=True)
class _Policy:
    """A policy's minified text, cut where its statements stand."""

    before: str
    items: tuple[_Item, ...]
    after: str
    in_list: bool
    version: Version
    """The version that AWS evaluates it by; one that isn't known here counts as the current one."""

    def with_statements(self, statements: Sequence[str]) -> str:
        """The policy with other statements; a list wherever it was one or has to be."""
        text = ",".join(statements)
        if self.in_list or len(statements) > 1:
            text = f"[{text}]"
        return f"{self.before}{text}{self.after}"


def _read(text: str) -> _Policy:
    document = object_of(load(text), "policy", "write an object with Version and Statement")
    if "Statement" not in document:
        raise PolicyError("policy", "it has no Statement", 'add "Statement": [{"Effect": …, "Principal": …, …}]')
    minified = _STRING_OR_SPACE.sub(r"\1", text.removeprefix(BYTE_ORDER_MARK))
    start, end = next(span for name, *span in _members(minified) if name == "Statement")
    in_list = minified[start] == "["
    spans = list(_elements(minified, start)) if in_list else [(start, end)]
    if not spans:
        raise PolicyError("Statement", "it is empty", "add a statement; a policy without one allows nothing")
    return _Policy(
        before=minified[:start],
        items=tuple(
            _item(minified[slice(*span)], f"Statement[{index}]" if in_list else "Statement")
            for index, span in enumerate(spans)
        ),
        after=minified[end:],
        in_list=in_list,
        version=DEFAULT_VERSION if document.get("Version", DEFAULT_VERSION) == DEFAULT_VERSION else CURRENT_VERSION,
    )


def _item(text: str, path: str) -> _Item:
    values, _ = _DECODER.raw_decode(text)
    return _Item(text, object_of(values, path, "write an object with Effect, Principal, Action …"))


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """Each member of the minified object: its name, and where its value begins and ends."""
    at = 1
    while text[at] != "}":
        name, colon = _DECODER.raw_decode(text, at)
        _, end = _DECODER.raw_decode(text, colon + 1)
        yield name, colon + 1, end
        at = end + (text[end] == ",")


def _elements(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Where each element of the minified list that begins at `start` begins and ends."""
    at = start + 1
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield at, end
        at = end + (text[end] == ",")


def _is_sid_of(mark_: str, sid: str) -> bool:
    own = sid.removeprefix(mark_)
    return own not in {sid, ""} and not _UNFIT_FOR_SIDS.search(own)


def _holds(policy: _Policy, statements: Sequence[Statement], mark_: str) -> bool:
    wanted = {statement.sid: statement for statement in statements}
    ours = [item for item in policy.items if item.is_of(mark_)]
    return (
        len(ours) == len(statements)
        and {item.sid for item in ours} == wanted.keys()
        and all(item.says(wanted[item.sid], policy.version) for item in ours)
    )


def _refuse_plain_variables(policy: _Policy, statements: Sequence[Statement]) -> None:
    """Another Version would change what the others' statements mean, so it is never ours to write."""
    using = next((statement for statement in statements if statement.uses_variables), None)
    if using and policy.version != CURRENT_VERSION:
        raise PolicyError(
            "Version",
            f"the policy is of version {policy.version}, in which the ${{…}} of statement {using.sid} is plain text",
            f"have the endpoint's owner write {quoted(CURRENT_VERSION)}, or take ${{…}} out of additionalStatements",
        )


def _meaning(ours: Statement) -> CanonicalStatement:
    return canonical_statement(ours, CURRENT_VERSION)


def _written(statement: Statement) -> str:
    """A statement as every rendered policy has it."""
    return _read(render(PolicyDocument((statement,)))).items[0].text


def _untaken(name: str, taken: set[str]) -> str:
    """The name, or with the first number behind it that makes it one that isn't taken; takes it."""
    numbered = (f"{name}{number}" for number in count(2 if name else 1))
    found = next(candidate for candidate in chain([name] if name else [], numbered) if candidate not in taken)
    taken.add(found)
    return found


def _allows_all(statement: Statement) -> bool:
    return (
        statement.effect == "Allow"
        and not statement.conditions
        and not (statement.principals.excluded or statement.actions.excluded or statement.resources.excluded)
        and _ANYONE in statement.principals.values
        and any(action.lower() in _ALL_ACTIONS for action in statement.actions.values)
        and "*" in statement.resources.values
    )
