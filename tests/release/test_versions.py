"""Charts and CRDs of other versions than the operator's: an older one never takes fields away from what is stored."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ibpe.api.revision import ANNOTATION, REVISION
from sandbox.helm import Helm, HelmError
from sandbox.stage import REPOSITORY, RESOURCE, Stage, endpoint_ids
from tests.e2e.scene import IMAGE_BUILDER, Scene, Scenes, eventually
from tests.release.conftest import make_namespace
from tests.release.release import CHART, Release, install, operated, recorded, values_for
from tests.release.runbook import Do, Person

pytestmark = [pytest.mark.e2e, pytest.mark.release]

CRD = REPOSITORY / "crds" / "ibpe.dev_imagebuilderprivateendpoints.yaml"
FIELD, VALUE = "fieldOfTheNextVersion", "kept"


@pytest.fixture(scope="module")
def next_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart of the next version: its CRD knows one field more, in spec and in status."""
    chart = tmp_path_factory.mktemp("next") / CHART.name
    shutil.copytree(CHART, chart)
    file = chart / "files" / "crd.yaml"
    crd = yaml.safe_load(file.read_text())
    crd["metadata"]["annotations"][ANNOTATION] = str(REVISION + 1)
    for part in ("spec", "status"):
        schema(crd)[part]["properties"][FIELD] = {"type": "string", "description": "What is to come."}
    file.write_text(yaml.safe_dump(crd))
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    (chart / "Chart.yaml").write_text(yaml.safe_dump({**about, "version": "99.0.0"}))
    return chart


def schema(crd: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    return found


def live(stage: Stage) -> dict[str, Any]:
    crd: dict[str, Any] = json.loads(stage.plane.kubectl("get", "crd", RESOURCE, "-o", "json").stdout)
    return crd


def knows_the_next_version(stage: Stage) -> bool:
    crd = live(stage)
    return (
        crd["metadata"]["annotations"][ANNOTATION] == str(REVISION + 1) and FIELD in schema(crd)["spec"]["properties"]
    )


def charts(stage: Stage, namespace: str) -> list[str]:
    """What charts the Deployments are from."""
    found = json.loads(stage.plane.kubectl("get", "deployments", "-n", namespace, "-o", "json").stdout)
    return [each["metadata"]["labels"]["helm.sh/chart"] for each in found["items"]]


def forget_the_crd(stage: Stage) -> None:
    """As in a cluster that never had it; there are no resources any more."""
    stage.plane.kubectl("delete", "crd", RESOURCE, "--ignore-not-found")


def with_the_field(scene: Scene) -> None:
    """The resource, using it; a new schema serves a moment after it was stored."""
    resource = scene.rich(**{FIELD: VALUE})
    eventually(
        lambda: scene.stage.plane.kubectl("apply", "-f", "-", input=json.dumps(resource), check=False).returncode == 0,
        "the new field is taken",
    )


def keeps_the_field(scene: Scene) -> None:
    resource = scene.get()
    assert resource is not None
    assert resource["spec"][FIELD] == VALUE


def test_an_older_chart_leaves_a_newer_crd_and_what_uses_it_alone(
    cluster: Stage, desk: Helm, home: str, person: Person, next_chart: Path
) -> None:
    with operated(cluster, install(desk, "ibpe", home)) as operator:
        scene = Scenes(cluster, operator, home).make()
        scene.apply(scene.rich())
        made = endpoint_ids(scene.ready())
    uid = live(cluster)["metadata"]["uid"]
    person.at(next_chart)
    person.does(Do.UPGRADE)
    assert knows_the_next_version(cluster)
    with_the_field(scene)
    since = scene.cursor()
    assert charts(cluster, home) == [f"{CHART.name}-99.0.0"]

    with pytest.raises(HelmError) as refused:
        desk.rollback("ibpe", 1, home)
    assert charts(cluster, home) != [f"{CHART.name}-99.0.0"], "all but the CRD is rolled back"
    assert desk.releases(home) == {"ibpe": "failed"}
    assert f"schema revision {REVISION} would replace revision {REVISION + 1}" in str(refused.value)
    person.at(CHART)
    person.does(Do.GO_BACK_BY_UPGRADE)
    assert desk.releases(home) == {"ibpe": "deployed"}

    assert knows_the_next_version(cluster)
    assert live(cluster)["metadata"]["uid"] == uid
    keeps_the_field(scene)
    with operated(cluster, Release(home, desk.manifest("ibpe", home))) as operator:
        scene.operator = operator
        assert FIELD in scene.stalled("InvalidSpec"), "what it can't do it says, and does nothing by halves"
        assert scene.writes(since) == ()
        assert {role: each.id for role, each in scene.ours().items()} == made
        keeps_the_field(scene)
        scene.edit(**{FIELD: None})
        assert endpoint_ids(scene.ready()) == made
        scene.delete()
        scene.gone()


def test_an_older_release_beside_a_newer_one_leaves_its_crd_alone(
    cluster: Stage, desk: Helm, home: str, person: Person, next_chart: Path
) -> None:
    forget_the_crd(cluster)
    cluster.plane.kubectl("apply", "--server-side", "-f", str(CRD))
    install(desk, "ibpe", home)
    person.at(next_chart)
    with pytest.raises(HelmError, match="cannot be imported into the current release"):
        desk.upgrade("ibpe", next_chart, values_for(home), home)
    person.does(Do.TAKE_OWNERSHIP)
    assert knows_the_next_version(cluster)
    elsewhere = make_namespace(cluster.plane, "versions-older")
    install(desk, "older", elsewhere)
    desk.upgrade("older", CHART, {**values_for(elsewhere), "logLevel": "DEBUG"}, elsewhere)
    assert knows_the_next_version(cluster)
    desk.uninstall("older", elsewhere, "--no-hooks")
    assert knows_the_next_version(cluster)


def test_a_status_with_fields_of_a_newer_version_is_read_and_written_anew(
    cluster: Stage, desk: Helm, home: str, next_chart: Path
) -> None:
    desk.upgrade("status", next_chart, values_for(home), home, "--install", "--take-ownership")
    with operated(cluster, Release(home, desk.manifest("status", home))) as operator:
        scene = Scenes(cluster, operator, home).make()
        scene.apply(scene.rich())
        scene.ready()
    patch = json.dumps({"status": {FIELD: VALUE}})
    cluster.plane.kubectl(
        "patch", RESOURCE, scene.name, "-n", home, "--subresource=status", "--type=merge", "-p", patch
    )
    since = scene.cursor()
    with operated(cluster, Release(home, desk.manifest("status", home))) as operator:
        scene.operator = operator
        subnet = scene.network.subnet_ids[0]
        scene.ec2.modify_vpc_endpoint(VpcEndpointId=scene.endpoint(IMAGE_BUILDER).id, RemoveSubnetIds=[subnet])
        scene.settled(lambda it: subnet in it.subnet_ids, IMAGE_BUILDER, "repaired")
        scene.ready()
        assert "CreateVpcEndpoint" not in {call.action for call in scene.writes(since)}
        scene.delete()
        scene.gone()


def test_an_operator_with_an_older_crd_says_so_and_makes_nothing_that_it_could_not_remember(
    cluster: Stage, desk: Helm, home: str, person: Person
) -> None:
    forget_the_crd(cluster)
    release = install(desk, "ibpe", home)
    crd = live(cluster)
    del schema(crd)["status"]["properties"]["accountID"]
    cluster.plane.kubectl("replace", "-f", "-", input=json.dumps(crd))
    with recorded(cluster, release.container) as (operator, proxy):
        scene = Scenes(cluster, operator, home).make()
        scene.apply(scene.rich())
        eventually(lambda: "the CRD is older than this operator" in operator.log(), "it says so", explain=operator.log)
        assert any(record.status == 500 and record.request.path.endswith("/status") for record in proxy.records)
        assert scene.endpoints() == ()
        person.does(Do.RENEW_THE_CRD)
        scene.ready()
        scene.delete()
        scene.gone()
