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
        self._taken: dict[tuple[str, object], bool] = {}

    @property
    def effect(self) -> Effect:
        """Allow or Deny."""
        return self.statement.effect

    @cached_property
    def meaning(self) -> CanonicalStatement:
        """What the statement says, whatever its Sid."""
        return canonical_statement(replace(self.statement, sid=""), self._document.effective_version)

    @cached_property
    def words(self) -> frozenset[str]:
        """Its Sid, actions, resources and principals, as they are written."""
        named = (principal.value for principal in self.statement.principals.values)
        return frozenset((self.statement.sid, *self.statement.actions.values, *self.statement.resources.values, *named))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys (lower case) that it asks for, by conditions and by variables."""
        return samples.once(
            (*sorted(self.variables), *(condition.key.lower() for condition in self.statement.conditions))
        )

    def takes_action(self, action: str) -> bool:
        """Whether its Action or NotAction does."""
        return self._takes("actions", Request(action, samples.FRESH_RESOURCE, IDENTITY), action)

    def takes_resource(self, resource: str) -> bool:
        """Whether its Resource or NotResource does, with the first sample for every variable."""
        return self._takes("resources", Request(samples.FRESH_ACTION, resource, IDENTITY, self._filled), resource)

    def takes_caller(self, caller: Caller) -> bool:
        """Whether its Principal or NotPrincipal does."""
        return self._takes("principals", Request(samples.FRESH_ACTION, samples.FRESH_RESOURCE, caller), caller)

    def takes_value(self, key: str, value: Value) -> bool:
        """Whether its conditions on the key do; without one any value will, but a variable needs one."""
        if key not in self.keys:
            return True
        if value == ABSENT and key in self.variables:
            return False
        given = {**self._filled, key: value}
        return self._takes(key, Request(samples.FRESH_ACTION, samples.FRESH_RESOURCE, IDENTITY, given), value)

    def values(self, key: str) -> Iterator[Value]:
        """The options for the key that it takes."""
        return (value for value in self._options[key] if self.takes_value(key, value))

    @cached_property
    def _filled(self) -> Mapping[str, Value]:
        return dict.fromkeys(self.variables, samples.FIRST_VALUE)

    @cached_property
    def _elements(self) -> Mapping[str, PolicyDocument]:
        """Documents with one element of the statement, or its conditions on one key, and all else open."""
        statement = self.statement
        alone = {
            "actions": replace(_ANYTHING, actions=statement.actions),
            "resources": replace(_ANYTHING, resources=statement.resources),
            "principals": replace(_ANYTHING, principals=statement.principals),
        }
        for key in self.keys:
            conditions = tuple(condition for condition in statement.conditions if condition.key.lower() == key)
            alone[key] = replace(_ANYTHING, conditions=conditions)
        return {name: replace(self._document, statements=(element,)) for name, element in alone.items()}

    def _takes(self, element: str, request: Request, sample: object) -> bool:
        taken = self._taken.get((element, sample))
        if taken is None:
            taken = decide(self._elements[element], request).verdict is Verdict.ALLOWED
            self._taken[element, sample] = taken
        return taken
