"""What the chart renders, for each value set, before a real API server that enforces the restricted standard."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule, ServiceMonitor
from pydantic import BaseModel

from sandbox.helm import Helm
from sandbox.kube import ControlPlane
from sandbox.kube.control_plane import ControlPlaneError
from tests.chart.chart import MATRIX, Manifest, manifests, pods, rendered, values

pytestmark = [pytest.mark.kube, pytest.mark.release]

MONITORING: dict[str, type[BaseModel]] = {
    "ServiceMonitor": ServiceMonitor,
    "PodMonitor": PodMonitor,
    "PrometheusRule": PrometheusRule,
}


@pytest.fixture(scope="module", params=MATRIX, ids=lambda case: case.replace(" ", "-"))
def made(request: pytest.FixtureRequest, helm: Helm, namespace: str) -> list[Manifest]:
    return manifests(rendered(helm, values(request.param, namespace), namespace=namespace))


def dry_run(control_plane: ControlPlane, objects: Iterable[Mapping[str, Any]]) -> subprocess.CompletedProcess[str]:
    """A strict server-side dry run; it raises where the API server refuses. Applied on the server: what is there
    already was not made by kubectl, and it would warn of that."""
    flags = ("--dry-run=server", "--validate=strict", "--server-side", "--force-conflicts")
    bundle = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    return control_plane.kubectl("apply", *flags, "-f", "-", input=json.dumps(bundle))


def test_the_api_server_takes_all_of_it_without_a_warning(control_plane: ControlPlane, made: list[Manifest]) -> None:
    known = [each for each in made if each["kind"] not in MONITORING]
    answer = dry_run(control_plane, known)
    assert answer.stderr == ""
    assert len(answer.stdout.splitlines()) == len(known)


def test_its_pods_are_admitted_under_the_restricted_standard(control_plane: ControlPlane, made: list[Manifest]) -> None:
    found = pods(made)
    assert found
    assert dry_run(control_plane, found).stderr == ""


@pytest.mark.parametrize(
    "loosened",
    [
        {"securityContext": {"allowPrivilegeEscalation": None}},
        {"securityContext": {"capabilities": None}},
        {"podSecurityContext": {"runAsNonRoot": None, "runAsUser": None}},
        {"podSecurityContext": {"seccompProfile": None}},
        {"extraVolumes": [{"name": "root", "hostPath": {"path": "/"}}]},
    ],
    ids=["escalation", "capabilities", "root", "seccomp", "host-path"],
)
def test_a_looser_pod_is_warned_of_and_not_admitted(
    control_plane: ControlPlane, namespace: str, helm: Helm, loosened: dict[str, Any]
) -> None:
    found = manifests(rendered(helm, {"clusterName": "x", **loosened}, namespace=namespace))
    deployments = [each for each in found if each["kind"] == "Deployment"]
    assert "would violate PodSecurity" in dry_run(control_plane, deployments).stderr
    with pytest.raises(ControlPlaneError, match="violates PodSecurity"):
        dry_run(control_plane, pods(deployments))


def unknown(written: object, understood: object, path: str = "") -> list[str]:
    """What the manifest says that its model did not take in."""
    if isinstance(written, Mapping) and isinstance(understood, Mapping):
        return [
            problem
            for name, value in written.items()
            for problem in (
                unknown(value, understood[name], f"{path}.{name}") if name in understood else [f"{path}.{name}"]
            )
        ]
    if isinstance(written, list) and isinstance(understood, list):
        pairs = zip(written, understood, strict=True)
        return [each for number, (one, other) in enumerate(pairs) for each in unknown(one, other, f"{path}[{number}]")]
    return [] if written == understood else [f"{path}: {written!r} became {understood!r}"]


def _problems(manifest: Manifest) -> list[str]:
    understood = MONITORING[manifest["kind"]].model_validate(manifest)
    return unknown(manifest, understood.model_dump(by_alias=True, exclude_none=True, mode="json"))


def test_monitoring_kinds_are_what_their_models_say(made: list[Manifest]) -> None:
    for manifest in made:
        if manifest["kind"] in MONITORING:
            assert _problems(manifest) == []
            assert _problems({**manifest, "spec": {**manifest["spec"], "unheardOf": 1}}) == [".spec.unheardOf"]


def test_a_selector_finds_the_pods_that_it_is_for_and_no_others(made: list[Manifest]) -> None:
    by_owner = {each["kind"]: each["spec"]["template"]["metadata"]["labels"] for each in made if _has_template(each)}
    for each in made:
        finds = _selector(each)
        if finds is None or each["kind"] == "ServiceMonitor":
            continue
        owner = "Job" if each["metadata"]["name"].endswith("-uninstall") else "Deployment"
        found = {kind for kind, labels in by_owner.items() if finds.items() <= labels.items()}
        assert found == {owner}, each["kind"]


def test_a_service_monitor_finds_the_service(made: list[Manifest]) -> None:
    services = [each["metadata"]["labels"] for each in made if each["kind"] == "Service"]
    for each in made:
        if each["kind"] == "ServiceMonitor":
            assert [labels for labels in services if (_selector(each) or {}).items() <= labels.items()] == services


def _has_template(manifest: Manifest) -> bool:
    return manifest["kind"] in {"Deployment", "Job"}


def _selector(manifest: Manifest) -> dict[str, str] | None:
    match manifest["kind"]:
        case "Service":
            found = manifest["spec"]["selector"]
        case "NetworkPolicy":
            found = manifest["spec"]["podSelector"]["matchLabels"]
        case "Deployment" | "PodDisruptionBudget" | "PodMonitor" | "ServiceMonitor":
            found = manifest["spec"]["selector"]["matchLabels"]
        case _:
            return None
    labels: dict[str, str] = found
    return labels
