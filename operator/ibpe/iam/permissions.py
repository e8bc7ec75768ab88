"""The least-privilege permissions of the operator's role, from its duties. Knows the calls that `aws.gateway` makes.

Resource types and condition keys: Service Authorization Reference, "Actions, resources, and condition keys for Amazon
EC2", "… Amazon Route 53", "… AWS Security Token Service".
"""

from collections.abc import Iterator
from typing import Final

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG, RETAINED_TAG
from ibpe.iam.document import Conditions, Policy, Statement
from ibpe.iam.duties import ANY, Duties
from ibpe.partitions import service_names

LOOKS: Final = (
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcEndpointServices",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
)
"""Describe calls know no resources; with regions given, they are narrowed to those."""


def permissions(duties: Duties) -> Policy:
    """What the operator needs for these duties and no more."""
    return Policy(tuple(_statements(duties)))


def _statements(duties: Duties) -> Iterator[Statement]:
    if duties.looks:
        yield Statement("Look", LOOKS, ("*",), _in_regions(duties))
    if duties.makes_endpoints:
        yield from _making(duties)
        yield from _tagging(duties)
    if duties.private_dns:  # done by Route 53 in the caller's name; the zone is AWS's own, of no known id
        yield Statement("PrivateDns", ("route53:AssociateVPCWithHostedZone",), ("*",))
    if duties.shared:
        shared = tuple(_arn(duties, f"vpc-endpoint/{each.id}", each.region) for each in duties.shared)
        yield Statement("EditSharedPolicies", ("ec2:ModifyVpcEndpoint",), shared)
    if duties.roles:  # EKS Pod Identity's session tags go along with the role, which needs TagSession
        yield Statement("WorkInOtherAccounts", ("sts:AssumeRole", "sts:TagSession"), duties.roles)


def _making(duties: Duties) -> Iterator[Statement]:
    """Create only with our tag and for our services; change only what carries our tag."""
    endpoints = _arns(duties, "vpc-endpoint/*")
    named_ours: Conditions = {
        "StringLike": {"ec2:VpceServiceName": _services(duties)},
        "StringEquals": {f"aws:RequestTag/{CLUSTER_TAG}": (duties.cluster,)},
    }
    yield Statement("MakeOurEndpoints", ("ec2:CreateVpcEndpoint",), endpoints, named_ours)
    vpcs = [arn for vpc in duties.vpcs or (ANY,) for arn in _arns(duties, f"vpc/{vpc}")]
    parts = [arn for part in _parts(duties) for arn in _arns(duties, f"{part}/*")]
    yield Statement("MakeThemInVpcs", ("ec2:CreateVpcEndpoint",), (*vpcs, *parts))
    yield Statement("ChangeOurEndpoints", ("ec2:DeleteVpcEndpoints", "ec2:ModifyVpcEndpoint"), endpoints, _ours(duties))
    yield Statement("ChangeThemInVpcs", ("ec2:ModifyVpcEndpoint",), tuple(parts))


def _tagging(duties: Duties) -> Iterator[Statement]:
    """Tag what is made, keep the tags of what is ours, and put ours on what only lost it."""
    endpoints = _arns(duties, "vpc-endpoint/*")
    create = "ec2:CreateTags"
    yield Statement(
        "TagWhatIsMade", (create,), endpoints, {"StringEquals": {"ec2:CreateAction": ("CreateVpcEndpoint",)}}
    )
    yield Statement("KeepTags", (create, "ec2:DeleteTags"), endpoints, _ours(duties))
    for sid, mark in (("PutClusterTagBack", OWNER_TAG), ("TakeBackRetained", RETAINED_TAG)):
        conditions = {
            "StringEquals": {f"aws:RequestTag/{CLUSTER_TAG}": (duties.cluster,)},
            "Null": {f"aws:ResourceTag/{mark}": ("false",), f"aws:ResourceTag/{CLUSTER_TAG}": ("true",)},
        }
        yield Statement(sid, (create,), endpoints, conditions)


def _services(duties: Duties) -> tuple[str, ...]:
    """The names that the services of the endpoints may have, as patterns where no region is given."""
    services = [name for name, used in (("imagebuilder", duties.image_builder), ("s3", duties.s3)) if used]
    regions = duties.regions or (ANY,)
    return tuple(name for region in regions for service in services for name in service_names(region, service))


def _parts(duties: Duties) -> tuple[str, ...]:
    """Types of resource that Create and Modify name beside the endpoint and its VPC."""
    return (*(("security-group", "subnet") if duties.image_builder else ()), *(("route-table",) if duties.s3 else ()))


def _ours(duties: Duties) -> Conditions:
    return {"StringEquals": {f"aws:ResourceTag/{CLUSTER_TAG}": (duties.cluster,)}}


def _in_regions(duties: Duties) -> Conditions:
    return {"StringEquals": {"aws:RequestedRegion": duties.regions}} if duties.regions else {}


def _arns(duties: Duties, resource: str) -> tuple[str, ...]:
    return tuple(_arn(duties, resource, region) for region in duties.regions or (ANY,))


def _arn(duties: Duties, resource: str, region: str) -> str:
    return f"{duties.partition.arn_prefix}:ec2:{region}:{duties.account}:{resource}"
