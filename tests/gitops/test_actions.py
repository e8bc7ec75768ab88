"""The actions in Argo CD: which are offered when, and what they do to a resource and its operator.

`IBPE_WRITE_GOLDEN=1 pytest tests/gitops/test_actions.py` writes their test data anew.
"""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from codegen.argocd import ACTIONS, FOLDER
from ibpe.api.names import KIND, RECONCILE_REQUESTED
from sandbox.stage import condition
from tests.e2e.scene import IMAGE_BUILDER, Scene, eventually
from tests.gitops.argo import act, actions, merge_patch
from tests.gitops.recorded import MOMENT, WRITING, recordable
from tests.gitops.resting import bring_to_rest, rounds

OURS = FOLDER / "actions"
TESTS = yaml.safe_load((OURS / "action_test.yaml").read_text())


def recorded(path: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((OURS / path).read_text())
    return found


def at_one_moment(resource: dict[str, Any]) -> dict[str, Any]:
    """As Argo CD's own tests do with the times that its actions write."""
    copied = copy.deepcopy(resource)
    annotations = copied["metadata"].get("annotations", {})
    if RECONCILE_REQUESTED in annotations:
        annotations[RECONCILE_REQUESTED] = MOMENT
    return copied


@pytest.mark.parametrize("test", TESTS["discoveryTests"], ids=lambda test: test["inputPath"])
def test_what_argo_cds_discovery_tests_say_is_offered(test: dict[str, Any]) -> None:
    offered = [{"name": name, **settings} for name, settings in actions(recorded(test["inputPath"])).items()]
    assert sorted(offered, key=lambda each: each["name"]) == sorted(test["result"], key=lambda each: each["name"])


@pytest.mark.parametrize("test", TESTS["actionTests"], ids=lambda test: test["action"])
def test_what_argo_cds_action_tests_say_is_done(test: dict[str, Any]) -> None:
    done = at_one_moment(act(recorded(test["inputPath"]), test["action"]))
    if WRITING:
        (OURS / test["expectedOutputPath"]).write_text(yaml.safe_dump(done, sort_keys=False, width=120))
    assert done == recorded(test["expectedOutputPath"])


def test_every_action_is_offered_defined_and_tested() -> None:
    assert {path.parent.name for path in OURS.glob("*/action.lua")} == set(ACTIONS)
    assert set(actions({})) == set(ACTIONS)
    assert {test["action"] for test in TESTS["actionTests"]} == set(ACTIONS)


def press(scene: Scene, action: str) -> dict[str, Any]:
    """Argo CD's button: the action's result, as the merge patch that makes it. Returns the patch."""
    resource = scene.get()
    assert resource is not None
    assert not actions(resource)[action]["disabled"]
    patch = merge_patch(resource, act(resource, action))
    scene.stage.patch(scene.name, patch, scene.namespace)
    return patch


@pytest.mark.e2e
@pytest.mark.usefixtures("as_it_was")
def test_pressed_on_a_live_resource_they_do_what_they_are_called(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    if WRITING:
        text = yaml.safe_dump(recordable(scene.ready()), sort_keys=False, width=120)
        (OURS / "testdata" / "ready.yaml").write_text(text)
    assert press(scene, "suspend") == {"spec": {"suspend": True}}
    suspended = scene.until(lambda found: condition(found, "Ready").get("reason") == "Suspended", "Suspended")
    assert actions(suspended)["suspend"]["disabled"]
    endpoint, since = scene.endpoint(IMAGE_BUILDER), scene.cursor()
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, PrivateDnsEnabled=False)
    scene.quiet(since)
    assert press(scene, "resume") == {"spec": {"suspend": False}}
    scene.settled(lambda now: now.private_dns, IMAGE_BUILDER, "repaired")
    assert actions(scene.ready())["resume"]["disabled"]


@pytest.mark.e2e
@pytest.mark.usefixtures("as_it_was")
def test_reconcile_looks_again_at_once(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    bring_to_rest(scene)
    before = rounds(scene)
    patch = press(scene, "reconcile")
    eventually(lambda: rounds(scene) > before, "one more look")
    moment = datetime.fromisoformat(patch["metadata"]["annotations"].pop(RECONCILE_REQUESTED))
    assert abs(moment - datetime.now(UTC)) < timedelta(minutes=5)
    assert patch == {"metadata": {"annotations": {}}}, "nothing else is changed"


@pytest.mark.kube
def test_the_settings_are_added_to_those_that_argo_cd_has(scene: Scene) -> None:
    kubectl, namespace = scene.stage.plane.kubectl, f"{scene.namespace}-argocd"
    kubectl("create", "namespace", namespace)
    kubectl("create", "configmap", "argocd-cm", "-n", namespace, "--from-literal=url=https://argocd.example.com")
    ours = yaml.safe_load((FOLDER.parents[2] / "argocd-cm.yaml").read_text())
    ours["metadata"]["namespace"] = namespace
    kubectl("patch", "configmap", "argocd-cm", "-n", namespace, "--patch", json.dumps(ours))
    data = json.loads(kubectl("get", "configmap", "argocd-cm", "-n", namespace, "-o", "json").stdout)["data"]
    assert data.pop("url") == "https://argocd.example.com"
    kind = f"ibpe.dev_{KIND}"
    assert data.pop(f"resource.customizations.health.{kind}") == (FOLDER / "health.lua").read_text()
    settings = yaml.safe_load(data.pop(f"resource.customizations.actions.{kind}"))
    assert settings["discovery.lua"] == (OURS / "discovery.lua").read_text()
    assert {each["name"]: each["action.lua"] for each in settings["definitions"]} == {
        name: (OURS / name / "action.lua").read_text() for name in ACTIONS
    }
    assert data == {}
