"""The operator as a process on a real API server, with a stand-in for the reconcile."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from ibpe.kube.resources import KubernetesResources
from ibpe.reconcile.ports import Resource
from sandbox.kube import ControlPlane

from .conftest import CRD, manifest

pytestmark = pytest.mark.kube

STAND_IN = Path(__file__).with_name("stand_in.py")
Make = Callable[..., Resource]


class Operator:
    """The process, its journal and its log."""

    def __init__(self, directory: Path, kubeconfig: Path, **settings: str) -> None:
        self.journal = directory / "journal"
        self.journal.touch()
        self.log_file = directory / "log"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("IBPE_")},
            "KUBECONFIG": str(kubeconfig),
            "IBPE_CLUSTER_NAME": "test",
            "IBPE_HEALTH_HOST": "127.0.0.1",
            "IBPE_METRICS_HOST": "127.0.0.1",
            "IBPE_HEALTH_PORT": "0",
            "IBPE_METRICS_PORT": "0",
            **{f"IBPE_{name.upper()}": value for name, value in settings.items()},
        }
        with self.log_file.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(STAND_IN), str(self.journal)], env=environment, stdout=log, stderr=log
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def lines(self, pattern: str = "") -> list[str]:
        return [line for line in self.journal.read_text().splitlines() if re.search(pattern, line)]

    def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{self.log}\n{self.journal.read_text()}"
            time.sleep(0.05)

    def port(self, message: str) -> int:
        self.until(lambda: message in self.log)
        return next(json.loads(line)["port"] for line in self.log.splitlines() if message in line)  # type: ignore[no-any-return]  # JSON

    def probe(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port('Probes')}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as answered:
            return answered.code

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port('Metrics')}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    def until_ready(self) -> None:
        self.until(lambda: self.probe("/readyz") == 200)


Start = Callable[..., Operator]


@contextmanager
def running(directory: Path, kubeconfig: Path, **settings: str) -> Iterator[Operator]:
    operator = Operator(directory, kubeconfig, **settings)
    try:
        yield operator
    finally:
        operator.process.kill()
        operator.process.wait(10)


@pytest.fixture
def operator(tmp_path: Path, with_crd: ControlPlane, namespace: str) -> Iterator[Operator]:
    with running(tmp_path, with_crd.kubeconfig, watch_namespaces=namespace) as started:
        yield started


def test_a_resource_is_reconciled_and_our_own_writes_wake_nobody(make: Make, operator: Operator) -> None:
    operator.until_ready()
    made = make()
    operator.until(lambda: operator.lines(f"done {made.key}"))
    other = make("two")  # the watch is in order: once this one is done, events of our writes to the first have passed
    operator.until(lambda: operator.lines(f"done {other.key}"))
    assert len(operator.lines(f"reconcile {made.key}")) == 1


def test_what_a_person_changes_wakes_and_what_others_annotate_does_not(
    make: Make, operator: Operator, with_crd: ControlPlane
) -> None:
    made = make()
    operator.until(lambda: operator.lines(f"done {made.key}"))
    annotate = ("annotate", "--overwrite", "ibpe", "-n", made.key.namespace, made.key.name)
    with_crd.kubectl(*annotate, "argocd.argoproj.io/tracking-id=app:x")
    with_crd.kubectl("label", "ibpe", "-n", made.key.namespace, made.key.name, "team=images")
    with_crd.kubectl(*annotate, "ibpe.dev/reconcile-requested-at=now")
    operator.until(lambda: len(operator.lines(f"reconcile {made.key}")) == 2)
    patch = '{"spec":{"suspend":true}}'
    with_crd.kubectl("patch", "ibpe", "-n", made.key.namespace, made.key.name, "--type=merge", "-p", patch)
    operator.until(lambda: len(operator.lines(f"reconcile {made.key}")) == 3)
    with_crd.kubectl(*annotate, "ibpe.dev/abandon=123456789012")
    operator.until(lambda: len(operator.lines(f"reconcile {made.key}")) == 4)


def test_a_deleted_resource_is_reconciled_and_then_forgotten(
    make: Make, operator: Operator, with_crd: ControlPlane
) -> None:
    made = make()
    operator.until(lambda: operator.lines(f"done {made.key}"))
    operator.until(lambda: f'name="{made.key.name}",namespace="{made.key.namespace}"' in operator.metrics())
    with_crd.kubectl("delete", "ibpe", "-n", made.key.namespace, made.key.name, "--wait=false")
    operator.until(lambda: operator.lines(f"forget-uid {made.uid}"))
    assert operator.lines(f"reconcile {made.key} {made.uid} True")
    operator.until(lambda: operator.lines(f"forget-key {made.key}"))
    assert f'namespace="{made.key.namespace}"' not in operator.metrics()


def test_what_existed_before_the_start_is_seen_before_it_is_ready(
    make: Make, with_crd: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    made = [make(f"n{number}") for number in range(3)]
    with running(tmp_path, with_crd.kubeconfig, watch_namespaces=namespace) as operator:
        operator.until_ready()
        operator.until(lambda: all(operator.lines(f"done {one.key}") for one in made))


def test_a_poisoned_resource_blocks_nobody(make: Make, operator: Operator) -> None:
    poison = make("poison")
    good = make("good")
    operator.until(lambda: operator.lines(f"done {good.key}"))
    operator.until(lambda: len(operator.lines(f"reconcile {poison.key}")) >= 2)
    assert "ValueError" in operator.log
    assert operator.probe("/healthz") == 200


def test_a_worker_that_dies_ends_the_process(make: Make, operator: Operator) -> None:
    make("fatal")
    assert operator.process.wait(30) == 1
    assert "worker thread died" in operator.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_work_end_and_begins_none(
    make: Make, with_crd: ControlPlane, namespace: str, tmp_path: Path, number: signal.Signals
) -> None:
    with running(tmp_path, with_crd.kubeconfig, watch_namespaces=namespace, workers="1") as operator:
        slow = make("slow")
        operator.until(lambda: operator.lines(f"reconcile {slow.key}"))
        make("late")
        operator.until(lambda: "ibpe_workqueue_depth 1.0" in operator.metrics())
        operator.process.send_signal(number)
        operator.until(lambda: "no new work is begun" in operator.log)
        Path(f"{operator.journal}.release").touch()
        assert operator.process.wait(30) == 0
        assert operator.lines(f"done {slow.key}")
        assert not operator.lines("late")


def test_work_that_never_ends_is_left_at_the_bound(
    make: Make, with_crd: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    with running(tmp_path, with_crd.kubeconfig, watch_namespaces=namespace, shutdown_seconds="1") as operator:
        slow = make("slow")
        operator.until(lambda: operator.lines(f"reconcile {slow.key}"))
        begun = time.monotonic()
        operator.process.terminate()
        assert operator.process.wait(30) == 0
        assert time.monotonic() - begun < 10
        assert f"unfinished work on {slow.key}" in operator.log


def test_a_second_signal_ends_at_once(make: Make, operator: Operator) -> None:
    slow = make("slow")
    operator.until(lambda: operator.lines(f"reconcile {slow.key}"))
    operator.process.terminate()
    operator.until(lambda: "no new work is begun" in operator.log)
    operator.process.terminate()
    assert operator.process.wait(10) == 128 + signal.SIGTERM


def test_no_kubeconfig_is_said_in_one_sentence(tmp_path: Path) -> None:
    with running(tmp_path, tmp_path / "missing") as operator:
        assert operator.process.wait(30) == 1
        assert "which does not exist" in operator.log
        assert "Traceback" not in operator.log


@pytest.mark.parametrize(
    ("token", "says"), [(None, "RBAC does not let us list"), ("wrong", "does not accept our credentials")]
)
def test_missing_rights_are_waited_for_and_said(
    with_crd: ControlPlane, namespace: str, tmp_path: Path, token: str | None, says: str
) -> None:
    if token is None:
        kubeconfig = with_crd.user_kubeconfig("nobody-in-particular", [])
    else:
        kubeconfig = with_crd.kubeconfig_with_token("stranger", token)
    with running(tmp_path, kubeconfig, watch_namespaces=namespace) as operator:
        operator.until(lambda: says in operator.log)
        assert operator.probe("/readyz") == 503
        assert operator.probe("/healthz") == 200
        assert operator.process.poll() is None


def test_an_api_server_that_is_away_at_the_start_is_waited_for(tmp_path: Path) -> None:
    with ControlPlane() as own:
        own.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
        own.stop_apiserver()
        with running(tmp_path, own.kubeconfig) as operator:
            operator.until(lambda: "the API server is away" in operator.log)
            assert operator.probe("/readyz") == 503
            assert operator.probe("/healthz") == 200
            own.start_apiserver()
            operator.until_ready()


def test_a_missing_crd_is_said_and_waited_for(tmp_path: Path) -> None:
    with ControlPlane() as own, running(tmp_path, own.kubeconfig) as operator:
        operator.until(lambda: "is not installed" in operator.log)
        assert operator.probe("/readyz") == 503
        own.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
        operator.until_ready()


def test_a_watch_that_cannot_go_on_ends_the_process(tmp_path: Path) -> None:
    with ControlPlane() as own:
        own.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
        with running(tmp_path, own.kubeconfig) as operator:
            operator.until_ready()
            own.kubectl("delete", "-f", str(CRD))
            # the stream ends with the kind; only the list that follows shows that it is gone
            assert operator.process.wait(120) == 1
            assert "so that it is started anew" in operator.log


def test_an_api_server_that_goes_and_comes_back_is_watched_again(tmp_path: Path) -> None:
    with ControlPlane() as own:
        own.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
        own.kubectl("wait", "--for=condition=Established", "-f", str(CRD), "--timeout=30s")
        with running(tmp_path, own.kubeconfig) as operator:
            operator.until_ready()
            own.stop_apiserver()
            own.start_apiserver()
            own.kubectl("create", "-f", "-", input=yaml.safe_dump(manifest("after", "default")))
            operator.until(lambda: operator.lines("done default/after"), 90)
            assert operator.process.poll() is None


def test_a_resource_made_again_while_nobody_watched_is_seen(
    make: Make, with_crd: ControlPlane, namespace: str, operator: Operator, resources: KubernetesResources
) -> None:
    first = make()
    operator.until(lambda: operator.lines(f"done {first.key}"))
    operator.process.send_signal(signal.SIGSTOP)
    held = resources.get(first.key)
    assert held is not None
    resources.remove_finalizer(held)
    with_crd.kubectl("delete", "ibpe", "-n", namespace, first.key.name)
    second = make()
    operator.process.send_signal(signal.SIGCONT)
    operator.until(lambda: operator.lines(f"done {first.key}")[1:])
    assert operator.lines(f"reconcile {second.key} {second.uid}")
    operator.until(lambda: operator.lines(f"forget-uid {first.uid}"))
