"""Who calls, and what the call then carries: condition keys by caller and by owner of the resource.

Source of each key's presence: IAM user guide, "AWS global condition context keys"; aws:ResourceOrgID is absent for what
AWS owns, and aws:PrincipalOrgID for calls without a signature (AWS samples, "data-perimeter-policy-examples").
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tests.evaluation.buckets import Place
from tests.evaluation.reference import Call

MINE: Final = "111122223333"
SHARED: Final = "444455556666"
STRANGER: Final = "999988887777"
ORGANIZATION: Final = "o-callers00000"
RESOURCES: Final = "o-resources000"
STRANGERS: Final = "o-strangers000"
NOBODYS: Final[Mapping[str, tuple[str, ...]]] = {}

Owner = Mapping[str, tuple[str, ...]]
OURS: Final[Owner] = {"aws:ResourceOrgID": (RESOURCES,), "aws:ResourceAccount": (MINE,)}
THEIRS: Final[Owner] = {"aws:ResourceOrgID": (STRANGERS,), "aws:ResourceAccount": (STRANGER,)}
OF_AWS: Final[Owner] = {}


def unsigned(action: str, resource: str, owner: Owner) -> Call:
    return Call(action, resource, context={"aws:SecureTransport": ("true",), **owner})


def by_identity(place: Place, action: str, resource: str, owner: Owner, organization: str = ORGANIZATION) -> Call:
    """Signed by a role of the organization, or of another."""
    account = MINE if organization == ORGANIZATION else STRANGER
    signed = {
        "aws:PrincipalOrgID": (organization,),
        "aws:PrincipalAccount": (account,),
        "aws:PrincipalArn": (place.role(account),),
        "aws:PrincipalIsAWSService": ("false",),
    }
    return Call(action, resource, "Identity", place.role(account), account, {**signed, **owner})


def by_service(action: str, resource: str, owner: Owner) -> Call:
    """Made by an AWS service as itself."""
    context = {"aws:PrincipalIsAWSService": ("true",), "aws:PrincipalServiceName": ("imagebuilder.amazonaws.com",)}
    return Call(action, resource, "Service", "imagebuilder.amazonaws.com", context={**context, **owner})


def spelled(call: Call) -> tuple[Call, ...]:
    """The call with its action in several letter cases; IAM tells them apart nowhere."""
    service, name = call.action.split(":")
    actions = (call.action, call.action.lower(), call.action.upper(), f"{service}:{name[0].lower()}{name[1:].upper()}")
    return tuple(replace(call, action=action) for action in actions)
