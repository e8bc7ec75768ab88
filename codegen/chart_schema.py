"""Prints the chart's values.schema.json: what each value may be, with values.yaml's comments as descriptions.

Knows JSON Schema and no Helm. A value without a shape here, or a shape without a value, is an error.
"""

import json
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, get_args

from codegen.chart_accounts import accounts_schema
from codegen.chart_values import Value, values
from ibpe.runtime.logs import LogFormat
from ibpe.runtime.settings import LogLevel

Schema = dict[str, Any]

_DNS_LABEL: Final = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_DAY: Final = 86_400
_BOOLEAN: Final[Schema] = {"type": "boolean"}
_TEXT: Final[Schema] = {"type": "string"}
_TEXTS: Final[Schema] = {"type": "object", "additionalProperties": _TEXT}
_OBJECT: Final[Schema] = {"type": "object"}
_OBJECTS: Final[Schema] = {"type": "array", "items": _OBJECT}
_SECONDS: Final[Schema] = {"type": "number", "exclusiveMinimum": 0, "maximum": _DAY}
_DURATION: Final[Schema] = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$"}


def _matching(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^({pattern})$"}


def _matching_or_empty(pattern: str, limit: int | None = None) -> Schema:
    return {"type": "string", "pattern": f"^({pattern})?$", **({"maxLength": limit} if limit else {})}


def _one_of(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def _integer(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items, "uniqueItems": True}


def _objects_with(*names: str) -> Schema:
    """Objects of Kubernetes' own, whose remaining keys the API server judges."""
    named = {name: {"type": "string", "minLength": 1} for name in names}
    return {"type": "array", "items": {"type": "object", "properties": named, "required": list(names)}}


def _monitor(kind: str) -> Mapping[str, Schema]:
    return {
        f"metrics.{kind}.enabled": _BOOLEAN,
        f"metrics.{kind}.labels": _TEXTS,
        f"metrics.{kind}.interval": _DURATION,
        f"metrics.{kind}.relabelings": _OBJECTS,
        f"metrics.{kind}.metricRelabelings": _OBJECTS,
    }


SHAPES: Final[Mapping[str, Schema]] = MappingProxyType(
    {
        "clusterName": _matching("[A-Za-z0-9._-]{0,63}"),  # empty passes here: the template has a sentence for it
        "watchNamespaces": _list_of(_matching(_DNS_LABEL)),
        "replicaCount": _integer(0, 10),
        "leaderElection.enabled": _BOOLEAN,
        "leaderElection.leaseName": _matching_or_empty("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"),
        "leaderElection.leaseDurationSeconds": _SECONDS,
        "leaderElection.renewDeadlineSeconds": _SECONDS,
        "leaderElection.retrySeconds": _SECONDS,
        "image.repository": {"type": "string", "minLength": 1},
        "image.tag": _matching_or_empty(r"\w[\w.-]{0,127}"),
        "image.digest": _matching_or_empty("sha256:[0-9a-f]{64}"),
        "image.pullPolicy": _one_of("Always", "IfNotPresent", "Never"),
        "imagePullSecrets": _objects_with("name"),
        "nameOverride": _matching_or_empty(_DNS_LABEL),
        "fullnameOverride": _matching_or_empty(_DNS_LABEL, 52),
        "commonLabels": _TEXTS,
        "aws.region": _matching_or_empty("[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}"),
        "aws.endpointURL": _matching_or_empty("https?://.+"),
        "accounts": {},
        "serviceAccount.create": _BOOLEAN,
        "serviceAccount.name": _matching_or_empty("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"),
        "serviceAccount.annotations": _TEXTS,
        "rbac.create": _BOOLEAN,
        "rbac.aggregate": _BOOLEAN,
        "crds.enabled": _BOOLEAN,
        "admissionPolicies.enabled": _BOOLEAN,
        "uninstallCheck.enabled": _BOOLEAN,
        "logLevel": _one_of(*get_args(LogLevel)),
        "logFormat": _one_of(*get_args(LogFormat)),
        "listenAddress": _matching("[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"),
        "shutdownSeconds": {"type": "number", "minimum": 0, "maximum": 600},
        "terminationGracePeriodSeconds": _integer(1, _DAY),
        "extraEnv": _objects_with("name"),
        "extraVolumes": _objects_with("name"),
        "extraVolumeMounts": _objects_with("name", "mountPath"),
        "extraObjects": _objects_with("apiVersion", "kind"),
        "resources": _OBJECT,
        "podAnnotations": _TEXTS,
        "podLabels": _TEXTS,
        "nodeSelector": _TEXTS,
        "tolerations": _OBJECTS,
        "affinity": _OBJECT,
        "topologySpreadConstraints": _objects_with("topologyKey", "whenUnsatisfiable"),
        "priorityClassName": _TEXT,
        "podSecurityContext": _OBJECT,
        "securityContext": _OBJECT,
        "podDisruptionBudget.enabled": _BOOLEAN,
        "networkPolicy.enabled": _BOOLEAN,
        "networkPolicy.egressPorts": {**_list_of(_integer(1, 65_535)), "minItems": 1},  # none would let everything out
        "networkPolicy.metricsFrom": _OBJECTS,
        "metrics.enabled": _BOOLEAN,
        **_monitor("serviceMonitor"),
        **_monitor("podMonitor"),
        "metrics.prometheusRule.enabled": _BOOLEAN,
        "metrics.prometheusRule.labels": _TEXTS,
        "metrics.prometheusRule.runbookBaseURL": _matching_or_empty(r"https?://[^\s{}\"'#]+"),
        "metrics.dashboard.enabled": _BOOLEAN,
        "metrics.dashboard.labels": _TEXTS,
        "metrics.dashboard.annotations": _TEXTS,
    }
)
"""What each value may be. Kubernetes' own objects are left to the API server; ours have no other keys than these."""


def values_schema() -> Schema:
    """The schema. Raises KeyError for a value without a shape, ValueError for a shape without a value."""
    root = _ours()
    root["properties"]["global"] = {"type": "object", "description": "Helm's own, for charts that depend on this one."}
    shapes = {**SHAPES, "accounts": accounts_schema()}
    for value in values():
        _put(root, value, shapes.pop(value.path))
    if shapes:
        raise ValueError(f"values.yaml has no {', '.join(shapes)}")
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart imagebuilder-private-endpoint-operator",
        **root,
    }


def _ours() -> Schema:
    """An object of ours: no key beside those that it will get."""
    return {"type": "object", "additionalProperties": False, "required": [], "properties": {}}


def _put(root: Schema, value: Value, shape: Schema) -> None:
    *parents, name = value.path.split(".")
    into = root
    for parent in parents:
        if parent not in into["properties"]:
            into["properties"][parent] = _ours()
            into["required"].append(parent)
        into = into["properties"][parent]
    into["properties"][name] = {**shape, "description": value.text, "default": value.default}
    if shape["type"] not in {"object", "array"}:  # those may be set to null: nothing is what they then are
        into["required"].append(name)


if __name__ == "__main__":
    json.dump(values_schema(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
