"""The calls that the operator makes to AWS, in its own frozen types. Knows no SDK: `aws.ec2` implements it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol

AccountID = NewType("AccountID", str)
EndpointID = NewType("EndpointID", str)
VpcID = NewType("VpcID", str)
SubnetID = NewType("SubnetID", str)
SecurityGroupID = NewType("SecurityGroupID", str)
RouteTableID = NewType("RouteTableID", str)


class EndpointType(StrEnum):
    """The endpoint types that the operator makes; AWS knows more, which read as OTHER."""

    INTERFACE = "Interface"
    GATEWAY = "Gateway"
    OTHER = "Other"


class EndpointState(StrEnum):
    """States of an endpoint, case-folded (AWS writes them in varied case: Terraform's provider lower-cases them)."""

    PENDING_ACCEPTANCE = "pendingacceptance"
    PENDING = "pending"
    AVAILABLE = "available"
    DELETING = "deleting"
    DELETED = "deleted"
    REJECTED = "rejected"
    FAILED = "failed"
    EXPIRED = "expired"
    PARTIAL = "partial"
    UNKNOWN = "unknown"

    @property
    def is_gone(self) -> bool:
        """`deleted` endpoints stay listed for a while; they count as absent."""
        return self is EndpointState.DELETED

    @property
    def is_dead(self) -> bool:
        """States that an endpoint never comes back from by itself."""
        return self in {EndpointState.REJECTED, EndpointState.FAILED, EndpointState.EXPIRED}


@dataclass(frozen=True)
class Endpoint:
    """A VPC endpoint as DescribeVpcEndpoints shows it, ids as sets (their order is not preserved by AWS)."""

    id: EndpointID
    vpc_id: VpcID
    service_name: str
    type: EndpointType
    state: EndpointState
    owner_id: AccountID
    policy: str
    subnet_ids: frozenset[SubnetID] = frozenset()
    security_group_ids: frozenset[SecurityGroupID] = frozenset()
    route_table_ids: frozenset[RouteTableID] = frozenset()
    private_dns: bool = False
    ip_address_type: str = "ipv4"
    dns_names: tuple[str, ...] = ()
    network_interface_ids: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    failure: str = ""
    """LastError or FailureReason, where AWS gives one."""


@dataclass(frozen=True)
class CreateEndpoint:
    """CreateVpcEndpoint: every parameter explicit, since AWS's defaults differ by caller (TF#37694: private DNS)."""

    client_token: str
    vpc_id: VpcID
    service_name: str
    type: EndpointType
    policy: str | None
    tags: Mapping[str, str]
    subnet_ids: frozenset[SubnetID] = frozenset()
    security_group_ids: frozenset[SecurityGroupID] = frozenset()
    route_table_ids: frozenset[RouteTableID] = frozenset()
    private_dns: bool = False
    ip_address_type: str | None = None


@dataclass(frozen=True)
class ModifyEndpoint:
    """ModifyVpcEndpoint: only what changes; None and empty sets are not sent."""

    id: EndpointID
    policy: str | None = None
    private_dns: bool | None = None
    ip_address_type: str | None = None
    add_subnet_ids: frozenset[SubnetID] = frozenset()
    remove_subnet_ids: frozenset[SubnetID] = frozenset()
    add_security_group_ids: frozenset[SecurityGroupID] = frozenset()
    remove_security_group_ids: frozenset[SecurityGroupID] = frozenset()
    add_route_table_ids: frozenset[RouteTableID] = frozenset()
    remove_route_table_ids: frozenset[RouteTableID] = frozenset()


@dataclass(frozen=True)
class DeleteFailure:
    """One item of DeleteVpcEndpoints' `Unsuccessful`: HTTP 200 does not mean deleted."""

    code: str
    message: str


@dataclass(frozen=True)
class Vpc:
    """A VPC with its DNS attributes."""

    id: VpcID
    owner_id: AccountID
    cidrs: tuple[str, ...]
    dns_support: bool
    dns_host_names: bool
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Subnet:
    """A subnet; `zone` is the availability zone's name in this account."""

    id: SubnetID
    vpc_id: VpcID
    zone: str
    cidr: str
    """The IPv4 block; "" where there is none."""
    owner_id: AccountID
    ipv6_cidrs: tuple[str, ...] = ()


@dataclass(frozen=True)
class IngressRule:
    """An inbound rule: protocol `-1` (all), `tcp` or another; ports inclusive, None for all."""

    protocol: str
    from_port: int | None
    to_port: int | None
    cidrs: tuple[str, ...] = ()
    security_group_ids: tuple[SecurityGroupID, ...] = ()
    prefix_list_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class SecurityGroup:
    """A security group's inbound rules."""

    id: SecurityGroupID
    vpc_id: VpcID
    ingress: tuple[IngressRule, ...]


@dataclass(frozen=True)
class EndpointRoute:
    """A route to a gateway endpoint: destination prefix list -> vpce-…"""

    prefix_list_id: str
    endpoint_id: EndpointID


@dataclass(frozen=True)
class RouteTable:
    """A route table: what is associated with it and its routes to gateway endpoints."""

    id: RouteTableID
    vpc_id: VpcID
    main: bool
    subnet_ids: frozenset[SubnetID]
    """Subnets with an explicit association; the main table also serves every subnet without one."""
    endpoint_routes: tuple[EndpointRoute, ...] = ()


@dataclass(frozen=True)
class EndpointService:
    """A service that can be reached through PrivateLink, as DescribeVpcEndpointServices shows it."""

    name: str
    types: frozenset[EndpointType]
    zones: frozenset[str]
    private_dns_names: tuple[str, ...]
    policy_supported: bool


class Gateway(Protocol):
    """EC2 in one region, under one set of credentials. Every method raises `aws.errors.AwsError` and nothing else."""

    region: str

    def list_endpoints(self) -> tuple[Endpoint, ...]:
        """All VPC endpoints of the account in this region, all pages."""

    def endpoint(self, endpoint_id: EndpointID) -> Endpoint | None:
        """One endpoint by id; None for InvalidVpcEndpointId.NotFound."""

    def owned_endpoints(self, tags: Mapping[str, str]) -> tuple[Endpoint, ...]:
        """Endpoints that carry all these tags."""

    def create_endpoint(self, request: CreateEndpoint) -> Endpoint:
        """CreateVpcEndpoint."""

    def modify_endpoint(self, request: ModifyEndpoint) -> None:
        """ModifyVpcEndpoint."""

    def delete_endpoints(self, ids: Collection[EndpointID]) -> Mapping[EndpointID, DeleteFailure]:
        """DeleteVpcEndpoints; returns the `Unsuccessful` items."""

    def put_tags(self, ids: Collection[EndpointID], tags: Mapping[str, str]) -> None:
        """CreateTags (it also overwrites)."""

    def remove_tags(self, ids: Collection[EndpointID], keys: Collection[str]) -> None:
        """DeleteTags by key, whatever the value."""

    def vpcs(self, ids: Collection[VpcID]) -> Mapping[VpcID, Vpc]:
        """VPCs with their DNS attributes; ids that don't exist are absent from the answer (likewise below)."""

    def vpc_tags(self, vpc_id: VpcID) -> Mapping[str, str] | None:
        """The tags of a VPC, with no other question about it; None where there is no such VPC."""

    def subnets(self, ids: Collection[SubnetID]) -> Mapping[SubnetID, Subnet]:
        """Subnets by id."""

    def security_groups(self, ids: Collection[SecurityGroupID]) -> Mapping[SecurityGroupID, SecurityGroup]:
        """Security groups by id."""

    def route_tables(self, vpc_ids: Collection[VpcID]) -> Mapping[RouteTableID, RouteTable]:
        """All route tables of these VPCs (the main table decides for subnets without an association)."""

    def subnets_of(self, vpc_ids: Collection[VpcID]) -> Mapping[SubnetID, Subnet]:
        """All subnets of these VPCs."""

    def services(self, names: Collection[str]) -> Mapping[str, EndpointService]:
        """Endpoint services by name; a name that AWS doesn't know is absent."""


class Cloud(Protocol):
    """AWS as the operator's credentials see it."""

    def caller_account(self) -> AccountID:
        """The account of the credentials in use now (GetCallerIdentity, asked anew on every call)."""

    def gateway(self, region: str) -> Gateway:
        """The gateway to a region; made once, shared by threads."""
