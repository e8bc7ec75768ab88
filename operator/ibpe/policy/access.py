"""Would this document allow this request? IAM's evaluation of an endpoint policy. Knows no AWS service and no spec.

Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements"; PrivateLink guide, "Control access to
VPC endpoints using endpoint policies". What is not known of a request makes a statement one that may apply.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

from ibpe.policy.conditions import holds
from ibpe.policy.document import CURRENT_VERSION, Condition, Effect, Match, PolicyDocument, Statement
from ibpe.policy.facts import Facts, Template, Variable
from ibpe.policy.phrases import condition_words
from ibpe.policy.principals import ANONYMOUS, Caller, CallerKind, names
from ibpe.policy.truth import Truth, all_of, any_of, negation
from ibpe.policy.wildcards import SEGMENTS, arn_parts, arn_pattern, pattern, segments, text_pattern

__all__ = ["ANONYMOUS", "Caller", "CallerKind", "Decision", "Request", "Verdict", "decide"]

OpenElement = Literal["Principal", "NotPrincipal", "Resource", "NotResource"]

NO_RESOURCE: Final = "*"
"""What an action without a resource type is asked on; only Resource `*` matches it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call through the endpoint, as IAM sees it."""

    action: str
    """`service:Action`."""
    resource: str
    """An ARN; `*` for an action without a resource type."""
    caller: Caller
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Condition keys (lower case) and their values. A key that is neither here nor unknown is absent."""
    unknown: frozenset[str] = frozenset()
    """Keys (lower case) that the request may carry with any value, or not; one that ends in `*` stands for all that
    begin so. A key that is in `context` too is known."""


class Verdict(StrEnum):
    """What becomes of a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    DEPENDS = "depends"
    """On values of the request that aren't known here."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and what it rests on."""

    verdict: Verdict
    statement: Statement | None = None
    """The statement that allows or denies, or may; None: no statement allows it (an implicit deny)."""
    provided: tuple[Condition, ...] = ()
    """DEPENDS: the conditions (of `statement`) on which it depends."""
    index: int | None = None
    """Where in the document `statement` stands, from 0."""
    fitting: tuple[OpenElement, ...] = ()
    """DEPENDS: the elements (of `statement`) on which it depends besides: who calls, a variable's value."""

    def __str__(self) -> str:
        """`denied by statement "X"`, `no statement allows it`, `allowed by Statement[2]`, `allowed by "Y" if …`."""
        if self.statement is None:
            return "no statement allows it"
        verb = "allowed" if self.statement.effect == "Allow" else "denied"
        words = f"{verb} by {self._named(self.statement)}"
        if self.verdict is not Verdict.DEPENDS:
            return words
        return f"{words} if {' and '.join((*map(_fitting_words, self.fitting), *map(condition_words, self.provided)))}"

    def _named(self, statement: Statement) -> str:
        if statement.sid:
            return f'statement "{statement.sid}"'
        return "a statement" if self.index is None else f"Statement[{self.index}]"


def decide(document: PolicyDocument, request: Request) -> Decision:
    """Whether the document lets the request through: an explicit Deny wins, then an Allow, else it is denied.

    DEPENDS rests on the Deny that may apply, where there is one, and else on the Allow that may. Each statement is
    weighed by itself: that one unknown value can't be two things at once is not made use of, so ALLOWED and DENIED are
    sure, and DEPENDS may be either. Raises PolicyError for an operator that AWS doesn't know.
    """
    facts = Facts.of(request.context, request.unknown, fills_variables=document.effective_version == CURRENT_VERSION)
    action = request.action.lower()
    found: dict[tuple[Effect, Truth], int] = {}
    for index, statement in enumerate(document.statements):
        truth = _applies(statement, action, request, facts)
        if truth is not False:
            found.setdefault((statement.effect, truth), index)

    def because(index: int, verdict: Verdict) -> Decision:
        statement = document.statements[index]
        if verdict is not Verdict.DEPENDS:
            return Decision(verdict, statement, index=index)
        provided = tuple(condition for condition in statement.conditions if holds(condition, facts) is None)
        return Decision(verdict, statement, provided, index, tuple(_open_elements(statement, request, facts)))

    if ("Deny", True) in found:
        return because(found["Deny", True], Verdict.DENIED)
    if ("Allow", True) not in found and ("Allow", None) not in found:
        return Decision(Verdict.DENIED)
    if ("Deny", None) in found:
        return because(found["Deny", None], Verdict.DEPENDS)
    if ("Allow", True) in found:
        return because(found["Allow", True], Verdict.ALLOWED)
    return because(found["Allow", None], Verdict.DEPENDS)


def _applies(statement: Statement, action: str, request: Request, facts: Facts) -> Truth:
    """Whether every element of the statement fits; `action` is the request's, in lower case."""
    if not _takes_action(statement.actions, action):
        return False
    resource = _takes_resource(statement.resources, request.resource, facts)
    if resource is False:
        return False
    fits = all_of((resource, names(statement.principals, request.caller)))
    if fits is False:
        return False
    return all_of((fits, *(holds(condition, facts) for condition in statement.conditions)))


def _open_elements(statement: Statement, request: Request, facts: Facts) -> Iterator[OpenElement]:
    if names(statement.principals, request.caller) is None:
        yield "NotPrincipal" if statement.principals.excluded else "Principal"
    if _takes_resource(statement.resources, request.resource, facts) is None:
        yield "NotResource" if statement.resources.excluded else "Resource"


def _fitting_words(element: OpenElement) -> str:
    match element:
        case "Principal":
            return "its Principal names the caller"
        case "NotPrincipal":
            return "its NotPrincipal does not name the caller"
        case _:
            return f"the values of its variables make {element} fit"


def _takes_action(actions: Match[str], action: str) -> bool:
    """Letter case doesn't count; `action` is in lower case (IAM, "IAM JSON policy elements: Action")."""
    named = any(
        written == "*" or text_pattern(written.lower()).regex.fullmatch(action) is not None
        for written in actions.values
    )
    return named is not actions.excluded


def _takes_resource(resources: Match[str], resource: str, facts: Facts) -> Truth:
    named = any_of(_is_resource(written, resource, facts) for written in resources.values)
    return negation(named) if resources.excluded else named


def _is_resource(written: str, resource: str, facts: Facts) -> Truth:
    """Letter case counts. Variables have a place in an ARN's last segment alone (IAM, "Policy variables")."""
    if written == "*":
        return True
    if resource == NO_RESOURCE:
        return written.strip("*") == ""
    if not facts.fills_variables or "${" not in written:
        return arn_pattern(written).matches(resource)
    template = facts.template(written, wildcards=True)
    if _has_variable_too_early(template):
        return False
    parts = facts.filled(template)
    return parts is not None and pattern(arn_parts(parts, across=True)).matches(resource)


def _has_variable_too_early(template: Template) -> bool:
    for position, part in enumerate(template):
        if isinstance(part, Variable):
            before = tuple(p for p in template[:position] if not isinstance(p, Variable))
            return segments(before) < SEGMENTS
    return False
