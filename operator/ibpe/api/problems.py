"""From pydantic's errors about a resource to one sentence for a person. Knows the error types; no field of ours."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ibpe.api.rules import BROKEN_RULE

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


def sentence(model: type[BaseModel], error: ValidationError, root: str = "spec") -> str:
    """The first problem as `spec.field: what to do`, with the number of further ones. `root`: what the model is."""
    details = error.errors(include_url=False)
    first = _path(root, details[0]["loc"])
    others = {_path(root, detail["loc"]) for detail in details} - {first}
    more = f" (and {len(others)} more)" if others else ""
    return f"{first}: {_what_to_do(model, details[0])}{more}"


def _what_to_do(model: type[BaseModel], detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind == BROKEN_RULE:
        return detail["msg"]
    if kind == "extra_forbidden":
        *parents, name = detail["loc"]
        return _unknown_field(str(name), _fields_at(model, parents))
    if kind in {"enum", "literal_error"}:
        return f"{detail['input']!r} is not one of {detail.get('ctx', {}).get('expected', '')}"
    if kind in {"string_too_long", "too_long"}:
        return f"too long, at most {detail.get('ctx', {}).get('max_length')} are allowed"
    return _WANTED.get(kind, detail["msg"])


def _unknown_field(name: str, known: Mapping[str, object]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"there is no such field, did you mean {close[0]}?" if close else "there is no such field, remove it"


def _path(root: str, location: Sequence[int | str]) -> str:
    """`imageBuilder.subnets.ids[0]`, as the API server writes it."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in (root, *location)).lstrip(".")


def _fields_at(model: type[BaseModel], path: Sequence[int | str]) -> Mapping[str, Any]:
    """Wire name -> annotation of the model that lies at a path; empty where no model does."""
    current: Any = model
    for part in path:
        if isinstance(part, int):
            continue  # an item of a list: the model in the list's own annotation
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
