"""Deletions that EC2 refuses because an endpoint still uses the resource; moto would allow them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from sandbox.aws import errors
from sandbox.aws.call import Call
from sandbox.aws.territory import Territory


def check_deletion(territory: Territory, call: Call) -> None:
    """Raise EC2's refusal when the call would take away what an endpoint stands on."""
    check = _CHECKS.get(call.action)
    if check is not None:
        check(territory, call)


def _group(territory: Territory, call: Call) -> None:
    group_id = call.parameters.text("GroupId") or ""
    if any(group_id in each.group_ids and each.network_interfaces for each in territory.endpoints()):
        raise errors.dependency_violation("resource", group_id)


def _subnet(territory: Territory, call: Call) -> None:
    subnet_id = call.parameters.text("SubnetId") or ""
    if any(subnet_id in each.network_interfaces for each in territory.endpoints()):
        raise errors.dependency_violation("subnet", subnet_id)


def _vpc(territory: Territory, call: Call) -> None:
    vpc_id = call.parameters.text("VpcId") or ""
    if any(each.vpc_id == vpc_id and each.holds_claims for each in territory.endpoints()):
        raise errors.dependency_violation("vpc", vpc_id)


def _interface(territory: Territory, call: Call) -> None:
    interface_id = call.parameters.text("NetworkInterfaceId") or ""
    if territory.topology.is_endpoint_interface(interface_id):
        raise errors.AwsFault(
            "OperationNotPermitted", f"You are not allowed to delete the requester-managed interface {interface_id}."
        )


def _route(territory: Territory, call: Call) -> None:
    table = territory.topology.route_table(call.parameters.text("RouteTableId") or "")
    prefix_list = call.parameters.text("DestinationPrefixListId") or ""
    if table and table.prefix_list_routes.get(prefix_list, "").startswith("vpce-"):
        raise errors.invalid_value(f"cannot remove VPC endpoint route {prefix_list} in route table {table.id}")


_CHECKS: Final[Mapping[str, Callable[[Territory, Call], None]]] = {
    "DeleteSecurityGroup": _group,
    "DeleteSubnet": _subnet,
    "DeleteVpc": _vpc,
    "DeleteNetworkInterface": _interface,
    "DeleteRoute": _route,
}


def forget_route_table(territory: Territory, table_id: str) -> None:
    """A route table that was deleted is no longer one of any endpoint's."""
    for entry in territory.entries():
        if table_id in entry.endpoint.route_table_ids:
            kept = tuple(each for each in entry.endpoint.route_table_ids if each != table_id)
            territory.change(entry, replace(entry.endpoint, route_table_ids=kept))
