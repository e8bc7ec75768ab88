"""Do the security groups exist, and let the builds in?"""

import ipaddress
from collections.abc import Collection, Iterable

from ibpe.aws.facts import Facts
from ibpe.aws.gateway import IngressRule, SecurityGroupID, Subnet, SubnetID
from ibpe.reconcile.checks.case import Case, Refusal, in_other_vpcs, verb
from ibpe.reconcile.compare import listed
from ibpe.reconcile.fields import Field

HTTPS = 443
FAMILIES = {"ipv4": (4,), "ipv6": (6,), "dualstack": (4, 6)}
"""IP versions by which an endpoint of each address type is reached."""


def groups_exist(case: Case) -> Refusal | None:
    """Are the security groups in the VPC?"""
    found = {id_: case.seen.facts.security_groups.get(id_) for id_ in case.endpoint.security_group_ids}
    missing = [id_ for id_, group in found.items() if group is None]
    where = "imageBuilder.securityGroups.ids"
    if missing:
        return case.refuse(
            "SecurityGroupNotFound",
            f"{listed(missing)} of {where} {verb(missing)} not exist: correct {where}.",
            Field.SECURITY_GROUPS,
        )
    elsewhere = [group for group in found.values() if group and group.vpc_id != case.desired.vpc_id]
    if elsewhere:
        return case.refuse(
            "SecurityGroupInAnotherVpc",
            f"{in_other_vpcs(elsewhere, case.desired.vpc_id)}: name groups of that VPC in {where}.",
            Field.SECURITY_GROUPS,
        )
    return None


def https_is_let_in(case: Case) -> Refusal | None:
    """Do the security groups, together, let the builds in on 443? Existing endpoints are reported, not touched."""
    endpoint = case.endpoint
    words = not_let_in(
        endpoint.security_group_ids, endpoint.ip_address_type, case.desired.build_subnet_ids, case.seen.facts
    )
    return case.refuse("HttpsNotLetIn", words) if words else None


def not_let_in(
    group_ids: Collection[SecurityGroupID], ip_address_type: str, build_subnet_ids: Collection[SubnetID], facts: Facts
) -> str:
    """Which builds these security groups keep out of 443, in words; empty where none, or where that can't be told."""
    groups = [facts.security_groups.get(id_) for id_ in group_ids]
    known = [group for group in groups if group is not None]
    if not known or len(known) < len(groups):
        return ""
    rules = [rule for group in known for rule in group.ingress if _covers_https(rule)]
    ids = listed([group.id for group in known])
    if not any(rule.cidrs or rule.security_group_ids or rule.prefix_list_ids for rule in rules):
        return f"{ids} let nothing in on TCP 443: add an inbound rule for 443 from the build subnets."
    if any(rule.security_group_ids or rule.prefix_list_ids for rule in rules):
        return ""  # whether a build is in that group or list can't be told from here
    builds = [facts.subnets.get(id_) for id_ in sorted(build_subnet_ids)]
    families = FAMILIES.get(ip_address_type.casefold(), (4, 6))
    shut = [subnet for subnet in builds if subnet is not None and not _lets_in(rules, subnet, families)]
    if not shut:
        return ""
    where = ", ".join(f"{subnet.id} ({', '.join(_blocks(subnet, families))})" for subnet in shut)
    return f"{ids} do not let {where} in on TCP 443: add an inbound rule for it."


def _covers_https(rule: IngressRule) -> bool:
    if rule.protocol == "-1":
        return True
    if rule.protocol not in {"tcp", "6"}:
        return False
    return (rule.from_port or 0) <= HTTPS <= (rule.to_port if rule.to_port is not None else HTTPS)


def _blocks(subnet: Subnet, families: tuple[int, ...]) -> list[str]:
    """A subnet's address blocks of these families."""
    blocks = [block for block in (subnet.cidr, *subnet.ipv6_cidrs) if block]
    return [block for block in blocks if ipaddress.ip_network(block).version in families]


def _lets_in(rules: Iterable[IngressRule], subnet: Subnet, families: tuple[int, ...]) -> bool:
    """Whether one of the subnet's blocks is let in whole; where none is known, that can't be told from here."""
    blocks = _blocks(subnet, families)
    allowed = [cidr for rule in rules for cidr in rule.cidrs]
    return not blocks or any(_covered(block, allowed) for block in blocks)


def _covered(block: str, allowed: Iterable[str]) -> bool:
    network = ipaddress.ip_network(block)
    if isinstance(network, ipaddress.IPv4Network):
        four = [n for n in map(_network, allowed) if isinstance(n, ipaddress.IPv4Network)]
        return any(network.subnet_of(cidr) for cidr in ipaddress.collapse_addresses(four))
    six = [n for n in map(_network, allowed) if isinstance(n, ipaddress.IPv6Network)]
    return any(network.subnet_of(cidr) for cidr in ipaddress.collapse_addresses(six))


def _network(cidr: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(cidr, strict=False)
