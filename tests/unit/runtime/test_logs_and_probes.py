"""What machines and people read of the process."""

import io
import json
import logging
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest

from ibpe.runtime import logs
from ibpe.runtime.health import ProbeServer
from ibpe.runtime.metrics import Metrics, RegionState


@pytest.fixture
def _logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("kopf", "asyncio", "urllib3")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.mark.usefixtures("_logging_restored")
def test_a_json_line_holds_what_is_bound_what_is_given_and_the_traceback() -> None:
    stream = io.StringIO()
    logs.configure("json", "INFO", stream)
    log = logging.getLogger("ibpe.test")
    try:
        int("why\nnot")
    except ValueError:
        with logs.bound(key="team/a", generation=3, request_id="outer"), logs.bound(generation=4):
            log.exception("It %s", "failed", extra={"request_id": "r-1"})
    log.info("after")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert first.pop("time").endswith("Z")
    assert "ValueError: invalid literal" in first.pop("exception")
    assert first == {
        "level": "error",
        "logger": "ibpe.test",
        "message": "It failed",
        "key": "team/a",
        "generation": 4,
        "request_id": "r-1",
    }
    assert second["message"] == "after"
    assert "key" not in second


@pytest.mark.usefixtures("_logging_restored")
def test_a_text_line_is_for_people_and_libraries_are_quiet() -> None:
    stream = io.StringIO()
    logs.configure("text", "DEBUG", stream)
    logging.getLogger("kopf.objects").info("chatter")
    logging.getLogger("kopf.objects").warning("worth it")
    with logs.bound(key="team/a"):
        logging.getLogger("ibpe.x").debug("ours")
    warning, ours = stream.getvalue().splitlines()
    assert warning.endswith("WARNING kopf.objects: worth it")
    assert ours.endswith("DEBUG   ibpe.x: ours key=team/a")


def asked(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_a_probe_holds_when_all_its_checks_do() -> None:
    alive = {"a": True, "b": True}
    server = ProbeServer("127.0.0.1", 0, {"/healthz": {"a": lambda: alive["a"], "b": lambda: alive["b"]}})
    try:
        assert asked(server.port, "/healthz") == (200, '{"a": true, "b": true}')
        alive["b"] = False
        assert asked(server.port, "/healthz?verbose") == (503, '{"a": true, "b": false}')
        assert asked(server.port, "/elsewhere")[0] == 404
    finally:
        server.close()


def test_a_taken_port_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            ProbeServer("127.0.0.1", taken.getsockname()[1], {})


@pytest.mark.parametrize(("named", "told"), [((), ["*"]), (("b", "a"), ["a", "b"])], ids=["all", "some"])
def test_each_namespace_that_is_served_is_told(named: tuple[str, ...], told: list[str]) -> None:
    metrics = Metrics()
    metrics.watches(named)
    lines = generate_latest(metrics.registry).decode().splitlines()
    found = [line for line in lines if line.startswith("ibpe_watched_namespace")]
    assert sorted(found) == [f'ibpe_watched_namespace{{watched="{name}"}} 1.0' for name in told]


def test_every_metric_has_its_name_and_labels() -> None:
    metrics = Metrics()
    metrics.depth_changed(3)
    metrics.added()
    metrics.retried()
    metrics.waited(0.2)
    metrics.reconciled("refused", 0.3)
    metrics.write_problem("refused")
    metrics.called(service="ec2", operation="Op", code="ok", account="1", region="r", seconds=0.1)
    metrics.throttled(service="ec2", operation="Op", account="1", region="r")
    metrics.drift_detected("s3", "policy")
    metrics.drift_repaired(4)
    metrics.policy_widened("s3", "edit")
    metrics.endpoint_recreated("s3")
    metrics.leading(True)  # noqa: FBT003 -- the value of a gauge
    metrics.watches(["team-a"])
    metrics.show_regions(lambda: [RegionState("1", "us-west-2", 12.0, braked=True, failing=False, orphans=2)])
    scrape = generate_latest(metrics.registry).decode()
    for line in (
        "ibpe_workqueue_depth 3.0",
        "ibpe_workqueue_adds_total 1.0",
        "ibpe_workqueue_retries_total 1.0",
        "ibpe_workqueue_queue_duration_seconds_count 1.0",
        'ibpe_reconcile_total{result="refused"} 1.0',
        "ibpe_reconcile_duration_seconds_count 1.0",
        'ibpe_kubernetes_write_problems_total{problem="refused"} 1.0',
        'ibpe_aws_api_calls_total{account="1",code="ok",operation="Op",region="r",service="ec2"} 1.0',
        'ibpe_aws_api_call_duration_seconds_count{operation="Op",service="ec2"} 1.0',
        'ibpe_aws_throttled_total{account="1",operation="Op",region="r",service="ec2"} 1.0',
        'ibpe_drift_detected_total{field="policy",role="s3"} 1.0',
        'ibpe_drift_repair_seconds_bucket{le="5.0"} 1.0',
        'ibpe_snapshot_age_seconds{account="1",region="us-west-2"} 12.0',
        'ibpe_brake_engaged{account="1",region="us-west-2"} 1.0',
        'ibpe_orphan_endpoints{account="1",region="us-west-2"} 2.0',
        'ibpe_observation_failed{account="1",region="us-west-2"} 0.0',
        'ibpe_policy_widened_total{cause="edit",role="s3"} 1.0',
        'ibpe_policy_widened_total{cause="drift",role="s3"} 0.0',
        'ibpe_endpoint_recreated_total{role="s3"} 1.0',
        'ibpe_endpoint_recreated_total{role="imagebuilder"} 0.0',
        "ibpe_leader 1.0",
        'ibpe_watched_namespace{watched="team-a"} 1.0',
        "ibpe_build_info{version=",
        "process_resident_memory_bytes",
    ):
        assert line in scrape
