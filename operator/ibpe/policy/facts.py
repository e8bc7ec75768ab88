"""What is known of a request's condition keys, and what `${…}` becomes by it. Knows no statement and no operator.

Source: IAM user guide, "IAM policy elements: Variables and tags".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from ibpe.policy.wildcards import Part, Parts, Wild, split_wildcards

Values: TypeAlias = tuple[str, ...] | None
"""A key's values in the request. Empty: the key is absent. None: not known, absence included."""

_VARIABLE: Final = re.compile(r"\$\{(?:(?P<character>[*?$])|(?P<key>[^{},']+)(?:,\s*'(?P<default>[^']*)')?\s*)\}")


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key}`, or `${key, 'default'}`; the key in lower case."""

    key: str
    default: str | None


Template: TypeAlias = tuple[Part | Variable, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """The keys of one request, read by a document of one version."""

    context: Mapping[str, tuple[str, ...]]
    unknown: frozenset[str]
    unknown_prefixes: tuple[str, ...]
    fills_variables: bool
    """Whether `${…}` is filled in; in a document of the older version it is plain text."""

    @staticmethod
    def of(context: Mapping[str, tuple[str, ...]], unknown: frozenset[str], *, fills_variables: bool) -> "Facts":
        """Keys in any letter case; an unknown one that ends in `*` stands for all that begin so."""
        lower = {key.lower() for key in unknown}
        return Facts(
            context={key.lower(): values for key, values in context.items()},
            unknown=frozenset(lower),
            unknown_prefixes=tuple(key.removesuffix("*") for key in lower if key.endswith("*")),
            fills_variables=fills_variables,
        )

    def values(self, key: str) -> Values:
        """The values of a key (any letter case). What is known counts, even if it is also named as unknown."""
        key = key.lower()
        known = self.context.get(key)
        if known is not None:
            return known
        return None if key in self.unknown or key.startswith(self.unknown_prefixes) else ()

    def template(self, text: str, *, wildcards: bool) -> Template:
        """Written text in its parts: variables where they are filled in, and `*` and `?` where they are wildcards."""
        if self.fills_variables and "${" in text:
            return _template(text, wildcards=wildcards)
        return split_wildcards(text) if wildcards else (text,)

    def filled(self, template: Template) -> Parts | None:
        """The parts with every variable's value, in which nothing is a wildcard. None: one has no value.

        Such a text equals nothing and is like nothing, so that negated operators and NotResource hold. A key of
        several values has no single one to fill in.
        """
        parts: list[Part] = []
        for part in template:
            value = self._value(part) if isinstance(part, Variable) else part
            if value is None:
                return None
            parts.append(value)
        return tuple(parts)

    def _value(self, variable: Variable) -> Part | None:
        values = self.values(variable.key)
        if values is None:
            return Wild.UNKNOWN
        return values[0] if len(values) == 1 else variable.default


@lru_cache(maxsize=1024)
def _template(text: str, *, wildcards: bool) -> Template:
    parts: list[Part | Variable] = []
    position = 0
    for found in _VARIABLE.finditer(text):
        parts += _written(text[position : found.start()], wildcards=wildcards)
        position = found.end()
        character, key, default = found.group("character", "key", "default")
        parts.append(character or Variable(key.strip().lower(), default))
    parts += _written(text[position:], wildcards=wildcards)
    return tuple(parts)


def _written(text: str, *, wildcards: bool) -> Parts:
    return split_wildcards(text) if wildcards else (text,) if text else ()
