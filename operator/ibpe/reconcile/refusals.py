"""Why something must not be written: a chain of checks, one question each. Pure.

A refusal names what it forbids. An endpoint is not made while anything of it is refused; of an endpoint that exists,
only the refused fields are left as they are, so that a missing subnet never keeps a widened policy from being repaired.
"""

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG, Role
from ibpe.aws.gateway import (
    Endpoint,
    EndpointType,
    IngressRule,
    RouteTable,
    RouteTableID,
    SecurityGroup,
    Subnet,
    SubnetID,
)
from ibpe.policy.document import SIZE_LIMIT, PolicyError, size
from ibpe.reconcile.claims import private_dns_claim, route_claim
from ibpe.reconcile.compare import listed
from ibpe.reconcile.desire import Desired, DesiredEndpoint, Field
from ibpe.reconcile.observation import Observation

HTTPS = 443
EVERYTHING = frozenset(Field)


@dataclass(frozen=True)
class Refusal:
    """What is wrong, in one sentence that says what to do, and what may not be written because of it."""

    reason: str
    message: str
    role: Role | None = None
    """None: the whole resource."""
    forbids: frozenset[Field] = field(default=EVERYTHING)
    """Fields of an existing endpoint that stay as they are."""

    def concerns(self, role: Role) -> bool:
        """Whether it stands in the way of this role."""
        return self.role is None or self.role is role


@dataclass(frozen=True)
class Case:
    """What a check looks at: one endpoint that the spec asks for, and what was seen."""

    desired: Desired
    endpoint: DesiredEndpoint
    seen: Observation

    def refuse(self, reason: str, message: str, *fields: Field) -> Refusal:
        """A refusal of this endpoint."""
        return Refusal(reason, message, self.endpoint.role, frozenset(fields))


Check = Callable[[Case], Refusal | None]


def refuse(desired: Desired, seen: Observation) -> tuple[Refusal, ...]:
    """Every refusal: of the whole resource alone if there is one, else the first of each kind for each endpoint."""
    whole = next(_whole(desired, seen), None)
    if whole is not None:
        return (whole,)
    cases = [Case(desired, endpoint, seen) for endpoint in desired.endpoints]
    return tuple(refusal for case in cases for check in CHECKS if (refusal := check(case)) is not None)


def _whole(desired: Desired, seen: Observation) -> Iterator[Refusal]:
    vpc = seen.facts.vpc
    if vpc is None:
        yield Refusal(
            "VpcNotFound",
            f"{desired.vpc_id} does not exist in account {seen.account}, {desired.region}: correct spec.vpcID "
            "(the resource must be made anew, vpcID is immutable) or the operator's credentials.",
        )
    elif vpc.owner_id != seen.account:
        yield Refusal(
            "VpcOfAnotherAccount",
            f"{vpc.id} belongs to account {vpc.owner_id} and is only shared with {seen.account}: endpoints can be made "
            f"by the owner alone, so run this with credentials of {vpc.owner_id}.",
        )


def endpoint_is_ours(case: Case) -> Refusal | None:
    """Does what the status records still carry our tags?"""
    stranger = case.seen.holdings.of(case.endpoint.role).stranger
    if stranger is None:
        return None
    return case.refuse("OwnershipMismatch", ownership_mismatch(case.desired, case.endpoint.role, stranger), *EVERYTHING)


def ownership_mismatch(desired: Desired, role: Role, stranger: Endpoint) -> str:
    """What to do about an endpoint that the status records and whose tags are not ours."""
    owner = desired.owner
    return (
        f"{stranger.id} is recorded in the status, but {_carries(stranger)}: put the tags "
        f"{CLUSTER_TAG}={owner.cluster}, {OWNER_TAG}={owner.key} back on it if it is this resource's {role} endpoint, "
        "else make this resource anew."
    )


def service_exists(case: Case) -> Refusal | None:
    """Does the region have the service, as the type that we make?"""
    name = case.seen.service_name(case.endpoint)
    if name is None:
        return case.refuse(
            "ServiceNotAvailable",
            f"{case.desired.region} has no PrivateLink service {' or '.join(case.endpoint.services)}: "
            "Image Builder can't be reached privately there; choose another Region.",
        )
    if case.endpoint.type not in case.seen.facts.services[name].types:
        return case.refuse("ServiceNotAvailable", f"{name} offers no {case.endpoint.type} endpoint in this Region.")
    return None


def claim_is_free(case: Case) -> Refusal | None:
    """Does another resource come first for what this one claims?"""
    scope = f"{case.desired.region}/{case.desired.vpc_id}"
    if case.endpoint.role is Role.IMAGE_BUILDER:
        holder = case.seen.rivals.get(private_dns_claim(scope, "imagebuilder"))
        if holder is not None and case.endpoint.private_dns:
            return case.refuse(
                "ClaimHeld",
                f"{holder} holds Image Builder's private DNS name in {case.desired.vpc_id}: delete one of the two, or "
                "set imageBuilder.privateDNS to false here; this resource goes on by itself once the name is free.",
                Field.PRIVATE_DNS,
            )
    for table in sorted(case.endpoint.route_table_ids):
        holder = case.seen.rivals.get(route_claim(scope, table))
        if holder is not None:
            return case.refuse(
                "ClaimHeld",
                f"{holder} holds the route to S3 in {table}: take the table out of s3.routeTables.ids of one of the "
                "two; this resource goes on by itself once the route is free.",
                Field.ROUTE_TABLES,
            )
    return None


def subnets_exist(case: Case) -> Refusal | None:
    """Are the endpoint's subnets and the builds' in the VPC?"""
    for name, ids, fields in (
        ("imageBuilder.subnets.ids", case.endpoint.subnet_ids, (Field.SUBNETS,)),
        ("builds.subnets.ids", case.desired.build_subnet_ids, ()),
    ):
        found = {id_: case.seen.facts.subnets.get(id_) for id_ in ids}
        missing = [id_ for id_, subnet in found.items() if subnet is None]
        if missing:
            return case.refuse(
                "SubnetNotFound", f"{listed(missing)} of {name} {_do(missing)} not exist: correct {name}.", *fields
            )
        elsewhere = [subnet for subnet in found.values() if subnet and subnet.vpc_id != case.desired.vpc_id]
        if elsewhere:
            return case.refuse(
                "SubnetInAnotherVpc", f"{_elsewhere(elsewhere, case)}: name subnets of that VPC in {name}.", *fields
            )
    return None


def zones_differ(case: Case) -> Refusal | None:
    """Is there at most one subnet in each availability zone?"""
    zones: dict[str, list[SubnetID]] = {}
    for subnet in _subnets(case):
        zones.setdefault(subnet.zone, []).append(subnet.id)
    for zone, ids in sorted(zones.items()):
        if len(ids) > 1:
            return case.refuse(
                "DuplicateSubnetsInSameZone",
                f"{listed(ids)} are in one availability zone, {zone}, where an endpoint may have one subnet: "
                "keep one of them in imageBuilder.subnets.ids.",
                Field.SUBNETS,
            )
    return None


def zones_are_served(case: Case) -> Refusal | None:
    """Does the service support each subnet's zone?"""
    name = case.seen.service_name(case.endpoint)
    zones = case.seen.facts.services[name].zones if name else frozenset[str]()
    outside = [subnet for subnet in _subnets(case) if zones and subnet.zone not in zones]
    if not outside:
        return None
    where = ", ".join(f"{subnet.id} is in {subnet.zone}" for subnet in outside)
    return case.refuse(
        "ZoneNotSupported",
        f"{name} does not support every zone: {where}; use subnets in {', '.join(sorted(zones))} instead.",
        Field.SUBNETS,
    )


def groups_exist(case: Case) -> Refusal | None:
    """Are the security groups in the VPC?"""
    found = {id_: case.seen.facts.security_groups.get(id_) for id_ in case.endpoint.security_group_ids}
    missing = [id_ for id_, group in found.items() if group is None]
    where = "imageBuilder.securityGroups.ids"
    if missing:
        return case.refuse(
            "SecurityGroupNotFound",
            f"{listed(missing)} of {where} {_do(missing)} not exist: correct {where}.",
            Field.SECURITY_GROUPS,
        )
    elsewhere = [group for group in found.values() if group and group.vpc_id != case.desired.vpc_id]
    if elsewhere:
        return case.refuse(
            "SecurityGroupInAnotherVpc",
            f"{_elsewhere(elsewhere, case)}: name groups of that VPC in {where}.",
            Field.SECURITY_GROUPS,
        )
    return None


def https_is_let_in(case: Case) -> Refusal | None:
    """Do the security groups, together, let the builds in on 443? Existing endpoints are reported, not touched."""
    groups = [case.seen.facts.security_groups.get(id_) for id_ in case.endpoint.security_group_ids]
    known = [group for group in groups if group is not None]
    if not known or len(known) < len(groups):
        return None
    rules = [rule for group in known for rule in group.ingress if _covers_https(rule)]
    ids = listed([group.id for group in known])
    if not any(rule.cidrs or rule.security_group_ids or rule.prefix_list_ids for rule in rules):
        return case.refuse(
            "HttpsNotLetIn", f"{ids} let nothing in on TCP 443: add an inbound rule for 443 from the build subnets."
        )
    if any(rule.security_group_ids or rule.prefix_list_ids for rule in rules):
        return None  # whether a build is in that group or list can't be told from here
    builds = [case.seen.facts.subnets.get(id_) for id_ in sorted(case.desired.build_subnet_ids)]
    shut = [subnet for subnet in builds if subnet is not None and not _lets_in(rules, subnet)]
    if not shut:
        return None
    where = ", ".join(f"{subnet.id} ({subnet.cidr})" for subnet in shut)
    return case.refuse("HttpsNotLetIn", f"{ids} do not let {where} in on TCP 443: add an inbound rule for it.")


def vpc_resolves_names(case: Case) -> Refusal | None:
    """Does the VPC have the two attributes that private DNS needs?"""
    vpc = case.seen.facts.vpc
    if vpc is None or not case.endpoint.private_dns:
        return None
    off = [
        name
        for name, on in (("enableDnsSupport", vpc.dns_support), ("enableDnsHostnames", vpc.dns_host_names))
        if not on
    ]
    if not off:
        return None
    return case.refuse(
        "VpcDnsDisabled",
        f"{vpc.id} has {' and '.join(off)} off, which private DNS needs: turn it on for the VPC, or set "
        "imageBuilder.privateDNS to false.",
        Field.PRIVATE_DNS,
    )


def name_is_free(case: Case) -> Refusal | None:
    """Does an endpoint that isn't ours hold the private DNS name in this VPC?"""
    if not case.endpoint.private_dns:
        return None
    for other in _neighbours(case):
        if other.type is EndpointType.INTERFACE and other.private_dns:
            return case.refuse(
                "PrivateDnsConflict",
                f"{other.id} ({_carries(other)}) already holds the private DNS name of {other.service_name} in "
                f"{other.vpc_id}: turn its private DNS off, delete it, or set imageBuilder.privateDNS to false here.",
                Field.PRIVATE_DNS,
            )
    return None


def tables_exist(case: Case) -> Refusal | None:
    """Are the route tables in the VPC?"""
    missing = [id_ for id_ in case.endpoint.route_table_ids if id_ not in case.seen.facts.route_tables]
    if not missing:
        return None
    return case.refuse(
        "RouteTableNotFound",
        f"{listed(missing)} of s3.routeTables.ids {_do(missing)} not exist in {case.desired.vpc_id}: "
        "correct s3.routeTables.ids.",
        Field.ROUTE_TABLES,
    )


def routes_are_free(case: Case) -> Refusal | None:
    """Does an endpoint that isn't ours already route one of the tables to S3?"""
    if case.endpoint.type is not EndpointType.GATEWAY:
        return None
    for other in _neighbours(case):
        taken = other.route_table_ids & case.endpoint.route_table_ids
        if other.type is EndpointType.GATEWAY and taken:
            return case.refuse(
                "RouteAlreadyExists",
                f"{listed(taken)} already {_route(taken)} to S3 through {other.id} ({_carries(other)}): take it out of "
                f"s3.routeTables.ids, or take it off {other.id} first.",
                Field.ROUTE_TABLES,
            )
    return None


def table_is_the_builds_own(case: Case) -> Refusal | None:
    """Would a policy for builds alone catch somebody else's S3 traffic? (It beats a route to 0.0.0.0/0.)"""
    if case.endpoint.role is not Role.S3 or not case.desired.exclusive_s3:
        return None
    for id_ in sorted(case.endpoint.route_table_ids):
        table = case.seen.facts.route_tables.get(id_)
        if table is None:
            continue
        strangers = _served(case, table) - case.desired.build_subnet_ids
        if not table.main and not strangers:
            continue
        whom = (
            f"{listed(strangers)}, which builds.subnets does not name" if strangers else "every new subnet of the VPC"
        )
        what = f"{id_}, the VPC's main route table, serves" if table.main else f"{id_} serves"
        return case.refuse(
            "RouteTableShared",
            f"{what} {whom}, and the baseline ImageBuilderOnly would cut off all their other S3 traffic: give the "
            "builds a route table of their own, choose the baseline Organization or FullAccess, or name those subnets "
            "in builds.subnets if builds run there.",
            Field.ROUTE_TABLES,
        )
    return None


def policy_is_valid(case: Case) -> Refusal | None:
    """Is there a policy, and is it short enough?"""
    policy, where = (
        case.endpoint.policy,
        f"{'imageBuilder' if case.endpoint.role is Role.IMAGE_BUILDER else 's3'}.policy",
    )
    if isinstance(policy, PolicyError):
        return case.refuse("PolicyInvalid", f"{where}: {policy}.", Field.POLICY)
    if size(policy) > SIZE_LIMIT:
        return case.refuse(
            "PolicyTooLong",
            f"{where} makes a policy of {size(policy):,} characters, and AWS takes {SIZE_LIMIT:,}: shorten it, for "
            "example with wildcards in resources.",
            Field.POLICY,
        )
    return None


CHECKS: tuple[Check, ...] = (
    endpoint_is_ours,
    service_exists,
    policy_is_valid,
    subnets_exist,
    zones_differ,
    zones_are_served,
    groups_exist,
    https_is_let_in,
    vpc_resolves_names,
    tables_exist,
    name_is_free,
    routes_are_free,
    claim_is_free,
    table_is_the_builds_own,
)

POLICY_REASONS = frozenset({"PolicyInvalid", "PolicyTooLong"})


def _subnets(case: Case) -> Iterable[Subnet]:
    found = (case.seen.facts.subnets.get(id_) for id_ in sorted(case.endpoint.subnet_ids))
    return [subnet for subnet in found if subnet is not None]


def _neighbours(case: Case) -> Iterable[Endpoint]:
    return [
        other
        for other in case.seen.neighbours
        if other.service_name in case.endpoint.services and not (other.state.is_gone or other.state.is_dead)
    ]


def _served(case: Case, table: RouteTable) -> frozenset[SubnetID]:
    """The subnets that use a table; the main one serves every subnet without an association of its own."""
    if not table.main:
        return table.subnet_ids
    associated = {id_ for other in case.seen.facts.route_tables.values() for id_ in other.subnet_ids}
    own = {id_ for id_, subnet in case.seen.facts.subnets.items() if subnet.vpc_id == table.vpc_id}
    return table.subnet_ids | frozenset(own - associated)


def _covers_https(rule: IngressRule) -> bool:
    if rule.protocol == "-1":
        return True
    if rule.protocol not in {"tcp", "6"}:
        return False
    return (rule.from_port or 0) <= HTTPS <= (rule.to_port if rule.to_port is not None else HTTPS)


def _lets_in(rules: Iterable[IngressRule], subnet: Subnet) -> bool:
    network = ipaddress.ip_network(subnet.cidr)
    allowed = [ipaddress.ip_network(cidr, strict=False) for rule in rules for cidr in rule.cidrs]
    same = list(ipaddress.collapse_addresses([a for a in allowed if isinstance(a, ipaddress.IPv4Network)]))
    return isinstance(network, ipaddress.IPv4Network) and any(network.subnet_of(cidr) for cidr in same)


def _carries(endpoint: Endpoint) -> str:
    owner, cluster = endpoint.tags.get(OWNER_TAG), endpoint.tags.get(CLUSTER_TAG)
    if owner and cluster:
        return f"it belongs to {owner} of cluster {cluster}"
    name = endpoint.tags.get("Name")
    return f"it carries no tags of ours{f', its Name is {name}' if name else ''}"


def _elsewhere(things: Iterable[Subnet | SecurityGroup], case: Case) -> str:
    where = ", ".join(f"{thing.id} is in {thing.vpc_id}" for thing in things)
    return f"{where}, not in {case.desired.vpc_id}"


def _do(ids: Iterable[str]) -> str:
    return "does" if len(list(ids)) == 1 else "do"


def _route(tables: Iterable[RouteTableID]) -> str:
    return "routes" if len(list(tables)) == 1 else "route"
