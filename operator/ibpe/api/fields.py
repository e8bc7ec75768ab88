"""The values that fields of the spec take: ids, names, tags, statements, each with its bound and its rule."""

import re
from collections.abc import Mapping, Sized
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ibpe.api.names import GROUP, OWN_ACCOUNT
from ibpe.api.rules import BROKEN_RULE, Rule, matches

DOCUMENT_LIMIT: Final = 20_480
"""Characters in an endpoint policy (VPC user guide, "AWS PrivateLink quotas"): the bound of one written as a string."""
TAG_KEY_LIMIT: Final = 127
RESERVED_TAG_PREFIXES: Final = ("aws:", f"{GROUP}/")
NAME_LIMIT: Final = 192
"""Characters in metadata.name: the owner tag holds `namespace/name` in the 256 of a tag's value; a namespace has 63."""

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
BUCKET_NAME_LEAST: Final = 3
_BUCKET_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]|[.][a-z0-9-])*[.]?[a-z0-9]", re.ASCII)


def _id_rule(prefix: str, thing: str) -> Rule[str]:
    example = f"{prefix}-0123456789abcdef0"
    return matches(
        f"{prefix}-[0-9a-f]{{8,17}}",
        f"write the id of {thing}: {prefix}- and 8 to 17 hexadecimal digits, such as {example}",
    )


def not_empty(what: str) -> Rule[Sized]:
    """A rule in place of `minItems`, whose message would not say what to add."""
    return Rule(f"name at least one {what}", "size(self) > 0", lambda values: len(values) > 0)


def _each_once(values: object) -> object:
    seen: set[object] = set()
    for value in values if isinstance(values, list | tuple) else ():
        if isinstance(value, str) and value in seen:
            raise PydanticCustomError(BROKEN_RULE, 'Duplicate value: "{value}", name it once', {"value": value})
        seen.add(str(value))
    return values


EACH_ONCE: Final = BeforeValidator(_each_once)
"""What `x-kubernetes-list-type: set` does at the API server; a Python set would hide the second one."""


def _a_document(value: object) -> object:
    if value is not None and not isinstance(value, dict | str):
        raise PydanticCustomError(BROKEN_RULE, "write an IAM policy as YAML, or as a JSON string")
    if isinstance(value, str) and len(value) > DOCUMENT_LIMIT:
        raise PydanticCustomError(BROKEN_RULE, f"shorten it to {DOCUMENT_LIMIT} characters, AWS's limit")
    return value


Document = Annotated[
    dict[str, Any] | str | None,
    BeforeValidator(_a_document),
    WithJsonSchema({"x-kubernetes-preserve-unknown-fields": True, "maxLength": DOCUMENT_LIMIT}),
]
"""An IAM policy as an object, or as JSON text; the schema can bound the latter alone."""

SubnetRef = Annotated[str, Field(max_length=24), _id_rule("subnet", "a subnet")]
SecurityGroupRef = Annotated[str, Field(max_length=20), _id_rule("sg", "a security group")]
RouteTableRef = Annotated[str, Field(max_length=21), _id_rule("rtb", "a route table")]
EndpointRef = Annotated[str, Field(max_length=22), _id_rule("vpce", "a VPC endpoint")]
VpcRef = Annotated[str, Field(max_length=21), _id_rule("vpc", "the VPC")]
RegionName = Annotated[
    str,
    Field(max_length=32),
    matches("[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", "write the Region's code, such as us-west-2"),
]
AccountName = Annotated[
    str,
    Field(max_length=63),
    Rule[str](
        "name an account: 1 to 63 lower-case letters, digits and hyphens; for the operator's own, leave accountRef out",
        f"self.matches('^(?:{_LABEL.pattern})$') && self != '{OWN_ACCOUNT}'",
        lambda name: _LABEL.fullmatch(name) is not None and name != OWN_ACCOUNT,
    ),
]
BucketName = Annotated[
    str,
    Field(max_length=63),
    Rule[str](
        "write a bucket's name: 3 to 63 lower-case letters, digits, hyphens and single dots, without arn: or s3://",
        f"size(self) >= {BUCKET_NAME_LEAST} && self.matches('^(?:{_BUCKET_NAME.pattern})$')",
        lambda name: len(name) >= BUCKET_NAME_LEAST and _BUCKET_NAME.fullmatch(name) is not None,
    ),
]
"""S3 user guide, "General purpose bucket naming rules"."""
OrganizationID = Annotated[
    str,
    Field(max_length=34),
    matches(
        "o-[a-z0-9]{10,32}",
        "write the organization's id: o- and 10 to 32 lower-case letters and digits, such as o-a1b2c3d4e5",
    ),
]
Statement = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "description": "An IAM policy statement.",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {
                "Sid": {"type": "string", "description": "The statement's name.", "maxLength": 128},
                "Effect": {"type": "string", "description": "Allow or Deny.", "maxLength": 16},
                "Principal": {"description": 'Who: "*", or an object such as {"AWS": "arn:…"}.'},
                "NotPrincipal": {"description": "All but these."},
                "Action": {"description": "What may be done: one action or a list, such as imagebuilder:GetComponent."},
                "NotAction": {"description": "All actions but these."},
                "Resource": {"description": "On what: one ARN or a list."},
                "NotResource": {"description": "All resources but these."},
                "Condition": {"description": "When: operator, key and values, all of which must hold."},
            },
            "x-kubernetes-validations": [
                {
                    "rule": "has(self.Effect) && self.Effect in ['Allow', 'Deny']",
                    "message": "write Effect: Allow or Effect: Deny in every statement",
                }
            ],
        }
    ),
]
"""An IAM policy statement, checked by `ibpe.policy`; the schema knows its elements by name."""

TAG_KEY_RULE: Final = Rule[Mapping[str, str]](
    f"shorten the tag keys: each has 1 to {TAG_KEY_LIMIT} characters",
    f"self.all(key, size(key) > 0 && size(key) <= {TAG_KEY_LIMIT})",
    lambda tags: all(0 < len(key) <= TAG_KEY_LIMIT for key in tags),
)
RESERVED_TAG_RULE: Final = Rule[Mapping[str, str]](
    f"remove the tags that begin with {' or '.join(RESERVED_TAG_PREFIXES)}: these prefixes are reserved",
    "self.all(key, {})".format(
        " && ".join(f"!key.lowerAscii().startsWith('{prefix}')" for prefix in RESERVED_TAG_PREFIXES)
    ),
    lambda tags: not any(key.lower().startswith(RESERVED_TAG_PREFIXES) for key in tags),
)
Tags = Annotated[
    dict[str, Annotated[str, Field(max_length=256)]], Field(max_length=40), TAG_KEY_RULE, RESERVED_TAG_RULE
]
"""The user's tags: 40 of the 50 that AWS permits; the others are for the operator's own."""
