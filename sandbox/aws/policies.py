"""Endpoint policies as EC2 takes and gives them: what it refuses, and how it rewrites what it took."""

import json
import re
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from sandbox.aws.errors import AwsFault, policy_not_valid

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Format = Literal["pretty", "verbatim", "harsh"]

_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_RESOURCE = re.compile(r"\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:.+")
_ALLOW_ALL: Final[dict[str, Json]] = {"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}
_STATEMENT_KEYS: Final = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)


def _print(document: Json) -> str:
    return json.dumps(document, indent=2, separators=(", ", ": "), ensure_ascii=False)


INTERFACE_DEFAULT: Final = _print({"Statement": [_ALLOW_ALL]})
GATEWAY_DEFAULT: Final = _print({"Version": "2008-10-17", "Statement": [_ALLOW_ALL]})


def check_policy(text: str, most_characters: int) -> None:
    """Raise EC2's fault for a policy that it would not take: too long, not JSON, a part missing or of a wrong form.

    AWS's own position for a structural error is not documented; here it is the end of the document, as for a parser
    that has read all of it.
    """
    if len(text) > most_characters:
        raise AwsFault(
            "InvalidPolicyDocument", f"The Policy Document is not valid. It exceeds {most_characters} characters"
        )
    try:
        document: Json = json.loads(text)
    except json.JSONDecodeError as error:
        raise policy_not_valid(error.lineno, error.colno) from None
    lines = text.splitlines() or [""]
    if not _is_policy(document):
        raise policy_not_valid(len(lines), len(lines[-1]))


def _is_policy(document: Json) -> bool:
    if not isinstance(document, dict) or set(document) - {"Version", "Id", "Statement"}:
        return False
    if document.get("Version", "2012-10-17") not in {"2012-10-17", "2008-10-17"}:
        return False
    statements = _listed(document.get("Statement"))
    return bool(statements) and all(_is_statement(statement) for statement in statements)


def _is_statement(statement: Json) -> bool:
    if not isinstance(statement, dict) or set(statement) - _STATEMENT_KEYS:
        return False
    for one, other in (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")):
        if (one in statement) == (other in statement):
            return False
    return (
        statement.get("Effect") in {"Allow", "Deny"}
        and _all_match(_ACTION, statement.get("Action", statement.get("NotAction")))
        and _all_match(_RESOURCE, statement.get("Resource", statement.get("NotResource")))
        and _is_principal(statement.get("Principal", statement.get("NotPrincipal")))
        and _is_condition(statement.get("Condition", {}))
    )


def _all_match(pattern: re.Pattern[str], value: Json) -> bool:
    values = _listed(value)
    return bool(values) and all(isinstance(item, str) and pattern.fullmatch(item) for item in values)


def _is_principal(value: Json) -> bool:
    if isinstance(value, str):
        return value == "*"
    kinds = {"AWS", "Service", "Federated", "CanonicalUser"}
    return isinstance(value, dict) and bool(value) and set(value) <= kinds and all(map(_listed, value.values()))


def _is_condition(value: Json) -> bool:
    return isinstance(value, dict) and all(isinstance(keys, dict) and keys for keys in value.values())


def _listed(value: Json) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


@lru_cache(maxsize=4096)
def read_back(text: str, form: Format) -> str:
    """The policy as Describe shows it: semantically what was sent, in another dress."""
    if form == "verbatim":
        return text
    document: Json = json.loads(text)
    return _print(_harsh(document) if form == "harsh" else document)


def _harsh(document: Json) -> Json:
    if not isinstance(document, dict):
        return document
    statements = [_harsh_statement(statement) for statement in _listed(document.get("Statement"))]
    rewritten: dict[str, Json] = {**document, "Statement": statements[0] if len(statements) == 1 else statements}
    return dict(sorted(rewritten.items()))


def _harsh_statement(statement: Json) -> Json:
    if not isinstance(statement, dict):
        return statement
    rewritten: dict[str, Json] = {"Sid": "", **{key: _sorted(value) for key, value in statement.items()}}
    principal = rewritten.get("Principal")
    if principal == "*":
        rewritten["Principal"] = {"AWS": "*"}
    elif principal == {"AWS": "*"}:
        rewritten["Principal"] = "*"
    return dict(sorted(rewritten.items()))


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return value[0] if len(value) == 1 else sorted(value, key=str)
    return value
