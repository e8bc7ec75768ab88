"""Who calls, and whom a statement's Principal names. Knows no action, resource or condition.

Source: IAM user guide, "AWS JSON policy elements: Principal" and "NotPrincipal"; PrivateLink guide, "Control access to
VPC endpoints using endpoint policies": an account's ID or root ARN grants the account's root user alone.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from ibpe.policy.canonical import canonical_principal
from ibpe.policy.document import ANYONE, Match, Principal
from ibpe.policy.truth import Truth, any_of, negation

CallerKind = Literal["Anonymous", "Identity", "Service"]

_EVERYBODY: Final = ANYONE.values[0]
_ACCOUNT: Final = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::(?P<account>[0-9]{12}):.+|(?P<id>[0-9]{12})")
_ROLE: Final = re.compile(r"(?P<partition>arn:aws[a-z-]*):iam::(?P<account>[0-9]{12}):role/(?:.+/)?(?P<role>[^/]+)")
_SESSION: Final = re.compile(
    r"(?P<partition>arn:aws[a-z-]*):sts::(?P<account>[0-9]{12}):assumed-role/(?P<role>[^/]+)/(?P<session>[^/]+)"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: nobody that AWS knows (no signature), an IAM identity, or an AWS service on its own behalf."""

    kind: CallerKind
    name: str = ""
    """Identity: the ARN of the role, its session or the user ("" where it isn't known). Service: its principal, such
    as `x.amazonaws.com`."""
    account: str = ""
    """Identity: its account's ID, "" where it isn't known."""


ANONYMOUS: Final = Caller("Anonymous")


def names(principals: Match[Principal], caller: Caller) -> Truth:
    """Whether the element takes the caller in; None where that hangs on what isn't known of the caller.

    NotPrincipal takes in all whom Principal with the same values would not: an account there leaves out its root user
    alone, so that a Deny reaches the account's roles and users. Were AWS to spare them, it would deny less than this
    says, never more.
    """
    if principals.values == ANYONE.values:
        return not principals.excluded
    named = any_of(_names(principal, caller) for principal in principals.values)
    return negation(named) if principals.excluded else named


def _names(principal: Principal, caller: Caller) -> Truth:
    if principal == _EVERYBODY:
        return True
    if caller.kind == "Service" and principal.kind == "Service":
        return _named(principal.value, caller.name)
    if caller.kind == "Identity" and principal.kind == "AWS":
        return _names_identity(principal, caller)
    return False  # Federated belongs to roles' trust policies, CanonicalUser to buckets' policies


def _named(value: str, name: str) -> Truth:
    """`*` is the one wildcard that a Principal knows, and stands for a whole value."""
    if value in {"*", name}:
        return True
    return None if not name else False


def _names_identity(principal: Principal, caller: Caller) -> Truth:
    if not caller.name:
        return _may_name(principal.value, caller.account)
    if canonical_principal(principal) == canonical_principal(Principal("AWS", caller.name)):
        return True
    return _is_session_of(caller.name, principal.value) or (
        None if _is_session_of(principal.value, caller.name) else False
    )


def _may_name(value: str, account: str) -> Truth:
    """Whether it may name an identity of which no more is known than the account, or not even that."""
    found = _ACCOUNT.fullmatch(value)
    if not found or "*" in value or "?" in value:  # the ID of something deleted, or a wildcard that names nobody
        return False
    return None if account in {"", found["account"] or found["id"]} else False


def _is_session_of(session: str, role: str) -> bool:
    """Whether the one ARN is of a session of the other's role. A session's ARN leaves out the role's path."""
    one, other = _SESSION.fullmatch(session), _ROLE.fullmatch(role)
    if not one or not other:
        return False
    return one.group("partition", "account", "role") == other.group("partition", "account", "role")
