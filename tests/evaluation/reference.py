"""What becomes of a request under an endpoint policy, by IAM's documented evaluation logic alone.

Takes the policy as JSON and shares nothing with the code under test. Two-valued: a key that the call doesn't carry is
absent. Sources: IAM user guide, "Policy evaluation logic", "Principal", "NotPrincipal", "Action", "Resource",
"Condition"; PrivateLink guide, "Control access to VPC endpoints using endpoint policies" (an account as the principal
stands for its root user).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final, Literal

from tests.evaluation.operators import Reading, holds
from tests.evaluation.patterns import Context, UnresolvedVariableError, matches, matches_resource, read

Policy = Mapping[str, Any]  # JSON, which has no narrower type
CallerKind = Literal["Anonymous", "Identity", "Service"]

OLD_VERSION: Final = "2008-10-17"
_ACCOUNT: Final = re.compile(r"(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?")


@dataclass(frozen=True, slots=True)
class Call:
    """A request as plain values: who, what, on what, and the condition keys that go with it."""

    action: str
    resource: str
    kind: CallerKind = "Anonymous"
    name: str = ""
    account: str = ""
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ruling:
    """`Allow` or `Deny` as a statement says; None: no statement speaks of the request, so it is denied."""

    effect: str | None

    @property
    def allowed(self) -> bool:
        return self.effect == "Allow"


class Reference:
    """A policy, and what becomes of calls under it."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.version: str = policy.get("Version", OLD_VERSION)
        self.statements = several(policy["Statement"])
        operators = [operator for each in self.statements for operator, _, _ in conditions(each)]
        self._open = (
            "${" in str(policy),
            any(operator.startswith("ForAnyValue:") and operator.endswith("IfExists") for operator in operators),
            any("NotPrincipal" in each for each in self.statements),
        )

    def readings(self, call: Call) -> tuple[Reading, ...]:
        """The ways in which the documentation lets this policy be read for this call."""
        matters = (*self._open, call.resource.count(":") > 5)
        choices = product(*((True, False) if each else (True,) for each in matters))
        return tuple(Reading(*choice) for choice in choices)

    def rulings(self, call: Call) -> frozenset[Ruling]:
        """What may become of the call: one ruling, or several where the documentation leaves it open."""
        return frozenset(self.rule(call, reading) for reading in self.readings(call))

    def rule(self, call: Call, reading: Reading) -> Ruling:
        """An explicit Deny wins over any Allow, and without an Allow the call is denied."""
        effects = [each["Effect"] for each in self.statements if applies(each, call, self.version, reading)]
        return Ruling("Deny" if "Deny" in effects else "Allow" if "Allow" in effects else None)

    def may_apply(self, index: int, call: Call) -> bool:
        """Whether a statement speaks of the call, in one reading at least."""
        readings = self.readings(call)
        return any(applies(self.statements[index], call, self.version, reading) for reading in readings)


def applies(statement: Policy, call: Call, version: str, reading: Reading) -> bool:
    """Whether the statement speaks of the call: every element of it does."""
    context = {key.lower(): values for key, values in call.context.items()}
    try:
        return (
            _principal_fits(statement, call, reading)
            and _action_fits(statement, call)
            and _resource_fits(statement, call, version, context, reading)
            and _conditions_hold(statement, version, context, reading)
        )
    except UnresolvedVariableError:
        return False


def several(written: object) -> Sequence[Any]:
    """A list, as a list; anything else as the one item of a list (the grammar lets brackets be left out)."""
    return written if isinstance(written, list) else [written]


def conditions(statement: Policy) -> Iterator[tuple[str, str, list[str]]]:
    """(operator, key, values) for each condition; JSON's true, false and numbers are written as text."""
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield operator, key, [_text(value) for value in several(values)]


def _conditions_hold(statement: Policy, version: str, context: Context, reading: Reading) -> bool:
    results = [
        holds(operator, key, values, version, context, reading) for operator, key, values in conditions(statement)
    ]
    return all(results)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _action_fits(statement: Policy, call: Call) -> bool:
    wanted = several(statement.get("Action", statement.get("NotAction")))
    found = any(matches(read(each.lower(), OLD_VERSION, {}), call.action.lower()) for each in wanted)
    return found == ("Action" in statement)


def _resource_fits(statement: Policy, call: Call, version: str, context: Context, reading: Reading) -> bool:
    wanted = several(statement.get("Resource", statement.get("NotResource")))
    found = [_fits_one(each, call.resource, version, context, reading) for each in wanted]
    return any(found) == ("Resource" in statement)


def _fits_one(wanted: str, resource: str, version: str, context: Context, reading: Reading) -> bool:
    try:
        return matches_resource(read(wanted, version, context), resource, six_segments=reading.resource_is_one_segment)
    except UnresolvedVariableError:
        if reading.unresolved_voids_statement:
            raise
        return False


def _principal_fits(statement: Policy, call: Call, reading: Reading) -> bool:
    if "Principal" in statement:
        return _names(statement["Principal"], call, whole_account=False)
    return not _names(statement["NotPrincipal"], call, whole_account=not reading.excluded_account_means_root)


def _names(principals: object, call: Call, *, whole_account: bool) -> bool:
    if not isinstance(principals, dict):
        return principals == "*"
    return any(
        _is(kind, value, call, whole_account=whole_account)
        for kind, values in principals.items()
        for value in several(values)
    )


def _is(kind: str, value: str, call: Call, *, whole_account: bool) -> bool:
    if kind == "AWS" and value == "*":
        return True
    if kind == "Service":
        return call.kind == "Service" and value == call.name
    if kind != "AWS" or call.kind != "Identity":
        return False
    account = _ACCOUNT.fullmatch(value)
    if account is None:
        return value == call.name
    return account[1] == call.account and (whole_account or call.name.endswith(f"::{account[1]}:root"))
