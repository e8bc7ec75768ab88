"""Reading untyped values where text, YAML or a cluster hands them over; every refusal carries the value's path."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Final, TypeGuard

from ibpe.policy.document import PolicyError

Values = Mapping[str, object]

_LONGEST_QUOTE: Final = 80


def quoted(value: object) -> str:
    """A value for a message: as JSON writes it where it can, and never longer than a line."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str).encode(errors="backslashreplace").decode()
    except RecursionError:  # what could just be read may be nested too deeply to be written from further down the stack
        return "…"
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1]}…"


def refuse_unknown(values: Values, known: Sequence[str], path: str) -> None:
    """Raise PolicyError for a key that has no place in this object."""
    for key in values:
        if key not in known:
            raise PolicyError(path, f"{quoted(key)} is not known here", nearest(key, known))


def nearest(written: str, known: Sequence[str]) -> str:
    """The fix for a word that isn't known: the one that was probably meant, else all of them."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(written.lower(), by_lower, n=1)
    return f'did you mean "{by_lower[close[0]]}"?' if close else f"known are {', '.join(known)}"


def ended(words: str) -> str:
    """The words with a full stop, unless they ask something: a fix may be a question."""
    return words if words.endswith(("?", ".")) else f"{words}."


def object_of(source: object, path: str, fix: str) -> Values:
    """A JSON object; `fix` says what to write instead of anything else."""
    if not isinstance(source, Mapping):
        raise PolicyError(path, f"{quoted(source)} is not an object", fix)
    for key in source:
        if not isinstance(key, str):
            raise PolicyError(path, f"the key {quoted(key)} is not a string", "put it in quotes")
    return source


def text_of(values: Values, name: str, path: str) -> str:
    """An optional string; absent is empty, and so is null, which some that show policies write for it."""
    written = values.get(name)
    if written is None:
        return ""
    if not isinstance(written, str):
        raise PolicyError(path, f"{quoted(written)} is not a string", "put it in quotes")
    return written


def is_list(source: object) -> TypeGuard[Sequence[object]]:
    """Whether this is a JSON array (text is no list)."""
    return isinstance(source, list | tuple)


def strings_of(source: object, path: str) -> tuple[str, ...]:
    """One or more non-empty strings, from a string or a list of them."""
    items: Sequence[object] = source if is_list(source) else (source,)
    if not items:
        raise PolicyError(path, "the list is empty", "name at least one value")
    return tuple(_string(item, path) for item in items)


def _string(item: object, path: str) -> str:
    if not isinstance(item, str):
        raise PolicyError(path, f"{quoted(item)} is not a string", "write a string in quotes, or a list of them")
    if not item:
        raise PolicyError(path, "a value is empty", "write the value, or take it out")
    return item


def scalars_of(source: object, path: str) -> tuple[str, ...]:
    """Condition values as text, from one or a list: AWS takes true as "true" and 10 as "10". The list may be empty."""
    items: Sequence[object] = source if is_list(source) else (source,)
    return tuple(_scalar(item, path) for item in items)


def _scalar(item: object, path: str) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str):
        return item
    if isinstance(item, int | float | Decimal):
        return str(item)
    if isinstance(item, date):  # also a datetime: YAML reads an unquoted timestamp as one
        return item.isoformat()
    raise PolicyError(path, f"{quoted(item)} is not a value", "write a string, a number, true or false")
