"""Patterns with `*` and `?`: of plain text, and of ARNs with IAM's rules on colons. Knows no policy and no request.

Source: IAM user guide, "IAM JSON policy elements: Resource" (wildcards in ARNs) and "Condition operators" (ARNs).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, TypeAlias

from ibpe.policy.truth import Truth


class Wild(Enum):
    """What stands for text that isn't written out."""

    MANY = "*"
    """Any characters, or none."""
    ONE = "?"
    """Any one character."""
    MANY_OF_SEGMENT = "* without :"
    ONE_OF_SEGMENT = "? without :"
    UNKNOWN = "unknown"
    """Text that isn't known here: with it a match is a maybe."""


Part: TypeAlias = str | Wild
Parts: TypeAlias = tuple[Part, ...]

SEGMENTS: Final = 6
"""Of an ARN: arn, partition, service, region, account, resource. The last may hold colons of its own."""

_WILDCARD: Final = re.compile(r"([*?])")
_INSIDE: Final = {Wild.MANY: Wild.MANY_OF_SEGMENT, Wild.ONE: Wild.ONE_OF_SEGMENT}
_ANY: Final = frozenset({Wild.MANY, Wild.UNKNOWN})
_ONE: Final = {Wild.ONE: ".", Wild.ONE_OF_SEGMENT: "[^:]"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern."""

    regex: re.Pattern[str]
    sure: bool
    """Whether all of it is known, so that what fits does match."""
    everything: bool
    """Whether there is no text that it doesn't match."""

    def matches(self, text: str) -> Truth:
        """Whether the whole text fits."""
        if self.regex.fullmatch(text) is None:
            return False
        return True if self.sure else None


def split_wildcards(text: str) -> Parts:
    """Written text as parts: each `*` and `?` is a wildcard."""
    return tuple(Wild(piece) if piece in {"*", "?"} else piece for piece in _WILDCARD.split(text) if piece)


def arn_parts(parts: Sequence[Part], *, across: bool) -> Parts:
    """The parts with each wildcard before the fifth colon kept within its segment.

    `across`: a `*` that is the last character of its segment isn't; it reaches beyond the colon. After a text that
    isn't known, which may hold colons, nothing is kept within.
    """
    return tuple(_kept_within(parts, across=across))


def _kept_within(parts: Sequence[Part], *, across: bool) -> Iterator[Part]:
    colons = 0
    for part, following in zip(parts, (*parts, ":")[1:], strict=True):
        if isinstance(part, str):
            colons += part.count(":")
        if part is Wild.UNKNOWN:
            colons = SEGMENTS
        last = part is Wild.MANY and isinstance(following, str) and following.startswith(":")
        if isinstance(part, str) or colons >= SEGMENTS - 1 or (across and last):
            yield part
        else:
            yield _INSIDE.get(part, part)


def segments(parts: Sequence[Part]) -> int:
    """How many an ARN of these parts has at least, by its colons; at most `SEGMENTS`."""
    if Wild.UNKNOWN in parts:
        return SEGMENTS
    return min(SEGMENTS, 1 + sum(part.count(":") for part in parts if isinstance(part, str)))


@lru_cache(maxsize=2048)
def pattern(parts: Parts) -> Pattern:
    """The compiled pattern. Matching takes time in proportion to pattern times text at most, whatever is written."""
    sure = Wild.UNKNOWN not in parts
    return Pattern(
        regex=re.compile(_regex(parts), re.DOTALL),
        sure=sure,
        everything=sure and bool(parts) and all(part is Wild.MANY for part in parts),
    )


@lru_cache(maxsize=2048)
def text_pattern(text: str) -> Pattern:
    """The pattern of plain text with wildcards, without rules on colons."""
    return pattern(split_wildcards(text))


@lru_cache(maxsize=2048)
def arn_pattern(text: str) -> Pattern:
    """The pattern of an ARN in a Resource, where a `*` at a segment's end reaches beyond the colon."""
    return pattern(arn_parts(split_wildcards(text), across=True))


def _regex(parts: Parts) -> str:
    """What lies between two `*` is sought from the left and then kept (atomic groups): nothing is tried twice.

    Leftmost is as good as any, since the following `*` takes up whatever comes next.
    """
    chunks = _split(parts, _ANY)
    if len(chunks) == 1:
        return _chunk(chunks[0], final=True)
    first, *middle, last = chunks
    sought = "".join(f"(?>.*?{_chunk(chunk, final=False)})" for chunk in middle)
    return f"{_chunk(first, final=False)}{sought}.*{_chunk(last, final=True)}"


def _chunk(parts: Parts, *, final: bool) -> str:
    """Parts without a `*` that reaches beyond colons; `final`: the pattern ends here."""
    first, *others = (_fixed(piece) for piece in _split(parts, frozenset({Wild.MANY_OF_SEGMENT})))
    if not others:
        return first + (r"\Z" if final else "")
    *middle, last = others
    sought = "".join(f"(?>[^:]*?{piece})" for piece in middle)
    return rf"{first}{sought}(?>[^:]*?{last}\Z)" if final else f"{first}{sought}(?>[^:]*?{last})"


def _fixed(parts: Parts) -> str:
    return "".join(re.escape(part) if isinstance(part, str) else _ONE[part] for part in parts)


def _split(parts: Parts, at: frozenset[Wild]) -> list[Parts]:
    chunks: list[list[Part]] = [[]]
    for part in parts:
        if part in at:
            chunks.append([])
        else:
            chunks[-1].append(part)
    return [tuple(chunk) for chunk in chunks]
