"""The control plane is a real one, can be broken and mended, and is gone when it should be."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import urllib3
from kubernetes.client import CoreV1Api

from sandbox.kube import ControlPlane, ControlPlaneError

pytestmark = pytest.mark.kube

ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 30.0


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def processes_of(guard_pid: int) -> list[int]:
    return [guard_pid, *(child.pid for child in psutil.Process(guard_pid).children(recursive=True))]


@pytest.fixture(scope="module")
def own() -> Iterator[ControlPlane]:
    """One that these tests may stop and pause without others noticing."""
    with ControlPlane() as booted:
        yield booted


@pytest.fixture
def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> str:
    name = request.node.name.replace("_", "-")[:60].rstrip("-")
    control_plane.kubectl("create", "namespace", name)
    return str(name)


def test_it_is_ready_and_validates_like_a_cluster(control_plane: ControlPlane, namespace: str) -> None:
    assert control_plane.kubectl("get", "--raw", "/readyz").stdout == "ok"
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": namespace}}
    refused = control_plane.kubectl(
        "apply", "-f", "-", "--validate=strict", input=json.dumps({**config_map, "dta": {}}), check=False
    )
    assert refused.returncode != 0
    assert 'unknown field "dta"' in refused.stderr
    control_plane.kubectl("apply", "-f", "-", "--validate=strict", input=json.dumps({**config_map, "data": {"k": "v"}}))
    with control_plane.client() as client:
        assert CoreV1Api(client).read_namespaced_config_map("a", namespace).data == {"k": "v"}


def test_a_kubectl_that_fails_says_what_kubectl_said(control_plane: ControlPlane) -> None:
    with pytest.raises(ControlPlaneError, match=r'get namespace nowhere: exit 1\n.*"nowhere" not found'):
        control_plane.kubectl("get", "namespace", "nowhere")


def test_an_ordinary_user_may_do_what_rbac_grants_and_nothing_else(control_plane: ControlPlane, namespace: str) -> None:
    ada = control_plane.user_kubeconfig("ada", groups=["readers", "guests"])
    refused = control_plane.kubectl("get", "configmaps", "-n", namespace, kubeconfig=ada, check=False)
    assert 'User "ada" cannot list resource "configmaps"' in refused.stderr
    control_plane.kubectl("create", "role", "see", "--verb=list", "--resource=configmaps", "-n", namespace)
    control_plane.kubectl("create", "rolebinding", "see", "--role=see", "--group=guests", "-n", namespace)
    granted = control_plane.kubectl
    assert eventually(
        lambda: granted("get", "configmaps", "-n", namespace, kubeconfig=ada, check=False).returncode == 0
    )
    refused = control_plane.kubectl("create", "cm", "b", "-n", namespace, kubeconfig=ada, check=False)
    assert 'User "ada" cannot create resource "configmaps"' in refused.stderr


def test_a_service_accounts_token_is_the_service_account(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("create", "serviceaccount", "operator", "-n", namespace)
    token = control_plane.service_account_token(namespace, "operator")
    who = control_plane.kubectl(
        "auth", "whoami", "-o", "json", kubeconfig=control_plane.kubeconfig_with_token("operator", token)
    )
    assert json.loads(who.stdout)["status"]["userInfo"]["username"] == f"system:serviceaccount:{namespace}:operator"


def test_objects_survive_a_stop_and_the_port_stays(own: ControlPlane) -> None:
    own.kubectl("create", "namespace", "kept")
    url = own.url
    own.stop_apiserver()
    with own.client() as client, pytest.raises(urllib3.exceptions.MaxRetryError, match="Connection refused"):
        CoreV1Api(client).list_namespace()
    own.start_apiserver()
    assert own.url == url
    assert own.kubectl("get", "namespace", "kept", "-o", "name").stdout.strip() == "namespace/kept"


def test_a_paused_api_server_keeps_callers_waiting_until_it_is_resumed(own: ControlPlane) -> None:
    with own.client() as client:
        core = CoreV1Api(client)
        own.pause()
        try:
            with pytest.raises(urllib3.exceptions.MaxRetryError, match="timed out"):
                core.list_namespace(_request_timeout=1)
        finally:
            own.resume()
        assert core.list_namespace(_request_timeout=20).items


def test_a_paused_api_server_can_be_stopped(own: ControlPlane) -> None:
    own.pause()
    own.stop_apiserver()
    own.start_apiserver()
    assert own.kubectl("get", "--raw", "/readyz").stdout == "ok"


def test_a_namespace_goes_only_when_what_it_holds_has_gone(control_plane: ControlPlane, namespace: str) -> None:
    held = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "held", "namespace": namespace, "finalizers": ["example.com/hold"]},
    }
    control_plane.kubectl("apply", "-f", "-", input=json.dumps(held))
    with pytest.raises(ControlPlaneError, match="is not being deleted"):
        control_plane.finalize_namespace(namespace)
    control_plane.kubectl("delete", "namespace", namespace, "--wait=false")
    with pytest.raises(ControlPlaneError, match="still holds configmap/held"):
        control_plane.finalize_namespace(namespace, timeout=1)
    control_plane.kubectl(
        "patch", "configmap", "held", "-n", namespace, "--type=merge", "-p", '{"metadata": {"finalizers": null}}'
    )
    control_plane.finalize_namespace(namespace)
    assert "not found" in control_plane.kubectl("get", "namespace", namespace, check=False).stderr


def test_a_failure_inside_the_block_leaves_no_process_and_no_directory() -> None:
    pids: list[int] = []
    directory = Path()

    def fail() -> None:
        nonlocal directory
        with ControlPlane() as booted:
            pids.extend(processes_of(booted.guard_pid))
            directory = booted.directory
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(pids) == 3
    assert all(is_gone(pid) for pid in pids)
    assert not directory.exists()


def hear_ctrl_c() -> None:
    """A run in the background of a shell ignores SIGINT, and its children with it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.contextmanager
def command_line() -> Iterator[tuple[subprocess.Popen[str], list[int], Path]]:
    """``python -m sandbox.kube``, ready: the process, what it has started, and its directory."""
    command = [sys.executable, "-m", "sandbox.kube"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,  # noqa: PLW1509 - it only sets a signal's default
    ) as process:
        try:
            assert process.stdout is not None
            ready, url, kubeconfig = process.stdout.readline().split()
            assert ready == "ready"
            assert url.startswith("https://127.0.0.1:")
            started = psutil.Process(process.pid).children(recursive=True)
            yield process, [child.pid for child in started], Path(kubeconfig.removeprefix("kubeconfig=")).parent
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)],
    ids=["ctrl-c", "terminated", "killed"],
)
def test_the_command_line_leaves_nothing_behind_when_it_is(number: signal.Signals, code: int) -> None:
    with command_line() as (process, started, directory):
        assert len(started) == 3
        assert directory.is_dir()
        process.send_signal(number)
        assert process.wait(DEADLINE_SECONDS) == code
        assert eventually(lambda: all(is_gone(pid) for pid in started))
        assert eventually(lambda: not directory.exists())


def test_a_guard_that_is_killed_takes_the_programs_with_it() -> None:
    with ControlPlane() as booted:
        guard, *programs = processes_of(booted.guard_pid)
        os.kill(guard, signal.SIGKILL)
        assert eventually(lambda: all(is_gone(pid) for pid in programs))
        directory = booted.directory
    assert not directory.exists()
