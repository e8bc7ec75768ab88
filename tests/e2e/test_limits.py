"""Many resources at once where AWS takes few writes: all become Ready, all go again, and AWS never has to refuse."""

import itertools
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.aws.call_log import CallRecord
from sandbox.stage import OperatorProcess, Stage, condition, is_ready
from tests.e2e.scene import OPERATORS_KEY, Scene, Scenes, eventually

pytestmark = pytest.mark.e2e

BURST, PER_SECOND = 4, 1.0
COUNT = 6
CREATE, DELETE = "CreateVpcEndpoint", "DeleteVpcEndpoints"
WIRE_SECONDS = 0.02
"""What the double may be late in writing a call down."""


@pytest.fixture(scope="module")
def operator(stage: Stage, namespace: str) -> Iterator[OperatorProcess]:
    """In place of the module's usual one: with limits as they are in AWS, but for the rate."""
    running = stage.operator(
        IBPE_WATCH_NAMESPACES=namespace,
        IBPE_SNAPSHOT_SECONDS="1",
        IBPE_SNAPSHOT_FAST_SECONDS="0.3",
        IBPE_PREREQUISITES_SECONDS="2",
        IBPE_WORKERS="8",
        IBPE_AWS_WRITE_BURST=str(BURST),
        IBPE_AWS_WRITES_PER_SECOND=str(PER_SECOND),
    )
    yield running
    running.stop()


@dataclass(frozen=True)
class Life:
    """Resources that were made together and deleted together, and what was seen of them meanwhile."""

    scenes: Sequence[Scene]
    calls: Sequence[CallRecord]
    shown: Sequence[tuple[str, str, str]]
    """Type, status and reason of every condition that was seen."""
    metrics: str

    def times(self, action: str) -> list[float]:
        """When AWS got these calls."""
        return [call.monotonic for call in self.calls if call.action == action]


@pytest.fixture(scope="module")
def life(scenes: Scenes) -> Life:
    stage, since = scenes.stage, scenes.stage.aws.control.cursor()
    made = [scenes.make() for _ in range(COUNT)]
    stage.apply({"apiVersion": "v1", "kind": "List", "items": [scene.rich() for scene in made]})
    shown: set[tuple[str, str, str]] = set()

    def all_are(right: Callable[[dict[str, Any] | None], bool]) -> bool:
        found = [scene.get() for scene in made]
        for resource in filter(None, found):
            for type_ in ("Ready", "Reconciling", "Stalled"):
                each = condition(resource, type_)
                shown.add((type_, each.get("status", ""), each.get("reason", "")))
        return all(map(right, found))

    eventually(lambda: all_are(is_ready), "all Ready", timeout=90)
    for scene in made:
        assert len(scene.ours()) == 2
    metrics = scenes.operator.metrics()
    stage.plane.kubectl("delete", "imagebuilderprivateendpoints", "--all", "-n", scenes.namespace, "--wait=false")
    eventually(lambda: all_are(lambda resource: resource is None), "all gone", timeout=90)
    metrics += scenes.operator.metrics()
    calls = stage.aws.control.calls(since=since, access_key=OPERATORS_KEY)
    return Life(made, calls, sorted(shown), metrics)


@pytest.mark.parametrize(("action", "count"), [(CREATE, 2 * COUNT), (DELETE, COUNT)])
def test_aws_gets_no_more_than_the_burst_and_the_rate(life: Life, action: str, count: int) -> None:
    times = life.times(action)
    assert len(times) == count, "one call each, none in vain"
    for begin, end in itertools.combinations_with_replacement(range(count), 2):
        seconds = times[end] - times[begin] + WIRE_SECONDS
        assert end - begin + 1 <= BURST + PER_SECOND * seconds, f"calls {begin} to {end} within {seconds:.2f} s"


def test_the_turns_are_used_without_a_long_pause(life: Life) -> None:
    times = life.times(CREATE)
    assert times[-1] - times[0] <= 3 * (2 * COUNT - BURST) / PER_SECOND, "on a busy machine, at a third of the rate"


def test_nobody_failed_or_had_to_act(life: Life) -> None:
    assert {call.error_code for call in life.calls if call.action in {CREATE, DELETE}} == {None}
    assert ("Reconciling", "True", "AwaitingTurn") in life.shown
    assert not [each for each in life.shown if each[:2] == ("Stalled", "True")]
    errors = re.findall(r'^ibpe_reconcile_total\{result="(?:error|refused)"\} (\S+)$', life.metrics, re.MULTILINE)
    assert {float(value) for value in errors} == {0.0}
    assert "ibpe_aws_throttled_total{" not in life.metrics
    events = {reason for scene in life.scenes for reason, _ in scene.events()}
    assert {"Refused", "Throttled", "DriftDetected"} & events == set()


def test_the_buckets_are_scraped(life: Life) -> None:
    found = re.findall(
        r'^ibpe_aws_token_bucket_level\{account="\d{12}",operation="(\w+)",.*\} (\S+)$', life.metrics, re.MULTILINE
    )
    assert {operation for operation, _ in found} == {CREATE, DELETE}
    assert all(-BURST <= float(level) <= BURST for _, level in found)


def test_after_a_throttle_answer_aws_is_left_alone_for_longer_than_the_rate_asks(scenes: Scenes, life: Life) -> None:
    assert life.scenes
    control = scenes.stage.aws.control
    scene, since = scenes.make(f"throttled-{uuid.uuid4().hex[:6]}"), control.cursor()
    control.fail(CREATE, "RequestLimitExceeded", times=1, status=503)
    scene.apply(scene.rich())
    scene.ready()
    calls = control.calls(since=since, access_key=OPERATORS_KEY, action=CREATE)
    refused, following = next(
        pair for pair in itertools.pairwise(calls) if pair[0].error_code == "RequestLimitExceeded"
    )
    assert following.monotonic - refused.monotonic >= 1.9 / PER_SECOND, "half the rate, from an empty bucket"
