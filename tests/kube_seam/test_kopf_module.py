"""`kopf run -m ibpe.runtime.kopf_module`, for development."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ibpe.runtime.kopf_module import scope_problem
from sandbox.kube import ControlPlane


@pytest.mark.parametrize(
    ("wanted", "clusterwide", "namespaces", "agree"),
    [
        ((), True, (), True),
        (("a",), False, ("a",), True),
        (("a", "b"), False, ("b", "a"), True),
        ((), False, ("a",), False),
        (("a",), True, (), False),
        (("a",), False, ("a", "b"), False),
        ((), False, (), False),
    ],
)
def test_kopfs_scope_must_be_the_settings(
    wanted: tuple[str, ...],
    clusterwide: bool,  # noqa: FBT001 -- a row of a table
    namespaces: tuple[str, ...],
    agree: bool,  # noqa: FBT001 -- a row of a table
) -> None:
    problem = scope_problem(wanted, clusterwide=clusterwide, namespaces=namespaces)
    assert (problem is None) == agree
    if problem:
        assert (" ".join(f"-n {name}" for name in wanted) or "-A") in problem


@contextmanager
def kopf_run(
    control_plane: ControlPlane, log: Path, wanted: str, *flags: str, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("IBPE_")},
        "KUBECONFIG": str(control_plane.kubeconfig),
        "IBPE_CLUSTER_NAME": "test",
        "IBPE_WATCH_NAMESPACES": wanted,
        "IBPE_HEALTH_PORT": "",
        "IBPE_METRICS_PORT": "",
        **{f"IBPE_{name.upper()}": value for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "kopf", "run", "-m", "ibpe.runtime.kopf_module", *flags]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.kube
def test_another_scope_is_refused(with_crd: ControlPlane, namespace: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with kopf_run(with_crd, log, namespace, "-A") as process:
        assert process.wait(30) != 0
    assert f"run it with -n {namespace}" in log.read_text()


@pytest.mark.kube
def test_an_election_is_refused(with_crd: ControlPlane, namespace: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with kopf_run(with_crd, log, namespace, "-n", namespace, leader_election="true") as process:
        assert process.wait(30) != 0
    assert "IBPE_LEADER_ELECTION is not for `kopf run`: unset it, or use `ibpe run`." in log.read_text()


@pytest.mark.kube
def test_the_same_scope_is_watched_until_a_signal(with_crd: ControlPlane, namespace: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with kopf_run(with_crd, log, namespace, "-n", namespace) as process:
        deadline = time.monotonic() + 30
        while "Watching 0 resources" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
