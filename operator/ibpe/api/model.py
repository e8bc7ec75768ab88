"""The base of all API types: frozen, strict about unknown fields, camelCase on the wire. Knows pydantic only."""

from pydantic import BaseModel, ConfigDict

ACRONYMS = {"dns": "DNS", "id": "ID", "vpc": "vpc"}


def wire_name(name: str) -> str:
    """`principal_org_id` -> `principalOrgID`: Kubernetes API conventions keep acronyms in capitals."""
    first, *rest = name.split("_")
    return first + "".join(ACRONYMS.get(word, word.capitalize()) if word != "ids" else "IDs" for word in rest)


class ApiModel(BaseModel):
    """A part of the resource: immutable, unknown fields refused, fields named as on the wire."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=wire_name, populate_by_name=True, validate_default=True
    )
