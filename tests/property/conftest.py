"""One AWS over HTTP, one VPC and one gateway for all examples: each begins without an endpoint."""

from collections.abc import Iterator

import pytest

from ibpe.aws.ec2 import BotoCloud
from ibpe.aws.session import SessionSettings
from sandbox.aws import AwsServer
from tests.property.ground import REGION, SWIFT, Ground, make_ground
from tests.property.world import CLUSTER, Site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with AwsServer(SWIFT) as aws, pytest.MonkeyPatch.context() as environment:
        for name, value in (
            ("AWS_ENDPOINT_URL", aws.url),
            ("AWS_ACCESS_KEY_ID", "AKIAOPERATOR"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", REGION),
        ):
            environment.setenv(name, value)
        aws.control.hold_clock()
        ground: Ground = make_ground(aws)
        yield Site(aws, BotoCloud(SessionSettings(cluster=CLUSTER, connections=4)), ground)
