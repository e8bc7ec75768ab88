"""What is in the manifests: the same each time, what other folders have, and what keeps two from working at once."""

import json
from pathlib import Path

import pytest
import yaml

from ibpe import __version__
from ibpe.runtime.settings import PREFIX, Settings
from sandbox.helm import Helm
from tests.chart.chart import CHART, MATRIX, NAME, QUICK, REPOSITORY, Manifest, manifests, one, rendered, values

pytestmark = pytest.mark.release

SOME = ["nothing but the name", "everything for Prometheus and Grafana", "several accounts"]


def made(helm: Helm, **given: object) -> list[Manifest]:
    return manifests(rendered(helm, {**NAME, **QUICK, **given}))


@pytest.mark.parametrize("case", SOME)
def test_lint_has_nothing_to_say(helm: Helm, case: str, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values(case)))
    answer = helm.run("lint", "--strict", CHART, "--values", file)
    assert "1 chart(s) linted, 0 chart(s) failed" in answer.stdout
    assert "WARNING" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("release", ["r" * 51, "r" * 53, f"r-{CHART.name}-of-a-team"[:53].rstrip("-")])
def test_no_name_or_label_is_longer_than_kubernetes_takes(helm: Helm, release: str) -> None:
    metrics = {"dashboard": {"enabled": True}}
    given = {**values("several accounts"), "networkPolicy": {"enabled": True}, "metrics": metrics}
    found = manifests(rendered(helm, given, release=release))
    names = [each["metadata"]["name"] for each in found]
    labels = [label for each in found for label in each["metadata"]["labels"].values()]
    assert [text for text in (*names, *labels) if len(text) > 63 or not text[-1].isalnum()] == []
    assert len({(each["kind"], each["metadata"]["name"]) for each in found}) == len(found)


def test_the_charts_operator_is_this_one() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == __version__


@pytest.mark.parametrize("case", SOME)
def test_two_renders_are_the_same(helm: Helm, case: str) -> None:
    assert rendered(helm, values(case)) == rendered(helm, values(case))


@pytest.mark.parametrize("file", sorted((REPOSITORY / "crds").glob("*.yaml")), ids=lambda file: file.name)
def test_the_crd_and_the_policies_are_those_of_the_repository(helm: Helm, file: Path) -> None:
    everything = manifests(rendered(helm, NAME))
    theirs = {(each["kind"], each["metadata"]["name"]): each for each in everything}
    for ours in manifests(file.read_text()):
        found = theirs[ours["kind"], ours["metadata"]["name"]]
        assert found["spec"] == ours["spec"]
        assert ours["metadata"].get("annotations", {}).items() <= found["metadata"].get("annotations", {}).items()


def test_only_the_crd_and_its_guard_are_kept_when_the_release_goes(helm: Helm) -> None:
    everything = manifests(rendered(helm, NAME))
    annotated = [each["metadata"] for each in everything if "annotations" in each["metadata"]]
    kept = {metadata["name"] for metadata in annotated if "helm.sh/resource-policy" in metadata["annotations"]}
    assert kept == {"imagebuilderprivateendpoints.ibpe.dev", "schema.ibpe.dev"}


def test_the_alerts_are_those_of_the_repository_with_the_runbooks_address(helm: Helm) -> None:
    given = {"metrics": {"prometheusRule": {"enabled": True, "runbookBaseURL": "https://wiki/runbooks/"}}}
    groups = one(made(helm, **given), "PrometheusRule")["spec"]["groups"]
    text = (REPOSITORY / "deploy" / "prometheus" / "rules.yaml").read_text()
    assert groups == yaml.safe_load(text.replace("RUNBOOK_BASE", "https://wiki/runbooks"))["groups"]
    urls = [rule["annotations"]["runbook_url"] for group in groups for rule in group["rules"] if "alert" in rule]
    assert urls
    assert [url for url in urls if not (REPOSITORY / "docs/runbooks" / url.rpartition("/")[2]).exists()] == []


def test_the_dashboard_is_that_of_the_repository(helm: Helm) -> None:
    (text,) = one(made(helm, metrics={"dashboard": {"enabled": True}}), "ConfigMap", "-dashboard")["data"].values()
    assert json.loads(text) == json.loads((REPOSITORY / "deploy" / "grafana" / "dashboard.json").read_text())


def test_without_a_lease_no_new_pod_begins_before_the_old_one_has_ended(helm: Helm) -> None:
    alone = made(helm, replicaCount=1, leaderElection={"enabled": False})
    assert one(alone, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    assert one(made(helm), "Deployment")["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def environment(made: list[Manifest]) -> dict[str, str]:
    (container,) = one(made, "Deployment")["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each["value"] for each in container["env"]}


@pytest.mark.parametrize("case", MATRIX, ids=lambda case: case.replace(" ", "-"))
def test_the_operator_takes_the_settings_that_it_gets(helm: Helm, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = manifests(rendered(helm, {**values(case), **QUICK}))
    variables = environment(found)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load()
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert {name for name in variables if name.startswith(PREFIX)} - known == set()
    assert settings.cluster_name == "prod-eu"
    pod = one(found, "Deployment")["spec"]["template"]["spec"]
    assert settings.shutdown_seconds < pod["terminationGracePeriodSeconds"]


def test_a_change_of_accounts_rolls_the_pods(helm: Helm) -> None:
    given = values("several accounts")
    before = one(manifests(rendered(helm, given)), "Deployment")["spec"]["template"]
    given["accounts"]["grants"][0]["namespaces"] = ["team-b"]
    after = one(manifests(rendered(helm, given)), "Deployment")["spec"]["template"]
    assert before["metadata"]["annotations"] != after["metadata"]["annotations"]
    assert before["spec"] == after["spec"]


def test_the_accounts_are_where_the_operator_looks_for_them(helm: Helm) -> None:
    found = manifests(rendered(helm, values("several accounts")))
    (text,) = one(found, "ConfigMap", "-accounts")["data"].values()
    assert yaml.safe_load(text) == values("several accounts")["accounts"]
    pod = one(found, "Deployment")["spec"]["template"]["spec"]
    (mount,) = (each for each in pod["containers"][0]["volumeMounts"] if each["name"] == "accounts")
    assert environment(found)["IBPE_ACCOUNTS_FILE"] == f"{mount['mountPath']}/accounts.yaml"


def test_named_namespaces_have_roles_and_the_cluster_none(helm: Helm) -> None:
    found = made(helm, watchNamespaces=["team-a", "team-b"])
    roles = {each["metadata"]["namespace"] for each in found if each["kind"] == "Role" if "lease" not in str(each)}
    assert roles == {"team-a", "team-b"}
    assert [each for each in found if each["kind"] == "ClusterRoleBinding"] == []


@pytest.mark.parametrize(("file", "kind", "ending"), [("kubernetes", "ClusterRole", "r"), ("lease", "Role", "-lease")])
def test_the_documented_permissions_are_the_charts(helm: Helm, file: str, kind: str, ending: str) -> None:
    (documented,) = manifests((REPOSITORY / "docs" / "permissions" / f"{file}.yaml").read_text())
    found = made(helm, rbac={"aggregate": False}, uninstallCheck={"enabled": False})
    assert documented["kind"] == kind
    assert one(found, kind, ending)["rules"] == documented["rules"]


def lease(helm: Helm, namespaces: list[str], **given: object) -> str:
    found = made(helm, watchNamespaces=namespaces, **given)
    name = environment(found)["IBPE_LEASE_NAME"]
    (_, rule) = one(found, "Role", "-lease")["rules"]
    assert rule["resourceNames"] == [name]
    return name


def test_who_serves_the_same_namespaces_shares_a_lease_and_nobody_else(helm: Helm) -> None:
    assert lease(helm, ["a", "b"]) == lease(helm, ["b", "a"])
    names = [lease(helm, namespaces) for namespaces in ([], ["a"], ["b"], ["a", "b"])]
    assert len(set(names)) == len(names)
    assert lease(helm, ["a"], leaderElection={"leaseName": "chosen"}) == "chosen"


def test_without_roles_there_is_no_check_that_needs_some(helm: Helm) -> None:
    found = made(helm, rbac={"create": False}, networkPolicy={"enabled": True})
    assert [each["metadata"]["name"] for each in found if "uninstall" in each["metadata"]["name"]] == []


def test_pods_are_found_by_the_charts_labels_whatever_users_add(helm: Helm) -> None:
    taken = {"app.kubernetes.io/name": "mine", "team": "platform"}
    deployment = one(made(helm, commonLabels=taken, podLabels=taken), "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert labels["team"] == "platform"
