"""How wide the window is in which somebody else's edit of a shared policy would be lost. Needs AWS on loopback alone.

It opens when AWS reads the policy for us and closes when AWS takes ours. Both ends are seen from AWS's side, as the
arrival of the two calls, so the time that AWS takes to answer the first one counts in.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from statistics import median

from bench.figures import Figure, exactly
from ibpe.aws.ec2 import BotoCloud
from ibpe.aws.gateway import EndpointID
from ibpe.aws.session import SessionSettings
from ibpe.policy.contribution import contribute, mark, marked, withdraw
from ibpe.policy.s3 import S3Use, contributed_statements
from ibpe.reconcile.contributing import EndpointLocks, edit_policy
from sandbox.aws import AwsServer, Settings
from sandbox.aws.network import make_network

REGION = "us-west-2"
EDITS = 60
OURS = mark("bench", "0b8c54d2-0000-4000-8000-000000000001")
STATEMENTS = marked(contributed_statements(REGION, S3Use(amazon_linux_repositories=True, patching=True)), OURS)
FOREIGN = (
    '{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow","Principal":"*","Action":"s3:GetObject",'
    '"Resource":"arn:aws:s3:::theirs/*"}]}'
)
MOST_ROUND_TRIPS = 3.0
"""The window may be so many times what one call takes: the call that opens it, and what stands between the two."""


def measure() -> Iterator[Figure]:
    """Statements put into a policy and taken out again, in turn."""
    with AwsServer(Settings(pending_seconds=0)) as aws, _environment({"AWS_ENDPOINT_URL": aws.url}):
        endpoint_id = _shared_endpoint(aws)
        gateway, locks = BotoCloud(SessionSettings(cluster="bench", connections=2)).gateway(REGION), EndpointLocks()
        gateway.endpoint(endpoint_id)  # the connection is made
        since = aws.control.calls()[-1].sequence
        written = sum(
            edit_policy(gateway, locks, endpoint_id, _put_in if number % 2 == 0 else _take_out)
            for number in range(EDITS)
        )
        calls = [call for call in aws.control.calls() if call.sequence > since]
    yield exactly("edits written", written, EDITS)
    windows = [
        1000 * (after.monotonic - before.monotonic)
        for before, after in pairwise(calls)
        if (before.action, after.action) == ("DescribeVpcEndpoints", "ModifyVpcEndpoint")
    ]
    looks = [1000 * (call.seconds or 0.0) for call in calls if call.action == "DescribeVpcEndpoints"]
    round_trips = [
        1000 * (after.monotonic - before.monotonic)
        for before, after in pairwise(calls)
        if (before.action, after.action) == ("ModifyVpcEndpoint", "DescribeVpcEndpoints")
    ]
    yield exactly("windows", len(windows), EDITS)
    yield Figure(
        "milliseconds from the read to the write, median", median(windows), "ms", note=f"most {max(windows):.1f}"
    )
    yield Figure("of these, within AWS", median(looks), "ms")
    yield Figure(
        "the window as a multiple of one call", median(windows) / median(round_trips), "x", most=MOST_ROUND_TRIPS
    )


def _put_in(text: str) -> str | None:
    return contribute(text, STATEMENTS, OURS)


def _take_out(text: str) -> str | None:
    return withdraw(text, OURS)


def _shared_endpoint(aws: AwsServer) -> EndpointID:
    ec2 = aws.client("ec2", REGION)
    network = make_network(ec2)
    made = ec2.create_vpc_endpoint(
        VpcId=network.vpc_id,
        ServiceName=f"com.amazonaws.{REGION}.s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[network.route_table_id],
        PolicyDocument=FOREIGN,
    )
    return EndpointID(made["VpcEndpoint"]["VpcEndpointId"])


@contextmanager
def _environment(further: Mapping[str, str]) -> Iterator[None]:
    """The SDK's own variables, for the length of the block."""
    wanted = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": REGION, **further}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
