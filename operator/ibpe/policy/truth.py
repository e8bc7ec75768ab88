"""Three-valued logic: true, false, and None for what hangs on something that isn't known. Knows nothing of policies."""

from collections.abc import Iterable
from typing import TypeAlias

Truth: TypeAlias = bool | None
"""None: it may be so, or not."""


def negation(truth: Truth) -> Truth:
    """Not so; of what isn't known the opposite isn't known either."""
    return None if truth is None else not truth


def any_of(truths: Iterable[Truth]) -> Truth:
    """True as soon as one is true, else None where one may be. Of none at all: False."""
    found: Truth = False
    for truth in truths:
        if truth:
            return True
        if truth is None:
            found = None
    return found


def all_of(truths: Iterable[Truth]) -> Truth:
    """False as soon as one is false, else None where one may be. Of none at all: True."""
    found: Truth = True
    for truth in truths:
        if truth is None:
            found = None
        elif not truth:
            return False
    return found
