"""How an endpoint differs from what is desired, and the next change that closes the gap. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from ibpe.api.names import RETAINED_TAG, Role
from ibpe.aws.gateway import Endpoint, EndpointType, ModifyEndpoint, SecurityGroupID, SubnetID
from ibpe.policy.access import Verdict, decide
from ibpe.policy.canonical import same_policy
from ibpe.policy.difference import difference_from_text
from ibpe.policy.document import PolicyDocument, PolicyError, render
from ibpe.policy.needs import Need, first_barred
from ibpe.policy.parse import parse
from ibpe.reconcile.fields import Field
from ibpe.reconcile.wanted import DesiredEndpoint

Item = TypeVar("Item", bound=str)
SENTENCE_LIMIT = 1024
GROUP_QUOTA = 5
"""Security groups on a network interface (VPC user guide, "Amazon VPC quotas"); some accounts have more."""


@dataclass(frozen=True)
class Difference:
    """One field that is not as desired, in words for a person."""

    role: Role
    field: Field
    desired: str
    observed: str

    def __str__(self) -> str:
        return f"{self.role} {self.field}: {self.observed} instead of {self.desired}"


@dataclass(frozen=True)
class TagChange:
    """Tags to put and keys to take off. Others' tags are left alone."""

    put: Mapping[str, str]
    remove: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.put or self.remove)

    def shown(self, observed: Endpoint) -> "TagChange":
        """The part of it that AWS shows to be needed."""
        return TagChange(self.put, tuple(key for key in self.remove if key in observed.tags))


def compare(desired: DesiredEndpoint, observed: Endpoint, applied_tag_keys: Collection[str]) -> tuple[Difference, ...]:
    """Every field that differs."""
    found: list[Difference] = []

    def note(field: Field, want: str, have: str) -> None:
        found.append(Difference(desired.role, field, want, have))

    tags = tag_change(desired, observed, applied_tag_keys).shown(observed)
    if tags:
        note(Field.TAGS, *_tag_words(tags, observed))
    if isinstance(desired.policy, PolicyDocument) and not same_policy(desired.policy, observed.policy):
        note(Field.POLICY, *_policy_words(desired.policy, observed.policy))
    if desired.type is EndpointType.GATEWAY:
        if desired.route_table_ids != observed.route_table_ids:
            note(Field.ROUTE_TABLES, listed(desired.route_table_ids), listed(observed.route_table_ids))
        return tuple(found)
    if desired.subnet_ids != observed.subnet_ids:
        note(Field.SUBNETS, listed(desired.subnet_ids), listed(observed.subnet_ids))
    if desired.security_group_ids != observed.security_group_ids:
        note(Field.SECURITY_GROUPS, listed(desired.security_group_ids), listed(observed.security_group_ids))
    if desired.private_dns != observed.private_dns:
        note(Field.PRIVATE_DNS, _word(on=desired.private_dns), _word(on=observed.private_dns))
    if desired.ip_address_type.casefold() != observed.ip_address_type.casefold():
        note(Field.IP_ADDRESS_TYPE, desired.ip_address_type, observed.ip_address_type)
    return tuple(found)


def as_desired(desired: DesiredEndpoint, observed: Endpoint) -> DesiredEndpoint:
    """The spec that an endpoint as it is would come from, so that its digest can be held against the desired one's."""
    try:
        policy: PolicyDocument | PolicyError = parse(observed.policy)
    except PolicyError as error:
        policy = error
    return replace(
        desired,
        policy=policy,
        tags={key: value for key, value in observed.tags.items() if key in desired.tags},
        subnet_ids=observed.subnet_ids,
        security_group_ids=observed.security_group_ids,
        route_table_ids=observed.route_table_ids,
        private_dns=observed.private_dns,
        ip_address_type=observed.ip_address_type,
    )


def works_with(desired: DesiredEndpoint, observed: Endpoint, differing: Collection[Field], account: str) -> bool:
    """Whether builds can still reach the service in spite of the differences."""
    if Field.PRIVATE_DNS in differing and desired.private_dns:
        return False
    if Field.ROUTE_TABLES in differing and desired.route_table_ids - observed.route_table_ids:
        return False
    if Field.SECURITY_GROUPS in differing and not desired.security_group_ids & observed.security_group_ids:
        return False
    if Field.POLICY in differing and not lets_through(observed.policy, desired.passage.needs(account, observed.id)):
        return False
    return not (Field.SUBNETS in differing and not observed.subnet_ids)


def lets_through(policy: str, needs: Iterable[Need]) -> bool:
    """Whether a policy, as AWS shows it, denies nothing that a build asks; one that can't be read counts as denying."""
    try:
        return first_barred(parse(policy), needs) is None
    except PolicyError:
        return False


def provision(policy: str | PolicyDocument, needs: Iterable[Need]) -> str:
    """On what it depends that a policy lets builds through, in words; empty where it is certain."""
    try:
        document = parse(policy) if isinstance(policy, str) else policy
    except PolicyError:
        return ""
    for need in needs:
        decision = decide(document, need.request)
        if need.asker == "build" and need.essential and decision.verdict is Verdict.DEPENDS:
            return f"{need.request.action} is {decision}"
    return ""


def tag_change(desired: DesiredEndpoint, observed: Endpoint, applied_keys: Collection[str]) -> TagChange:
    """Tags that lack or differ, and those that we put once and the spec no longer names.

    The latter also where AWS doesn't show them: a tag just put may not be visible yet, and taking off what isn't there
    does no harm.
    """
    put = {key: value for key, value in desired.tags.items() if observed.tags.get(key) != value}
    surplus = {key for key in applied_keys if key not in desired.tags}
    if RETAINED_TAG in observed.tags:
        surplus.add(RETAINED_TAG)
    return TagChange(put, tuple(sorted(surplus)))


def modification(
    desired: DesiredEndpoint, observed: Endpoint, fields: Collection[Field], zones: Mapping[SubnetID, str]
) -> ModifyEndpoint | None:
    """The next ModifyVpcEndpoint towards what is desired, for these fields only; None when there is nothing to send.

    One call carries every field: the API's bucket refills by 0.3 a second. A change never passes through nothing:
    where no member stays, the first call adds and the one after it, once the endpoint is available again, removes.
    """
    change = ModifyEndpoint(observed.id)
    if Field.POLICY in fields and isinstance(desired.policy, PolicyDocument):
        change = replace(change, policy=render(desired.policy))
    if Field.PRIVATE_DNS in fields:
        change = replace(change, private_dns=desired.private_dns)
    if Field.IP_ADDRESS_TYPE in fields:
        change = replace(change, ip_address_type=desired.ip_address_type)
    if Field.SUBNETS in fields:
        add, remove = subnet_step(observed.subnet_ids, desired.subnet_ids, zones)
        change = replace(change, add_subnet_ids=add, remove_subnet_ids=remove)
    if Field.SECURITY_GROUPS in fields:
        groups = group_step(observed.security_group_ids, desired.security_group_ids)
        change = replace(change, add_security_group_ids=groups[0], remove_security_group_ids=groups[1])
    if Field.ROUTE_TABLES in fields:
        tables = step(observed.route_table_ids, desired.route_table_ids)
        change = replace(change, add_route_table_ids=tables[0], remove_route_table_ids=tables[1])
    return None if change == ModifyEndpoint(observed.id) else change


def step(current: frozenset[Item], desired: frozenset[Item]) -> tuple[frozenset[Item], frozenset[Item]]:
    """What to add and what to remove now, such that something stays throughout."""
    add, remove = desired - current, current - desired
    if add and remove and not current & desired:
        return add, frozenset()
    return add, remove


def group_step(
    current: frozenset[SecurityGroupID], desired: frozenset[SecurityGroupID]
) -> tuple[frozenset[SecurityGroupID], frozenset[SecurityGroupID]]:
    """As `step`, within AWS's quota of groups on an interface: one old group stays until the last new one comes."""
    add, remove = step(current, desired)
    if len(current | add) <= GROUP_QUOTA or remove:
        return add, remove
    stays = min(current)
    return frozenset(sorted(add)[: GROUP_QUOTA - 1]), current - {stays}


def subnet_step(
    current: frozenset[SubnetID], desired: frozenset[SubnetID], zones: Mapping[SubnetID, str]
) -> tuple[frozenset[SubnetID], frozenset[SubnetID]]:
    """As `step`, where an endpoint has one subnet a zone: in a zone, the old one leaves before the new one comes.

    Where all would have to leave, one of them stays until another zone has its new subnet. The only subnet swapped for
    one of its own zone can't keep both rules; the one combined call is tried then, and AWS's DuplicateSubnetsInSameZone
    tells the user what to do (openshift/aws-vpce-operator removes, waits, adds).
    """
    add, remove = desired - current, current - desired
    occupied = {zones.get(subnet): subnet for subnet in remove}
    blocked = frozenset(subnet for subnet in add if zones.get(subnet) in occupied)
    if not blocked:
        return step(current, desired)
    blocking = frozenset(occupied[zones.get(subnet)] for subnet in blocked)
    free = add - blocked
    if current - blocking:
        return free, blocking
    if free:
        return free, frozenset()
    leaving = blocking - {min(blocking)}
    return (frozenset(), leaving) if leaving else (add, remove)


def listed(ids: Collection[str]) -> str:
    """Ids for people."""
    return ", ".join(sorted(ids)) if ids else "none"


def _word(*, on: bool) -> str:
    return "enabled" if on else "disabled"


def _tag_words(change: TagChange, observed: Endpoint) -> tuple[str, str]:
    keys = sorted({*change.put, *change.remove})
    want = [f"{key}={change.put[key]}" if key in change.put else f"no {key}" for key in keys]
    have = [f"{key}={observed.tags[key]}" if key in observed.tags else f"no {key}" for key in keys]
    return ", ".join(want), ", ".join(have)


def _policy_words(desired: PolicyDocument, observed: str) -> tuple[str, str]:
    shown = difference_from_text(desired, observed).sentence(SENTENCE_LIMIT)
    sids = [statement.sid for statement in desired.statements if statement.sid]
    return (f"statements {', '.join(sids)}" if sids else "the desired document"), shown
