"""The base of all API types: frozen, strict about unknown fields, camelCase on the wire. Knows pydantic only."""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from ibpe.api.rules import VALIDATIONS, Rule

ACRONYMS = {"dns": "DNS", "id": "ID", "vpc": "vpc"}


def wire_name(name: str) -> str:
    """`principal_org_id` -> `principalOrgID`: Kubernetes API conventions keep acronyms in capitals."""
    first, *rest = name.split("_")
    return first + "".join(ACRONYMS.get(word, word.capitalize()) if word != "ids" else "IDs" for word in rest)


def map_keyed_by(field: str) -> JsonDict:
    """What a list's schema says so that its items merge by this field, which each of them must have."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [field]}


class ApiModel(BaseModel):
    """A part of the resource: immutable, unknown fields refused, fields named as on the wire."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=wire_name, populate_by_name=True, validate_default=True
    )

    rules: ClassVar[tuple[Rule[Any], ...]] = ()
    """What must hold between the fields: Any, because each model's rules take that model."""
    untyped_rules: ClassVar[tuple[Rule[Any], ...]] = ()
    """The same about fields without a type, which a schema's CEL can't see: `api.admission` carries these."""

    @model_validator(mode="after")
    def _keeps_its_rules(self) -> Self:
        for rule in (*self.rules, *self.untyped_rules):
            rule.check(self)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        written = handler.resolve_ref_schema(handler(schema))
        if cls.rules:
            written[VALIDATIONS] = [rule.validation for rule in cls.rules]
        return written
