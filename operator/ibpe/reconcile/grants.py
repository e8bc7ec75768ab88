"""Which accounts, Regions and VPCs a namespace may use: what the platform team granted, and what follows. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ibpe.api.names import OWN_ACCOUNT
from ibpe.aws.gateway import AccountID, VpcID
from ibpe.reconcile.ports import Resource

EVERY_NAMESPACE: Final = "*"
UNREADABLE: Final = ""
"""The account of a spec whose accountRef is not what the schema asks for. It is never taken for the operator's own."""
PLATFORM_TEAM: Final = "the platform team"
WHERE: Final = "the operator's accounts file"

Tags = Mapping[str, str]


@dataclass(frozen=True)
class Account:
    """An account that the operator reaches through a role, by the name that resources know."""

    name: str
    id: AccountID
    regions: frozenset[str] = frozenset()
    """Where it may be used; empty: everywhere."""


@dataclass(frozen=True)
class Vpcs:
    """Some VPCs: those with these ids, and those that carry all of these tags."""

    ids: frozenset[VpcID] = frozenset()
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True)
class Grant:
    """These namespaces may use these accounts. Grants add up; none takes away what another gives."""

    namespaces: frozenset[str]
    accounts: frozenset[str]
    """Names, or OWN_ACCOUNT."""
    vpcs: Vpcs | None = None
    """None: every VPC of these accounts."""

    def is_for(self, namespace: str) -> bool:
        """Whether it gives anything to a namespace."""
        return not self.namespaces.isdisjoint({EVERY_NAMESPACE, namespace})


@dataclass(frozen=True)
class Grants:
    """Everything that was granted."""

    accounts: Mapping[str, Account]
    grants: tuple[Grant, ...]

    def account_id(self, name: str) -> AccountID | None:
        """The account of a name; None for the operator's own, which only its credentials know."""
        return self.accounts[name].id if name in self.accounts else None


OWN_FOR_ALL: Final = Grants({}, (Grant(frozenset({EVERY_NAMESPACE}), frozenset({OWN_ACCOUNT})),))
"""Without an accounts file: the operator's own account, for whoever may create resources."""


@dataclass(frozen=True)
class Wish:
    """What a resource asks for. `account` is a name, or OWN_ACCOUNT where accountRef is left out."""

    namespace: str
    account: str
    region: str
    vpc_id: VpcID | None = None
    """None: the spec can't be read any more, which a deletion must survive."""
    pinned: AccountID | None = None
    """The account in which its endpoints are, as the status has it."""


@dataclass(frozen=True)
class Denied:
    """What may not be used, in one sentence with the fix and who can do it."""

    reason: str
    message: str


@dataclass(frozen=True)
class Allowed:
    """It may be used; on condition of tags where there are any: the VPC has to carry all of one of these."""

    on_tags: tuple[Tags, ...] = ()

    def by(self, tags: Tags) -> bool:
        """Whether a VPC with these tags may be used."""
        return not self.on_tags or any(needed.items() <= tags.items() for needed in self.on_tags)


def wish_of(resource: Resource) -> Wish:
    """What a resource asks for, out of its raw spec: a deletion needs no valid one."""
    region, vpc_id = resource.spec.get("region"), resource.spec.get("vpcID")
    pinned = resource.status.account_id
    return Wish(
        namespace=resource.key.namespace,
        account=_account_of(resource.spec),
        region=region if isinstance(region, str) else "",
        vpc_id=VpcID(vpc_id) if isinstance(vpc_id, str) else None,
        pinned=AccountID(pinned) if pinned is not None else None,
    )


def _account_of(spec: Mapping[str, object]) -> str:
    reference = spec.get("accountRef")
    if reference is None:
        return OWN_ACCOUNT
    name = reference.get("name") if isinstance(reference, Mapping) else None
    return name if isinstance(name, str) and name != OWN_ACCOUNT else UNREADABLE


def decide(grants: Grants, wish: Wish) -> Allowed | Denied:
    """Whether a resource may use what it asks for. No message tells more than what the namespace itself may use."""
    if wish.account == UNREADABLE:
        return Denied("InvalidSpec", "spec.accountRef can't be read: make this resource anew with an accountRef.name.")
    own = [grant for grant in grants.grants if grant.is_for(wish.namespace)]
    given = [grant for grant in own if wish.account in grant.accounts]
    if not given:
        return _account_not_allowed(wish, own)
    account = grants.accounts.get(wish.account)
    if account is not None:
        moved = _account_moved(wish, account) or _region_not_allowed(wish, account)
        if moved is not None:
            return moved
    return _vpc(wish, given)


def counts(grants: Grants, wish: Wish, account: AccountID, own: str, tags: Tags) -> bool:
    """Whether a resource may hold a claim on a VPC that has these tags and lies in `account`.

    One that may not use it, or that means another account, holds nothing: else any namespace could keep others off by
    naming their VPC. `own` is the operator's own account, "" while it is not known: then the claim counts.
    """
    decision = decide(grants, wish)
    means = grants.account_id(wish.account) or own
    return isinstance(decision, Allowed) and decision.by(tags) and means in {"", account}


def tags_missing(wish: Wish, allowed: Allowed) -> Denied:
    """The VPC, seen in AWS, is not there or carries none of the tags that were granted."""
    wanted = " or ".join(sorted(_tags(needed) for needed in allowed.on_tags))
    return Denied(
        "VpcNotAllowed",
        f"{wish.vpc_id} does not exist in {_named(wish.account)}, {wish.region}, or does not carry {wanted}, which "
        f"namespace {wish.namespace} needs there: make this resource anew with another VPC, or ask {PLATFORM_TEAM} to "
        f"tag this one or to grant it in {WHERE}.",
    )


def _account_not_allowed(wish: Wish, own: Iterable[Grant]) -> Denied:
    usable = sorted({name for grant in own for name in grant.accounts})
    names = [name for name in usable if name != OWN_ACCOUNT]
    ways = [f"accountRef {' or '.join(names)}"] if names else []
    ways += ["no accountRef"] if OWN_ACCOUNT in usable else []
    anew = f"make this resource anew with {' or '.join(ways)}, or " if ways else ""
    return Denied(
        "AccountNotAllowed",
        f"Namespace {wish.namespace} may not use {_named(wish.account)}: {anew}ask {PLATFORM_TEAM} to grant "
        f"{wish.account} to it in {WHERE}.",
    )


def _account_moved(wish: Wish, account: Account) -> Denied | None:
    if wish.pinned in {None, account.id}:
        return None
    return Denied(
        "AccountMismatch",
        f"This resource's endpoints are in account {wish.pinned}, and {_named(wish.account)} is {account.id} now: ask "
        f"{PLATFORM_TEAM} to let {account.name} be {wish.pinned} again in {WHERE}.",
    )


def _region_not_allowed(wish: Wish, account: Account) -> Denied | None:
    if not account.regions or wish.region in account.regions:
        return None
    return Denied(
        "RegionNotAllowed",
        f"The account {account.name} may be used in {' and '.join(sorted(account.regions))} only: make this resource "
        f"anew for a VPC there, or ask {PLATFORM_TEAM} to add {wish.region} in {WHERE}.",
    )


def _vpc(wish: Wish, given: Iterable[Grant]) -> Allowed | Denied:
    limits = [grant.vpcs for grant in given]
    if None in limits or any(limit is not None and wish.vpc_id in limit.ids for limit in limits):
        return Allowed()
    on_tags = tuple(limit.tags for limit in limits if limit is not None and limit.tags)
    if on_tags and wish.vpc_id is not None:
        return Allowed(on_tags)
    return Denied(
        "VpcNotAllowed",
        f"Namespace {wish.namespace} may not use {wish.vpc_id or 'this VPC'} in {_named(wish.account)}: make this "
        f"resource anew with a VPC that it may use, or ask {PLATFORM_TEAM} to grant this one in {WHERE}.",
    )


def _named(account: str) -> str:
    return "the operator's own account" if account == OWN_ACCOUNT else f"the account {account}"


def _tags(tags: Tags) -> str:
    return " and ".join(f"the tag {key}={value}" for key, value in sorted(tags.items()))
