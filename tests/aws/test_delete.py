from mypy_boto3_ec2 import EC2Client

from sandbox.aws import Control
from sandbox.aws.network import Network
from tests.aws.given import S3, described, gateway, interface, refusal

UNKNOWN = "vpce-0123456789abcdef0"


def test_unknown_ids_are_unsuccessful_items_and_the_rest_is_deleted(ec2: EC2Client, network: Network) -> None:
    known = [interface(ec2, network), gateway(ec2, network)]
    answer = ec2.delete_vpc_endpoints(VpcEndpointIds=[known[0], UNKNOWN, known[1]])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    items = [(item["ResourceId"], item["Error"]["Code"]) for item in answer["Unsuccessful"]]
    assert items == [(UNKNOWN, "InvalidVpcEndpoint.NotFound")]
    assert {described(ec2, each)["State"].lower() for each in known} == {"deleting"}


def test_deleting_becomes_deleted_and_then_leaves_the_list(ec2: EC2Client, network: Network, control: Control) -> None:
    endpoint_id = interface(ec2, network)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    control.advance_clock(11)
    assert described(ec2, endpoint_id)["State"].lower() == "deleted"
    control.advance_clock(61)
    assert refusal(lambda: described(ec2, endpoint_id))[0] == "InvalidVpcEndpointId.NotFound"
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_deleting_twice_is_no_error_until_it_is_deleted(ec2: EC2Client, network: Network, control: Control) -> None:
    endpoint_id = interface(ec2, network)
    for _ in range(2):
        assert ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])["Unsuccessful"] == []
    control.advance_clock(11)
    items = ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])["Unsuccessful"]
    assert [item["Error"]["Code"] for item in items] == ["InvalidVpcEndpoint.NotFound"]


def test_interfaces_and_routes_stay_while_deleting_and_go_with_it(
    ec2: EC2Client, network: Network, control: Control
) -> None:
    ids = [interface(ec2, network), gateway(ec2, network)]
    ec2.delete_vpc_endpoints(VpcEndpointIds=ids)

    def left() -> tuple[int, int]:
        table = ec2.describe_route_tables(RouteTableIds=[network.route_table_id])["RouteTables"][0]
        routes = [route for route in table["Routes"] if route.get("GatewayId") in ids]
        return len(ec2.describe_network_interfaces()["NetworkInterfaces"]), len(routes)

    assert left() == (2, 1)
    control.advance_clock(11)
    assert left() == (0, 0)


def test_what_an_endpoint_stands_on_can_not_be_deleted_before_it(
    ec2: EC2Client, network: Network, control: Control
) -> None:
    endpoint_id = interface(ec2, network)
    eni = described(ec2, endpoint_id)["NetworkInterfaceIds"][0]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    codes = {
        refusal(lambda: ec2.delete_security_group(GroupId=network.security_group_id))[0],
        refusal(lambda: ec2.delete_subnet(SubnetId=network.subnet_ids[0]))[0],
        refusal(lambda: ec2.delete_vpc(VpcId=network.vpc_id))[0],
    }
    assert codes == {"DependencyViolation"}
    assert refusal(lambda: ec2.delete_network_interface(NetworkInterfaceId=eni))[0] == "OperationNotPermitted"
    control.advance_clock(11)
    ec2.delete_security_group(GroupId=network.security_group_id)
    ec2.delete_subnet(SubnetId=network.subnet_ids[0])


def test_the_route_of_an_endpoint_can_not_be_removed_as_a_route(ec2: EC2Client, network: Network) -> None:
    gateway(ec2, network)
    lists = ec2.describe_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [S3]}])["PrefixLists"]
    prefix_list = lists[0]["PrefixListId"]
    code, message = refusal(
        lambda: ec2.delete_route(RouteTableId=network.route_table_id, DestinationPrefixListId=prefix_list)
    )
    assert code == "InvalidParameterValue"
    assert "cannot remove VPC endpoint route" in message


def test_a_gateway_stays_while_an_interface_resolves_only_for_inbound_resolvers(
    ec2: EC2Client, network: Network, control: Control
) -> None:
    gateway_id, interface_id = gateway(ec2, network), interface(ec2, network, S3)
    items = ec2.delete_vpc_endpoints(VpcEndpointIds=[gateway_id])["Unsuccessful"]
    assert items[0]["Error"]["Code"] == "InvalidParameter"
    assert interface_id in items[0]["Error"]["Message"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[interface_id])
    control.advance_clock(11)
    assert ec2.delete_vpc_endpoints(VpcEndpointIds=[gateway_id])["Unsuccessful"] == []


def test_dry_run_deletes_nothing(ec2: EC2Client, network: Network) -> None:
    endpoint_id = gateway(ec2, network)
    code, _ = refusal(lambda: ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id], DryRun=True))
    assert code == "DryRunOperation"
    assert described(ec2, endpoint_id)["State"].lower() == "available"
