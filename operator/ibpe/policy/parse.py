"""From JSON text or plain values to a policy document, or one sentence that says where it is wrong and the fix.

Refuses what AWS refuses; whether a valid policy is wise is not judged here.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, get_args

from ibpe.policy.document import (
    Condition,
    Effect,
    Match,
    PolicyDocument,
    PolicyError,
    Principal,
    PrincipalKind,
    Statement,
    Version,
)
from ibpe.policy.operators import OPERATORS, is_operator
from ibpe.policy.values import (
    Values,
    is_list,
    nearest,
    object_of,
    quoted,
    refuse_unknown,
    scalars_of,
    strings_of,
    text_of,
)

_DOCUMENT_ELEMENTS: Final = ("Version", "Id", "Statement")
_STATEMENT_ELEMENTS: Final = (
    *("Sid", "Effect", "Principal", "NotPrincipal"),
    *("Action", "NotAction", "Resource", "NotResource", "Condition"),
)
_EFFECTS: Final[tuple[Effect, ...]] = get_args(Effect)
_VERSIONS: Final[tuple[Version, ...]] = get_args(Version)
_PRINCIPAL_KINDS: Final[tuple[PrincipalKind, ...]] = get_args(PrincipalKind)
BYTE_ORDER_MARK: Final = "\ufeff"
_ACTION: Final = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?_-]+", re.ASCII)


def parse(source: str | Mapping[str, object]) -> PolicyDocument:
    """A policy from JSON text, or from the plain values of a JSON or YAML file.

    Raises PolicyError with the first thing that is wrong: text by line and column, structure by path
    (`Statement[1].Action`).
    """
    if isinstance(source, str):
        return _document(load(source))
    return _document(source)


def parse_statements(sources: Sequence[object], path: str) -> tuple[Statement, ...]:
    """Statements on their own, such as a preset's additional ones; errors carry `path[index]`. May be empty.

    Raises PolicyError as `parse` does.
    """
    statements = tuple(_statement(source, f"{path}[{index}]") for index, source in enumerate(sources))
    _refuse_repeated_sids(statements, path)
    return statements


def _refuse_repeated_sids(statements: Sequence[Statement], path: str) -> None:
    """Raise PolicyError when two statements carry the same Sid; empty Sids don't count."""
    seen: set[str] = set()
    for index, statement in enumerate(statements):
        if statement.sid in seen:
            raise PolicyError(
                f"{path}[{index}].Sid",
                f"{quoted(statement.sid)} is already the Sid of another statement",
                "give each statement a Sid of its own, or none",
            )
        if statement.sid:
            seen.add(statement.sid)


def load(text: str) -> object:
    """The values of JSON text, numbers exact; a byte order mark before it is passed over.

    Raises PolicyError for what isn't JSON, and for a repeated key.
    """
    try:
        loaded: object = json.loads(
            text.removeprefix(BYTE_ORDER_MARK),
            object_pairs_hook=_without_repeated_keys,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise PolicyError(
            f"line {error.lineno} column {error.colno}",
            f"not JSON: {error.msg}",
            "write the policy as one JSON object",
        ) from error
    except PolicyError:
        raise
    except ValueError as error:  # Python reads no number of more than 4,300 digits
        raise PolicyError("policy", "it holds a number that is too long", "write it as a string") from error
    except RecursionError as error:
        raise PolicyError(
            "policy", "nested too deeply to be a policy", "write the policy as one JSON object"
        ) from error
    return loaded


def _without_repeated_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise PolicyError("policy", f"the key {quoted(repeated)} stands twice in one object", "keep one of them")
    return result


def _refuse_constant(name: str) -> object:
    raise PolicyError("policy", f"{name} is not JSON", "write a number or a string")


def _document(source: object) -> PolicyDocument:
    values = object_of(source, "policy", "write an object with Version and Statement")
    refuse_unknown(values, _DOCUMENT_ELEMENTS, "policy")
    if "Statement" not in values:
        raise PolicyError("policy", "it has no Statement", 'add "Statement": [{"Effect": …, "Principal": …, …}]')
    statements = tuple(_statement(item, path) for path, item in _statement_items(values["Statement"]))
    _refuse_repeated_sids(statements, "Statement")
    return PolicyDocument(statements, _version(values), text_of(values, "Id", "Id"))


def _statement_items(source: object) -> Iterator[tuple[str, object]]:
    if not is_list(source):
        yield "Statement", source
        return
    if not source:
        raise PolicyError("Statement", "it is empty", "add a statement; a policy without one allows nothing")
    for index, item in enumerate(source):
        yield f"Statement[{index}]", item


def _version(values: Values) -> Version | None:
    if "Version" not in values:
        return None
    written = values["Version"]
    if type(written) is date:  # YAML reads an unquoted 2012-10-17 as a date
        written = written.isoformat()
    for version in _VERSIONS:
        if written == version:
            return version
    raise PolicyError("Version", f"{quoted(written)} is not a policy version", f'write "{_VERSIONS[-1]}"')


def _statement(source: object, path: str) -> Statement:
    values = object_of(source, path, "write an object with Effect, Principal, Action and Resource")
    refuse_unknown(values, _STATEMENT_ELEMENTS, path)
    return Statement(
        sid=text_of(values, "Sid", f"{path}.Sid"),
        effect=_effect(values, path),
        principals=_principals(values, path),
        actions=_actions(values, path),
        resources=_resources(values, path),
        conditions=_conditions(values, path),
    )


def _effect(values: Values, path: str) -> Effect:
    if "Effect" not in values:
        raise PolicyError(path, "it has no Effect", 'add "Effect": "Allow" or "Deny"')
    for effect in _EFFECTS:
        if values["Effect"] == effect:
            return effect
    raise PolicyError(f"{path}.Effect", f"{quoted(values['Effect'])} is not an effect", 'write "Allow" or "Deny"')


def _principals(values: Values, path: str) -> Match[Principal]:
    fix = 'add "Principal": "*" (an endpoint policy needs one; narrow it with a Condition)'
    name = _one_of(values, "Principal", "NotPrincipal", path, fix)
    path = f"{path}.{name}"
    source = values[name]
    if source == "*":
        return Match((Principal("AWS", "*"),), excluded=name == "NotPrincipal")
    kinds = object_of(source, path, f'write "*" or {{"AWS": {quoted(source if isinstance(source, str) else "arn:…")}}}')
    if not kinds:
        raise PolicyError(path, "it names nobody", 'write "*" or {"AWS": "arn:…"}')
    refuse_unknown(kinds, _PRINCIPAL_KINDS, path)
    principals = tuple(
        Principal(kind, value)
        for kind in _PRINCIPAL_KINDS
        if kind in kinds
        for value in strings_of(kinds[kind], f"{path}.{kind}")
    )
    return Match(principals, excluded=name == "NotPrincipal")


def _actions(values: Values, path: str) -> Match[str]:
    name = _one_of(values, "Action", "NotAction", path, 'add "Action", such as "imagebuilder:*"')
    actions = strings_of(values[name], f"{path}.{name}")
    for action in actions:
        _refuse_bad_action(action, f"{path}.{name}")
    return Match(actions, excluded=name == "NotAction")


def _refuse_bad_action(action: str, path: str) -> None:
    if action == "*" or _ACTION.fullmatch(action):
        return
    tight = "".join(action.split())
    if tight != action:
        fix = f"write {quoted(tight)}" if tight == "*" or _ACTION.fullmatch(tight) else "write it as service:Action"
        raise PolicyError(path, f"there is a space in {quoted(action)}", fix)
    if ":" not in action:
        raise PolicyError(path, f"{quoted(action)} names no service", 'write "service:Action", or "*" for all')
    raise PolicyError(
        path, f"{quoted(action)} is not an action", 'write "service:Action", with * and ? after the colon only'
    )


def _resources(values: Values, path: str) -> Match[str]:
    name = _one_of(values, "Resource", "NotResource", path, 'add "Resource": "*" or ARNs')
    resources = strings_of(values[name], f"{path}.{name}")
    for resource in resources:
        if resource != "*" and not resource.startswith("arn:"):
            raise PolicyError(f"{path}.{name}", f"{quoted(resource)} is not an ARN", 'write "arn:…", or "*" for all')
    return Match(resources, excluded=name == "NotResource")


def _conditions(values: Values, path: str) -> tuple[Condition, ...]:
    if "Condition" not in values:
        return ()
    path = f"{path}.Condition"
    shape = 'write {"StringEquals": {"aws:PrincipalOrgID": "o-…"}}'
    blocks = object_of(values["Condition"], path, shape)
    return tuple(
        Condition(operator, key, scalars_of(written, f"{path}.{operator}.{key}"))
        for operator, block in blocks.items()
        for key, written in _condition_block(operator, block, path, shape).items()
    )


def _condition_block(operator: str, block: object, path: str, shape: str) -> Values:
    if not is_operator(operator):
        raise PolicyError(path, f"{quoted(operator)} is not a condition operator", nearest(operator, OPERATORS))
    return object_of(block, f"{path}.{operator}", shape)


def _one_of(values: Values, name: str, opposite: str, path: str, fix: str) -> str:
    if name in values and opposite in values:
        raise PolicyError(path, f"it has both {name} and {opposite}", "keep one of them")
    if name in values:
        return name
    if opposite in values:
        return opposite
    raise PolicyError(path, f"it has neither {name} nor {opposite}", fix)
