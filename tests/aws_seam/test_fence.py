"""The fence in front of writes: who may not write sends nothing, under whatever credentials, and may still look."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import pytest

from ibpe.aws import accounts
from ibpe.aws.ec2 import BotoCloud, BotoGateway
from ibpe.aws.gateway import (
    AccountID,
    CreateEndpoint,
    EndpointID,
    EndpointType,
    ModifyEndpoint,
    RouteTableID,
    VpcID,
)
from ibpe.aws.role import Role
from ibpe.aws.session import SessionSettings
from sandbox.aws import AwsServer
from sandbox.aws.network import Network

REGION: Final = "us-west-2"
ACCOUNT: Final = "123456789012"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/ibpe"
POLICY: Final = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}'


class NotNow(Exception):  # noqa: N818 -- what a fence raises is its own affair
    """The process may not write."""


@dataclass
class Fence:
    """Asked before each write."""

    open: bool = True
    asked: int = 0
    calls_then: list[int] = field(default_factory=list)
    count: Callable[[], int] = lambda: 0

    def permit(self) -> None:
        self.asked += 1
        self.calls_then.append(self.count())
        if not self.open:
            raise NotNow


@pytest.fixture(params=["the process's own credentials", "a role's"])
def fenced(request: pytest.FixtureRequest, aws: AwsServer) -> tuple[BotoGateway, Fence]:
    fence, settings = Fence(), SessionSettings(cluster="blue", connections=4)
    fence.count = lambda: len(aws.control.calls())
    own = BotoCloud(settings, permit=fence.permit)
    if request.param == "a role's":
        aws.control.put_role(ROLE, ACCOUNT)
        role = Role(AccountID(ACCOUNT), ROLE, session_name="ibpe")
        return BotoCloud(settings, permit=fence.permit, role=role, own=own).gateway(REGION), fence
    return own.gateway(REGION), fence


def gateway_endpoint(network: Network) -> CreateEndpoint:
    return CreateEndpoint(
        client_token="token",  # noqa: S106 -- EC2's, no secret
        vpc_id=VpcID(network.vpc_id),
        service_name=f"com.amazonaws.{REGION}.s3",
        type=EndpointType.GATEWAY,
        policy=None,
        tags={"team": "images"},
        route_table_ids=frozenset({RouteTableID(network.route_table_id)}),
    )


Write = Callable[[BotoGateway, EndpointID, Network], object]
WRITES: Final[dict[str, Write]] = {
    "create_endpoint": lambda gateway, _, network: gateway.create_endpoint(gateway_endpoint(network)),
    "modify_endpoint": lambda gateway, made, _: gateway.modify_endpoint(ModifyEndpoint(made, policy=POLICY)),
    "delete_endpoints": lambda gateway, made, _: gateway.delete_endpoints([made]),
    "put_tags": lambda gateway, made, _: gateway.put_tags([made], {"team": "others"}),
    "remove_tags": lambda gateway, made, _: gateway.remove_tags([made], ["team"]),
}


@pytest.mark.parametrize("write", WRITES)
def test_who_may_not_write_sends_nothing(
    write: str, fenced: tuple[BotoGateway, Fence], aws: AwsServer, network: Network
) -> None:
    gateway, fence = fenced
    made = gateway.create_endpoint(gateway_endpoint(network)).id
    assert fence.asked == 1
    fence.open = False
    before = aws.control.cursor()
    with pytest.raises(NotNow):
        WRITES[write](gateway, made, network)
    assert fence.asked == 2
    assert aws.control.calls(since=before) == ()
    fence.open = True
    WRITES[write](gateway, made, network)
    assert len(aws.control.calls(since=before)) == 1


def test_looks_are_not_asked_about(fenced: tuple[BotoGateway, Fence], network: Network) -> None:
    gateway, fence = fenced
    fence.open = False
    gateway.list_endpoints()
    gateway.vpcs([VpcID(network.vpc_id)])
    gateway.route_tables([VpcID(network.vpc_id)])
    assert fence.asked == 0


def test_it_is_asked_at_the_last_moment(
    fenced: tuple[BotoGateway, Fence], aws: AwsServer, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "SESSION_SECONDS", 900)  # so near its end that the SDK renews it for each request
    gateway, fence = fenced
    made = gateway.create_endpoint(gateway_endpoint(network)).id
    before = len(aws.control.calls())
    gateway.delete_endpoints([made])
    came = [call.action for call in aws.control.calls()][before:]
    assert came[-1] == "DeleteVpcEndpoints"
    assert fence.calls_then[-1] == before + len(came) - 1, f"after all that went before: {came}"
