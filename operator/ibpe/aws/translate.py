"""What EC2 answers, turned into our own types. Pure; a field that must be there and is not raises KeyError."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ibpe.aws.gateway import (
    AccountID,
    Endpoint,
    EndpointID,
    EndpointRoute,
    EndpointService,
    EndpointState,
    EndpointType,
    IngressRule,
    RouteTable,
    RouteTableID,
    SecurityGroup,
    SecurityGroupID,
    Subnet,
    SubnetID,
    Vpc,
    VpcID,
)

if TYPE_CHECKING:
    # Types only: the stubs are no dependency of the product.
    from mypy_boto3_ec2 import type_defs as ec2

Member = TypeVar("Member", EndpointState, EndpointType)


def endpoint(given: "ec2.VpcEndpointTypeDef") -> Endpoint:
    """A VPC endpoint; state and type are compared without regard to case (the wire varies).

    Endpoints of type Resource and ServiceNetwork have no ServiceName (EC2 API, "VpcEndpoint": it isn't required).
    """
    return Endpoint(
        id=EndpointID(given["VpcEndpointId"]),
        vpc_id=VpcID(given["VpcId"]),
        service_name=given.get("ServiceName", ""),
        type=_member(EndpointType, given.get("VpcEndpointType", "Gateway"), EndpointType.OTHER),
        state=_member(EndpointState, given.get("State", ""), EndpointState.UNKNOWN),
        owner_id=AccountID(given.get("OwnerId", "")),
        policy=given.get("PolicyDocument", ""),
        subnet_ids=frozenset(SubnetID(each) for each in given.get("SubnetIds", ())),
        security_group_ids=frozenset(SecurityGroupID(each["GroupId"]) for each in given.get("Groups", ())),
        route_table_ids=frozenset(RouteTableID(each) for each in given.get("RouteTableIds", ())),
        private_dns=given.get("PrivateDnsEnabled", False),
        ip_address_type=given.get("IpAddressType", "ipv4").casefold(),
        dns_names=tuple(each["DnsName"] for each in given.get("DnsEntries", ()) if each.get("DnsName")),
        network_interface_ids=tuple(given.get("NetworkInterfaceIds", ())),
        tags=tags(given.get("Tags", ())),
        created_at=given.get("CreationTimestamp"),
        failure=_failure(given),
    )


def _member(kind: type[Member], value: str, otherwise: Member) -> Member:
    return next((member for member in kind if member.value.casefold() == value.casefold()), otherwise)


def _failure(given: "ec2.VpcEndpointTypeDef") -> str:
    error = given.get("LastError") or {}
    parts = (error.get("Code", ""), error.get("Message", ""))
    return ": ".join(part for part in parts if part) or given.get("FailureReason", "")


def tags(given: "Sequence[ec2.TagTypeDef]") -> dict[str, str]:
    """Tags as a mapping."""
    return {each["Key"]: each.get("Value", "") for each in given if "Key" in each}


def vpc(given: "ec2.VpcTypeDef", *, dns_support: bool, dns_host_names: bool) -> Vpc:
    """A VPC, with the two attributes that DescribeVpcs does not show; its primary CIDR first."""
    blocks = [given.get("CidrBlock", "")]
    blocks += [each.get("CidrBlock", "") for each in given.get("CidrBlockAssociationSet", ()) if _associated(each)]
    blocks += [
        each.get("Ipv6CidrBlock", "") for each in given.get("Ipv6CidrBlockAssociationSet", ()) if _associated(each)
    ]
    return Vpc(
        id=VpcID(given["VpcId"]),
        owner_id=AccountID(given.get("OwnerId", "")),
        cidrs=tuple(dict.fromkeys(block for block in blocks if block)),
        dns_support=dns_support,
        dns_host_names=dns_host_names,
        tags=tags(given.get("Tags", ())),
    )


def vpc_attribute(given: "ec2.DescribeVpcAttributeResultTypeDef", name: str) -> bool:
    """The one attribute that was asked for: `enableDnsSupport` or `enableDnsHostnames`."""
    attribute = given["EnableDnsSupport"] if name == "enableDnsSupport" else given["EnableDnsHostnames"]
    return attribute["Value"]


def _associated(given: "ec2.VpcCidrBlockAssociationTypeDef | ec2.VpcIpv6CidrBlockAssociationTypeDef") -> bool:
    state: Any = given.get("CidrBlockState") or given.get("Ipv6CidrBlockState") or {}  # a union that mypy can't merge
    return state.get("State", "associated") in {"associated", "associating"}


def subnet(given: "ec2.SubnetTypeDef") -> Subnet:
    """A subnet. One for IPv6 alone has no CidrBlock (EC2 API, "Subnet": Ipv6Native)."""
    ipv6_blocks = given.get("Ipv6CidrBlockAssociationSet", ())
    return Subnet(
        id=SubnetID(given["SubnetId"]),
        vpc_id=VpcID(given["VpcId"]),
        zone=given["AvailabilityZone"],
        cidr=given.get("CidrBlock", ""),
        owner_id=AccountID(given.get("OwnerId", "")),
        ipv6_cidrs=_filled(
            each.get("Ipv6CidrBlock", "")
            for each in ipv6_blocks
            if each.get("Ipv6CidrBlockState", {}).get("State") == "associated"
        ),
    )


def security_group(given: "ec2.SecurityGroupTypeDef") -> SecurityGroup:
    """A security group with its inbound rules."""
    return SecurityGroup(
        id=SecurityGroupID(given["GroupId"]),
        vpc_id=VpcID(given.get("VpcId", "")),
        ingress=tuple(_ingress(each) for each in given.get("IpPermissions", ())),
    )


def _ingress(given: "ec2.IpPermissionOutputTypeDef") -> IngressRule:
    cidrs = [each.get("CidrIp", "") for each in given.get("IpRanges", ())]
    cidrs += [each.get("CidrIpv6", "") for each in given.get("Ipv6Ranges", ())]
    groups = (each.get("GroupId", "") for each in given.get("UserIdGroupPairs", ()))
    prefix_lists = (each.get("PrefixListId", "") for each in given.get("PrefixListIds", ()))
    return IngressRule(
        protocol=given["IpProtocol"].casefold(),
        from_port=_port(given.get("FromPort")),
        to_port=_port(given.get("ToPort")),
        cidrs=_filled(cidrs),
        security_group_ids=tuple(SecurityGroupID(each) for each in _filled(groups)),
        prefix_list_ids=_filled(prefix_lists),
    )


def _port(given: int | None) -> int | None:
    """None for "all": EC2 leaves it out, or writes -1."""
    return None if given is None or given < 0 else given


def _filled(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(each for each in given if each))


def route_table(given: "ec2.RouteTableTypeDef") -> RouteTable:
    """A route table: its associations that hold, and its routes to gateway endpoints."""
    associations = [
        each
        for each in given.get("Associations", ())
        if each.get("AssociationState", {}).get("State", "associated") not in {"disassociated", "failed"}
    ]
    return RouteTable(
        id=RouteTableID(given["RouteTableId"]),
        vpc_id=VpcID(given["VpcId"]),
        main=any(each.get("Main", False) for each in associations),
        subnet_ids=frozenset(SubnetID(each["SubnetId"]) for each in associations if each.get("SubnetId")),
        endpoint_routes=tuple(sorted(_endpoint_routes(given), key=lambda route: route.prefix_list_id)),
    )


def _endpoint_routes(given: "ec2.RouteTableTypeDef") -> Iterable[EndpointRoute]:
    """Routes from a prefix list to `vpce-…`; those to a Gateway Load Balancer's endpoint have a CIDR instead."""
    for route in given.get("Routes", ()):
        target, prefix_list = route.get("GatewayId", ""), route.get("DestinationPrefixListId", "")
        if target.startswith("vpce-") and prefix_list:
            yield EndpointRoute(prefix_list_id=prefix_list, endpoint_id=EndpointID(target))


def service(given: "ec2.ServiceDetailTypeDef") -> EndpointService:
    """An endpoint service. `PrivateDnsName` is the older form of `PrivateDnsNames`."""
    names = [given.get("PrivateDnsName", "")]
    names += [each.get("PrivateDnsName", "") for each in given.get("PrivateDnsNames", ())]
    return EndpointService(
        name=given["ServiceName"],
        types=frozenset(
            _member(EndpointType, each.get("ServiceType", ""), EndpointType.OTHER)
            for each in given.get("ServiceType", ())
        ),
        zones=frozenset(given.get("AvailabilityZones", ())),
        private_dns_names=_filled(set(names)),
        policy_supported=given.get("VpcEndpointPolicySupported", False),
    )
