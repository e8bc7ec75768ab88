"""Whether two patterns have a text in common, and whether one takes in all that the other does. Knows no policy."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeAlias

from ibpe.policy.wildcards import arn_pattern, text_pattern


class Hole(Enum):
    """What stands for text that isn't written out."""

    ONE = "one character"
    MANY = "any characters, or none"
    NO_SLASH = "any characters but a slash, or none"
    NO_COLON = "any characters but a colon, or none"


Token: TypeAlias = str | Hole
Tokens: TypeAlias = tuple[Token, ...]
"""Characters and holes."""

_WRITTEN: Final = re.compile(r"\$\{[^}]*\}|.", re.DOTALL)
_HOLES: Final = {"*": Hole.MANY, "?": Hole.ONE}
_MOST_PAIRS: Final = 5_000
"""Of positions, to be reached at most. Two ARNs of the usual kind take some hundreds."""
_LONG: Final = frozenset({Hole.MANY, Hole.NO_SLASH, Hole.NO_COLON})
_LEFT_OUT: Final[Mapping[Token, str]] = {Hole.NO_SLASH: "/", Hole.NO_COLON: ":"}


def tokens(written: str) -> Tokens:
    """A pattern as a policy writes it: `*`, `?`, and a variable, `${…}`, for which any text may stand."""
    return tuple(_HOLES.get(piece, Hole.MANY if len(piece) > 1 else piece) for piece in _WRITTEN.findall(written))


def meet(one: Tokens, other: Tokens) -> bool:
    """Whether some text fits both. Says yes too often, never no: where IAM keeps a wildcard from reaching over colons,
    and where there are too many ways to try.

    Walks both from the left and keeps to pairs of positions that can be reached: few, but for pathological patterns.
    """
    reached = {(0, 0)}
    open_ = [(0, 0)]
    while open_ and len(reached) < _MOST_PAIRS:
        here, there = open_.pop()
        if here == len(one) and there == len(other):
            return True
        for step in _steps(one, other, here, there):
            if step not in reached:
                reached.add(step)
                open_.append(step)
    return bool(open_)


def _steps(one: Tokens, other: Tokens, here: int, there: int) -> list[tuple[int, int]]:
    left = one[here] if here < len(one) else None
    right = other[there] if there < len(other) else None
    steps = []
    if left in _LONG:
        steps.append((here + 1, there))
    if right in _LONG:
        steps.append((here, there + 1))
    if left is not None and right is not None and _share_a_character(left, right):
        steps.append((here + (left not in _LONG), there + (right not in _LONG)))
    return steps


def _share_a_character(left: Token, right: Token) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return _LEFT_OUT.get(left) != right and _LEFT_OUT.get(right) != left


def takes_in_action(pattern: str, other: str) -> bool:
    """Whether all actions that fit `other` fit the pattern too; letter case doesn't count."""
    pattern, other = pattern.lower(), other.lower()
    return pattern in {"*", other} or ("?" not in pattern and text_pattern(pattern).regex.fullmatch(other) is not None)


def takes_in_resource(pattern: str, other: str) -> bool:
    """Whether all resources that fit `other` fit the pattern too, as far as can be told; a variable is like itself."""
    if pattern in {"*", other}:
        return True
    if "?" in pattern or "${" in pattern:
        return False
    return arn_pattern(pattern).regex.fullmatch(other) is not None
