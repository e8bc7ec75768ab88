"""An IAM policy document as frozen values, and its rendering. Knows the grammar's parts; not what they mean to AWS."""

import json
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

Effect = Literal["Allow", "Deny"]
PrincipalKind = Literal["AWS", "Service", "Federated", "CanonicalUser"]
Version = Literal["2008-10-17", "2012-10-17"]

DEFAULT_VERSION: Final[Version] = "2008-10-17"
"""What a document without a Version counts as (IAM user guide, "IAM JSON policy elements: Version")."""
CURRENT_VERSION: Final[Version] = "2012-10-17"

SIZE_LIMIT: Final = 20_480
"""Characters in an endpoint policy, white space included; not adjustable (VPC user guide, "AWS PrivateLink quotas")."""

T = TypeVar("T")


class PolicyError(ValueError):
    """A policy that can't be used: where (`Statement[1].Action`, `line 3 column 9`), what is wrong, what to do."""

    def __init__(self, path: str, problem: str, fix: str) -> None:
        super().__init__(path, problem, fix)
        self.path = path
        self.problem = problem
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; {self.fix}"


@dataclass(frozen=True, slots=True)
class Principal:
    """One principal, as `{"AWS": "arn:…"}` writes it; `"*"` alone is `{"AWS": "*"}` (IAM, "Principal")."""

    kind: PrincipalKind
    value: str


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """What a statement's element matches: any of these values, or with `excluded` (NotAction, …) all but these."""

    values: tuple[T, ...]
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; all of a statement's conditions must hold. `values` are alternatives, written as text."""

    operator: str
    key: str
    values: tuple[str, ...]


ANYONE: Final = Match((Principal("AWS", "*"),))
ANYTHING: Final = Match(("*",))


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. An absent Sid is the empty one."""

    effect: Effect
    principals: Match[Principal]
    actions: Match[str]
    resources: Match[str]
    conditions: tuple[Condition, ...] = ()
    sid: str = ""

    @property
    def uses_variables(self) -> bool:
        """Whether `${…}` stands where IAM fills it in: in resources and condition values (IAM, "Policy variables")."""
        return any("${" in value for value in self.resources.values) or any(
            "${" in value for condition in self.conditions for value in condition.values
        )


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A whole policy. `version` None is a document that was written without one."""

    statements: tuple[Statement, ...]
    version: Version | None = CURRENT_VERSION
    id: str = ""

    @property
    def effective_version(self) -> Version:
        """The version that AWS evaluates the document by."""
        return self.version or DEFAULT_VERSION

    @property
    def uses_variables(self) -> bool:
        """Whether the Version matters: only then is `${…}` a variable in one version and plain text in the other."""
        return any(statement.uses_variables for statement in self.statements)


def plain(document: PolicyDocument) -> dict[str, object]:
    """The document as plain JSON or YAML values: elements in the usual order, values in the order they were written."""
    written: dict[str, object] = {}
    if document.version is not None:
        written["Version"] = document.version
    if document.id:
        written["Id"] = document.id
    written["Statement"] = [_plain_statement(statement) for statement in document.statements]
    return written


def render(document: PolicyDocument) -> str:
    """The document as minified JSON in ASCII: what is sent to AWS, and what the size limit counts."""
    return json.dumps(plain(document), separators=(",", ":"))


def size(document: PolicyDocument) -> int:
    """Characters of the rendered document; at most `SIZE_LIMIT` fit an endpoint."""
    return len(render(document))


def _plain_statement(statement: Statement) -> dict[str, object]:
    written: dict[str, object] = {}
    if statement.sid:
        written["Sid"] = statement.sid
    written["Effect"] = statement.effect
    written[_element("Principal", statement.principals)] = _plain_principals(statement.principals)
    written[_element("Action", statement.actions)] = _scalar_or_list(statement.actions.values)
    written[_element("Resource", statement.resources)] = _scalar_or_list(statement.resources.values)
    if statement.conditions:
        written["Condition"] = _plain_conditions(statement.conditions)
    return written


def _element(name: str, match: Match[T]) -> str:
    return f"Not{name}" if match.excluded else name


def _plain_principals(principals: Match[Principal]) -> object:
    if principals.values == ANYONE.values:
        return "*"
    kinds = dict.fromkeys(principal.kind for principal in principals.values)
    return {
        kind: _scalar_or_list(tuple(principal.value for principal in principals.values if principal.kind == kind))
        for kind in kinds
    }


def _plain_conditions(conditions: tuple[Condition, ...]) -> dict[str, dict[str, object]]:
    blocks: dict[str, dict[str, object]] = {}
    for condition in conditions:
        blocks.setdefault(condition.operator, {})[condition.key] = _scalar_or_list(condition.values)
    return blocks


def _scalar_or_list(values: tuple[str, ...]) -> object:
    return values[0] if len(values) == 1 else list(values)
