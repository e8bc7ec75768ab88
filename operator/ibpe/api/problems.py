"""From pydantic's errors about a resource to one sentence for a person. Knows the error types; no field of ours."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ibpe.api.rules import BROKEN_RULE

_ROOT: Final = "spec"
_WANTED: Final = {
    "missing": "this field is required, add it",
    "model_type": "write an object here",
    "model_attributes_type": "write an object here",
    "dict_type": "write an object here",
    "tuple_type": "write a list here",
    "frozen_set_type": "write a list here",
    "string_type": "write a string here, in quotes where YAML would read something else",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
}
"""What to do, for those error types of pydantic that its own words leave open."""


def sentence(model: type[BaseModel], error: ValidationError) -> str:
    """The first problem as `spec.field: what to do`, with the number of further ones."""
    details = error.errors(include_url=False)
    path = _path(model, details[0]["loc"])
    others = {_path(model, detail["loc"]) for detail in details} - {path}
    more = f" (and {len(others)} more)" if others else ""
    return f"{'.'.join((_ROOT, *path))}: {_what_to_do(model, details[0], path)}{more}"


def _what_to_do(model: type[BaseModel], detail: ErrorDetails, path: Sequence[str]) -> str:
    kind = detail["type"]
    if kind == BROKEN_RULE:
        return detail["msg"]
    if kind == "extra_forbidden":
        return _unknown_field(path[-1], _fields_at(model, path[:-1]))
    if kind in {"enum", "literal_error"}:
        return f"{detail['input']!r} is not one of {detail.get('ctx', {}).get('expected', '')}"
    if kind in {"string_too_long", "too_long"}:
        return f"too long, at most {detail.get('ctx', {}).get('max_length')} are allowed"
    return _WANTED.get(kind, detail["msg"])


def _unknown_field(name: str, known: Mapping[str, object]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"there is no such field, did you mean {close[0]}?" if close else "there is no such field, remove it"


def _path(model: type[BaseModel], location: Sequence[int | str]) -> tuple[str, ...]:
    """The location as far as fields and indexes go: pydantic adds the alternatives of a union, which mean nothing."""
    path: list[str] = []
    for part in location:
        known = _fields_at(model, path)
        if isinstance(part, str) and path and not known and "[" not in path[-1] and not _is_open(model, path):
            break
        path.append(str(part))
    return tuple(path)


def _is_open(model: type[BaseModel], path: Sequence[str]) -> bool:
    """Whether keys of the user's own may follow, as under `tags`."""
    field = _fields_at(model, path[:-1]).get(path[-1])
    return field is None or "Mapping" in str(field) or str(field).startswith("dict")


def _fields_at(model: type[BaseModel], path: Sequence[str]) -> Mapping[str, Any]:
    """Wire name -> annotation of the model that lies at a path; empty where no model does."""
    current: Any = model
    for part in path:
        fields = _wire_fields(current)
        if part not in fields:
            return {}
        current = fields[part]
    return _wire_fields(current)


def _wire_fields(annotation: Any) -> Mapping[str, Any]:
    """The fields of a model, or of the model in `Model | None`."""
    candidates = (annotation, *getattr(annotation, "__args__", ()))
    for candidate in candidates:
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return {field.alias or name: field.annotation for name, field in candidate.model_fields.items()}
    return {}
