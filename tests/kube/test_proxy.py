"""The proxy passes everything on untouched, but for what a hook says."""

import contextlib
import json
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3
from kubernetes.client import ApiException, CoreV1Api, V1ConfigMap, V1ObjectMeta

from sandbox.kube import ControlPlane
from sandbox.kube.hooks import Answer, DropAnswer, Hang, Kill, Predicate, Refuse
from sandbox.kube.proxy import ApiProxy

pytestmark = pytest.mark.kube

DEADLINE_SECONDS = 20.0
CALLER = """
import sys
from pathlib import Path
from kubernetes.client import CoreV1Api
from sandbox.kube.client import from_kubeconfig
core = CoreV1Api(from_kubeconfig(Path(sys.argv[1])))
core.create_namespaced_config_map(sys.argv[2], {"metadata": {"name": "written"}})
print("was answered")
"""


@pytest.fixture
def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> str:
    name = "proxy-" + re.sub(r"[^a-z0-9]+", "-", request.node.name[5:60]).strip("-")
    control_plane.kubectl("create", "namespace", name)
    return str(name)


@pytest.fixture
def proxy(control_plane: ControlPlane) -> Iterator[ApiProxy]:
    with ApiProxy(control_plane) as open_proxy:
        yield open_proxy


@pytest.fixture
def core(control_plane: ControlPlane, proxy: ApiProxy) -> Iterator[CoreV1Api]:
    with control_plane.client(proxy.kubeconfig) as client:
        client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        yield CoreV1Api(client)


def config_map(name: str) -> V1ConfigMap:
    return V1ConfigMap(metadata=V1ObjectMeta(name=name))


def creates(name: str) -> Predicate:
    return lambda request: request.method == "POST" and request.json()["metadata"]["name"] == name


def exists(control_plane: ControlPlane, namespace: str, name: str) -> bool:
    return control_plane.kubectl("get", "configmap", name, "-n", namespace, check=False).returncode == 0


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_kubectl_and_the_python_client_work_through_it_and_are_recorded(
    control_plane: ControlPlane, proxy: ApiProxy, core: CoreV1Api, namespace: str
) -> None:
    applied = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": namespace}})
    control_plane.kubectl("apply", "--server-side", "-f", "-", input=applied, kubeconfig=proxy.kubeconfig)
    control_plane.kubectl(
        "apply", "--server-side", "--dry-run=server", "-f", "-", input=applied, kubeconfig=proxy.kubeconfig
    )
    assert core.read_namespaced_config_map("a", namespace).data is None
    with pytest.raises(ApiException, match="not found"):
        core.read_namespaced_config_map("b", namespace)

    (write,) = proxy.writes
    assert (write.request.method, write.status, write.delivered) == ("PATCH", 201, True)
    assert write.request.path == f"/api/v1/namespaces/{namespace}/configmaps/a"
    assert write.request.parameters["fieldManager"] == ["kubectl"]
    assert write.request.user_agent.startswith("kubectl/")
    assert write.request.content_type == "application/apply-patch+yaml"
    assert [record.status for record in proxy.records[-2:]] == [200, 404]


def test_it_shows_the_token_it_was_given(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("create", "serviceaccount", "operator", "-n", namespace)
    with ApiProxy(control_plane, control_plane.service_account_token(namespace, "operator")) as proxy:
        refused = control_plane.kubectl("get", "secrets", "-n", namespace, kubeconfig=proxy.kubeconfig, check=False)
    assert f'User "system:serviceaccount:{namespace}:operator" cannot list' in refused.stderr


def test_a_large_answer_arrives_whole(core: CoreV1Api, namespace: str) -> None:
    data = {"large": "x" * 900_000}
    core.create_namespaced_config_map(namespace, V1ConfigMap(metadata=V1ObjectMeta(name="large"), data=data))
    assert core.read_namespaced_config_map("large", namespace).data == data
    assert len(core.list_namespaced_config_map(namespace).items) == 1


def open_watch(core: CoreV1Api, namespace: str) -> Any:
    """The raw answer, a urllib3 response: the library's own Watch would connect again."""
    return core.list_namespaced_config_map(namespace, watch=True, _preload_content=False, _request_timeout=(5, 60))


def test_a_watch_is_told_each_change_at_once_and_ends_with_the_connection(
    control_plane: ControlPlane, proxy: ApiProxy, core: CoreV1Api, namespace: str
) -> None:
    told: queue.Queue[str] = queue.Queue()

    def look() -> None:
        with contextlib.suppress(urllib3.exceptions.ProtocolError):
            for block in stream.stream():
                told.put(json.loads(block)["object"]["metadata"]["name"])
        told.put("ended")

    stream = open_watch(core, namespace)
    thread = threading.Thread(target=look)
    thread.start()
    for name in ("first", "second"):
        control_plane.kubectl("create", "configmap", name, "-n", namespace)
        assert told.get(timeout=2.0) == name
    proxy.drop_connections()
    assert told.get(timeout=2.0) == "ended"
    thread.join()


def ports_connected_to(url: str) -> set[int]:
    """This process's ends of its connections to the server at ``url``."""
    port = int(url.rsplit(":", 1)[1])
    connections = psutil.Process().net_connections("tcp")
    return {
        one.laddr.port
        for one in connections
        if one.raddr and one.raddr.port == port and one.status == psutil.CONN_ESTABLISHED
    }


@pytest.mark.parametrize("size", [10, 100_000], ids=["of-known-length", "in-chunks"])
def test_a_connection_is_kept_for_the_next_request(proxy: ApiProxy, core: CoreV1Api, namespace: str, size: int) -> None:
    data = {"key": "x" * size}
    core.create_namespaced_config_map(namespace, V1ConfigMap(metadata=V1ObjectMeta(name="sized"), data=data))
    first = ports_connected_to(proxy.url)
    for _ in range(3):
        core.read_namespaced_config_map("sized", namespace)
    assert len(first) == 1
    assert ports_connected_to(proxy.url) == first


def test_a_watcher_that_leaves_ends_its_watch_at_the_api_server(
    control_plane: ControlPlane, proxy: ApiProxy, namespace: str
) -> None:
    before = ports_connected_to(control_plane.url)
    command = [
        str(control_plane.kubectl_path),
        f"--kubeconfig={proxy.kubeconfig}",
        "get",
        "cm",
        "-n",
        namespace,
        "--watch",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert eventually(lambda: any("watch" in record.request.parameters for record in proxy.records))
        assert eventually(lambda: len(ports_connected_to(control_plane.url) - before) == 1)
        process.kill()
    assert eventually(lambda: not ports_connected_to(control_plane.url) - before)


def test_a_dropped_answer_leaves_the_effect(
    control_plane: ControlPlane, proxy: ApiProxy, core: CoreV1Api, namespace: str
) -> None:
    hook = proxy.on_request(creates("lost"), DropAnswer())
    core.create_namespaced_config_map(namespace, config_map("kept"))
    with pytest.raises(urllib3.exceptions.ProtocolError):
        core.create_namespaced_config_map(namespace, config_map("lost"))
    assert hook.hits == 1
    assert exists(control_plane, namespace, "lost")
    assert [(record.status, record.delivered) for record in proxy.writes] == [(201, True), (201, False)]


def test_a_refused_request_has_no_effect(
    control_plane: ControlPlane, proxy: ApiProxy, core: CoreV1Api, namespace: str
) -> None:
    proxy.on_request(creates("refused"), Refuse())
    with pytest.raises(urllib3.exceptions.ProtocolError):
        core.create_namespaced_config_map(namespace, config_map("refused"))
    assert not exists(control_plane, namespace, "refused")
    assert [(record.status, record.delivered) for record in proxy.writes] == [(None, False)]
    core.create_namespaced_config_map(namespace, config_map("refused"))


@pytest.mark.parametrize("status", [403, 409, 429, 500, 503])
def test_a_status_is_answered_instead_as_often_as_asked(proxy: ApiProxy, core: CoreV1Api, status: int) -> None:
    proxy.on_request(lambda request: request.path == "/api/v1/nodes", Answer(status, "said so", 7), times=2)
    for _ in range(2):
        with pytest.raises(ApiException) as raised:
            core.list_node()
        assert raised.value.status == status
        assert json.loads(raised.value.body or "")["message"] == "said so"
        assert dict(raised.value.headers or {})["Retry-After"] == "7"
    assert core.list_node().items == []


def test_a_hanging_request_hangs_until_its_hook_is_removed(
    control_plane: ControlPlane, proxy: ApiProxy, core: CoreV1Api, namespace: str
) -> None:
    hook = proxy.on_request(creates("hung"), Hang(), times=None)
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        core.create_namespaced_config_map(namespace, config_map("hung"), _request_timeout=0.5)
    release = threading.Timer(0.5, hook.remove)
    release.start()
    with pytest.raises(urllib3.exceptions.ProtocolError):
        core.create_namespaced_config_map(namespace, config_map("hung"), _request_timeout=DEADLINE_SECONDS)
    release.join()
    assert hook.hits == 2
    assert not exists(control_plane, namespace, "hung")


def test_a_process_is_killed_between_the_effect_and_its_answer(
    control_plane: ControlPlane, proxy: ApiProxy, namespace: str
) -> None:
    caller: list[subprocess.Popen[str]] = []
    hook = proxy.on_request(creates("written"), Kill(lambda: caller[0].pid))
    command = [sys.executable, "-c", CALLER, str(proxy.kubeconfig), namespace]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        caller.append(process)
        said, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert hook.wait(DEADLINE_SECONDS)
    assert (process.returncode, said) == (-9, "")
    assert exists(control_plane, namespace, "written")


def test_requests_during_an_outage_fail_and_work_again_afterwards() -> None:
    with (
        ControlPlane() as control_plane,
        ApiProxy(control_plane) as proxy,
        control_plane.client(proxy.kubeconfig) as client,
    ):
        client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        core = CoreV1Api(client)
        assert core.list_namespace().items
        watching = open_watch(core, "default")
        control_plane.stop_apiserver()
        with contextlib.suppress(urllib3.exceptions.ProtocolError):  # and not by its own timeout
            for _ in watching.stream():
                pass
        with pytest.raises(urllib3.exceptions.ProtocolError):
            core.list_namespace()
        control_plane.start_apiserver()
        assert core.list_namespace().items
        control_plane.pause()
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            core.list_namespace(_request_timeout=0.5)
        control_plane.resume()
        assert core.list_namespace().items
    statuses = [record.status for record in proxy.records]
    assert statuses[4] in {None, 200}, "answered once it went on, or never: nobody listened any more"
    assert [*statuses[:4], *statuses[5:]] == [200, 200, None, 200, 200]


def test_a_predicate_that_is_wrong_fails_the_test(control_plane: ControlPlane) -> None:
    def use() -> None:
        with ApiProxy(control_plane) as proxy, control_plane.client(proxy.kubeconfig) as client:
            client.rest_client.pool_manager.connection_pool_kw["retries"] = False
            proxy.on_request(lambda request: bool(request.parameters["absent"]), Refuse())
            with pytest.raises(urllib3.exceptions.ProtocolError):
                CoreV1Api(client).list_node()

    with pytest.raises(KeyError, match="absent"):
        use()


def test_it_ends_at_once_with_idle_connections_and_watches_open(control_plane: ControlPlane, namespace: str) -> None:
    threads = threading.active_count()
    with ApiProxy(control_plane) as proxy, control_plane.client(proxy.kubeconfig) as client:
        core = CoreV1Api(client)
        core.list_node()
        stream = open_watch(core, namespace)
        began = time.monotonic()
    assert time.monotonic() - began < 2.0
    stream.close()
    assert threading.active_count() == threads
