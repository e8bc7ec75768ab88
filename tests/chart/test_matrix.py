"""What the chart renders, for each value set, before a real API server that enforces the restricted standard."""

import subprocess
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import yaml
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule, ServiceMonitor
from pydantic import BaseModel

from sandbox.helm import Helm
from sandbox.kube import ControlPlane
from sandbox.kube.control_plane import ControlPlaneError
from tests.chart.chart import CHART, MATRIX, values

pytestmark = pytest.mark.kube

MONITORING: dict[str, type[BaseModel]] = {
    "ServiceMonitor": ServiceMonitor,
    "PodMonitor": PodMonitor,
    "PrometheusRule": PrometheusRule,
}
Manifest = dict[str, Any]


@pytest.fixture(params=MATRIX, ids=lambda case: case.replace(" ", "-"))
def manifests(request: pytest.FixtureRequest, helm: Helm, namespace: str) -> list[Manifest]:
    return helm.template(CHART, values(request.param, namespace), name="ibpe", namespace=namespace)


def kubectl(control_plane: ControlPlane, objects: Iterable[Manifest]) -> subprocess.CompletedProcess[str]:
    """A strict server-side dry run; it raises where the API server refuses."""
    command = ("apply", "--dry-run=server", "--validate=strict", "-f", "-")
    return control_plane.kubectl(*command, input=yaml.safe_dump_all(objects))


def pods(manifests: Iterable[Manifest]) -> list[Manifest]:
    """The pods that a Deployment and a Job would make: enforcement judges pods alone."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"pod-of-{each['metadata']['name']}"[:63].rstrip("-"),
                "namespace": each["metadata"]["namespace"],
            },
            "spec": {**each["spec"]["template"]["spec"], "serviceAccountName": "default"},
        }
        for each in manifests
        if each["kind"] in {"Deployment", "Job"}
    ]


def test_the_api_server_takes_all_of_it_without_a_warning(
    control_plane: ControlPlane, manifests: list[Manifest]
) -> None:
    known = [each for each in manifests if each["kind"] not in MONITORING]
    answer = kubectl(control_plane, known)
    assert answer.stderr == ""
    assert len(answer.stdout.splitlines()) == len(known)


def test_its_pods_are_admitted_under_the_restricted_standard(
    control_plane: ControlPlane, manifests: list[Manifest]
) -> None:
    made = [
        {**pod, "spec": {name: value for name, value in pod["spec"].items() if name != "priorityClassName"}}
        for pod in pods(manifests)
    ]
    assert kubectl(control_plane, made).stderr == ""


def test_a_pod_that_may_become_root_is_not_admitted(control_plane: ControlPlane, namespace: str, helm: Helm) -> None:
    (pod, *_) = pods(helm.template(CHART, values("image by tag", namespace), name="ibpe", namespace=namespace))
    pod["spec"]["containers"][0]["securityContext"].pop("allowPrivilegeEscalation")
    with pytest.raises(ControlPlaneError) as refused:
        kubectl(control_plane, [pod])
    assert "restricted" in str(refused.value)


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


def test_monitoring_kinds_are_what_their_models_say(manifests: list[Manifest]) -> None:
    for manifest in manifests:
        if (model := MONITORING.get(manifest["kind"])) is not None:
            understood = model.model_validate(manifest).model_dump(by_alias=True, exclude_none=True, mode="json")
            assert unknown(manifest, understood) == []


def test_two_renders_are_the_same(helm: Helm, namespace: str) -> None:
    case = values("everything for Prometheus and Grafana", namespace)
    one, other = (helm.template(CHART, case, name="ibpe", namespace=namespace) for _ in range(2))
    assert one == other


def test_the_operator_has_no_role_for_the_cluster_where_it_serves_named_namespaces(helm: Helm, namespace: str) -> None:
    made = helm.template(CHART, values("two namespaces", namespace), name="ibpe", namespace=namespace)
    assert {each["metadata"]["namespace"] for each in made if each["kind"] == "Role" and "lease" not in str(each)} == {
        f"{namespace}-team-a",
        f"{namespace}-team-b",
    }
    bound = [each for each in made if each["kind"] == "ClusterRoleBinding"]
    assert bound == []
