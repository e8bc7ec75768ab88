"""Generated policies in their written form, the rewritings that keep their meaning, and single changes that don't.

Written from the IAM user guide's grammar; shares nothing with the code under test.
"""

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Written = dict[str, Any]  # JSON, which has no narrower type
Draw = st.DrawFn

ACTIONS = ("*", "s3:GetObject", "s3:Get*", "s3:ListBucket", "imagebuilder:*", "imagebuilder:GetComponent", "ec2:*")
RESOURCES = ("*", "arn:aws:s3:::a/*", "arn:aws:s3:::b/*", "arn:aws:s3:::B/*", "arn:aws:s3:::a/${aws:username}/*")
ACCOUNTS = ("123456789012", "210987654321", "arn:aws:iam::123456789012:role/build", "AIDAEXAMPLE")
SERVICES = ("ec2.amazonaws.com", "s3.amazonaws.com")
VALUES = {
    "StringEquals": ("o-a", "o-A", "${aws:username}", "5"),
    "StringLikeIfExists": ("a*", "b*"),
    "ForAnyValue:StringEquals": ("x", "y"),
    "Bool": ("true", "false"),
    "NumericLessThan": ("5", "17", "0"),
    "IpAddress": ("10.0.0.0/8", "192.0.2.7/32"),
    "ArnLike": ("arn:aws:iam::*:role/a", "arn:aws:iam::*:role/B"),
}
KEYS = ("aws:PrincipalOrgID", "aws:ResourceOrgID", "aws:SourceVpc")


def some_of(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


@st.composite
def principals(draw: Draw) -> object:
    if draw(st.booleans()):
        return "*"
    written: Written = {"AWS": draw(some_of(ACCOUNTS))}
    if draw(st.booleans()):
        written["Service"] = draw(some_of(SERVICES))
    return written


@st.composite
def conditions(draw: Draw) -> Written:
    operators = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=2, unique=True))
    return {
        operator: {
            key: draw(some_of(VALUES[operator]))
            for key in draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique=True))
        }
        for operator in operators
    }


@st.composite
def statements(draw: Draw, sid: str) -> Written:
    def maybe_not(element: str) -> str:
        return draw(st.sampled_from((element, element, f"Not{element}")))

    written: Written = {
        "Effect": draw(st.sampled_from(("Allow", "Deny"))),
        maybe_not("Principal"): draw(principals()),
        maybe_not("Action"): draw(some_of(ACTIONS)),
        maybe_not("Resource"): draw(some_of(RESOURCES)),
    }
    if sid:
        written["Sid"] = sid
    if draw(st.booleans()):
        written["Condition"] = draw(conditions())
    return written


@st.composite
def documents(draw: Draw) -> Written:
    """Every list is written as a list; at most one statement has no Sid, so no two say the same."""
    sids = draw(st.lists(st.sampled_from(("", "A", "B", "C")), min_size=1, max_size=3, unique=True))
    written: Written = {"Statement": [draw(statements(sid)) for sid in sids]}
    version = draw(st.sampled_from(("2012-10-17", "2008-10-17", None)))
    if version:
        written["Version"] = version
    return written


def key_of(statement: Written, element: str) -> str:
    return element if element in statement else f"Not{element}"


# What AWS is known to do to a policy, and what people do when they write the same one again.


def reordered(draw: Draw, written: object) -> object:
    if isinstance(written, dict):
        return {key: reordered(draw, value) for key, value in draw(st.permutations(sorted(written.items())))}
    if isinstance(written, list):
        return [reordered(draw, value) for value in draw(st.permutations(written))]
    return written


def as_scalar_or_twice(draw: Draw, values: Any) -> Any:
    if not isinstance(values, list):
        return values
    ways = [values, [*values, values[0]]] + ([values[0]] if len(values) == 1 else [])
    return ways[draw(st.integers(0, len(ways) - 1))]


def in_other_case(draw: Draw, text: str) -> str:
    return draw(st.sampled_from((text, text.lower(), text.upper(), text.swapcase())))


def other_principal(draw: Draw, written: Any) -> Any:
    if written == "*":
        return draw(st.sampled_from(("*", {"AWS": "*"}, {"AWS": ["*"]})))
    roots = [
        f"arn:aws:iam::{value}:root" if value.isdigit() and draw(st.booleans()) else value for value in written["AWS"]
    ]
    return {kind: as_scalar_or_twice(draw, roots if kind == "AWS" else values) for kind, values in written.items()}


def other_value(draw: Draw, operator: str, value: str) -> object:
    if operator == "Bool":
        return draw(st.sampled_from((value, value == "true")))
    if value.isdigit():
        return draw(st.sampled_from((value, int(value))))
    return value


def other_conditions(draw: Draw, written: Written) -> Written:
    return {
        in_other_case(draw, operator): {
            in_other_case(draw, key): as_scalar_or_twice(draw, [other_value(draw, operator, value) for value in values])
            for key, values in block.items()
        }
        for operator, block in written.items()
    }


def other_statement(draw: Draw, written: Written) -> Written:
    action, principal, resource = (key_of(written, element) for element in ("Action", "Principal", "Resource"))
    other = {
        **written,
        action: as_scalar_or_twice(draw, [in_other_case(draw, name) for name in written[action]]),
        resource: as_scalar_or_twice(draw, written[resource]),
        principal: other_principal(draw, written[principal]),
    }
    if "Condition" in written:
        other["Condition"] = other_conditions(draw, written["Condition"])
    if "Sid" not in written and draw(st.booleans()):
        other["Sid"] = ""
    return other


def other_version(draw: Draw, written: Written) -> None:
    if "${" not in json.dumps(written):
        version = draw(st.sampled_from(("2012-10-17", "2008-10-17", None)))
    else:
        version = written.get("Version")
        if version != "2012-10-17":
            version = draw(st.sampled_from(("2008-10-17", None)))
    written.pop("Version", None)
    if version:
        written["Version"] = version


@st.composite
def rewritings(draw: Draw, document: Written) -> str:
    """The same policy, as AWS might show it: text."""
    written: Any = copy.deepcopy(document)
    written["Statement"] = [other_statement(draw, statement) for statement in written["Statement"]]
    twice = draw(st.booleans())
    if twice:
        written["Statement"] += [statement for statement in written["Statement"] if not statement.get("Sid")]
    if len(written["Statement"]) == 1 and draw(st.booleans()):
        written["Statement"] = written["Statement"][0]
    other_version(draw, written)
    return json.dumps(reordered(draw, written), indent=draw(st.sampled_from((None, 2))))


# Single changes, each of which AWS evaluates differently (or, for Sids, shows differently).

Change = Callable[[Draw, Written], None]


def flip_effect(_: Draw, statement: Written) -> None:
    statement["Effect"] = "Deny" if statement["Effect"] == "Allow" else "Allow"


def exclude(draw: Draw, statement: Written) -> None:
    element = draw(st.sampled_from(("Principal", "Action", "Resource")))
    key = key_of(statement, element)
    statement[f"Not{element}" if key == element else element] = statement.pop(key)


def add_value(draw: Draw, statement: Written) -> None:
    element, value = draw(st.sampled_from((("Action", "s3:Fresh"), ("Resource", "arn:aws:s3:::fresh/*"))))
    statement[key_of(statement, element)].append(value)


def drop_value(draw: Draw, statement: Written) -> None:
    key = key_of(statement, draw(st.sampled_from(("Action", "Resource"))))
    dropped = statement[key].pop()
    if not statement[key]:
        statement[key] = [f"{dropped}x" if dropped != "*" else "s3:Fresh" if "Action" in key else "arn:fresh"]


def change_one_character(draw: Draw, statement: Written) -> None:
    key = key_of(statement, draw(st.sampled_from(("Action", "Resource"))))
    values = statement[key]
    index = draw(st.integers(0, len(values) - 1))
    if values[index] == "*":
        values[index] = "s3:*" if "Action" in key else "arn:*"
        return
    at = draw(st.integers(values[index].index(":") + 1, len(values[index]) - 1))
    values[index] = f"{values[index][:at]}0{values[index][at + 1 :]}"


def change_principal(draw: Draw, statement: Written) -> None:
    key = key_of(statement, "Principal")
    if statement[key] == "*":
        statement[key] = {"AWS": draw(st.sampled_from(ACCOUNTS))}
    else:
        statement[key]["AWS"].append(draw(st.sampled_from(("*", "999999999999"))))


def change_condition(draw: Draw, statement: Written) -> None:
    blocks = statement.get("Condition", {})
    if not blocks:
        statement["Condition"] = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
        return
    operator = draw(st.sampled_from(sorted(blocks)))
    key = draw(st.sampled_from(sorted(blocks[operator])))
    match draw(st.sampled_from(("drop", "key", "operator", "value"))):
        case "drop":
            del blocks[operator][key]
        case "key":
            blocks[operator]["aws:fresh"] = blocks[operator].pop(key)
        case "operator":
            blocks.setdefault("StringNotLike", {})[key] = blocks[operator].pop(key)
        case _:
            blocks[operator][key].append("12345")


def change_sid(_: Draw, statement: Written) -> None:
    statement["Sid"] = f"{statement.get('Sid', '')}x"


STATEMENT_CHANGES: tuple[Change, ...] = (
    flip_effect,
    exclude,
    add_value,
    drop_value,
    change_one_character,
    change_principal,
    change_condition,
    change_sid,
)


@st.composite
def changed(draw: Draw, document: Written) -> Written:
    """The policy with one change that matters."""
    written = copy.deepcopy(document)
    index = draw(st.integers(0, len(written["Statement"]) - 1))
    match draw(st.sampled_from(("statement", "statement", "statement", "add", "drop", "id"))):
        case "add":
            written["Statement"].append(
                {"Sid": "Z", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
            )
        case "drop" if len(written["Statement"]) > 1:
            del written["Statement"][index]
        case "id":
            written["Id"] = "another"
        case _:
            draw(st.sampled_from(STATEMENT_CHANGES))(draw, written["Statement"][index])
    return written
