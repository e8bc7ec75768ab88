"""Can the endpoint have an interface in these subnets?"""

from collections.abc import Callable, Iterable

from ibpe.aws.facts import Facts
from ibpe.aws.gateway import Subnet, SubnetID, VpcID
from ibpe.reconcile.checks.case import Case, Refusal, in_other_vpcs, verb
from ibpe.reconcile.compare import listed
from ibpe.reconcile.fields import Field
from ibpe.reconcile.wanted import Desired

Refuse = Callable[[str, str], Refusal]
"""From reason and message to a refusal."""


def subnets_exist(case: Case) -> Refusal | None:
    """Are the endpoint's subnets and the builds' in the VPC?"""
    own = wrong_subnets(
        lambda reason, words: case.refuse(reason, words, Field.SUBNETS),
        *(case.endpoint.subnet_ids, "imageBuilder.subnets.ids", case.desired.vpc_id, case.seen.facts),
    )
    return own or builds_subnets_exist(case.refuse, case.desired, case.seen.facts)


def builds_subnets_exist(refuse: Refuse, desired: Desired, facts: Facts) -> Refusal | None:
    """Are the builds' subnets in the VPC?"""
    return wrong_subnets(refuse, desired.build_subnet_ids, "builds.subnets.ids", desired.vpc_id, facts)


def wrong_subnets(refuse: Refuse, ids: Iterable[SubnetID], name: str, vpc_id: VpcID, facts: Facts) -> Refusal | None:
    """What to refuse of subnets that the spec's field `name` lists."""
    found = {id_: facts.subnets.get(id_) for id_ in ids}
    missing = [id_ for id_, subnet in found.items() if subnet is None]
    if missing:
        return refuse("SubnetNotFound", f"{listed(missing)} of {name} {verb(missing)} not exist: correct {name}.")
    elsewhere = [subnet for subnet in found.values() if subnet and subnet.vpc_id != vpc_id]
    if elsewhere:
        return refuse("SubnetInAnotherVpc", f"{in_other_vpcs(elsewhere, vpc_id)}: name subnets of that VPC in {name}.")
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


def _subnets(case: Case) -> Iterable[Subnet]:
    found = (case.seen.facts.subnets.get(id_) for id_ in sorted(case.endpoint.subnet_ids))
    return [subnet for subnet in found if subnet is not None]
