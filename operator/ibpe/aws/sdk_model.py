"""The part of the SDK's description of EC2 that the operator uses. Knows the form that botocore has it in."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

EC2_OPERATIONS: Final = frozenset(
    {
        "CreateTags",
        "CreateVpcEndpoint",
        "DeleteTags",
        "DeleteVpcEndpoints",
        "DescribeRouteTables",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcAttribute",
        "DescribeVpcEndpointServices",
        "DescribeVpcEndpoints",
        "DescribeVpcs",
        "ModifyVpcEndpoint",
    }
)
"""Every operation that `aws.ec2` and `aws.listings` call."""


def narrow(description: dict[str, Any], operations: Collection[str]) -> None:
    """Take out of a service's description what these operations don't need: other operations, and their shapes.

    In place, since botocore keeps the very object that its loader read.
    """
    kept = {name: operation for name, operation in description["operations"].items() if name in operations}
    shapes: Mapping[str, Any] = description["shapes"]
    needed: set[str] = set()
    waiting = {name for operation in kept.values() for name in _references(operation)}
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting |= set(_references(shapes[name])) - needed
    description["operations"] = kept
    description["shapes"] = {name: shape for name, shape in shapes.items() if name in needed}


def _references(part: object) -> Iterator[str]:
    """The names of the shapes that a part of the description refers to."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key == "shape" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for item in part:
            yield from _references(item)
