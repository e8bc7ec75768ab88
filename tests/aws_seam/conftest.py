"""The double of AWS over HTTP, one for all tests of a process: each begins with an empty world."""

from collections.abc import Iterator

import pytest

from ibpe.aws.ec2 import BotoCloud
from ibpe.aws.session import SessionSettings
from sandbox.aws import AwsServer
from sandbox.aws.network import Network, make_network
from tests.aws_seam.noted import Noted

REGION = "us-west-2"


@pytest.fixture(scope="session")
def started_aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture
def aws(started_aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    started_aws.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL", started_aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOPERATOR")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", REGION)
    return started_aws


@pytest.fixture
def network(aws: AwsServer) -> Network:
    return make_network(aws.client("ec2", REGION))


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def cloud(aws: AwsServer, noted: Noted) -> BotoCloud:
    assert aws.url
    return BotoCloud(SessionSettings(cluster="blue", connections=4), noted)
