"""What a request through an endpoint carries: condition keys, by caller and by owner of the resource. Knows no policy.

Source of every key's presence: IAM user guide, "AWS global condition context keys", each key's "Availability".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ibpe.policy.access import ANONYMOUS, Caller, Request
from ibpe.policy.principals import NEVER_ROOT

Keys = Mapping[str, str]
"""Condition keys (lower case) and their values; an empty value isn't known here."""


@dataclass(frozen=True, slots=True)
class Callers:
    """What is known of those who call. Empty: not known, and a condition on it makes the verdict DEPENDS."""

    account: str = ""
    principal_org_id: str = ""
    resource_org_id: str = ""
    vpc_id: str = ""
    endpoint_id: str = ""


STRANGERS: Final = Callers()
"""Nothing is known of those who call."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Who calls, and the keys that come with the signature, or with its absence."""

    caller: Caller
    keys: Keys


_PERHAPS: Final = (
    *("aws:currenttime", "aws:epochtime", "aws:referer", "aws:useragent"),
    *("aws:requesttag/*", "aws:tagkeys", "aws:resourcetag/*"),
    *("aws:sourcevpcarn", "aws:vpcsourceip", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths"),
)
"""Any request may carry these; nothing here tells their values."""

_PERHAPS_SIGNED: Final = (
    *("aws:principalarn", "aws:principalorgpaths", "aws:principaltag/*", "aws:userid"),
    *("aws:tokenissuetime", "aws:sourceidentity", "aws:federatedprovider", "aws:assumedroot", "aws:signinsessionarn"),
    *("aws:multifactorauthpresent", "aws:multifactorauthage", "aws:chatbotsourcearn"),
)
"""A signed request may carry these: properties of the principal and of its session."""

_PERHAPS_FROM_INSTANCE: Final = (
    *("aws:ec2instancesourcevpc", "aws:ec2instancesourceprivateipv4", "ec2:roledelivery", "ec2:sourceinstancearn"),
)
"""Keys of credentials that were delivered to an EC2 instance."""

AWS_ACCOUNT: Final = "000000000000"
"""Stands for the accounts of AWS that own what builds read. They aren't published, so that no condition that names
accounts is met by them: a policy for one's own account's buckets keeps builds out.
"""
FOREIGN_ACCOUNT: Final = "999999999999"
FOREIGN_ORGANIZATION: Final = "o-foreign0000"
"""Stand for an account and an organization that are nobody's here: a condition that names one's own isn't met."""


def instance_role(callers: Callers) -> Signature:
    """The build instance, with its profile's credentials: a role's session, which is no user, and has no aws:username.

    Source: IAM user guide, "Using an IAM role to grant permissions to applications running on Amazon EC2 instances".
    """
    keys = {**_signed(callers), "aws:principaltype": "AssumedRole", **dict.fromkeys(_PERHAPS_FROM_INSTANCE, "")}
    return Signature(Caller("Identity", account=callers.account, may_be=frozenset({"Role"})), keys)


def person(callers: Callers) -> Signature:
    """An IAM user, or whoever took on a role, of the same account.

    Never its root user: that is for what nobody else can do, of which nothing is Image Builder's, so that a policy
    which lets the root user alone through keeps everybody out who works with pipelines. Source: IAM user guide, "Root
    user best practices for your AWS account".
    """
    keys = {**_signed(callers), "aws:principaltype": "", "aws:username": ""}
    return Signature(Caller("Identity", account=callers.account, may_be=NEVER_ROOT), keys)


def nobody() -> Signature:
    """A call without a signature.

    Of the principal's keys just three are there, and say so: aws:PrincipalAccount and aws:userid are `anonymous`,
    aws:PrincipalType is `Anonymous`. All else is absent, aws:PrincipalOrgID above all: StringEquals on it isn't met,
    while StringNotEquals and StringNotEqualsIfExists both are. Source: the guide's page named above and its "Policy
    variables", "Principal key values". (AWS's data perimeter samples count aws:PrincipalAccount as absent; a condition
    that names an account is not met either way.)
    """
    keys = {"aws:principalaccount": "anonymous", "aws:userid": "anonymous", "aws:principaltype": "Anonymous"}
    return Signature(ANONYMOUS, keys)


def outsider() -> Signature:
    """An identity of somebody else's account and organization."""
    role = f"arn:aws:iam::{FOREIGN_ACCOUNT}:role/outsider"
    keys = {
        **dict.fromkeys(_PERHAPS_SIGNED, ""),
        "aws:principalarn": role,
        "aws:principalaccount": FOREIGN_ACCOUNT,
        "aws:principalorgid": FOREIGN_ORGANIZATION,
        "aws:principalisawsservice": "",
        "aws:principaltype": "",
    }
    return Signature(Caller("Identity", role, FOREIGN_ACCOUNT), keys)


def service(name: str) -> Signature:
    """An AWS service that calls on its own behalf, by its principal's name."""
    keys = {
        **dict.fromkeys(("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"), ""),
        "aws:principalisawsservice": "true",
        "aws:principalservicename": name,
        "aws:principalservicenameslist": name,
        "aws:principaltype": "",
        "aws:principalaccount": "",
        "aws:userid": "",
    }
    return Signature(Caller("Service", name), keys)


def is_of_principal(key: str) -> bool:
    """Whether a key (lower case) comes with the signature: a property of the principal or of its session."""
    return key.startswith(("aws:principal", "aws:multifactorauth", "ec2:")) or key in {*_PERHAPS_SIGNED, "aws:username"}


def own(callers: Callers) -> Keys:
    """The resource is the account's own."""
    return {**shared(callers), "aws:resourceaccount": callers.account}


def shared(callers: Callers) -> Keys:
    """The resource is in some account of the organization."""
    return {"aws:resourceaccount": "", "aws:resourceorgid": callers.resource_org_id, "aws:resourceorgpaths": ""}


def foreign() -> Keys:
    """The resource is in somebody else's account and organization."""
    return {
        "aws:resourceaccount": FOREIGN_ACCOUNT,
        "aws:resourceorgid": FOREIGN_ORGANIZATION,
        "aws:resourceorgpaths": "",
    }


def owned_by_aws() -> Keys:
    """The resource is AWS's; aws:ResourceOrgID is absent.

    Source: AWS samples, "data-perimeter-policy-examples", service-owned resources.
    """
    return {"aws:resourceaccount": AWS_ACCOUNT}


def without_resource() -> Keys:
    """The action has no resource type, so nothing tells an organization."""
    return {"aws:resourceaccount": ""}


def request(
    region: str, action: str, resource: str, signature: Signature, owner: Keys, callers: Callers = STRANGERS
) -> Request:
    """One call through the endpoint, `action` as `service:Action`.

    aws:SourceVpc and aws:SourceVpce are there for every call through an endpoint, and aws:SourceIp never is. The call
    is made directly, so aws:CalledVia and the keys of service principals (aws:SourceArn, …) are absent.
    """
    service = action.partition(":")[0]
    keys = {
        **dict.fromkeys((*_PERHAPS, f"{service}:*"), ""),
        "aws:requestedregion": region,
        "aws:securetransport": "true",
        "aws:viaawsservice": "false",
        "aws:sourcevpc": callers.vpc_id,
        "aws:sourcevpce": callers.endpoint_id,
        **signature.keys,
        **owner,
    }
    return Request(
        action=action,
        resource=resource,
        caller=signature.caller,
        context={key: (value,) for key, value in keys.items() if value},
        unknown=frozenset(key for key, value in keys.items() if not value),
    )


def _signed(callers: Callers) -> dict[str, str]:
    return {
        **dict.fromkeys(_PERHAPS_SIGNED, ""),
        "aws:principalaccount": callers.account,
        "aws:principalorgid": callers.principal_org_id,
        "aws:principalisawsservice": "false",
    }
