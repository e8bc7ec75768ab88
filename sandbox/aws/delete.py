"""DeleteVpcEndpoints: HTTP 200 with an item in `Unsuccessful` for each id that was not deleted."""

from dataclasses import dataclass

from sandbox.aws import errors
from sandbox.aws.call import Call
from sandbox.aws.model import Endpoint
from sandbox.aws.services import GATEWAY, INTERFACE
from sandbox.aws.territory import Territory
from sandbox.aws.world import World


@dataclass(frozen=True)
class Unsuccessful:
    """An id that was not deleted, and why."""

    resource_id: str
    code: str
    message: str


def delete_vpc_endpoints(world: World, call: Call) -> tuple[Unsuccessful, ...]:
    """Begin to delete each of the endpoints; returns those that are not."""
    ids = call.parameters.unique("VpcEndpointId")
    if not ids:
        raise errors.missing_parameter("VpcEndpointId")
    if call.parameters.flag("DryRun"):
        raise errors.dry_run()
    territory = world.territory(call.account, call.region)
    results = (_delete(territory, endpoint_id) for endpoint_id in ids)
    return tuple(result for result in results if result is not None)


def _delete(territory: Territory, endpoint_id: str) -> Unsuccessful | None:
    entry = territory.entry(endpoint_id)
    if entry is None or not entry.endpoint.holds_claims:
        return Unsuccessful(
            endpoint_id, "InvalidVpcEndpoint.NotFound", f"The VPC endpoint {endpoint_id} does not exist"
        )
    user = _inbound_resolver_user(territory, entry.endpoint)
    if user is not None:
        message = (
            f"Gateway endpoint cannot be deleted while Interface endpoint {user} has"
            " PrivateDnsOnlyForInboundResolverEndpoint set to true"
        )
        return Unsuccessful(endpoint_id, "InvalidParameter", message)
    territory.delete(entry)
    return None


def _inbound_resolver_user(territory: Territory, endpoint: Endpoint) -> str | None:
    if endpoint.type != GATEWAY:
        return None
    for other in territory.endpoints():
        if (
            other.type == INTERFACE
            and other.holds_claims
            and (other.vpc_id, other.service_name) == (endpoint.vpc_id, endpoint.service_name)
            and other.private_dns
            and other.dns_options.only_for_inbound_resolver
        ):
            return other.id
    return None
