"""ModifyVpcEndpoint."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.aws import checks, errors
from sandbox.aws.call import Call
from sandbox.aws.create import read_addresses
from sandbox.aws.model import AVAILABLE, DELETED, PENDING, DnsOptions, Endpoint, Entry
from sandbox.aws.parameters import Parameters
from sandbox.aws.policies import GATEWAY_DEFAULT, INTERFACE_DEFAULT, check_policy
from sandbox.aws.services import GATEWAY, Service
from sandbox.aws.territory import Territory
from sandbox.aws.topology import Subnet
from sandbox.aws.world import World

_GATEWAY_HAS_NONE = (
    "AddSubnetId",
    "RemoveSubnetId",
    "AddSecurityGroupId",
    "RemoveSecurityGroupId",
    "SubnetConfiguration",
)
_DNS_IMMUTABLE = ("PrivateDnsPreference", "PrivateDnsSpecifiedDomain")


@dataclass(frozen=True)
class _Change:
    """One Modify in work: what it reads and where it stands."""

    world: World
    territory: Territory
    parameters: Parameters
    endpoint: Endpoint

    def others(self) -> tuple[Endpoint, ...]:
        return tuple(other for other in self.territory.endpoints() if other.id != self.endpoint.id)


def modify_vpc_endpoint(world: World, call: Call) -> None:
    """Change an endpoint: everything is checked before anything is changed; raises EC2's faults."""
    territory = world.territory(call.account, call.region)
    entry = _modifiable(world, territory, call.parameters.required("VpcEndpointId"))
    change = _Change(world, territory, call.parameters, entry.endpoint)
    _check_type(change)
    edited = _network(change, _policy(change, entry.endpoint))
    edited = _private_dns(change, edited)
    if call.parameters.flag("DryRun"):
        raise errors.dry_run()
    moved = set(edited.subnet_ids) != set(entry.endpoint.subnet_ids)
    territory.change(entry, edited)
    if moved:
        territory.return_to_pending(entry)


def _modifiable(world: World, territory: Territory, endpoint_id: str) -> Entry:
    entry = territory.entry(endpoint_id)
    if entry is None or entry.endpoint.state == DELETED:
        raise errors.endpoint_not_found(endpoint_id)
    state = entry.endpoint.state
    if state == PENDING and world.settings.modify_while_pending == "refuse":
        raise errors.operation_in_progress()
    if state not in {AVAILABLE, PENDING}:
        raise errors.AwsFault("IncorrectState", f"VPC Endpoint {endpoint_id} is in the state {state}")
    return entry


def _check_type(change: _Change) -> None:
    parameters = change.parameters
    if change.endpoint.type == GATEWAY:
        if parameters.has_any(*_GATEWAY_HAS_NONE):
            raise errors.invalid_parameter("Subnet IDs and security group IDs are only supported for Interface type.")
        if parameters.flag("PrivateDnsEnabled"):
            raise errors.invalid_parameter("Private DNS is only supported for Interface type VPC Endpoints.")
    elif parameters.has_any("AddRouteTableId", "RemoveRouteTableId"):
        raise errors.invalid_parameter("Route table IDs are only supported for Gateway type VPC Endpoints.")
    if parameters.structure("DnsOptions").has_any(*_DNS_IMMUTABLE):
        raise errors.invalid_parameter("The private DNS preference and domains can't be changed.")


def _policy(change: _Change, endpoint: Endpoint) -> Endpoint:
    policy, reset = change.parameters.text("PolicyDocument"), change.parameters.flag("ResetPolicy")
    if policy is not None and reset:
        raise errors.AwsFault("InvalidParameterCombination", "PolicyDocument and ResetPolicy can't be used together")
    if reset:
        default = GATEWAY_DEFAULT if endpoint.type == GATEWAY else INTERFACE_DEFAULT
        return replace(endpoint, policy=default, policy_is_default=True)
    if policy is None:
        return endpoint
    check_policy(policy, change.world.settings.policy_characters)
    return replace(endpoint, policy=policy, policy_is_default=False)


def _network(change: _Change, endpoint: Endpoint) -> Endpoint:
    if endpoint.type == GATEWAY:
        return replace(endpoint, route_table_ids=_route_tables(change))
    chosen = {subnet_id: address for subnet_id, address in read_addresses(change.parameters).items() if address}
    edited = replace(
        endpoint,
        subnet_ids=_subnets(change),
        group_ids=_groups(change),
        addresses={**endpoint.addresses, **chosen},
    )
    sent = change.parameters.text("IpAddressType")
    if sent is None:
        return edited
    topology = change.territory.topology
    subnets = [subnet for each in edited.subnet_ids if (subnet := topology.subnet(each))]
    checks.check_ip_address_type(_service(change), sent, subnets)
    options = replace(edited.dns_options, record_ip_type=sent)
    return replace(edited, ip_address_type=sent, dns_options=options)


def _subnets(change: _Change) -> tuple[str, ...]:
    """The subnets afterwards. An added one may not share its zone with one that was there before the call, removed in
    the same call or not, unless the settings allow the swap.
    """
    before, topology = change.endpoint.subnet_ids, change.territory.topology
    configured = read_addresses(change.parameters)
    added = tuple(dict.fromkeys((*change.parameters.texts("AddSubnetId"), *configured)))
    kept = _removed(change, before, "RemoveSubnetId", "subnet")
    added = tuple(each for each in added if each not in configured or each not in kept)
    taken = kept if change.world.settings.same_zone_swap == "allow" else before
    there: Sequence[Subnet] = [subnet for each in taken if (subnet := topology.subnet(each))]
    checks.check_subnets(topology, _service(change), change.endpoint.vpc_id, added, there)
    return (*kept, *added)


def _groups(change: _Change) -> tuple[str, ...]:
    kept = _removed(change, change.endpoint.group_ids, "RemoveSecurityGroupId", "security group")
    added = change.parameters.unique("AddSecurityGroupId")
    after = tuple(dict.fromkeys((*kept, *added)))
    if not after and change.endpoint.group_ids:
        raise errors.invalid_parameter("A VPC endpoint must have at least one security group.")
    checks.check_groups(change.territory.topology, change.world.settings, change.endpoint.vpc_id, added)
    if len(after) > change.world.settings.groups_per_endpoint:
        raise errors.limit_exceeded(
            "SecurityGroupsPerInterfaceLimitExceeded",
            f"The maximum number of security groups per interface ({change.world.settings.groups_per_endpoint}) has"
            " been reached.",
        )
    return after


def _route_tables(change: _Change) -> tuple[str, ...]:
    endpoint = change.endpoint
    kept = _removed(change, endpoint.route_table_ids, "RemoveRouteTableId", "route table")
    added = change.parameters.unique("AddRouteTableId")
    checks.check_route_tables(change.territory.topology, endpoint.service_name, endpoint.vpc_id, added)
    return (*kept, *added)


def _removed(change: _Change, before: Sequence[str], parameter: str, kind: str) -> tuple[str, ...]:
    removed = change.parameters.unique(parameter)
    for each in removed:
        if each not in before:
            raise errors.invalid_parameter(f"The {kind} {each} is not associated with {change.endpoint.id}.")
    return tuple(each for each in before if each not in removed)


def _private_dns(change: _Change, endpoint: Endpoint) -> Endpoint:
    sent = change.parameters.flag("PrivateDnsEnabled")
    after = endpoint.private_dns if sent is None else sent
    options = _dns_options(change, endpoint)
    if after and not endpoint.private_dns:
        vpc = change.territory.topology.vpc(endpoint.vpc_id)
        if vpc is None:
            raise errors.vpc_not_found(endpoint.vpc_id)
        checks.check_private_dns(vpc, _service(change), change.others())
    if after and options.only_for_inbound_resolver and not endpoint.dns_options.only_for_inbound_resolver:
        checks.check_inbound_resolver_only(endpoint.vpc_id, endpoint.service_name, change.others())
    return replace(endpoint, private_dns=after, dns_options=options)


def _dns_options(change: _Change, endpoint: Endpoint) -> DnsOptions:
    sent, options = change.parameters.structure("DnsOptions"), endpoint.dns_options
    only = sent.flag("PrivateDnsOnlyForInboundResolverEndpoint")
    return replace(
        options,
        record_ip_type=sent.text("DnsRecordIpType") or options.record_ip_type,
        only_for_inbound_resolver=options.only_for_inbound_resolver if only is None else only,
    )


def _service(change: _Change) -> Service:
    endpoint = change.endpoint
    entries = change.world.services.named(endpoint.service_region, endpoint.service_name)
    return checks.check_service(entries, endpoint.service_name, endpoint.type)
