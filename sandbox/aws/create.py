"""CreateVpcEndpoint."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sandbox.aws import checks, errors
from sandbox.aws.call import Call, new_id
from sandbox.aws.model import AVAILABLE, PENDING, DnsOptions, Endpoint, Entry
from sandbox.aws.parameters import Parameters
from sandbox.aws.policies import GATEWAY_DEFAULT, INTERFACE_DEFAULT, check_policy
from sandbox.aws.render import default_record_type
from sandbox.aws.services import GATEWAY, INTERFACE, Service
from sandbox.aws.tags import read_specified_tags
from sandbox.aws.territory import Territory, Token
from sandbox.aws.topology import Subnet, Vpc
from sandbox.aws.world import World

_TYPES = (INTERFACE, GATEWAY)
_NOT_COMPARED = ("ClientToken", "DryRun", "Action", "Version")
_INTERFACE_ONLY = {
    "SubnetId": "Subnet IDs are only supported for Interface and Gateway Load Balancer type VPC Endpoints.",
    "SecurityGroupId": "Security group IDs are only supported for Interface type VPC Endpoints.",
    "SubnetConfiguration": "Subnet configurations are only supported for Interface type VPC Endpoints.",
}


@dataclass(frozen=True)
class _Request:
    """A request that passed the checks that need no network."""

    vpc: Vpc
    service: Service
    parameters: Parameters
    subnet_ids: tuple[str, ...]
    addresses: Mapping[str, str]
    group_ids: tuple[str, ...]
    route_table_ids: tuple[str, ...]
    private_dns: bool
    ip_address_type: str


def create_vpc_endpoint(world: World, call: Call) -> Entry:
    """Make an endpoint, or answer with the one that the same client token made before; raises EC2's faults."""
    territory = world.territory(call.account, call.region)
    token = call.parameters.text("ClientToken")
    if token and (earlier := _earlier(territory, token, call.parameters)):
        return earlier
    request = _read(world, territory, call)
    _check_network(world, territory, request)
    tags = read_specified_tags(call.parameters, "vpc-endpoint")
    checks.check_tags(world.settings, tags, {})
    if call.parameters.flag("DryRun"):
        raise errors.dry_run()
    entry = territory.add(replace(_new(territory, request), tags=tags))
    if token:
        territory.tokens[token] = Token(_compared(call.parameters), entry)
    return entry


def read_addresses(parameters: Parameters) -> Mapping[str, str]:
    """Subnet id -> IPv4 address ("" where none is chosen) of `SubnetConfiguration`."""
    configured = parameters.structures("SubnetConfiguration")
    return {each.required("SubnetId"): each.text("Ipv4") or "" for each in configured}


def _compared(parameters: Parameters) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(parameters.without(_NOT_COMPARED).items()))


def _earlier(territory: Territory, token: str, parameters: Parameters) -> Entry | None:
    """What the token made, in the state that it has now (a deleted endpoint is answered as deleted)."""
    if len(token) > 64 or not token.isascii():
        raise errors.invalid_value("ClientToken must have up to 64 ASCII characters")
    used = territory.tokens.get(token)
    if used is None:
        return None
    if used.parameters != _compared(parameters):
        raise errors.AwsFault(
            "IdempotentParameterMismatch",
            f"The request uses the client token {token} of an earlier request with other parameters.",
        )
    return used.entry


def _read(world: World, territory: Territory, call: Call) -> _Request:
    parameters = call.parameters
    vpc_id, name = parameters.required("VpcId"), parameters.required("ServiceName")
    endpoint_type = parameters.text("VpcEndpointType") or GATEWAY
    if endpoint_type not in _TYPES:
        raise errors.invalid_parameter(f"The endpoint type {endpoint_type} is not offered by this double.")
    vpc = checks.check_vpc(territory.topology, vpc_id, call.account)
    service_region = parameters.text("ServiceRegion") or call.region
    service = checks.check_service(world.services.named(service_region, name), name, endpoint_type)
    _check_type(parameters, endpoint_type)
    policy = parameters.text("PolicyDocument")
    if policy is not None:
        check_policy(policy, world.settings.policy_characters)
    sent_dns = parameters.flag("PrivateDnsEnabled")
    addresses = read_addresses(parameters)
    return _Request(
        vpc=vpc,
        service=service,
        parameters=parameters,
        subnet_ids=tuple(dict.fromkeys((*parameters.texts("SubnetId"), *addresses))),
        addresses=addresses,
        group_ids=parameters.unique("SecurityGroupId"),
        route_table_ids=parameters.unique("RouteTableId"),
        private_dns=endpoint_type == INTERFACE and (True if sent_dns is None else sent_dns),
        ip_address_type=parameters.text("IpAddressType") or "ipv4",
    )


def _check_type(parameters: Parameters, endpoint_type: str) -> None:
    if endpoint_type == INTERFACE:
        if parameters.has_any("RouteTableId"):
            raise errors.invalid_parameter("Route table IDs are only supported for Gateway type VPC Endpoints.")
        return
    for name, message in _INTERFACE_ONLY.items():
        if parameters.has_any(name):
            raise errors.invalid_parameter(message)
    if parameters.flag("PrivateDnsEnabled"):
        raise errors.invalid_parameter("Private DNS is only supported for Interface type VPC Endpoints.")


def _check_network(world: World, territory: Territory, request: _Request) -> None:
    topology, vpc_id, others = territory.topology, request.vpc.id, territory.endpoints()
    subnets: Sequence[Subnet] = checks.check_subnets(topology, request.service, vpc_id, request.subnet_ids)
    checks.check_groups(topology, world.settings, vpc_id, request.group_ids)
    checks.check_route_tables(topology, request.service.name, vpc_id, request.route_table_ids)
    checks.check_ip_address_type(request.service, request.ip_address_type, subnets)
    if request.private_dns:
        checks.check_private_dns(request.vpc, request.service, others)
        if _only_for_inbound_resolver(request):
            checks.check_inbound_resolver_only(vpc_id, request.service.name, others)
    checks.check_quota(world.settings, vpc_id, request.service.type, others)


def _only_for_inbound_resolver(request: _Request) -> bool | None:
    """S3's interface endpoint with private DNS is for the inbound resolver alone unless told otherwise (TF#46404)."""
    sent = request.parameters.structure("DnsOptions").flag("PrivateDnsOnlyForInboundResolverEndpoint")
    if sent is None and request.private_dns and request.service.dns_base.startswith("s3."):
        return True
    return sent


def _new(territory: Territory, request: _Request) -> Endpoint:
    service, is_interface = request.service, request.service.type == INTERFACE
    policy = request.parameters.text("PolicyDocument")
    default_group = territory.topology.default_group(request.vpc.id)
    groups = request.group_ids or ((default_group.id,) if default_group and is_interface else ())
    return Endpoint(
        id=new_id("vpce"),
        account=territory.account,
        region=territory.region,
        vpc_id=request.vpc.id,
        service_name=service.name,
        type=service.type,
        state=PENDING if is_interface else AVAILABLE,
        created_at=datetime.now(UTC),
        name_suffix=secrets.token_hex(4),
        dns_base=service.dns_base,
        private_dns_names=service.private_dns_names,
        policy=policy if policy is not None else INTERFACE_DEFAULT if is_interface else GATEWAY_DEFAULT,
        policy_is_default=policy is None,
        ip_address_type=request.ip_address_type,
        dns_options=_dns_options(request),
        service_region=request.parameters.text("ServiceRegion") or territory.region,
        private_dns=request.private_dns,
        subnet_ids=request.subnet_ids,
        addresses={subnet_id: address for subnet_id, address in request.addresses.items() if address},
        group_ids=groups,
        route_table_ids=request.route_table_ids,
    )


def _dns_options(request: _Request) -> DnsOptions:
    sent, is_interface = request.parameters.structure("DnsOptions"), request.service.type == INTERFACE
    record_type = sent.text("DnsRecordIpType") or default_record_type(request.service.type, request.ip_address_type)
    if not is_interface:
        return DnsOptions(record_type)
    return DnsOptions(
        record_ip_type=record_type,
        only_for_inbound_resolver=_only_for_inbound_resolver(request),
        preference=sent.text("PrivateDnsPreference") or "VERIFIED_DOMAINS_ONLY",
        specified_domains=sent.texts("PrivateDnsSpecifiedDomain") or ("*",),
    )
