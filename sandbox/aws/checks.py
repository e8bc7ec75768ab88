"""What EC2 checks before it makes or changes an endpoint, one question a function; each raises EC2's own fault.

Codes and messages: the project's AWS fact sheet, section 2. Reads the network, changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence

from sandbox.aws import errors
from sandbox.aws.model import Endpoint
from sandbox.aws.services import GATEWAY, INTERFACE, Service
from sandbox.aws.settings import Settings
from sandbox.aws.topology import Subnet, Topology, Vpc


def check_vpc(topology: Topology, vpc_id: str, account: str) -> Vpc:
    """The VPC exists and is the caller's own: endpoints can't be made in a VPC that is shared with the account."""
    vpc = topology.vpc(vpc_id)
    if vpc is None:
        raise errors.vpc_not_found(vpc_id)
    if vpc.owner != account:
        raise errors.AwsFault(
            "OperationNotPermitted", f"VPC {vpc_id} is owned by account {vpc.owner}; only its owner may do this."
        )
    return vpc


def check_service(entries: Sequence[Service], name: str, endpoint_type: str) -> Service:
    """The region has the service, in this type."""
    if not entries:
        raise errors.service_not_found(name)
    for service in entries:
        if service.type == endpoint_type:
            return service
    offered = ", ".join(service.type for service in entries)
    raise errors.invalid_parameter(
        f"Endpoint type ({endpoint_type}) does not match available service types ([{offered}])."
    )


def check_subnets(
    topology: Topology, service: Service, vpc_id: str, subnet_ids: Iterable[str], taken: Iterable[Subnet] = ()
) -> tuple[Subnet, ...]:
    """The subnets exist in this VPC, in zones that the service supports, one a zone (`taken` count)."""
    by_zone = {subnet.zone: subnet.id for subnet in taken}
    found = tuple(_subnet(topology, vpc_id, subnet_id) for subnet_id in subnet_ids)
    for subnet in found:
        if service.zones is not None and subnet.zone not in service.zones:
            raise errors.invalid_parameter(
                f"The VPC endpoint service {service.name} does not support the availability zone of the subnet:"
                f" {subnet.id}."
            )
    for subnet in found:
        if subnet.zone in by_zone:
            raise errors.AwsFault(
                "DuplicateSubnetsInSameZone",
                f"Found another VPC endpoint subnet in the availability zone of {subnet.id}",
            )
        by_zone[subnet.zone] = subnet.id
    return found


def _subnet(topology: Topology, vpc_id: str, subnet_id: str) -> Subnet:
    subnet = topology.subnet(subnet_id)
    if subnet is None:
        raise errors.subnet_not_found(subnet_id)
    if subnet.vpc_id != vpc_id:
        raise errors.invalid_parameter(f"The subnet {subnet_id} does not belong to the VPC {vpc_id}.")
    return subnet


def check_groups(topology: Topology, settings: Settings, vpc_id: str, group_ids: Sequence[str]) -> None:
    """The security groups exist in this VPC and are not too many for one interface."""
    for group_id in group_ids:
        group = topology.group(group_id)
        if group is None:
            raise errors.group_not_found(group_id)
        if group.vpc_id != vpc_id:
            raise errors.invalid_parameter(f"Security group {group_id} does not belong to the VPC {vpc_id}.")
    if len(group_ids) > settings.groups_per_endpoint:
        raise errors.limit_exceeded(
            "SecurityGroupsPerInterfaceLimitExceeded",
            f"The maximum number of security groups per interface ({settings.groups_per_endpoint}) has been reached.",
        )


def check_route_tables(topology: Topology, service_name: str, vpc_id: str, table_ids: Iterable[str]) -> None:
    """The route tables exist in this VPC and no other endpoint has its route to the service in them."""
    prefix_list = topology.prefix_list(service_name) or ""
    for table_id in table_ids:
        table = topology.route_table(table_id)
        if table is None:
            raise errors.route_table_not_found(table_id)
        if table.vpc_id != vpc_id:
            raise errors.invalid_parameter(f"The route table {table_id} does not belong to the VPC {vpc_id}.")
        if prefix_list in table.prefix_list_routes:
            raise errors.AwsFault(
                "RouteAlreadyExists",
                f"route table {table_id} already has a route with destination-prefix-list-id {prefix_list}",
            )


def check_private_dns(vpc: Vpc, service: Service, others: Iterable[Endpoint]) -> None:
    """Private DNS can be on: the service has a name, the VPC resolves, and no other endpoint holds the name."""
    if not service.private_dns_names:
        raise errors.invalid_parameter(
            f"Private DNS can't be enabled because the service {service.name} does not provide a private DNS name."
        )
    if not (vpc.dns_support and vpc.dns_host_names):
        raise errors.invalid_parameter(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true"
            f" for {vpc.id}"
        )
    for other in others:
        shared = set(other.private_dns_names) & set(service.private_dns_names)
        if shared and other.vpc_id == vpc.id and other.private_dns and other.holds_claims:
            raise errors.invalid_parameter(
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for"
                f" {min(shared)} in the VPC {vpc.id}"
            )


def check_inbound_resolver_only(vpc_id: str, service_name: str, others: Iterable[Endpoint]) -> None:
    """Private DNS for the inbound resolver alone needs a gateway endpoint that carries the VPC's own traffic."""
    for other in others:
        if (
            other.vpc_id == vpc_id
            and other.type == GATEWAY
            and other.service_name == service_name
            and other.holds_claims
        ):
            return
    raise errors.invalid_parameter(
        f"To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC {vpc_id} must have a Gateway endpoint for"
        " the service."
    )


def check_quota(settings: Settings, vpc_id: str, endpoint_type: str, others: Iterable[Endpoint]) -> None:
    """One more endpoint is allowed: interface endpoints count by VPC, gateway endpoints by region."""
    alive = [other for other in others if other.holds_claims and other.type == endpoint_type]
    if endpoint_type == INTERFACE:
        used, most = sum(other.vpc_id == vpc_id for other in alive), settings.interface_endpoints_per_vpc
    else:
        used, most = len(alive), settings.gateway_endpoints_per_region
    if used >= most:
        raise errors.limit_exceeded(
            "VpcEndpointLimitExceeded", f"The maximum number of VPC endpoints has been reached ({most})."
        )


def check_tags(settings: Settings, added: Mapping[str, str], existing: Mapping[str, str]) -> None:
    """Tag keys and values have a legal form, none is AWS's own, and the resource has room for them."""
    for key, value in added.items():
        if key.lower().startswith("aws:"):
            raise errors.invalid_value("Tag keys starting with 'aws:' are reserved for internal use")
        if not key or len(key) > 127:
            raise errors.invalid_value(f"Tag key exceeds the maximum length of 127 characters or is empty: '{key}'")
        if len(value) > 256:
            raise errors.invalid_value("Tag value exceeds the maximum length of 256 characters")
    if len({*existing, *added}) > settings.tags_per_resource:
        raise errors.limit_exceeded(
            "TagLimitExceeded", f"The maximum number of tags ({settings.tags_per_resource}) has been reached."
        )


def check_ip_address_type(service: Service, ip_address_type: str, subnets: Iterable[Subnet]) -> None:
    """The address type is one that EC2 knows and the service and subnets can carry."""
    if ip_address_type not in {"ipv4", "dualstack", "ipv6"}:
        raise errors.invalid_parameter(f"The IP address type {ip_address_type} is not valid.")
    if ip_address_type == "ipv4":
        return
    if "ipv6" not in service.ip_address_types:
        raise errors.invalid_parameter(f"The service {service.name} does not support the IP type {ip_address_type}.")
    for subnet in subnets:
        if not subnet.has_ipv6:
            raise errors.invalid_parameter(
                f"The subnet {subnet.id} has no IPv6 CIDR block, which the IP address type {ip_address_type} needs."
            )
