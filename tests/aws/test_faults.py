import threading
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, ReadTimeoutError
from mypy_boto3_ec2 import EC2Client

from sandbox.aws import AwsServer, Control, EndpointEdit, Fault, LastError
from sandbox.aws.control import ControlError
from sandbox.aws.network import Network
from tests.aws.given import S3, described, gateway, refusal


class Background(threading.Thread):
    """A call in a thread of its own; `outcome` is its answer or its error."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self.outcome: object = None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self._call()
        except (ClientError, HTTPClientError) as error:
            self.outcome = error


def status_and_code(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call()
    response: dict[str, Any] = dict(caught.value.response)
    assert response["ResponseMetadata"]["RequestId"]
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_the_second_and_third_calls_fail_and_the_others_do_not(ec2: EC2Client, control: Control) -> None:
    arranged = control.fail("DescribeVpcEndpoints", "RequestLimitExceeded", status=503, skip=1, times=2)
    ec2.describe_vpc_endpoints()
    for _ in range(2):
        assert status_and_code(ec2.describe_vpc_endpoints) == (503, "RequestLimitExceeded")
    ec2.describe_vpc_endpoints()
    assert [(each.id, each.met, each.hits) for each in control.faults()] == [(arranged.id, 4, 2)]


def test_a_failed_call_has_no_effect(ec2: EC2Client, network: Network, control: Control) -> None:
    control.fail("CreateVpcEndpoint", "InternalError", "broken <inside> & out", status=500)
    with pytest.raises(ClientError, match="broken <inside> & out"):
        gateway(ec2, network)
    assert control.endpoints() == ()
    control.clear_faults()
    gateway(ec2, network)


def test_a_fault_can_wait_for_its_parameters(ec2: EC2Client, network: Network, control: Control) -> None:
    control.fail("CreateVpcEndpoint", "Later", parameters={"VpcId": network.vpc_id, "RouteTableId.*": "rtb-*"})
    ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName=S3)
    assert refusal(lambda: gateway(ec2, network))[0] == "Later"


def test_an_html_502_is_an_html_502(ec2: EC2Client, control: Control) -> None:
    control.fault(Fault(action="DescribeVpcs", effect="raw", status=502, times=1))
    with pytest.raises(ClientError) as caught:
        ec2.describe_vpcs()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502
    ec2.describe_vpcs()


def test_a_connection_closed_before_the_effect_leaves_nothing(
    ec2: EC2Client, network: Network, control: Control
) -> None:
    control.fault(Fault(action="CreateVpcEndpoint", effect="close", times=1))
    with pytest.raises(ConnectionClosedError):
        gateway(ec2, network)
    assert control.endpoints() == ()
    assert [(each.outcome, each.executed) for each in control.calls(action="CreateVpcEndpoint")] == [("lost", False)]


def test_an_answer_is_lost_after_the_effect(ec2: EC2Client, network: Network, control: Control) -> None:
    control.lose_answer("CreateVpcEndpoint", times=1)
    with pytest.raises(ConnectionClosedError):
        gateway(ec2, network)
    assert [each.service_name for each in control.endpoints()] == [S3]
    assert [(each.outcome, each.executed) for each in control.calls(action="CreateVpcEndpoint")] == [("lost", True)]


def test_an_error_can_come_after_the_effect(ec2: EC2Client, network: Network, control: Control) -> None:
    control.fail("CreateVpcEndpoint", "InternalError", status=500, phase="after", times=1)
    assert status_and_code(lambda: gateway(ec2, network)) == (500, "InternalError")
    assert len(control.endpoints()) == 1


def test_an_answer_is_held_after_the_effect_until_it_is_released(
    ec2: EC2Client, network: Network, control: Control
) -> None:
    held = control.hold_answer("CreateVpcEndpoint", times=1)
    call = Background(lambda: gateway(ec2, network))
    (record,) = control.wait_for_calls(action="CreateVpcEndpoint", outcome="held")
    assert record.executed
    assert len(control.endpoints()) == 1
    assert ec2.describe_vpcs()["Vpcs"], "a held call must not hold the others"
    assert call.is_alive()
    control.release(held.id)
    call.join(10)
    assert call.outcome == control.endpoints()[0].id


def test_a_hung_answer_ends_in_a_closed_connection(ec2: EC2Client, network: Network, control: Control) -> None:
    hung = control.fault(Fault(action="CreateVpcEndpoint", effect="hang", phase="after"))
    call = Background(lambda: gateway(ec2, network))
    control.wait_for_calls(action="CreateVpcEndpoint", outcome="held")
    control.remove_fault(hung.id)
    call.join(10)
    assert isinstance(call.outcome, ConnectionClosedError)
    control.wait_for_calls(action="CreateVpcEndpoint", outcome="lost")


def test_a_delay_lets_time_pass(ec2: EC2Client, control: Control) -> None:
    control.delay("DescribeVpcs", 0.3, times=1)
    begun = time.monotonic()
    ec2.describe_vpcs()
    assert time.monotonic() - begun >= 0.3


def test_denied_actions_are_unauthorized_until_they_are_allowed(
    ec2: EC2Client, aws: AwsServer, network: Network, control: Control
) -> None:
    control.deny(["*VpcEndpoint*", "GetCallerIdentity"])
    assert status_and_code(ec2.describe_vpc_endpoints) == (403, "UnauthorizedOperation")
    assert status_and_code(aws.client("sts").get_caller_identity) == (403, "AccessDenied")
    assert "Encoded authorization failure message" in refusal(lambda: gateway(ec2, network))[1]
    ec2.describe_vpcs()
    control.deny([])
    gateway(ec2, network)


def test_a_fault_can_be_for_one_access_key_and_region(aws: AwsServer, control: Control) -> None:
    control.fail("*", "ExpiredToken", access_key="AKIAOLD", region="eu-*")
    assert refusal(aws.client("ec2", "eu-west-1", "AKIAOLD").describe_vpcs)[0] == "ExpiredToken"
    aws.client("ec2", "us-east-1", "AKIAOLD").describe_vpcs()
    aws.client("ec2", "eu-west-1").describe_vpcs()


def test_a_fault_with_an_unknown_field_is_refused(control: Control) -> None:
    with pytest.raises(ControlError, match=r"400 .*effect"):
        control._send("POST", "faults", {"action": "X", "effect": "explode"})  # noqa: SLF001 - past the typed border


def test_an_intruder_sets_fields_and_the_network_follows(ec2: EC2Client, network: Network, control: Control) -> None:
    endpoint_id = gateway(ec2, network)
    control.edit_endpoint(endpoint_id, EndpointEdit(route_table_ids=(), tags={"by": "intruder"}, policy="{}"))
    shown = described(ec2, endpoint_id)
    assert (shown["RouteTableIds"], shown["Tags"]) == ([], [{"Key": "by", "Value": "intruder"}])
    assert shown["PolicyDocument"] == "{}"
    routes = ec2.describe_route_tables(RouteTableIds=[network.route_table_id])["RouteTables"][0]["Routes"]
    assert endpoint_id not in [route.get("GatewayId") for route in routes]


def test_a_state_that_is_set_stays(ec2: EC2Client, network: Network, control: Control) -> None:
    endpoint_id = gateway(ec2, network)
    control.set_state(endpoint_id, "failed", LastError(code="Broken", message="it broke"))
    control.advance_clock(1000)
    shown = described(ec2, endpoint_id)
    assert (shown["State"].lower(), shown["LastError"]["Code"]) == ("failed", "Broken")
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    assert described(ec2, endpoint_id)["State"].lower() == "deleting"


def test_a_vanished_endpoint_leaves_no_trace(ec2: EC2Client, network: Network, control: Control) -> None:
    endpoint_id = gateway(ec2, network)
    control.vanish(endpoint_id)
    assert refusal(lambda: described(ec2, endpoint_id))[0] == "InvalidVpcEndpointId.NotFound"
    gateway(ec2, network)


def test_the_log_tells_who_called_what_and_how_it_ended(aws: AwsServer, control: Control) -> None:
    cursor = control.cursor()
    client = aws.client("ec2", "us-west-2", "AKIALOG")
    client.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": ["vpc-1"]}])
    refusal(lambda: client.describe_vpc_endpoints(VpcEndpointIds=["vpce-0123456789abcdef0"]))
    first, second = control.calls(since=cursor)
    assert (first.action, first.access_key, first.region) == ("DescribeVpcs", "AKIALOG", "us-west-2")
    assert first.parameters == {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": "vpc-1"}
    assert "Boto3" in first.user_agent
    assert (first.outcome, first.status, first.error_code) == ("answered", 200, None)
    assert (second.status, second.error_code) == (400, "InvalidVpcEndpointId.NotFound")
    assert second.sequence == first.sequence + 1
    assert second.monotonic >= first.monotonic
    assert control.counts(since=cursor) == {"DescribeVpcs": 1, "DescribeVpcEndpoints": 1}
    assert control.calls(since=cursor, action="*Endpoints") == (second,)


def test_waiting_for_calls_that_do_not_come_ends(control: Control) -> None:
    with pytest.raises(ControlError, match="0 calls"):
        control.wait_for_calls(action="Nothing", seconds=0.2)


def test_the_log_has_the_request_id_and_the_code_that_the_caller_sees(
    ec2: EC2Client, aws: AwsServer, control: Control
) -> None:
    cursor = control.cursor()
    seen = [
        ec2.describe_vpc_endpoints()["ResponseMetadata"]["RequestId"],
        ec2.describe_vpcs()["ResponseMetadata"]["RequestId"],
        aws.client("sts").get_caller_identity()["ResponseMetadata"]["RequestId"],
    ]
    with pytest.raises(ClientError) as caught:
        ec2.describe_vpcs(VpcIds=["vpc-0123456789abcdef0"])
    seen.append(caught.value.response["ResponseMetadata"]["RequestId"])
    records = control.calls(since=cursor)
    assert [each.request_id for each in records] == seen
    assert records[-1].error_code == "InvalidVpcID.NotFound"


def test_a_caller_that_hangs_up_while_it_is_held_has_lost_its_answer(
    aws: AwsServer, network: Network, control: Control
) -> None:
    held = control.hold_answer("CreateVpcEndpoint")
    impatient = boto3.client(
        "ec2",
        endpoint_url=aws.url,
        region_name="us-east-1",
        aws_access_key_id="AKIASANDBOX",
        aws_secret_access_key="sandbox",  # noqa: S106 - signatures are not verified
        config=Config(read_timeout=0.5, retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ReadTimeoutError):
        gateway(impatient, network)
    control.release(held.id)
    (record,) = control.wait_for_calls(action="CreateVpcEndpoint", outcome="lost")
    assert record.executed
    assert len(control.endpoints()) == 1


def test_what_moto_can_not_do_is_an_error_of_aws(ec2: EC2Client) -> None:
    assert refusal(ec2.describe_capacity_blocks)[0] == "InvalidAction"


def test_a_server_that_stops_lets_go_of_what_it_holds() -> None:
    with AwsServer() as own:
        client = own.client("ec2")
        own.control.fault(Fault(action="DescribeVpcs", effect="hold"))
        call = Background(client.describe_vpcs)
        own.control.wait_for_calls(action="DescribeVpcs", outcome="held")
    call.join(10)
    assert not call.is_alive()
