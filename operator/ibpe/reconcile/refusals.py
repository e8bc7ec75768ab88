"""Why something must not be written: a chain of checks, one question each. Pure.

A refusal names what it forbids. An endpoint is not made while anything of it is refused; of an endpoint that exists,
only the refused fields are left as they are, so that a missing subnet never keeps a widened policy from being repaired.
"""

from collections.abc import Iterator

from ibpe.reconcile.checks.case import EVERYTHING, Case, Check, Refusal
from ibpe.reconcile.checks.endpoint import claim_is_free, endpoint_is_ours, service_exists
from ibpe.reconcile.checks.policy import policy_does_what_it_says, policy_is_valid, policy_lets_builds_through
from ibpe.reconcile.checks.private_dns import name_is_free, vpc_resolves_names
from ibpe.reconcile.checks.routes import routes_are_free, table_is_the_builds_own, tables_exist
from ibpe.reconcile.checks.security_groups import groups_exist, https_is_let_in
from ibpe.reconcile.checks.shared import shared_refusals
from ibpe.reconcile.checks.subnets import subnets_exist, zones_are_served, zones_differ
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.wanted import Desired

__all__ = ["CHECKS", "EVERYTHING", "POLICY_REASONS", "Refusal", "refuse"]

CHECKS: tuple[Check, ...] = (
    endpoint_is_ours,
    service_exists,
    policy_is_valid,
    policy_does_what_it_says,
    policy_lets_builds_through,
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

POLICY_REASONS = frozenset({"PolicyInvalid", "PolicyTooLong", "PolicyUnreadable", "PolicyDeniesBuilds", "ForeignDeny"})


def refuse(desired: Desired, seen: Observation) -> tuple[Refusal, ...]:
    """Every refusal: of the whole resource alone if there is one, else the first of each kind for each endpoint."""
    whole = next(_whole(desired, seen), None)
    if whole is not None:
        return (whole,)
    cases = [Case(desired, endpoint, seen) for endpoint in desired.endpoints]
    own = tuple(refusal for case in cases for check in CHECKS if (refusal := check(case)) is not None)
    return (*own, *shared_refusals(desired, seen))


def _whole(desired: Desired, seen: Observation) -> Iterator[Refusal]:
    vpc = seen.facts.vpc
    if vpc is None:
        yield Refusal(
            "VpcNotFound",
            f"{desired.vpc_id} does not exist in account {seen.account}, {desired.region}: correct spec.vpcID "
            "or accountRef (the resource must be made anew, both are immutable), or the operator's credentials.",
        )
    elif vpc.owner_id != seen.account:
        yield Refusal(
            "VpcOfAnotherAccount",
            f"{vpc.id} belongs to account {vpc.owner_id} and is only shared with {seen.account}: endpoints can be made "
            f"by the owner alone, so make this resource anew with an accountRef that is {vpc.owner_id}, or run an "
            "operator with credentials of it.",
        )
