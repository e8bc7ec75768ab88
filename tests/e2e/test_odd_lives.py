"""Lives that are out of the ordinary: recreated under one name, unreadable, deleted unseen, an API server away."""

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.aws.messages import EndpointEdit
from sandbox.kube.hooks import Refuse
from sandbox.kube.proxy import ApiProxy
from sandbox.stage import RESOURCE, OperatorProcess, Stage, condition, endpoint_ids, is_ready
from tests.e2e.scene import IMAGE_BUILDER, S3, Scene, Scenes, eventually

pytestmark = pytest.mark.e2e

OUTAGE_SECONDS = float(os.environ.get("IBPE_TEST_OUTAGE_SECONDS", "30"))


@pytest.fixture(scope="module")
def proxy(stage: Stage) -> Iterator[ApiProxy]:
    with ApiProxy(stage.plane) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def operator(stage: Stage, namespace: str, proxy: ApiProxy) -> Iterator[OperatorProcess]:
    """In place of the module's usual one: it reaches the API server through a proxy that can be cut."""
    running = stage.operator(
        proxy.kubeconfig,
        IBPE_WATCH_NAMESPACES=namespace,
        IBPE_SNAPSHOT_SECONDS="1",
        IBPE_SNAPSHOT_FAST_SECONDS="0.3",
        IBPE_PREREQUISITES_SECONDS="2",
    )
    yield running
    running.stop()


def refused(scene: Scene, **spec: Any) -> dict[str, Any]:
    """A resource that is refused from the start."""
    resource = scene.rich(**spec)
    resource["spec"]["imageBuilder"]["subnets"]["ids"] = ["subnet-0deadbeefdeadbeef"]
    resource["spec"].pop("s3")
    return resource


def recreate(scene: Scene) -> tuple[str, str]:
    """Delete a refused resource and make a good one under its name; returns both uids."""
    first: str = (scene.get() or {})["metadata"]["uid"]
    scene.delete()
    scene.until(lambda found: found is None, "gone at once: nothing of it is in AWS")
    scene.apply(scene.rich())
    second: str = (scene.get() or {})["metadata"]["uid"]
    assert first != second
    return first, second


def test_made_again_under_its_name_while_the_operator_is_stopped(scene: Scene) -> None:
    scene.apply(refused(scene))
    scene.stalled("SubnetNotFound")
    scene.operator.stop()
    recreate(scene)
    scene.operator.restart()
    scene.ready()
    assert set(scene.ours()) == {IMAGE_BUILDER, S3}


def test_made_again_under_its_name_while_the_watch_is_away(scene: Scene, proxy: ApiProxy) -> None:
    scene.apply(refused(scene))
    scene.stalled("SubnetNotFound")
    cut = proxy.on_request(lambda request: "watch=" in request.query, Refuse(), times=None)
    proxy.drop_connections()
    eventually(lambda: cut.hits, "the operator lost its watch")
    recreate(scene)
    cut.remove()
    scene.ready()
    assert set(scene.ours()) == {IMAGE_BUILDER, S3}


def test_made_again_under_its_name_after_its_finalizer_was_taken_off_by_hand(scene: Scene) -> None:
    scene.apply(scene.rich())
    before = endpoint_ids(scene.ready())
    scene.operator.stop()
    scene.delete()
    scene.stage.patch(scene.name, {"metadata": {"finalizers": None}}, scene.namespace)
    scene.gone()
    since = scene.cursor()
    scene.apply(scene.rich())
    scene.operator.restart()
    assert endpoint_ids(scene.ready()) == before, "its namesake takes the endpoints over by their tags"
    assert "CreateVpcEndpoint" not in {call.action for call in scene.writes(since)}
    scene.delete()
    scene.gone()
    assert scene.endpoints() == ()


@pytest.mark.parametrize("how", ["refused", "suspended"])
def test_deleted_while_no_operator_runs_it_goes_at_once(scene: Scene, how: str) -> None:
    scene.apply(refused(scene) if how == "refused" else scene.rich(suspend=True))
    if how == "refused":
        scene.stalled("SubnetNotFound")
    else:
        scene.until(lambda found: condition(found, "Ready").get("reason") == "Suspended", "Suspended")
    scene.operator.stop()
    try:
        scene.delete()
        scene.gone(timeout=5)
    finally:
        scene.operator.restart()
    assert scene.endpoints() == ()


def test_deleted_while_no_operator_runs_the_next_one_cleans_up(scene: Scene) -> None:
    scene.apply(scene.rich())
    scene.ready()
    scene.operator.stop()
    scene.delete()
    assert scene.get() is not None, "the finalizer holds it"
    scene.operator.restart()
    scene.gone()
    assert scene.endpoints() == ()


def test_a_namespace_deleted_with_resources_in_it_leaves_nothing_in_aws(stage: Stage, namespace: str) -> None:
    name = f"{namespace}-doomed"
    stage.plane.kubectl("create", "namespace", name)
    operator = stage.operator(IBPE_WATCH_NAMESPACES=name, IBPE_SNAPSHOT_SECONDS="1", IBPE_SNAPSHOT_FAST_SECONDS="0.3")
    try:
        doomed = Scenes(stage, operator, name).ready(3)
        refused_ = Scenes(stage, operator, name).make()
        refused_.apply(refused(refused_))
        refused_.stalled("SubnetNotFound")
        stage.plane.kubectl("delete", "namespace", name, "--wait=false")
        stage.plane.finalize_namespace(name, timeout=60)
        for scene in doomed:
            assert scene.endpoints() == (), "an orphan"
        assert stage.plane.kubectl("get", "namespace", name, "--ignore-not-found").stdout == ""
    finally:
        operator.stop()


WRONG_TYPES = {
    "imageBuilder": {"subnets": "all of them", "policy": {"preset": "Whatever"}},
    "s3": {"mode": ["Managed"], "routeTables": "every one"},
    "tags": 7,
}
WRONG_WORDS = {
    "imageBuilder": {"policy": {"preset": "OfALaterVersion"}, "securityGroups": {"ids": ["not-a-group"]}},
    "s3": {"routeTables": None, "policy": {"baseline": "Whatever"}},
    "driftPolicy": "Sometimes",
}


@pytest.fixture
def loosened(stage: Stage) -> Iterator[Callable[[], None]]:
    """The schema lets any spec in; calling it brings the real one back, as does the end of the test.

    What was let in stays stored, as after a downgrade: no version of this operator would have written it.
    """
    strict = stage.plane.kubectl("get", "crd", RESOURCE, "-o", "json").stdout
    loose = json.loads(strict)
    for version in loose["spec"]["versions"]:
        version["schema"]["openAPIV3Schema"]["properties"]["spec"] = {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
        }

    def put(crd: dict[str, Any]) -> None:
        crd["metadata"].pop("resourceVersion", None)
        stage.plane.kubectl("replace", "-f", "-", input=json.dumps(crd))

    put(loose)
    yield lambda: put(json.loads(strict))
    put(json.loads(strict))


def refusal(scene: Scene, spec: dict[str, Any], *flags: str) -> str:
    """What the API server says against an edit; nothing when it takes it."""
    patch = json.dumps({"spec": spec})
    return scene.stage.plane.kubectl(
        "patch", RESOURCE, scene.name, "-n", scene.namespace, "--type=merge", "-p", patch, *flags, check=False
    ).stderr


# Wrong types are deleted under the loose schema alone: kube-apiserver 1.35.4 lets errors of unchanged fields pass, but
# not those of a CEL rule that can't be evaluated, so that under the strict one nobody could take a finalizer off.
@pytest.mark.parametrize(("spec", "strict_again"), [(WRONG_TYPES, False), (WRONG_WORDS, False), (WRONG_WORDS, True)])
def test_a_spec_that_cannot_be_read_is_told_and_its_deletion_works(
    scene: Scene,
    loosened: Callable[[], None],
    spec: dict[str, Any],
    strict_again: bool,  # noqa: FBT001 - a parameter of pytest's
) -> None:
    scene.apply(scene.rich())
    scene.ready()
    before = scene.ours()
    eventually(lambda: not refusal(scene, spec), "the loose schema is served", explain=lambda: refusal(scene, spec))
    assert "spec." in scene.stalled("InvalidSpec")
    assert scene.ours() == before, "endpoints that work are left alone"
    if strict_again:
        loosened()
        eventually(
            lambda: refusal(scene, {"deletionPolicy": "Perhaps"}, "--dry-run=server"), "the strict schema is served"
        )
    scene.delete()
    scene.gone()
    assert scene.endpoints() == ()


def test_an_api_server_away_in_the_middle_of_a_repair(scene: Scene, proxy: ApiProxy) -> None:
    scene.apply(scene.rich())
    before = endpoint_ids(scene.ready())
    operator, control, pid = scene.operator, scene.stage.aws.control, scene.operator.pid
    since = scene.cursor()
    fault = control.hold_answer("ModifyVpcEndpoint", parameters={"VpcEndpointId": before[IMAGE_BUILDER]})
    drop_private_dns(scene, before[IMAGE_BUILDER])
    control.wait_for_calls(1, since=since, action="ModifyVpcEndpoint", outcome="held")
    away = proxy.on_request(lambda _: True, Refuse(), times=None)
    proxy.drop_connections()
    began = time.monotonic()
    control.remove_fault(fault.id)
    drop_private_dns(scene, before[IMAGE_BUILDER])
    eventually(lambda: away.hits > 3, "the operator tried to reach the API server")
    remaining = OUTAGE_SECONDS - (time.monotonic() - began)
    eventually(lambda: time.monotonic() - began > OUTAGE_SECONDS, "the outage's end", timeout=remaining + 5)
    assert operator.running, operator.log()[-2000:]
    assert operator.pid == pid
    away.remove()
    scene.settled(lambda now: now.private_dns, IMAGE_BUILDER, "repaired after the outage")
    resource = scene.until(lambda found: is_ready(found) and not (found or {})["status"].get("drift"), "Ready")
    assert endpoint_ids(resource) == before
    assert "CreateVpcEndpoint" not in {call.action for call in scene.writes(since)}


def drop_private_dns(scene: Scene, endpoint_id: str) -> None:
    """As an intruder, past every fault that holds Modify calls."""
    scene.stage.aws.control.edit_endpoint(endpoint_id, EndpointEdit(private_dns=False))
