"""A rule of the API: one sentence with the fix, in CEL for the API server, in Python for specs that come another way.

Knows how a rule is carried by a field or a model; which rules there are stands beside the fields, in `api.spec`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

VALIDATIONS = "x-kubernetes-validations"
BROKEN_RULE = "rule"
"""The type of the pydantic error that a broken rule raises."""

T = TypeVar("T")


@dataclass(frozen=True)
class Rule(Generic[T]):
    """What a value must satisfy. As an annotation it binds a field; in `ApiModel.rules` it binds a whole model.

    `cel` sees the value as `self`. `holds` says the same in Python; None for a rule about the change from an old
    object to a new one, which the API server alone can see.
    """

    message: str
    cel: str
    holds: Callable[[T], bool] | None = None

    @property
    def validation(self) -> dict[str, str]:
        """The rule as an entry of `x-kubernetes-validations`."""
        return {"rule": self.cel, "message": self.message}

    def check(self, value: T) -> T:
        """The value itself; raises PydanticCustomError with the message when the rule is broken."""
        if self.holds is not None and not self.holds(value):
            raise PydanticCustomError(BROKEN_RULE, "{message}", {"message": self.message})
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        written = handler(schema)
        written[VALIDATIONS] = [*written.get(VALIDATIONS, []), self.validation]
        return written


def matches(pattern: str, message: str) -> Rule[str]:
    """A rule in place of a schema `pattern`, whose message would be the regular expression alone.

    The pattern has no anchors, and has to mean the same to RE2 (CEL) and to Python: ASCII classes only.
    """
    compiled = re.compile(pattern, re.ASCII)
    return Rule(message, f"self.matches('^(?:{pattern})$')", lambda value: compiled.fullmatch(value) is not None)
