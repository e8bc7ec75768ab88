"""One AWS and one set of SDK clients for a module; each test begins with an empty world and a VPC."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ibpe.aws.ec2 import BotoCloud
from ibpe.aws.session import SessionSettings
from sandbox.aws import AwsServer, Settings
from sandbox.aws.network import Network
from tests.faults.trial import CLUSTER, REGION, Trial

AT_ONCE = Settings(pending_seconds=0.0, modify_pending_seconds=0.0, deleting_seconds=0.0)
READ_TIMEOUT_SECONDS = 10.0
SHORT_TIMEOUT_SECONDS = 0.3


@pytest.fixture(scope="module")
def started_aws() -> Iterator[AwsServer]:
    with AwsServer(AT_ONCE) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAOPERATOR")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_REGION", REGION)
        yield server


@pytest.fixture(scope="module")
def cloud(started_aws: AwsServer) -> BotoCloud:
    assert started_aws.url
    return BotoCloud(SessionSettings(cluster=CLUSTER, connections=4, read_timeout=READ_TIMEOUT_SECONDS))


@pytest.fixture(scope="module")
def impatient_cloud(started_aws: AwsServer) -> BotoCloud:
    """For calls that are never answered; others may take longer than this on a busy machine."""
    assert started_aws.url
    return BotoCloud(SessionSettings(cluster=CLUSTER, connections=4, read_timeout=SHORT_TIMEOUT_SECONDS))


@pytest.fixture
def aws(started_aws: AwsServer) -> Iterator[AwsServer]:
    started_aws.reset()
    yield started_aws
    started_aws.control.clear_faults()


@pytest.fixture
def network(aws: AwsServer) -> Network:
    (made,) = aws.control.make_networks(1, region=REGION)
    return made


@pytest.fixture
def trial(aws: AwsServer, cloud: BotoCloud, network: Network) -> Callable[..., Trial]:
    def make(with_cloud: BotoCloud = cloud, **spec: Any) -> Trial:
        return Trial(aws, with_cloud, network, **spec)

    return make
