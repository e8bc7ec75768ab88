"""The life of a release on a real API server with the real helm: what goes, and what stays, at each step of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.helm import Helm, HelmError
from sandbox.jobs import Jobs
from sandbox.stage import RESOURCE, OperatorProcess, Stage, endpoint_ids
from tests.e2e.scene import IMAGE_BUILDER, Scene, Scenes
from tests.release.conftest import make_namespace
from tests.release.release import CHART, Release, install, operated, values_for

pytestmark = pytest.mark.e2e

LEASE = "imagebuilder-private-endpoint-operator"


@pytest.fixture
def home(cluster: Stage) -> str:
    return make_namespace(cluster.plane, "life")


def found(stage: Stage, *what: str) -> dict[str, Any]:
    """An object, as kubectl has it."""
    shown: dict[str, Any] = json.loads(stage.plane.kubectl("get", *what, "-o", "json").stdout)
    return shown


def crd(stage: Stage) -> dict[str, Any]:
    return found(stage, "crd", RESOURCE)


def scene_of(stage: Stage, operator: OperatorProcess, namespace: str) -> Scene:
    return Scenes(stage, operator, namespace).make()


def deployments(stage: Stage, namespace: str) -> list[str]:
    return stage.plane.kubectl("get", "deployments", "-n", namespace, "-o", "name").stdout.split()


def unchanged(before: dict[str, Any], scene: Scene) -> None:
    """The same object, with what it had in its status."""
    now = scene.get()
    assert now is not None
    for part in ("uid", "generation", "finalizers"):
        assert now["metadata"][part] == before["metadata"][part]
    assert now["spec"] == before["spec"]
    assert now["status"] == before["status"]


def repairs(scene: Scene) -> None:
    """Whoever serves it now undoes what an intruder does."""
    subnet = scene.network.subnet_ids[0]
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=scene.endpoint(IMAGE_BUILDER).id, RemoveSubnetIds=[subnet])
    scene.settled(lambda it: subnet in it.subnet_ids, IMAGE_BUILDER, "repaired")
    scene.ready()


def test_an_upgrade_and_a_rollback_leave_crd_and_resources_alone(cluster: Stage, desk: Helm, home: str) -> None:
    with operated(cluster, install(desk, "first", home)) as operator:
        scene = scene_of(cluster, operator, home)
        scene.apply(scene.rich())
        before, definition = scene.ready(), crd(cluster)
    since = scene.cursor()

    desk.upgrade("first", CHART, {**values_for(home), "logLevel": "DEBUG", "replicaCount": 3}, home)
    upgraded = Release(home, desk.manifest("first", home))
    assert upgraded.container.environment["IBPE_LOG_LEVEL"] == "DEBUG"
    with operated(cluster, upgraded):
        scene.quiet(since)
        unchanged(before, scene)

    desk.rollback("first", 1, home)
    back = Release(home, desk.manifest("first", home))
    assert back.container.environment["IBPE_LOG_LEVEL"] == "INFO"
    assert crd(cluster)["metadata"]["uid"] == definition["metadata"]["uid"]
    assert crd(cluster)["spec"] == definition["spec"]
    with operated(cluster, back):
        scene.quiet(since)
        unchanged(before, scene)
        repairs(scene)
        scene.delete()
        scene.gone()


@pytest.fixture
def jobs(cluster: Stage, home: str) -> Iterator[Jobs]:
    with Jobs(cluster.plane, home) as jobs:
        yield jobs


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize("everywhere", [False, True], ids=["one-namespace", "all-namespaces"])
def test_uninstall_is_refused_while_resources_are_held(
    cluster: Stage, desk: Helm, home: str, *, everywhere: bool
) -> None:
    release = install(desk, "held", home, watchNamespaces=[] if everywhere else [home])
    with operated(cluster, release, IBPE_WATCH_NAMESPACES=home) as operator:
        scene = scene_of(cluster, operator, home)
        scene.apply(scene.rich())
        scene.ready()

        with pytest.raises(HelmError) as refused:
            desk.uninstall("held", home)
        said = str(refused.value)
        assert f"1 {RESOURCE} carries the finalizer ibpe.dev/aws-resources" in said
        assert f"({home}/{scene.name})" in said
        assert f"`helm uninstall held -n {home} --no-hooks`" in said
        assert deployments(cluster, home), "nothing was taken away"
        desk.rollback("held", 1, home)
        assert desk.releases(home) == {"held": "deployed"}, "who keeps the release puts its state right like this"

        scene.delete()
        scene.gone()
    desk.uninstall("held", home)
    assert not deployments(cluster, home)
    assert crd(cluster)["metadata"]["name"] == RESOURCE
    kinds = "jobs,pods,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings"
    left = cluster.plane.kubectl(
        "get", kinds, "-A", "-l", "app.kubernetes.io/instance=held", "-o", "name", "--show-kind"
    ).stdout
    assert left == ""


def test_uninstalled_without_hooks_and_installed_under_another_name_it_goes_on(
    cluster: Stage, desk: Helm, home: str
) -> None:
    with operated(cluster, install(desk, "old", home)) as operator:
        scene = scene_of(cluster, operator, home)
        scene.apply(scene.rich())
        before = scene.ready()
    definition, since = crd(cluster), scene.cursor()

    desk.uninstall("old", home, "--no-hooks")
    assert not deployments(cluster, home)
    assert crd(cluster)["metadata"]["uid"] == definition["metadata"]["uid"]
    unchanged(before, scene)

    release = install(desk, "new", home)
    assert release.container.environment["IBPE_LEASE_NAME"] == LEASE
    assert crd(cluster)["metadata"]["uid"] == definition["metadata"]["uid"]
    with operated(cluster, release) as operator:
        scene.operator = operator
        scene.quiet(since)
        unchanged(before, scene)
        assert found(cluster, "lease", LEASE, "-n", home)["spec"]["holderIdentity"]
        repairs(scene)
        assert endpoint_ids(scene.get() or {}) == endpoint_ids(before)
        scene.delete()
        scene.gone()
    assert scene.endpoints() == ()


def test_deleted_while_nothing_is_installed_the_next_release_cleans_up(cluster: Stage, desk: Helm, home: str) -> None:
    with operated(cluster, install(desk, "gone", home)) as operator:
        scene = scene_of(cluster, operator, home)
        scene.apply(scene.rich())
        scene.ready()
    desk.uninstall("gone", home, "--no-hooks")
    scene.delete()
    assert scene.get() is not None, "the finalizer holds it"
    with operated(cluster, install(desk, "back", home)):
        scene.gone()
    assert scene.endpoints() == ()
