from sandbox.aws import AwsServer, Control, Settings
from sandbox.aws.network import Network, make_network
from tests.aws.given import gateway

OTHER = "210987654321"


def test_each_account_sees_its_own(aws: AwsServer, control: Control, network: Network) -> None:
    gateway(aws.client("ec2"), network)
    control.set_account("AKIAOTHER", OTHER)
    other = aws.client("ec2", access_key="AKIAOTHER")
    assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"
    identity = aws.client("sts", access_key="AKIAOTHER").get_caller_identity()
    assert identity["Account"] == OTHER
    assert f"::{OTHER}:" in identity["Arn"]
    assert other.describe_vpc_endpoints()["VpcEndpoints"] == []
    theirs = make_network(other)
    assert other.describe_vpcs(VpcIds=[theirs.vpc_id])["Vpcs"][0]["OwnerId"] == OTHER


def test_a_key_can_move_to_another_account_while_it_is_in_use(
    aws: AwsServer, control: Control, network: Network
) -> None:
    client, sts = aws.client("ec2"), aws.client("sts")
    gateway(client, network)
    control.set_account("AKIASANDBOX", OTHER)
    assert sts.get_caller_identity()["Account"] == OTHER
    assert client.describe_vpc_endpoints()["VpcEndpoints"] == []
    control.set_account("AKIASANDBOX", "123456789012")
    assert len(client.describe_vpc_endpoints()["VpcEndpoints"]) == 1


def test_servers_do_not_see_each_other(aws: AwsServer, network: Network) -> None:
    with AwsServer(Settings()) as second:
        found = second.client("ec2").describe_vpcs()["Vpcs"]
        assert network.vpc_id not in [vpc["VpcId"] for vpc in found]
    assert aws.client("ec2").describe_vpcs(VpcIds=[network.vpc_id])["Vpcs"]


def test_reset_empties_everything(aws: AwsServer, control: Control, network: Network) -> None:
    gateway(aws.client("ec2"), network)
    control.set(pending_seconds=99)
    control.fail("*", "Broken")
    control.deny(["*"])
    aws.reset()
    client = aws.client("ec2")
    assert client.describe_vpc_endpoints()["VpcEndpoints"] == []
    assert network.vpc_id not in [vpc["VpcId"] for vpc in client.describe_vpcs()["Vpcs"]]
    assert control.settings().pending_seconds == 10
    assert control.clock().held is False
    assert control.counts() == {"DescribeVpcEndpoints": 1, "DescribeVpcs": 1}
