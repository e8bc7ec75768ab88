"""Each value does something, is described, and is held to a shape: none is dead, none is a surprise."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from codegen.chart_schema import SHAPES
from codegen.chart_values import values as documented
from sandbox.helm import Helm
from tests.chart.chart import CHART, NAME, QUICK, RUNBOOKS, Values, defaults, rendered, values

pytestmark = pytest.mark.release

OTHER: dict[str, Any] = {
    "clusterName": "prod-us",
    "watchNamespaces": ["team-a"],
    "replicaCount": 3,
    "leaderElection.enabled": False,
    "leaderElection.leaseName": "other",
    "leaderElection.leaseDurationSeconds": 20,
    "leaderElection.renewDeadlineSeconds": 9,
    "leaderElection.retrySeconds": 1,
    "image.repository": "registry.example.com/ibpe",
    "image.tag": "1.2.3",
    "image.digest": f"sha256:{'b' * 64}",
    "image.pullPolicy": "Always",
    "imagePullSecrets": [{"name": "registry"}],
    "nameOverride": "other",
    "fullnameOverride": "other",
    "commonLabels": {"team": "platform"},
    "aws.region": "eu-central-1",
    "aws.endpointURL": "http://127.0.0.1:4566",
    "accounts": values("several accounts")["accounts"],
    "serviceAccount.create": False,
    "serviceAccount.name": "theirs",
    "serviceAccount.annotations": {"eks.amazonaws.com/role-arn": "x"},
    "rbac.create": False,
    "rbac.aggregate": False,
    "crds.enabled": True,
    "admissionPolicies.enabled": True,
    "uninstallCheck.enabled": False,
    "logLevel": "DEBUG",
    "logFormat": "text",
    "listenAddress": "::",
    "shutdownSeconds": 5,
    "terminationGracePeriodSeconds": 60,
    "extraEnv": [{"name": "IBPE_WORKERS", "value": "8"}],
    "extraVolumes": [{"name": "ca", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/ca"}],
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}}],
    "resources": {"limits": {"memory": "1Gi"}},
    "podAnnotations": {"a": "b"},
    "podLabels": {"a": "b"},
    "nodeSelector": {"a": "b"},
    "tolerations": [{"key": "platform"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}],
    "priorityClassName": "system-cluster-critical",
    "podSecurityContext": {"supplementalGroups": [1]},
    "securityContext": {"procMount": "Default"},
    "podDisruptionBudget.enabled": False,
    "networkPolicy.enabled": True,
    "networkPolicy.egressPorts": [8443],
    "networkPolicy.metricsFrom": [{"podSelector": {}}],
    "metrics.enabled": False,
    "metrics.serviceMonitor.enabled": True,
    "metrics.serviceMonitor.labels": {"release": "monitoring"},
    "metrics.serviceMonitor.interval": "7s",
    "metrics.serviceMonitor.relabelings": [{"action": "keep"}],
    "metrics.serviceMonitor.metricRelabelings": [{"action": "drop"}],
    "metrics.podMonitor.enabled": True,
    "metrics.podMonitor.labels": {"release": "monitoring"},
    "metrics.podMonitor.interval": "7s",
    "metrics.podMonitor.relabelings": [{"action": "keep"}],
    "metrics.podMonitor.metricRelabelings": [{"action": "drop"}],
    "metrics.prometheusRule.enabled": True,
    "metrics.prometheusRule.labels": {"release": "monitoring"},
    "metrics.prometheusRule.runbookBaseURL": "https://other.example.com",
    "metrics.dashboard.enabled": True,
    "metrics.dashboard.labels": {"grafana": "yes"},
    "metrics.dashboard.annotations": {"folder": "platform"},
}
"""Every value, and another one than its default."""

BASES: dict[str, Values] = {
    "leaderElection.enabled": {"replicaCount": 1},
    "serviceAccount.create": {"serviceAccount": {"name": "theirs"}},
    "networkPolicy.": {"networkPolicy": {"enabled": True}},
    "metrics.serviceMonitor.": {"metrics": {"serviceMonitor": {"enabled": True}}},
    "metrics.podMonitor.": {"metrics": {"podMonitor": {"enabled": True}}},
    "metrics.prometheusRule.": {"metrics": {"prometheusRule": {"enabled": True, "runbookBaseURL": RUNBOOKS}}},
    "metrics.dashboard.": {"metrics": {"dashboard": {"enabled": True}}},
}
"""What must be so for values to have their effect, by the beginning of their path."""


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> Values:
    both = {**one}
    for name, value in other.items():
        inner = both.get(name)
        both[name] = merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return both


def nested(path: str, value: object) -> Values:
    for name in reversed(path.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def base_of(path: str) -> Values:
    """What a value is changed in: for a switch, without that which it switches on."""
    found = {**NAME, **QUICK}
    for beginning, needed in BASES.items():
        if path.startswith(beginning):
            found = merged(found, needed)
    if path.endswith(".enabled") and OTHER[path] is True:
        found = merged(found, nested(path, value=False))
    return found


@pytest.mark.parametrize("path", OTHER)
def test_each_value_has_an_effect(helm: Helm, path: str) -> None:
    base = base_of(path)
    before, after = rendered(helm, base), rendered(helm, merged(base, nested(path, OTHER[path])))
    assert before != after
    assert [word for word in words(OTHER[path]) if word not in after] == []


def words(value: object) -> Iterator[str]:
    """What should be found of a value in the manifests. Switches are not written anywhere."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from (name, *words(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from words(inner)
    elif not isinstance(value, bool):
        yield str(value)


def leaves(given: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """The path of each value, whole where it is one of ours to describe as a whole."""
    for name, value in given.items():
        inner = (*path, name)
        if isinstance(value, Mapping) and value and ".".join(inner) not in SHAPES:
            yield from leaves(value, inner)
        else:
            yield ".".join(inner)


def test_every_value_is_described_and_tried() -> None:
    every = list(leaves(defaults()))
    assert [value.path for value in documented()] == every
    assert set(every) == OTHER.keys()


def objects(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object of the schema that names keys."""
    if "properties" in schema:
        yield path, schema
        for name, part in schema["properties"].items():
            yield from objects(part, f"{path}.{name}".removeprefix("."))
    if isinstance(schema.get("items"), Mapping):
        yield from objects(schema["items"], f"{path}[]")


def test_every_object_of_ours_takes_no_other_key() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    kubernetes = {"imagePullSecrets[]", "extraEnv[]", "extraVolumes[]", "extraVolumeMounts[]", "extraObjects[]"}
    loose = {path for path, part in objects(schema) if part.get("additionalProperties") is not False}
    assert loose == kubernetes | {"topologySpreadConstraints[]"}
