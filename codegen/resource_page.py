"""Writes docs/reference/resource.md: every field of the resource, from the schema that the API server enforces."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ibpe.api.crd import custom_resource_definition
from ibpe.api.names import API_VERSION, KIND

Schema = Mapping[str, Any]
FEW: Final = 2
"""An object with no more fields than this has them listed in its parent's table."""
MANY: Final = 60
"""Characters up to which an enumeration stands in the column of types."""
OPENING: Final = f"""# The resource

`apiVersion: {API_VERSION}`, `kind: {KIND}`, namespaced, short name `ibpe`.

Every field, as the API server enforces it; `kubectl explain ibpe.spec` says the same of your cluster. \
[Concepts](../concepts.md) say what the fields are for, an [example](../../examples/minimal.yaml) shows the least that \
is needed. A rule is quoted as `kubectl apply` prints it.

Made from the CRD by `make crds`; not written by hand.
"""


def resource_page() -> str:
    """The page's text."""
    (version,) = custom_resource_definition()["spec"]["versions"]
    schema: Schema = version["schema"]["openAPIV3Schema"]
    lines = [OPENING]
    lines += _table("spec", schema["properties"]["spec"])
    lines += _table("status", schema["properties"]["status"])
    lines += ("## Columns of `kubectl get`", "", "| Column | What it is | |", "|---|---|---|")
    lines += [
        f"| {column['name']} | {column['description']} | {'with `-o wide`' if column.get('priority') else ''} |"
        for column in version["additionalPrinterColumns"]
    ]
    return "\n".join(lines).rstrip() + "\n"


def _table(path: str, schema: Schema) -> Iterator[str]:
    """The section of an object, then those of the objects in it."""
    yield from (f"## `{path}`", "")
    if schema.get("description"):
        yield from (schema["description"], "")
    yield from ("| Field | Type | Default | |", "|---|---|---|---|")
    inner: list[tuple[str, Schema]] = []
    yield from _rows("", schema, path, inner)
    yield ""
    rules = list(dict.fromkeys(_rules(schema, inner)))
    if rules:
        yield from ("Rules:", "", *(f"- {rule}" for rule in rules), "")
    for inner_path, inner_schema in inner:
        yield from _table(inner_path, inner_schema)


def _rows(prefix: str, schema: Schema, path: str, inner: list[tuple[str, Schema]]) -> Iterator[str]:
    required = set(schema.get("required", ()))
    for name, field in schema["properties"].items():
        parts = _properties(field)
        whole = f"{path}.{prefix}{name}{'[]' if field.get('type') == 'array' else ''}"
        yield _row(f"{prefix}{name}", field, required=name in required, section=whole if _has_section(parts) else None)
        if _has_section(parts):
            inner.append((whole, {**_objects(field), "description": field.get("description", "")}))
        elif parts:
            yield from _rows(f"{prefix}{name}.", _objects(field), path, inner)


def _has_section(parts: Mapping[str, Schema]) -> bool:
    return len(parts) > FEW


def _objects(field: Schema) -> Schema:
    return field["items"] if field.get("type") == "array" else field


def _properties(field: Schema) -> Mapping[str, Schema]:
    properties: Mapping[str, Schema] = _objects(field).get("properties", {})
    return properties


def _row(name: str, field: Schema, *, required: bool, section: str | None) -> str:
    default = f"`{_plain(field['default'])}`" if "default" in field and not isinstance(field["default"], dict) else ""
    told = "required" if required and not default else default
    said = [str(field.get("description", "")), *_choices(field)]
    if section:
        said.append(f"[Its fields](#{_anchor(section)}).")
    return f"| `{name}` | {_type(field)} | {told} | {' '.join(filter(None, said))} |".replace("|  |", "| |")


def _anchor(path: str) -> str:
    return "".join(letter for letter in path.lower() if letter.isalnum())


def _choices(field: Schema) -> Iterator[str]:
    choices = _code(field.get("enum", ()))
    if len(choices) > MANY:
        yield f"One of {choices}."


def _code(values: Any) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _type(field: Schema) -> str:
    choices = _code(field.get("enum", ()))
    if choices and len(choices) <= MANY:
        return choices
    kind = field.get("type", "any")
    if kind == "array":
        return f"list of {field['items'].get('type', 'any')}s{_bound(field, 'maxItems')}"
    if "additionalProperties" in field:
        return f"map of {field['additionalProperties']['type']}s{_bound(field, 'maxProperties')}"
    return f"{field.get('format', kind)}{_bound(field, 'maxLength', ' characters')}"


def _bound(field: Schema, key: str, unit: str = "") -> str:
    return f", up to {field[key]:,}{unit}" if key in field else ""


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rules(schema: Schema, inner: list[tuple[str, Schema]]) -> Iterator[str]:
    """What is asked of this object and of its fields, but not of those that have a section."""
    yield from (rule["message"] for rule in schema.get("x-kubernetes-validations", ()))
    apart = [id(each.get("properties")) for _, each in inner]
    children = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
    for child in children:
        if isinstance(child, Mapping) and id(_properties(child)) not in apart:
            yield from _rules(child, inner)
