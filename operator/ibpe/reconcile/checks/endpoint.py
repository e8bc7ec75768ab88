"""Is there such a service, is the endpoint ours, is nobody before us?"""

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG, Role
from ibpe.aws.gateway import Endpoint
from ibpe.reconcile.checks.case import EVERYTHING, Case, Refusal, carries
from ibpe.reconcile.claims import private_dns_claim, route_claim
from ibpe.reconcile.fields import Field
from ibpe.reconcile.wanted import Desired


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
        f"{stranger.id} is recorded in the status, but {carries(stranger)}: put the tags "
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
