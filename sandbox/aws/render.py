"""An endpoint as EC2's XML. Reads the endpoint alone (group names come from the network); decides nothing."""

from collections.abc import Callable
from hashlib import sha256

from sandbox.aws.model import Endpoint
from sandbox.aws.policies import read_back
from sandbox.aws.services import GATEWAY, INTERFACE, dns_suffix
from sandbox.aws.settings import Settings
from sandbox.aws.xml import element, items, texts

_HOSTED_ZONE = "Z7HUB22UULQXV"


def render(endpoint: Endpoint, settings: Settings, group_name: Callable[[str], str]) -> str:
    """The content of one `vpcEndpointSet` item."""
    return "".join(
        (
            element("vpcEndpointId", endpoint.id),
            element("vpcEndpointType", endpoint.type),
            element("vpcId", endpoint.vpc_id),
            element("serviceName", endpoint.service_name),
            element("state", _state(endpoint, settings)),
            element("policyDocument", _policy(endpoint, settings)),
            texts("routeTableIdSet", endpoint.route_table_ids),
            texts("subnetIdSet", sorted(endpoint.subnet_ids, key=_shuffle)),
            items("groupSet", (_group(group_id, group_name) for group_id in endpoint.group_ids)),
            element("ipAddressType", endpoint.ip_address_type),
            _dns_options(endpoint),
            element("privateDnsEnabled", endpoint.private_dns),
            element("requesterManaged", value=False),
            texts("networkInterfaceIdSet", endpoint.network_interfaces.values()),
            items("dnsEntrySet", _dns_entries(endpoint)),
            element("creationTimestamp", endpoint.created_at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"),
            items("tagSet", (element("key", key) + element("value", value) for key, value in endpoint.tags.items())),
            element("ownerId", endpoint.account),
            _last_error(endpoint),
            element("serviceRegion", endpoint.service_region),
        )
    )


def _shuffle(subnet_id: str) -> str:
    """AWS does not keep the order in which subnets were given; neither does this, and it is the same each time."""
    return sha256(subnet_id.encode()).hexdigest()


def _state(endpoint: Endpoint, settings: Settings) -> str:
    return endpoint.state.capitalize() if settings.state_case == "varied" else endpoint.state


def _policy(endpoint: Endpoint, settings: Settings) -> str:
    return endpoint.policy if endpoint.policy_is_default else read_back(endpoint.policy, settings.policy_format)


def _group(group_id: str, group_name: Callable[[str], str]) -> str:
    return element("groupId", group_id) + element("groupName", group_name(group_id))


def _dns_options(endpoint: Endpoint) -> str:
    options = endpoint.dns_options
    content = (
        element("dnsRecordIpType", options.record_ip_type)
        + element("privateDnsOnlyForInboundResolverEndpoint", options.only_for_inbound_resolver)
        + element("privateDnsPreference", options.preference)
    )
    if options.specified_domains:
        content += texts("privateDnsSpecifiedDomainSet", options.specified_domains)
    return f"<dnsOptions>{content}</dnsOptions>"


def _last_error(endpoint: Endpoint) -> str:
    if endpoint.last_error is None:
        return ""
    code, message = endpoint.last_error
    return f"<lastError>{element('message', message)}{element('code', code)}</lastError>"


def _dns_entries(endpoint: Endpoint) -> list[str]:
    """Regional, zonal, then the private name: the order that AWS documents. None without a subnet."""
    if endpoint.type != INTERFACE or not endpoint.subnet_ids:
        return []
    own, base = f"{endpoint.id}-{endpoint.name_suffix}", f"{endpoint.dns_base}.vpce.{dns_suffix(endpoint.region)}"
    names = [f"{own}.{base}", *(f"{own}-{zone}.{base}" for zone in sorted(endpoint.zones.values()))]
    entries = [element("dnsName", name) + element("hostedZoneId", _HOSTED_ZONE) for name in names]
    if endpoint.private_dns:
        entries += [
            element("dnsName", name) + element("hostedZoneId", "ZONEIDPENDING") for name in endpoint.private_dns_names
        ]
    return entries


def default_record_type(endpoint_type: str, ip_address_type: str) -> str:
    """DnsRecordIpType when the caller gives none."""
    return "service-defined" if endpoint_type == GATEWAY else ip_address_type
