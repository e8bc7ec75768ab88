"""The Application and Flux's kinds: their values suit the chart, what they name exists, and the order is right.

Their own kinds are not known here: no API server of ours has Argo CD's or Flux's CRDs.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ibpe import __version__
from sandbox.helm import Helm
from tests.gitops.argo import health

ROOT = Path(__file__).parents[2]
CHART = "charts/imagebuilder-private-endpoint-operator"
WAVE = "argocd.argoproj.io/sync-wave"


def documents(path: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((ROOT / "deploy" / path).read_text()))


def one(path: str, kind: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in documents(path) if each["kind"] == kind and each["metadata"]["name"] == name)
    return found


(APPLICATION,) = documents("argocd/application.yaml")
CHART_SOURCE, RESOURCES_SOURCE = APPLICATION["spec"]["sources"]
RELEASE = one("flux/operator.yaml", "HelmRelease", "ibpe")
VALUES = {"argocd": CHART_SOURCE["helm"]["valuesObject"], "flux": RELEASE["spec"]["values"]}


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES.keys())
def test_the_chart_takes_the_values_and_is_in_the_first_wave(tmp_path: Path, values: dict[str, Any]) -> None:
    manifests = Helm(tmp_path).template(ROOT / CHART, values, name="ibpe", namespace="ibpe-system")
    (deployment,) = (each for each in manifests if each["kind"] == "Deployment")
    settings = {
        each["name"]: each.get("value") for each in deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert settings["IBPE_CLUSTER_NAME"] == "example"
    assert "CustomResourceDefinition" in {each["kind"] for each in manifests}
    assert [each for each in manifests if WAVE in each["metadata"].get("annotations", {})] == []


def test_no_hook_stands_before_the_deletion_of_the_application(tmp_path: Path) -> None:
    """Argo CD runs PreDelete hooks before it deletes anything: the check would fail for resources that are to go."""
    hooks = {
        tool: [each for each in manifests if "helm.sh/hook" in each["metadata"].get("annotations", {})]
        for tool, values in VALUES.items()
        for manifests in [Helm(tmp_path).template(ROOT / CHART, values, name="ibpe", namespace="ibpe-system")]
    }
    assert hooks["argocd"] == []
    assert hooks["flux"], "there it is left on"


def test_what_they_take_from_this_repository_is_there() -> None:
    source = one("flux/operator.yaml", "GitRepository", RELEASE["spec"]["chart"]["spec"]["sourceRef"]["name"])
    assert CHART_SOURCE["path"] == RELEASE["spec"]["chart"]["spec"]["chart"] == CHART
    assert CHART_SOURCE["targetRevision"] == source["spec"]["ref"]["tag"] == f"v{__version__}"
    assert {source["spec"]["url"]} == {CHART_SOURCE["repoURL"]} != {RESOURCES_SOURCE["repoURL"]}
    assert APPLICATION["spec"]["destination"]["namespace"] == RELEASE["metadata"]["namespace"] == "ibpe-system"


def test_resources_come_after_the_operator_and_wait_for_it() -> None:
    example = yaml.safe_load((ROOT / "examples" / "gitops.yaml").read_text())
    assert int(example["metadata"]["annotations"][WAVE]) > 0
    assert health(example).status == "Progressing", "what nobody has looked at holds up the next wave"
    assert {"CreateNamespace=true", "ServerSideApply=true", "SkipDryRunOnMissingResource=true"} == set(
        APPLICATION["spec"]["syncPolicy"]["syncOptions"]
    )
    operator = one("flux/kustomizations.yaml", "Kustomization", "ibpe-operator")
    resources = one("flux/kustomizations.yaml", "Kustomization", "ibpe-resources")
    assert resources["spec"]["dependsOn"] == [{"name": operator["metadata"]["name"]}]
    assert operator["spec"]["wait"] is resources["spec"]["wait"] is True
