"""Which resources can be meant in the policy of an endpoint: ARNs by kind, in its partition and Region."""

import re
from functools import lru_cache
from typing import Final, Literal

from ibpe.actions.action import Action
from ibpe.actions.reference import RESOURCE_TYPES
from ibpe.partitions import partition_of
from ibpe.policy.findings.patterns import Hole, Tokens, meet, tokens
from ibpe.policy.problem import EndpointRole

Astray = Literal["service", "partition", "region", "kind"]
"""What of a resource is not of this endpoint; `kind`: the service has no such resource."""

_VARIABLE: Final = re.compile(r"(\$\{[A-Za-z]+\})")
_BUCKET: Final = "${BucketName}"
_ELSEWHERE: Final = ("${Region}", "${Partition}")


def astray(resource: str, role: EndpointRole, region: str) -> Astray | None:
    """Why no request through this endpoint can be for such a resource; None where one can."""
    if _is_of_kind(resource, role, region, ()):
        return None
    if _is_of_kind(resource, role, region, _ELSEWHERE[:1]):
        return "region"
    if _is_of_kind(resource, role, region, _ELSEWHERE):
        return "partition"
    of_the_service: Tokens = (*"arn:", Hole.NO_COLON, *f":{role}:", Hole.MANY)
    return "kind" if meet(tokens(resource), of_the_service) else "service"


def takes(resource: str, action: Action, role: EndpointRole, region: str) -> bool:
    """Whether the action is ever authorized on such a resource; an action without resource types, on `*` alone."""
    if not resource.strip("*"):
        return True
    return any(_may_be(resource, role, kind, region, ()) for kind in action.resource_types)


def example(role: EndpointRole, action: Action, region: str) -> str:
    """A resource that the action is authorized on."""
    if not action.resource_types:
        return "*"
    kind = "object" if "object" in action.resource_types else action.resource_types[0]
    written = RESOURCE_TYPES[role].get(kind, "*")
    written = written.replace("${Partition}", partition_of(region).name).replace("${Region}", region)
    return _VARIABLE.sub("*", written)


def _is_of_kind(resource: str, role: EndpointRole, region: str, anywhere: tuple[str, ...]) -> bool:
    return any(_may_be(resource, role, kind, region, anywhere) for kind in RESOURCE_TYPES[role])


@lru_cache(maxsize=4096)
def _may_be(resource: str, role: EndpointRole, kind: str, region: str, anywhere: tuple[str, ...]) -> bool:
    return meet(tokens(resource), _arn(role, kind, region, anywhere))


@lru_cache(maxsize=1024)
def _arn(role: EndpointRole, kind: str, region: str, anywhere: tuple[str, ...]) -> Tokens:
    """The ARNs of a kind; what is named in `anywhere` may be any.

    Below the kind's own name anything may follow: versions are left out or written with x in more ways than the
    reference lists. A bucket's name holds no slash: that tells buckets from objects.
    """
    known = {"${Partition}": partition_of(region).name, "${Region}": region}
    result: list[str | Hole] = []
    for piece in _VARIABLE.split(RESOURCE_TYPES[role].get(kind, "")):
        if piece == _BUCKET:
            result.append(Hole.NO_SLASH)
        elif piece in known and piece not in anywhere:
            result.extend(known[piece])
        elif piece.startswith("${") and result.count(":") < _RESOURCE_AFTER:
            result.append(Hole.NO_COLON)
        elif piece.startswith("${"):
            result.append(Hole.MANY)
            break
        else:
            result.extend(Hole.MANY if character == "*" else character for character in piece)
    return tuple(result)


_RESOURCE_AFTER: Final = 5
"""Colons before an ARN's last part, the resource."""
