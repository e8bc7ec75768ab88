"""Can the VPC answer the service's name with the endpoint's addresses?"""

from ibpe.aws.gateway import EndpointType
from ibpe.reconcile.checks.case import Case, Refusal, carries, rivals_for
from ibpe.reconcile.fields import Field


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
    for other in rivals_for(case):
        if other.type is EndpointType.INTERFACE and other.private_dns:
            return case.refuse(
                "PrivateDnsConflict",
                f"{other.id} ({carries(other)}) already holds the private DNS name of {other.service_name} in "
                f"{other.vpc_id}: turn its private DNS off, delete it, or set imageBuilder.privateDNS to false here.",
                Field.PRIVATE_DNS,
            )
    return None
