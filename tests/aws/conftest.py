"""One double for all tests of a module, emptied before each; boto3 clients to it, and a network to build on."""

from collections.abc import Iterator

import pytest
from mypy_boto3_ec2 import EC2Client

from sandbox.aws import AwsServer, Control, Settings
from sandbox.aws.network import Network, make_network


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with AwsServer(Settings(pending_seconds=10, deleting_seconds=10, modify_pending_seconds=0)) as running:
        yield running


@pytest.fixture
def aws(server: AwsServer) -> AwsServer:
    """The clock is held: states change when a test says so."""
    server.reset()
    server.control.hold_clock()
    return server


@pytest.fixture
def control(aws: AwsServer) -> Control:
    return aws.control


@pytest.fixture
def ec2(aws: AwsServer) -> EC2Client:
    return aws.client("ec2")


@pytest.fixture
def network(ec2: EC2Client) -> Network:
    return make_network(ec2)
