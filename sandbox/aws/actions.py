"""From an action's name to what answers it: the double's own handlers, else moto."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from sandbox.aws.call import Call
from sandbox.aws.create import create_vpc_endpoint
from sandbox.aws.delete import delete_vpc_endpoints
from sandbox.aws.describe import describe_vpc_endpoints
from sandbox.aws.model import Endpoint
from sandbox.aws.modify import modify_vpc_endpoint
from sandbox.aws.moto_bridge import forward
from sandbox.aws.parameters import Parameters
from sandbox.aws.protection import check_deletion, forget_route_table
from sandbox.aws.render import render
from sandbox.aws.roles import Roles
from sandbox.aws.service_listing import describe_services
from sandbox.aws.tags import create_tags, delete_tags
from sandbox.aws.world import World
from sandbox.aws.xml import ec2_answer, element, items


def perform(world: World, call: Call) -> tuple[int, str]:
    """Let a call have its effect; returns HTTP status and body, raises `AwsFault` for a refusal."""
    with world.lock:
        world.roles.check(call)
        handler = _EC2.get(call.action) if call.service == "ec2" else None
        if handler is None:
            return _pass_on(world, call)
        return 200, ec2_answer(call.action, call.request_id, handler(world, call))


def _pass_on(world: World, call: Call) -> tuple[int, str]:
    if call.service != "ec2":
        answer = _STS[call.action](world.roles, call) if call.action in _STS else None
        return forward(world.moto, call) if answer is None else (200, answer)
    territory = world.territory(call.account, call.region)
    check_deletion(territory, call)
    status, body = forward(world.moto, call)
    if call.action == "DeleteRouteTable" and status == 200:
        forget_route_table(territory, call.parameters.text("RouteTableId") or "")
    return status, body


def _rendered(world: World, call: Call, endpoint: Endpoint) -> str:
    topology = world.territory(call.account, call.region).topology

    def group_name(group_id: str) -> str:
        group = topology.group(group_id)
        return group.name if group else group_id

    return render(endpoint, world.settings, group_name)


def _create(world: World, call: Call) -> str:
    entry = create_vpc_endpoint(world, call)
    endpoint = f"<vpcEndpoint>{_rendered(world, call, entry.endpoint)}</vpcEndpoint>"
    return endpoint + element("clientToken", call.parameters.text("ClientToken"))


def _modify(world: World, call: Call) -> str:
    modify_vpc_endpoint(world, call)
    return element("return", value=True)


def _delete(world: World, call: Call) -> str:
    return items(
        "unsuccessful",
        (
            f"<error>{element('code', each.code)}{element('message', each.message)}</error>"
            + element("resourceId", each.resource_id)
            for each in delete_vpc_endpoints(world, call)
        ),
    )


def _describe(world: World, call: Call) -> str:
    page = describe_vpc_endpoints(world, call)
    shown = (_rendered(world, call, endpoint) for endpoint in page.endpoints)
    return items("vpcEndpointSet", shown) + element("nextToken", page.next_token)


def _create_tags(world: World, call: Call) -> str:
    _tag_others(world, call, create_tags(world, call))
    return element("return", value=True)


def _delete_tags(world: World, call: Call) -> str:
    _tag_others(world, call, delete_tags(world, call))
    return element("return", value=True)


def _tag_others(world: World, call: Call, ids: tuple[str, ...]) -> None:
    """Let moto tag what is no endpoint."""
    if ids:
        kept = {key: value for key, value in call.parameters.flat.items() if not key.startswith("ResourceId.")}
        named = {f"ResourceId.{number}": each for number, each in enumerate(ids, start=1)}
        forward(world.moto, replace(call, parameters=Parameters(kept | named)))


_STS: Final[Mapping[str, Callable[[Roles, Call], str | None]]] = {
    "AssumeRole": Roles.assume,
    "GetCallerIdentity": Roles.identity,
}
_EC2: Final[Mapping[str, Callable[[World, Call], str]]] = {
    "CreateVpcEndpoint": _create,
    "ModifyVpcEndpoint": _modify,
    "DeleteVpcEndpoints": _delete,
    "DescribeVpcEndpoints": _describe,
    "DescribeVpcEndpointServices": describe_services,
    "CreateTags": _create_tags,
    "DeleteTags": _delete_tags,
}
