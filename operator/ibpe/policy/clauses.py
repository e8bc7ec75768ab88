"""A statement by itself: which actions, resources, callers and condition values it takes. Effects don't count here."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Final

from ibpe.policy import samples
from ibpe.policy.access import Caller, Request, Verdict, decide
from ibpe.policy.canonical import CanonicalStatement, canonical_statement
from ibpe.policy.document import ANYONE, ANYTHING, Effect, PolicyDocument, Statement
from ibpe.policy.samples import ABSENT, IDENTITY, Value

Options = Mapping[str, tuple[Value, ...]]
"""By condition key (lower case): the values to choose from."""

_ANYTHING: Final = Statement("Allow", ANYONE, ANYTHING, ANYTHING)


class Clause:
    """One statement of a document, and what it takes of its own samples and of others'."""

    def __init__(self, document: PolicyDocument, statement: Statement, options: Options) -> None:
        self._document = document
        self._options = options
        self.statement = statement
        self.variables = samples.variables(statement)

    @property
    def effect(self) -> Effect:
        """Allow or Deny."""
        return self.statement.effect

    @cached_property
    def meaning(self) -> CanonicalStatement:
        """What the statement says, whatever its Sid."""
        return canonical_statement(replace(self.statement, sid=""), self._document.effective_version)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys (lower case) that it asks for, by conditions and by variables."""
        return samples.once(
            (*sorted(self.variables), *(condition.key.lower() for condition in self.statement.conditions))
        )

    def takes_action(self, action: str) -> bool:
        """Whether its Action or NotAction does."""
        return self._takes(replace(_ANYTHING, actions=self.statement.actions), action=action)

    def takes_resource(self, resource: str) -> bool:
        """Whether its Resource or NotResource does, with the first sample for every variable."""
        return self._takes(replace(_ANYTHING, resources=self.statement.resources), resource=resource)

    def takes_caller(self, caller: Caller) -> bool:
        """Whether its Principal or NotPrincipal does."""
        return self._takes(replace(_ANYTHING, principals=self.statement.principals), caller=caller)

    def takes_value(self, key: str, value: Value) -> bool:
        """Whether its conditions on the key do; without one any value will, but a variable needs one."""
        conditions = tuple(condition for condition in self.statement.conditions if condition.key.lower() == key)
        if not conditions:
            return value != ABSENT or key not in self.variables
        return self._takes(replace(_ANYTHING, conditions=conditions), given={key: value})

    def values(self, key: str) -> Iterator[Value]:
        """The options for the key that it takes."""
        return (value for value in self._options[key] if self.takes_value(key, value))

    def _takes(
        self,
        element: Statement,
        *,
        action: str = samples.FRESH_ACTION,
        resource: str = samples.FRESH_RESOURCE,
        caller: Caller = IDENTITY,
        given: Mapping[str, Value] | None = None,
    ) -> bool:
        context = {**dict.fromkeys(self.variables, samples.FIRST_VALUE), **(given or {})}
        alone = replace(self._document, statements=(element,))
        return decide(alone, Request(action, resource, caller, context)).verdict is Verdict.ALLOWED
