"""Who calls, and whom a statement's Principal names. Knows no action, resource or condition.

Source: IAM user guide, "AWS JSON policy elements: Principal" and "NotPrincipal"; PrivateLink guide, "Control access to
VPC endpoints using endpoint policies": an account's ID or root ARN grants the account's root user alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ibpe.policy.canonical import canonical_principal
from ibpe.policy.document import ANYONE, Match, Principal
from ibpe.policy.truth import Truth, any_of, negation

CallerKind = Literal["Anonymous", "Identity", "Service"]
IdentityKind = Literal["Role", "User", "Root"]
"""Role: a role, or a session of one; User: an IAM user, or a federated one; Root: an account's root user."""

ANY_IDENTITY: Final[frozenset[IdentityKind]] = frozenset({"Role", "User", "Root"})
NEVER_ROOT: Final[frozenset[IdentityKind]] = ANY_IDENTITY - {"Root"}

_EVERYBODY: Final = ANYONE.values[0]
_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
_NAMED: Final = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::(?P<account>[0-9]{12}):(?P<type>[a-z-]+)/.+", re.ASCII)
_TYPES: Final[Mapping[str, IdentityKind]] = {
    "role": "Role",
    "assumed-role": "Role",
    "user": "User",
    "federated-user": "User",
}
"""What ARNs of a type name. No others can be principals: no group's, no instance profile's."""
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
    may_be: frozenset[IdentityKind] = ANY_IDENTITY
    """Identity without a name: what it may be. A name tells."""


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
        return _may_name(canonical_principal(principal)[1], caller)
    if canonical_principal(principal) == canonical_principal(Principal("AWS", caller.name)):
        return True
    return _is_session_of(caller.name, principal.value) or (
        None if _is_session_of(principal.value, caller.name) else False
    )


def _may_name(value: str, caller: Caller) -> Truth:
    """Whether a canonical principal may name an identity of which just its kind is known, and perhaps its account."""
    kind, account = _identity(value)
    return None if kind in caller.may_be and caller.account in {"", account} else False


def _identity(value: str) -> tuple[IdentityKind | None, str]:
    """The kind and the account of whom it names; no kind: it names nobody (the ID of something deleted, a wildcard)."""
    if _ACCOUNT.fullmatch(value):
        return "Root", value
    found = _NAMED.fullmatch(value)
    if not found or "*" in value or "?" in value:
        return None, ""
    return _TYPES.get(found["type"]), found["account"]


def _is_session_of(session: str, role: str) -> bool:
    """Whether the one ARN is of a session of the other's role. A session's ARN leaves out the role's path."""
    one, other = _SESSION.fullmatch(session), _ROLE.fullmatch(role)
    if not one or not other:
        return False
    return one.group("partition", "account", "role") == other.group("partition", "account", "role")
