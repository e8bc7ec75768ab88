"""DescribeVpcEndpointServices: which services there are, of which type, in which zones, under which private names."""

from collections.abc import Callable, Mapping
from hashlib import sha256

from sandbox.aws import errors
from sandbox.aws.call import Call
from sandbox.aws.filters import wildcard
from sandbox.aws.parameters import Parameters
from sandbox.aws.services import INTERFACE, Service, dns_suffix
from sandbox.aws.world import World
from sandbox.aws.xml import element, items, texts

_FILTERS: Mapping[str, Callable[[Service], str]] = {
    "service-name": lambda service: service.name,
    "service-type": lambda service: service.type,
    "owner": lambda _: "amazon",
}


def describe_services(world: World, call: Call) -> str:
    """The answer's content; raises `InvalidServiceName` for a name that the region doesn't have."""
    parameters = call.parameters
    services = tuple(world.services.of(call.region).values())
    names = parameters.unique("ServiceName")
    for name in names:
        if not world.services.named(call.region, name):
            raise errors.service_not_found(name)
    chosen = [each for each in services if (not names or each.name in names) and _passes(each, parameters)]
    zones = world.territory(call.account, call.region).topology.zones()
    return texts("serviceNameSet", dict.fromkeys(each.name for each in chosen)) + items(
        "serviceDetailSet", (_detail(each, call.region, zones) for each in chosen)
    )


def _passes(service: Service, parameters: Parameters) -> bool:
    for each in parameters.structures("Filter"):
        name = each.required("Name")
        if name not in _FILTERS:
            raise errors.invalid_value(f"The filter '{name}' is invalid")
        value = _FILTERS[name](service)
        if not any(wildcard(pattern).fullmatch(value) for pattern in each.texts("Value")):
            return False
    return True


def _service_id(service: Service) -> str:
    return f"vpce-svc-{sha256(f'{service.name} {service.type}'.encode()).hexdigest()[:17]}"


def _detail(service: Service, region: str, zones: tuple[tuple[str, str], ...]) -> str:
    supported = [(name, zone_id) for name, zone_id in zones if service.zones is None or name in service.zones]
    private = [element("privateDnsName", name) for name in service.private_dns_names]
    return "".join(
        (
            element("serviceName", service.name),
            element("serviceId", _service_id(service)),
            items("serviceType", [element("serviceType", service.type)]),
            element("serviceRegion", region),
            texts("availabilityZoneIdSet", (zone_id for _, zone_id in supported)),
            texts("availabilityZoneSet", (name for name, _ in supported)),
            element("owner", "amazon"),
            texts("baseEndpointDnsNameSet", [f"{service.dns_base}.vpce.{dns_suffix(region)}"]),
            private[0] if private else "",
            items("privateDnsNameSet", private) if private else "",
            element("vpcEndpointPolicySupported", service.policy_supported),
            element("acceptanceRequired", value=False),
            element("managesVpcEndpoints", value=False),
            element("privateDnsNameVerificationState", "verified") if private else "",
            texts("supportedIpAddressTypeSet", service.ip_address_types if service.type == INTERFACE else ("ipv4",)),
        )
    )
