"""DescribeVpcEndpoints: ids, filters, pages, and the read-after-write lag that a test may ask for."""

import base64
import binascii
import re
from dataclasses import dataclass

from sandbox.aws import errors
from sandbox.aws.call import Call
from sandbox.aws.filters import read_filters
from sandbox.aws.model import Endpoint
from sandbox.aws.parameters import Parameters
from sandbox.aws.territory import Territory
from sandbox.aws.world import World

_ID = re.compile(r"vpce-[0-9a-f]{8,17}")


@dataclass(frozen=True)
class Page:
    """Endpoints of one answer, and the token for the next."""

    endpoints: tuple[Endpoint, ...]
    next_token: str | None


def describe_vpc_endpoints(world: World, call: Call) -> Page:
    """The endpoints that this call is shown, oldest first; raises `InvalidVpcEndpointId.NotFound` for an unknown id."""
    parameters = call.parameters
    filters = read_filters(parameters)
    size, after = _page_size(world, parameters), _position(parameters)
    if parameters.flag("DryRun"):
        raise errors.dry_run()
    territory = world.territory(call.account, call.region)
    shown = _shown(world, territory, parameters.unique("VpcEndpointId"))
    matching = [(at, each) for at, each in shown if at > after and all(matches(each) for matches in filters)]
    page = matching[:size]
    token = _token(page[-1][0]) if len(matching) > size else None
    return Page(tuple(endpoint for _, endpoint in page), token)


def _shown(world: World, territory: Territory, ids: tuple[str, ...]) -> list[tuple[int, Endpoint]]:
    now = world.now()
    if not ids:
        seen = ((entry.sequence, entry.seen(now)) for entry in territory.entries())
        return [(sequence, endpoint) for sequence, endpoint in seen if endpoint is not None]
    found = []
    for endpoint_id in ids:
        if not _ID.fullmatch(endpoint_id):
            raise errors.endpoint_malformed(endpoint_id)
        entry = territory.entry(endpoint_id)
        endpoint = entry.seen(now) if entry else None
        if entry is None or endpoint is None:
            raise errors.endpoint_not_found(endpoint_id)
        found.append((entry.sequence, endpoint))
    return sorted(found, key=lambda pair: pair[0])


def _page_size(world: World, parameters: Parameters) -> int:
    asked = parameters.number("MaxResults")
    if asked is not None and asked < 1:
        raise errors.invalid_value(f"Value ( {asked} ) for parameter maxResults is invalid.")
    return min(asked or world.settings.page_size, world.settings.page_size)


def _token(sequence: int) -> str:
    return base64.urlsafe_b64encode(f"after {sequence}".encode()).decode()


def _position(parameters: Parameters) -> int:
    token = parameters.text("NextToken")
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()).decode().removeprefix("after "))
    except (ValueError, binascii.Error):
        raise errors.AwsFault("InvalidNextToken", f"The token '{token}' is invalid") from None
