"""The parameters that our requests become, as EC2 takes them. Pure; order is fixed, so that equal ones are equal."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ibpe.aws.gateway import CreateEndpoint, EndpointType, ModifyEndpoint

if TYPE_CHECKING:
    # Types only: the stubs are no dependency of the product.
    from mypy_boto3_ec2.type_defs import (
        CreateVpcEndpointRequestTypeDef,
        ModifyVpcEndpointRequestTypeDef,
        TagTypeDef,
    )


def tag_list(tags: Mapping[str, str]) -> "list[TagTypeDef]":
    """Tags as EC2 takes them, by key."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def create_parameters(request: CreateEndpoint) -> "CreateVpcEndpointRequestTypeDef":
    """CreateVpcEndpoint's parameters.

    PrivateDnsEnabled always goes with an interface endpoint: left out, the API takes true and CloudFormation false
    (terraform-provider-aws#37694). DnsOptions never go: what we don't set keeps the service's default.
    """
    given: CreateVpcEndpointRequestTypeDef = {
        "ClientToken": request.client_token,
        "VpcId": request.vpc_id,
        "ServiceName": request.service_name,
        "VpcEndpointType": "Gateway" if request.type is EndpointType.GATEWAY else "Interface",
    }
    if request.type is EndpointType.INTERFACE:
        given["PrivateDnsEnabled"] = request.private_dns
    if request.policy is not None:
        given["PolicyDocument"] = request.policy
    if request.tags:
        given["TagSpecifications"] = [{"ResourceType": "vpc-endpoint", "Tags": tag_list(request.tags)}]
    if request.subnet_ids:
        given["SubnetIds"] = sorted(request.subnet_ids)
    if request.security_group_ids:
        given["SecurityGroupIds"] = sorted(request.security_group_ids)
    if request.route_table_ids:
        given["RouteTableIds"] = sorted(request.route_table_ids)
    if request.ip_address_type is not None:
        given["IpAddressType"] = request.ip_address_type  # type: ignore[typeddict-item]  # the spec's values are EC2's
    return given


def modify_parameters(request: ModifyEndpoint) -> "ModifyVpcEndpointRequestTypeDef":
    """ModifyVpcEndpoint's parameters: what changes, and nothing else."""
    given: ModifyVpcEndpointRequestTypeDef = {"VpcEndpointId": request.id}
    if request.policy is not None:
        given["PolicyDocument"] = request.policy
    if request.private_dns is not None:
        given["PrivateDnsEnabled"] = request.private_dns
    if request.ip_address_type is not None:
        given["IpAddressType"] = request.ip_address_type  # type: ignore[typeddict-item]  # the spec's values are EC2's
    if request.add_subnet_ids:
        given["AddSubnetIds"] = sorted(request.add_subnet_ids)
    if request.remove_subnet_ids:
        given["RemoveSubnetIds"] = sorted(request.remove_subnet_ids)
    if request.add_security_group_ids:
        given["AddSecurityGroupIds"] = sorted(request.add_security_group_ids)
    if request.remove_security_group_ids:
        given["RemoveSecurityGroupIds"] = sorted(request.remove_security_group_ids)
    if request.add_route_table_ids:
        given["AddRouteTableIds"] = sorted(request.add_route_table_ids)
    if request.remove_route_table_ids:
        given["RemoveRouteTableIds"] = sorted(request.remove_route_table_ids)
    return given
