"""The chart's files, value sets as platform teams write them, and what the chart makes of them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.helm import Helm
from sandbox.kube import build

REPOSITORY: Final = Path(__file__).parents[2]
CHART: Final = REPOSITORY / "charts" / "imagebuilder-private-endpoint-operator"
Values = dict[str, Any]
Manifest = dict[str, Any]
RELEASE: Final = "ibpe"

NAME: Final[Values] = {"clusterName": "prod-eu"}
QUICK: Final[Values] = {"crds": {"enabled": False}, "admissionPolicies": {"enabled": False}}
"""What leaves out long manifests that few values have an influence on."""
ROLE: Final = "arn:aws:iam::111122223333:role/ibpe"
RUNBOOKS: Final = "https://wiki.example.com/runbooks"

MATRIX: Final[dict[str, Values]] = {
    "nothing but the name": {},
    "one replica without election": {"replicaCount": 1, "leaderElection": {"enabled": False}},
    "three replicas, a slower lease": {
        "replicaCount": 3,
        "leaderElection": {"leaseDurationSeconds": 60, "renewDeadlineSeconds": 40, "retrySeconds": 5, "leaseName": "x"},
    },
    "two namespaces": {"watchNamespaces": ["{namespace}-team-a", "{namespace}-team-b"]},
    "a role by service account": {
        "serviceAccount": {"name": "ibpe", "annotations": {"eks.amazonaws.com/role-arn": ROLE}},
        "aws": {"region": "eu-central-1"},
    },
    "a service account that exists": {"serviceAccount": {"create": False, "name": "theirs"}},
    "several accounts": {
        "accounts": {
            "accounts": [
                {
                    "name": "network",
                    "accountID": "111122223333",
                    "roleARN": ROLE,
                    "externalID": "ibpe-7f3c",
                    "sessionName": "ibpe",
                    "regions": ["us-west-2"],
                }
            ],
            "grants": [
                {
                    "namespaces": ["team-a"],
                    "accounts": ["network", "own"],
                    "vpcs": {"ids": ["vpc-0123456789abcdef0"], "tags": {"team": "images"}},
                }
            ],
        }
    },
    "accounts in a secret": {
        "extraEnv": [{"name": "IBPE_ACCOUNTS_FILE", "value": "/accounts/accounts.yaml"}],
        "extraVolumes": [{"name": "more", "secret": {"secretName": "accounts"}}],
        "extraVolumeMounts": [{"name": "more", "mountPath": "/accounts", "readOnly": True}],
    },
    "image by digest from a private registry": {
        "image": {"repository": "registry.example.com/ibpe", "digest": f"sha256:{'a' * 64}", "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "registry"}],
    },
    "image by tag": {"image": {"tag": "0.1.0-rc.1"}},
    "everything for Prometheus and Grafana": {
        "commonLabels": {"app.kubernetes.io/instance": "lost", "app.kubernetes.io/component": "lost"},
        "metrics": {
            "serviceMonitor": {
                "enabled": True,
                "labels": {"release": "monitoring"},
                "interval": "15s",
                "relabelings": [{"targetLabel": "cluster", "replacement": "prod-eu"}],
                "metricRelabelings": [{"action": "labeldrop", "regex": "pod"}],
            },
            "prometheusRule": {"enabled": True, "labels": {"release": "monitoring"}, "runbookBaseURL": RUNBOOKS},
            "dashboard": {"enabled": True, "annotations": {"folder": "platform"}},
        },
    },
    "a pod monitor": {
        "metrics": {
            "podMonitor": {
                "enabled": True,
                "labels": {"release": "monitoring"},
                "relabelings": [{"targetLabel": "cluster", "replacement": "prod-eu"}],
                "metricRelabelings": [{"action": "labeldrop", "regex": "pod"}],
            }
        }
    },
    "no metrics": {"metrics": {"enabled": False}},
    "a network policy": {
        "networkPolicy": {
            "enabled": True,
            "egressPorts": [443],
            "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        }
    },
    "somebody else brings CRD, policies and roles": {
        "crds": {"enabled": False},
        "admissionPolicies": {"enabled": False},
        "rbac": {"create": False},
        "uninstallCheck": {"enabled": False},
    },
    "placed with care": {
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "platform", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "topologyKey": "kubernetes.io/hostname",
                        "labelSelector": {"matchLabels": {"app.kubernetes.io/instance": "ibpe"}},
                    }
                ]
            }
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/instance": "ibpe"}},
            }
        ],
        "priorityClassName": "system-cluster-critical",
        "podAnnotations": {"prometheus.io/scrape": "true"},
        "podLabels": {"team": "platform"},
        "commonLabels": {"cost-center": "42", "app.kubernetes.io/part-of": "images", "app.kubernetes.io/name": "lost"},
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
        "terminationGracePeriodSeconds": 60,
        "shutdownSeconds": 45.5,
    },
    "more of everything": {
        "extraEnv": [{"name": "IBPE_WORKERS", "value": "8"}],
        "extraVolumes": [{"name": "ca", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/ca", "readOnly": True}],
        "extraObjects": [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "{{ .Release.Name }}-more"},
                "data": {"cluster": "{{ .Values.clusterName }}"},
            }
        ],
        "logLevel": "DEBUG",
        "logFormat": "text",
        "aws": {"endpointURL": "http://127.0.0.1:4566"},
    },
    "other names": {"nameOverride": "ibpe", "fullnameOverride": "private-endpoints"},
    "the longest names": {"nameOverride": "n" * 63, "fullnameOverride": "f" * 52, "leaderElection": {"leaseName": "l"}},
    "OpenShift, which chooses users, with IPv6": {
        "podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None},
        "listenAddress": "::",
    },
    "maps and lists set to null": {
        **dict.fromkeys(
            ("accounts", "affinity", "commonLabels", "extraEnv", "extraObjects", "extraVolumeMounts", "extraVolumes")
        ),
        **dict.fromkeys(("imagePullSecrets", "nodeSelector", "podAnnotations", "podLabels", "resources")),
        **dict.fromkeys(("tolerations", "topologySpreadConstraints", "watchNamespaces")),
        "serviceAccount": {"annotations": None},
        "metrics": {
            "podMonitor": {"enabled": True, "labels": None, "relabelings": None, "metricRelabelings": None},
            "dashboard": {"enabled": True, "labels": None, "annotations": None},
        },
        "networkPolicy": {"enabled": True, "metricsFrom": None},
    },
}
"""What a platform team sets, beside the cluster's name; `{namespace}` is the release's."""


def values(case: str, namespace: str = "x") -> Values:
    """A value set of the matrix."""
    found: Values = json.loads(json.dumps({**NAME, **MATRIX[case]}).replace("{namespace}", namespace))
    return found


def defaults() -> Values:
    """values.yaml."""
    found: Values = yaml.safe_load((CHART / "values.yaml").read_text())
    return found


def rendered(helm: Helm, given: Mapping[str, Any], *, namespace: str = "ibpe-system", release: str = RELEASE) -> str:
    """What a release would consist of, hooks too. HelmError where the chart refuses."""
    version = f"--kube-version={build.KUBERNETES.programs[1].version}"
    flags = ("--namespace", namespace, "--values", "-", version)
    return helm.run("template", release, CHART, *flags, given=yaml.dump(dict(given), Dumper=_Quoting)).stdout


class _Quoting(yaml.SafeDumper):
    """Quotes every text: Go takes `y` and `1e3` for no text, and PyYAML thinks otherwise."""


_Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def manifests(text: str) -> list[Manifest]:
    """The objects of such a text."""
    return [each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each]


def one(made: Iterable[Manifest], kind: str, ending: str = "") -> Manifest:
    """The only object of a kind whose name has this ending."""
    (found,) = (each for each in made if each["kind"] == kind and each["metadata"]["name"].endswith(ending))
    return found


def pods(made: Iterable[Manifest]) -> list[Manifest]:
    """The pods that a Deployment and a Job would make."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                **each["spec"]["template"]["metadata"],
                "namespace": each["metadata"]["namespace"],
                "name": f"pod-of-{each['metadata']['name']}"[:63].rstrip("-"),
            },
            "spec": each["spec"]["template"]["spec"],
        }
        for each in made
        if each["kind"] in {"Deployment", "Job"}
    ]
