"""At rest nothing is written, and what is read does not grow with the resources; what breaks is still seen in time.

The product looks at endpoints every 60 s and at their surroundings every 600 s. Here both are sixty times faster and
keep their ratio, so that a window of seconds holds as many cycles as minutes would: the law is about cycles.
"""

import math
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sandbox.aws import AwsServer, Settings
from sandbox.aws.call_log import CallRecord
from sandbox.aws.network import add_subnet
from sandbox.kube import ControlPlane
from sandbox.kube.hooks import Record
from sandbox.kube.proxy import ApiProxy
from sandbox.stage import Stage, condition, example
from tests.e2e.scene import OPERATORS_KEY, REGION, WRITES, Scenes, eventually

pytestmark = pytest.mark.e2e

SNAPSHOT_SECONDS, PREREQUISITES_SECONDS = 1.0, 10.0
WINDOW_SECONDS = float(os.environ.get("IBPE_TEST_AT_REST_SECONDS", "12"))
COUNTS = [int(count) for count in os.environ.get("IBPE_TEST_AT_REST_COUNTS", "1,50").split(",")]
"""500 as well takes minutes to make: the benchmark does it."""


@dataclass(frozen=True)
class Rest:
    """What was called in a window of rest."""

    kubernetes: tuple[Record, ...]
    aws: tuple[CallRecord, ...]

    @property
    def snapshots(self) -> list[CallRecord]:
        """The first tier: lists of all endpoints, page by page."""
        return [
            call
            for call in self.aws
            if call.action == "DescribeVpcEndpoints" and "VpcEndpointId.1" not in call.parameters
        ]

    @property
    def cycles(self) -> int:
        """How many looks those pages were."""
        return sum(1 for call in self.snapshots if "NextToken" not in call.parameters)

    def counts(self) -> dict[str, int]:
        return dict(Counter(call.action for call in self.aws))


def wait(seconds: float) -> None:
    """A window has no event to wait for: nothing may happen in it."""
    began = time.monotonic()
    eventually(lambda: time.monotonic() - began >= seconds, "the window's end", timeout=seconds + 10)


def at_rest(plane: ControlPlane, count: int, page_size: int) -> Rest:
    """So many resources made, left to settle, and watched."""
    settings = Settings(
        pending_seconds=0.1, gateway_endpoints_per_region=10_000, deleted_listed_seconds=1.0, page_size=page_size
    )
    namespace = f"e2e-rest-{uuid.uuid4().hex[:6]}"
    plane.kubectl("create", "namespace", namespace)
    with AwsServer(settings) as aws, Stage(plane, aws) as stage, ApiProxy(plane) as proxy:
        networks = aws.control.make_networks(count, region=REGION)
        items = [example(network, f"r{number}", namespace) for number, network in enumerate(networks)]
        stage.apply({"apiVersion": "v1", "kind": "List", "items": items})
        operator = stage.operator(
            proxy.kubeconfig,
            IBPE_WATCH_NAMESPACES=namespace,
            IBPE_SNAPSHOT_SECONDS=str(SNAPSHOT_SECONDS),
            IBPE_SNAPSHOT_FAST_SECONDS=str(SNAPSHOT_SECONDS),
            IBPE_PREREQUISITES_SECONDS=str(PREREQUISITES_SECONDS),
        )
        for item in items:
            stage.wait_ready(item["metadata"]["name"], namespace=namespace, timeout=120)
        settle(proxy)
        before, since = len(proxy.records), aws.control.cursor()
        wait(WINDOW_SECONDS)
        found = Rest(proxy.records[before:], aws.control.calls(since=since, access_key=OPERATORS_KEY))
        assert operator.running
        operator.stop()
    return found


def settle(proxy: ApiProxy, quiet: float = 3 * SNAPSHOT_SECONDS) -> None:
    """Until nothing was written for a few cycles: the last statuses come after Ready."""

    def still() -> bool:
        return bool(proxy.writes) and time.monotonic() - max(write.request.time for write in proxy.writes) > quiet

    eventually(still, "no more writes after everything was Ready")


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest) -> Iterator[dict[int, Rest]]:
    """What each count came to: compared, and printed at the end."""
    found: dict[int, Rest] = {}
    yield found
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    assert reporter is not None
    assert capture is not None
    for count, rest in sorted(found.items()):
        calls = ", ".join(f"{action} {times}" for action, times in sorted(rest.counts().items()))
        reads = len(rest.kubernetes)
        with capture.global_and_fixture_disabled():
            reporter.write_line(f"\n{count} at rest for {rest.cycles} cycles: AWS: {calls}; Kubernetes: {reads} reads")


@pytest.mark.parametrize("count", COUNTS)
def test_at_rest_nothing_is_written_and_one_list_a_cycle_is_read(
    control_plane: ControlPlane, count: int, seen: dict[int, Rest]
) -> None:
    rest = seen[count] = at_rest(control_plane, count, page_size=1000)
    writes = [record for record in rest.kubernetes if record.request.is_write and "/leases" not in record.request.path]
    assert writes == [], "writes to Kubernetes at rest"
    assert [call for call in rest.aws if call.action in WRITES] == [], "writes to AWS at rest"
    assert abs(rest.cycles - WINDOW_SECONDS / SNAPSHOT_SECONDS) <= WINDOW_SECONDS / SNAPSHOT_SECONDS * 0.3 + 1
    assert len(rest.snapshots) == rest.cycles * math.ceil(2 * count / 1000)
    by_id = [call for call in rest.aws if call.action == "DescribeVpcEndpoints" and call not in rest.snapshots]
    assert by_id == [], "nothing is asked for by id at rest"
    lists = rest.counts().get("DescribeSubnets", 0)
    assert lists <= math.ceil(WINDOW_SECONDS / (PREREQUISITES_SECONDS * 0.9)) * math.ceil(count / 200) + 1, (
        rest.counts()
    )


def test_as_many_calls_at_fifty_as_at_one(seen: dict[int, Rest]) -> None:
    if len(seen) < 2:
        pytest.skip("compares the counts of the tests before it")
    rates = {count: len(rest.snapshots) / rest.cycles for count, rest in seen.items() if 2 * count <= 1000}
    assert set(rates.values()) == {1.0}, rates


def test_a_cycle_reads_every_page_and_no_more(control_plane: ControlPlane) -> None:
    rest = at_rest(control_plane, 10, page_size=8)
    pages = math.ceil(20 / 8)
    whole = len(rest.snapshots) // pages
    assert abs(rest.cycles - whole) <= 1, f"{rest.cycles} cycles, {len(rest.snapshots)} pages of {pages} each"
    assert not [record for record in rest.kubernetes if record.request.is_write]


def test_what_breaks_around_an_endpoint_is_told_within_one_cycle_of_the_second_tier(scenes: Scenes) -> None:
    period, slack = 2.0, 6.0  # conftest's operator; the slack is for a busy machine
    scene = scenes.make()
    spare = add_subnet(scene.ec2, scene.network.vpc_id, scene.network.zones[0], "10.0.77.0/24", 77)
    builds = {"subnets": {"ids": [*scene.network.subnet_ids, spare]}}
    scene.apply(scene.rich(builds=builds))
    scene.ready()
    began = time.monotonic()
    scene.ec2.delete_subnet(SubnetId=spare)
    resource = scene.until(
        lambda found: condition(found, "PrerequisitesMet").get("status") == "False", "PrerequisitesMet=False"
    )
    seconds = time.monotonic() - began
    assert spare in condition(resource, "PrerequisitesMet")["message"]
    assert seconds < period + slack, f"{seconds:.1f} s"
    scene.edit(builds={"subnets": {"ids": list(scene.network.subnet_ids)}})
    scene.ready()
