"""The life of a release on a real API server with the real helm: what goes, and what stays, at each step of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.helm import Helm, HelmError
from sandbox.jobs import Jobs
from sandbox.stage import RESOURCE, OperatorProcess, Stage, endpoint_ids
from tests.e2e.scene import IMAGE_BUILDER, Scene, Scenes
from tests.release.conftest import make_namespace
from tests.release.release import CHART, Release, install, operated, values_for
from tests.release.runbook import Do, Person, written

pytestmark = [pytest.mark.e2e, pytest.mark.release]


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


def test_an_upgrade_and_a_rollback_leave_crd_and_resources_alone(
    cluster: Stage, desk: Helm, home: str, person: Person
) -> None:
    with operated(cluster, install(desk, "ibpe", home)) as operator:
        scene = scene_of(cluster, operator, home)
        scene.apply(scene.rich())
        before, definition = scene.ready(), crd(cluster)
    since = scene.cursor()

    desk.upgrade("ibpe", CHART, {**values_for(home), "logLevel": "DEBUG", "replicaCount": 3}, home)
    assert scene.name in person.does(Do.UPGRADE)
    upgraded = Release(home, desk.manifest("ibpe", home))
    assert upgraded.container.environment["IBPE_LOG_LEVEL"] == "DEBUG", "values are kept"
    with operated(cluster, upgraded):
        scene.quiet(since)
        unchanged(before, scene)

    desk.rollback("ibpe", 1, home)
    desk.upgrade("ibpe", CHART, {**values_for(home), "logLevel": "WARNING"}, home)
    assert "superseded" in person.does(Do.GO_BACK)
    back = Release(home, desk.manifest("ibpe", home))
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
    cluster: Stage, desk: Helm, home: str, person: Person, *, everywhere: bool
) -> None:
    release = install(desk, "ibpe", home, watchNamespaces=[] if everywhere else [home])
    with operated(cluster, release, IBPE_WATCH_NAMESPACES=home) as operator:
        scene = scene_of(cluster, operator, home)
        scene.apply(scene.rich())
        scene.ready()

        with pytest.raises(HelmError) as refused:
            desk.uninstall("ibpe", home)
        said = str(refused.value)
        assert f"1 {RESOURCE} carries the finalizer ibpe.dev/aws-resources" in said
        assert f"({home}/{scene.name})" in said
        assert f"`helm uninstall ibpe -n {home} --no-hooks`" in said
        assert deployments(cluster, home), "nothing was taken away"
        with pytest.raises(HelmError, match="has no deployed releases"):
            desk.upgrade("ibpe", CHART, values_for(home), home)
        person.does(Do.KEEP_THE_RELEASE)
        assert desk.releases(home) == {"ibpe": "deployed"}

        person.does(Do.DELETE_AND_UNINSTALL, images=scene.name)
        assert scene.get() is None
        assert scene.endpoints() == ()
    assert not deployments(cluster, home)
    assert crd(cluster)["metadata"]["name"] == RESOURCE
    kinds = "jobs,pods,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings"
    ours = ("-A", "-l", "app.kubernetes.io/instance=ibpe", "-o", "name", "--show-kind")
    assert cluster.plane.kubectl("get", kinds, *ours).stdout == "", "no hook and no role is left"


def test_a_release_moves_to_another_name_and_namespace_and_goes_on(
    cluster: Stage, desk: Helm, home: str, person: Person
) -> None:
    old = install(desk, "ibpe", home)
    with operated(cluster, old) as operator:
        scene = scene_of(cluster, operator, home)
        scene.apply(scene.rich())
        before = scene.ready()
    definition, since = crd(cluster), scene.cursor()
    elsewhere = make_namespace(cluster.plane, "moved")

    person.does(Do.MOVE, **{"aws-system": elsewhere})
    assert not deployments(cluster, home)
    assert crd(cluster)["metadata"]["uid"] == definition["metadata"]["uid"]
    unchanged(before, scene)
    release = Release(elsewhere, desk.manifest("network", elsewhere))
    lease = release.container.environment["IBPE_LEASE_NAME"]
    assert lease == old.container.environment["IBPE_LEASE_NAME"], "in one namespace they would not both lead"
    with operated(cluster, release, IBPE_LEADER_ELECTION="true") as operator:
        scene.operator = operator
        scene.quiet(since)
        unchanged(before, scene)
        assert found(cluster, "lease", lease, "-n", elsewhere)["spec"]["holderIdentity"]
        repairs(scene)
        assert endpoint_ids(scene.get() or {}) == endpoint_ids(before)
        scene.delete()
        scene.gone()
    assert scene.endpoints() == ()
    desk.uninstall("network", elsewhere, "--no-hooks")


def test_deleted_while_nothing_is_installed_the_next_release_cleans_up(
    cluster: Stage, desk: Helm, home: str, person: Person
) -> None:
    with operated(cluster, install(desk, "ibpe", home)) as operator:
        scene = scene_of(cluster, operator, home)
        scene.apply(scene.rich())
        scene.ready()
    person.does(Do.LEAVE_EVERYTHING)
    scene.delete()
    assert scene.get() is not None, "the finalizer holds it"
    with operated(cluster, install(desk, "another", home)):
        scene.gone()
    assert scene.endpoints() == ()


def test_resources_restored_into_a_cluster_made_again_get_their_endpoints_back(
    cluster: Stage, desk: Helm, home: str, person: Person
) -> None:
    with operated(cluster, install(desk, "ibpe", home)) as operator:
        scene = scene_of(cluster, operator, home)
        scene.apply(scene.rich())
        before = scene.ready()
    (person.folder / "values.yaml").write_text(json.dumps(values_for(home)))
    person.does(Do.BACK_UP)
    desk.uninstall("ibpe", home, "--no-hooks")
    cluster.patch(scene.name, {"metadata": {"finalizers": None}}, home)
    cluster.plane.kubectl("delete", "crd", RESOURCE)
    since = scene.cursor()

    person.does(Do.RESTORE)
    with operated(cluster, Release(home, desk.manifest("ibpe", home))) as operator:
        scene.operator = operator
        after = scene.ready()
        assert after["metadata"]["uid"] != before["metadata"]["uid"]
        assert endpoint_ids(after) == endpoint_ids(before)
        assert "CreateVpcEndpoint" not in {call.action for call in scene.writes(since)}
        scene.delete()
        scene.gone()
    assert scene.endpoints() == ()


def test_every_command_of_the_runbook_is_run_here_or_with_the_versions() -> None:
    assert {block.value for block in Do} == set(written())
    tests = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert [block.name for block in Do if f"Do.{block.name}" not in tests] == []
