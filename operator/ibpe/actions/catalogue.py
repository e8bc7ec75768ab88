"""Looking actions up by name or pattern."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from ibpe.actions.action import Action
from ibpe.actions.reference import ACTIONS

_BY_NAME: Final[Mapping[str, Mapping[str, Action]]] = MappingProxyType(
    {service: {action.name.lower(): action for action in actions} for service, actions in ACTIONS.items()}
)


def names(service: str) -> tuple[str, ...]:
    """The names of the service's actions; empty for a service that isn't known here."""
    return tuple(action.name for action in ACTIONS.get(service, ()))


@lru_cache(maxsize=1024)
def matching(service: str, pattern: str) -> tuple[Action, ...]:
    """The service's actions that a name or a pattern with `*` and `?` stands for; letter case doesn't count."""
    lower = pattern.lower()
    known = _BY_NAME.get(service, {})
    if "*" not in lower and "?" not in lower:
        return (known[lower],) if lower in known else ()
    return tuple(action for name, action in known.items() if fnmatchcase(name, lower))
