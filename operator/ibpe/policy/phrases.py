"""Statements in plain words, element by element. Knows IAM's grammar, not why a statement is there."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ibpe.policy.document import ANYONE, Condition, Match, Principal, Statement

_SERVICES: Final = {"imagebuilder": "Image Builder", "s3": "S3"}
_OWNERS: Final = {"aws": "that AWS owns", "aws-marketplace": "of AWS Marketplace", "third-party": "of a third party"}
_OBJECTS: Final = re.compile(r"arn:[a-z-]+:s3:::(?P<bucket>[^/*?$]+)/(?P<folder>([^*?$]*/)?)\*")
_BUCKET: Final = re.compile(r"arn:[a-z-]+:s3:::(?P<bucket>[^/*?$]+)")
_OF_AWS: Final = re.compile(
    r"arn:[a-z-]+:imagebuilder:[a-z0-9-]+:(?P<owner>aws|aws-marketplace|third-party):(?P<kind>[a-z]+)/\*"
)
_ACCOUNT: Final = re.compile(r"(arn:aws[a-z-]*:iam::)?(?P<account>[0-9]{12})(:root)?")
_CALLER_KEYS: Final = ("aws:principal", "aws:userid", "aws:username")


class _Relation(NamedTuple):
    """How an operator's base reads: of one or several values."""

    words: str
    negated: bool = False


_RELATIONS: Final[Mapping[str, _Relation]] = {
    "stringequals": _Relation("is"),
    "stringnotequals": _Relation("is not", negated=True),
    "stringequalsignorecase": _Relation("is, in any letter case,"),
    "stringnotequalsignorecase": _Relation("is not, in any letter case,", negated=True),
    "stringlike": _Relation("is like"),
    "stringnotlike": _Relation("is not like", negated=True),
    "bool": _Relation("is"),
    "binaryequals": _Relation("is"),
    "ipaddress": _Relation("is in"),
    "notipaddress": _Relation("is not in", negated=True),
    "arnequals": _Relation("is like"),
    "arnlike": _Relation("is like"),
    "arnnotequals": _Relation("is not like", negated=True),
    "arnnotlike": _Relation("is not like", negated=True),
    "numericequals": _Relation("is"),
    "numericnotequals": _Relation("is not", negated=True),
    "numericlessthan": _Relation("is less than"),
    "numericlessthanequals": _Relation("is at most"),
    "numericgreaterthan": _Relation("is more than"),
    "numericgreaterthanequals": _Relation("is at least"),
    "dateequals": _Relation("is"),
    "datenotequals": _Relation("is not", negated=True),
    "datelessthan": _Relation("is before"),
    "datelessthanequals": _Relation("is not after"),
    "dategreaterthan": _Relation("is after"),
    "dategreaterthanequals": _Relation("is not before"),
}


def in_words(statement: Statement) -> str:
    """What a statement does, as a sentence without its full stop."""
    who, may = _who(statement)
    word = "and" if statement.effect == "Allow" else "or"
    actions, resources = _actions(statement.actions, word), _resources(statement.resources, word)
    conditions = " and ".join(map(condition_words, statement.conditions))
    return f"{who} {may} {actions} on {resources}{f', where {conditions}' if conditions else ''}"


def condition_words(condition: Condition) -> str:
    """`aws:PrincipalOrgID is o-…`; says where the condition also holds without the key (IAM, "Condition operators")."""
    prefix, _, rest = condition.operator.rpartition(":")
    suffixed = rest.lower().endswith("ifexists")
    base = rest.lower().removesuffix("ifexists")
    if base == "null":
        absent = [value.lower() == "true" for value in condition.values]
        return f"{condition.key} is {' or '.join('absent' if each else 'present' for each in absent)}"
    relation = _RELATIONS[base]
    values = _list(condition.values, "nor" if relation.negated else "or") or "anything in an empty list"
    match prefix.lower():
        case "foranyvalue":
            return f"any value of {condition.key} {relation.words} {values}{' (or it is absent)' if suffixed else ''}"
        case "forallvalues":
            return f"every value of {condition.key} {relation.words} {values} (or it is absent)"
    absent_too = suffixed or relation.negated
    return f"{condition.key} {relation.words} {values}{' (or is absent)' if absent_too else ''}"


def _who(statement: Statement) -> tuple[str, str]:
    allows = statement.effect == "Allow"
    principals = statement.principals
    named = _list([_principal(principal) for principal in principals.values], "and")
    if principals.values == ANYONE.values and not principals.excluded:
        if not allows:
            return "Nobody", "may"
        of_callers = any(condition.key.lower().startswith(_CALLER_KEYS) for condition in statement.conditions)
        return ("Anybody" if of_callers else "Anybody, even without credentials,"), "may"
    if principals.excluded:
        return f"{'Anybody' if allows else 'Nobody'} but {named}", "may"
    return f"The{named[3:]}" if named.startswith("the ") else named, "may" if allows else "may not"


def _principal(principal: Principal) -> str:
    if principal.kind == "Service":
        return f"the service {principal.value}"
    if principal.kind != "AWS":
        return f"{principal.value} ({principal.kind})"
    account = _ACCOUNT.fullmatch(principal.value)
    # An endpoint policy grants an account's root user alone by it (PrivateLink guide, "Control access to VPC
    # endpoints using endpoint policies").
    return f"the root user of account {account['account']}" if account else principal.value.replace("*", "anybody")


def _actions(actions: Match[str], word: str) -> str:
    if actions.values == ("*",) and not actions.excluded:
        return "make any call"
    if actions.excluded:
        return f"make any call but {_list(actions.values, 'and')}"
    whole = [_SERVICES.get(action.removesuffix(":*").lower(), "") for action in actions.values]
    if all(whole):
        return f"make any call of {_list(whole, word)}"
    return f"call {_list(actions.values, word)}"


def _resources(resources: Match[str], word: str) -> str:
    named = _list([_resource(arn) for arn in resources.values], "and" if resources.excluded else word)
    return f"anything but {named}" if resources.excluded else named


def _resource(arn: str) -> str:
    if arn == "*":
        return "anything"
    if found := _OBJECTS.fullmatch(arn):
        folder = f" under {found['folder']}" if found["folder"] else ""
        return f"every object{folder} of bucket {found['bucket']}"
    if found := _BUCKET.fullmatch(arn):
        return f"the bucket {found['bucket']} itself"
    if found := _OF_AWS.fullmatch(arn):
        return f"every {found['kind']} {_OWNERS[found['owner']]}"
    return arn


def _list(values: Sequence[str], word: str) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = values or ("",)
    return f"{', '.join(most)} {word} {last}" if most else last
