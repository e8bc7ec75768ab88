"""Wildcards and policy variables, as the IAM user guide words them; shares nothing with the code under test.

Sources: IAM user guide, "Resource" (wildcards within the segments of an ARN), "Condition operators" (StringLike,
ArnLike), "Variables and tags" (where variables stand, special characters, default values).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Final

VARIABLES_SINCE: Final = "2012-10-17"
_VARIABLE: Final = re.compile(r"\$\{(?P<name>[^},]+)(?:, '(?P<default>[^']*)')?\}")


class UnresolvedVariableError(Exception):
    """A variable without a value in this request, and without a default."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A character that stands for itself."""

    character: str


@dataclass(frozen=True, slots=True)
class One:
    """`?`"""


@dataclass(frozen=True, slots=True)
class Some:
    """`*`"""


Token = Letter | One | Some


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a value of a policy stands for; `start` is the text before its first wildcard."""

    tokens: tuple[Token, ...]
    start: str


Context = Mapping[str, Sequence[str]]
WILDCARDS: Final[Mapping[str, Token]] = {"*": Some(), "?": One()}


def read(text: str, version: str, context: Context) -> Pattern:
    """The pattern that a policy's value stands for in this request. Raises UnresolvedVariableError."""
    if version < VARIABLES_SINCE or "${" not in text:
        return _read_without_variables(text)
    tokens: list[Token] = []
    position = 0
    for found in _VARIABLE.finditer(text):
        tokens += _wildcards(text[position : found.start()])
        tokens += map(Letter, _resolved(found["name"], found["default"], context))
        position = found.end()
    return _pattern([*tokens, *_wildcards(text[position:])])


@cache
def _read_without_variables(text: str) -> Pattern:
    return _pattern(_wildcards(text))


def _pattern(tokens: Sequence[Token]) -> Pattern:
    start = takewhile(lambda token: isinstance(token, Letter), tokens)
    return Pattern(tuple(tokens), _plain(start))


def _plain(tokens: Iterable[Token]) -> str:
    return "".join(
        token.character if isinstance(token, Letter) else "*" if isinstance(token, Some) else "?" for token in tokens
    )


def read_plain(text: str, version: str, context: Context) -> str:
    """The same for operators without wildcards: the characters as they are, variables filled in."""
    return _plain(read(text, version, context).tokens)


def matches(pattern: Pattern, text: str) -> bool:
    """Whether the whole text fits; wildcards span any character."""
    return _fits(pattern, text, frozenset())


def matches_resource(pattern: Pattern, resource: str, *, six_segments: bool) -> bool:
    """Whether the ARN fits; wildcards stay within their segment, but a `*` that ends its segment may go beyond.

    `six_segments`: the resource part, behind the fifth colon, is one segment; otherwise each colon ends one.
    """
    colons = [index for index, character in enumerate(resource) if character == ":"]
    return _fits(pattern, resource, frozenset(colons[:5] if six_segments else colons))


def matches_arn(pattern: Pattern, arn: str) -> bool:
    """Whether the ARN fits an ARN operator's pattern: each of the six components by itself."""
    wanted, given = _six(pattern), arn.split(":", 5)
    return len(wanted) == len(given) == 6 and all(map(matches, wanted, given))


def _six(pattern: Pattern) -> list[Pattern]:
    parts: list[list[Token]] = [[]]
    for token in pattern.tokens:
        if token == Letter(":") and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(token)
    return [_pattern(part) for part in parts]


def _fits(pattern: Pattern, text: str, ends: frozenset[int]) -> bool:
    """Walks all the ways through the pattern at once; a place is the number of tokens that are done with.

    `ends`: where in the text a segment ends, beyond which only a `*` goes that ends its own segment.
    """
    if not text.startswith(pattern.start):
        return False
    places = _skipping(pattern, {len(pattern.start)})
    for index in range(len(pattern.start), len(text)):
        reached = set()
        for place in places:
            if place < len(pattern.tokens):
                stays = index in ends and not _ends_segment(pattern, place)
                reached |= _after(pattern.tokens[place], place, text[index], stays=stays)
        places = _skipping(pattern, reached)
        if not places:
            return False
    return len(pattern.tokens) in places


def _ends_segment(pattern: Pattern, place: int) -> bool:
    return isinstance(pattern.tokens[place], Some) and pattern.tokens[place + 1 : place + 2] in ((), (Letter(":"),))


def _after(token: Token, place: int, character: str, *, stays: bool) -> set[int]:
    """Where a character leads from a place: on, or with `*` nowhere else; nothing where it doesn't fit."""
    if isinstance(token, Letter):
        return {place + 1} if token.character == character else set()
    if stays:
        return set()
    return {place + 1} if isinstance(token, One) else {place}


def _skipping(pattern: Pattern, places: set[int]) -> set[int]:
    """The places, and those behind a `*` that stands for nothing."""
    for place in tuple(places):
        after = place
        while after < len(pattern.tokens) and isinstance(pattern.tokens[after], Some):
            after += 1
            places.add(after)
    return places


def _wildcards(text: str) -> list[Token]:
    return [WILDCARDS.get(character, Letter(character)) for character in text]


def _resolved(name: str, default: str | None, context: Context) -> str:
    if name in ("*", "?", "$"):
        return name
    match context.get(name.lower(), ()):
        case [value]:
            return value
        case [] if default is not None:
            return default
        case []:
            raise UnresolvedVariableError(name)
    raise ValueError(f"{name} has several values: such a key can't be a variable")
