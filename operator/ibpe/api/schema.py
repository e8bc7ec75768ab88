"""From pydantic models to structural schemas, as CustomResourceDefinitions take them. Knows no field of ours.

"Structural" is told in the Kubernetes documentation, "Extend the Kubernetes API with CustomResourceDefinitions".
"""

from collections.abc import Mapping
from typing import Final, cast

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue

LIST_TYPE: Final = "x-kubernetes-list-type"
PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
_DROPPED: Final = frozenset({"title", "additionalProperties", "propertyNames", "uniqueItems", "const", "$ref", "$defs"})
"""Words that a structural schema may not hold, or that are said in another way below."""


class NotStructural(Exception):  # noqa: N818 -- a statement about a model
    """A model that no structural schema can say; str() names the place."""


def structural_schema(model: type[BaseModel], *, defaults: bool) -> JsonSchemaValue:
    """The structural schema of a model by its wire names; with `defaults`, also the defaults outside of lists.

    Raises NotStructural for unions, but for `X | None`, which is a field that may be left out.
    """
    whole = model.model_json_schema(by_alias=True)
    return _Structure(whole.get("$defs", {}), defaults=defaults).of(whole, model.__name__)


class _Structure:
    """One conversion: the definitions that `$ref` names, and whether defaults are wanted here."""

    def __init__(self, definitions: Mapping[str, JsonSchemaValue], *, defaults: bool) -> None:
        self._definitions = definitions
        self._defaults = defaults

    def of(self, written: JsonSchemaValue, place: str) -> JsonSchemaValue:
        node = self._resolved(written, place)
        result = {key: value for key, value in node.items() if key not in _DROPPED | {"default"}}
        if "const" in node:
            result["enum"] = [node["const"]]
        if self._defaults and _is_worth_writing(node.get("default")):
            result["default"] = node["default"]
        if node.get("type") == "object" and not node.get(PRESERVE):
            self._object(node, result, place)
        elif node.get("type") == "array":
            self._array(node, result, place)
        elif "properties" in node:
            result["properties"] = {
                name: {**field, PRESERVE: True} if "type" not in field else field
                for name, field in node["properties"].items()
            }
        elif "type" not in node and not node.get(PRESERVE):
            raise NotStructural(f"{place} has no type")
        return result

    def _object(self, node: JsonSchemaValue, result: JsonSchemaValue, place: str) -> None:
        if "properties" in node:
            result["properties"] = {
                name: self.of(field, f"{place}.{name}") for name, field in node["properties"].items()
            }
        elif isinstance(node.get("additionalProperties"), dict):
            result["additionalProperties"] = self.of(node["additionalProperties"], f"{place}[*]")
        else:
            raise NotStructural(f"{place} is an object of unknown fields")

    def _array(self, node: JsonSchemaValue, result: JsonSchemaValue, place: str) -> None:
        outer, self._defaults = self._defaults, False  # a default inside a list would rewrite what users wrote
        result["items"] = self.of(node["items"], f"{place}[]")
        self._defaults = outer
        result.setdefault(LIST_TYPE, "set" if node.get("uniqueItems") else "atomic")

    def _resolved(self, written: JsonSchemaValue, place: str) -> JsonSchemaValue:
        """A node without `$ref` and `X | None`; what stands beside a reference (the field's own words) wins."""
        node = written
        if "anyOf" in node:
            alternatives = [entry for entry in node["anyOf"] if entry.get("type") != "null"]
            if len(alternatives) != 1:
                raise NotStructural(f"{place} may be one of several things")
            node = {**alternatives[0], **{key: value for key, value in node.items() if key != "anyOf"}}
        if "$ref" in node:
            target = self._definitions[cast("str", node["$ref"]).rpartition("/")[2]]
            node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
        return node


def _is_worth_writing(default: object) -> bool:
    """None and empty containers say nothing that an absent field does not say."""
    return default is not None and default not in ([], {})
