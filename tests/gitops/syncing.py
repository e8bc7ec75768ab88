"""How GitOps tools apply a manifest, and what they then find to be different."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import yaml

from sandbox.kube import ControlPlane
from tests.gitops.argo import three_way

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ARGO_CD = "argocd-controller"
"""The field manager of Argo CD's server-side apply."""
SERVERS = {"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid", "name", "namespace"}


def sync(plane: ControlPlane, manifest: Mapping[str, Any], *, server_side: bool) -> str:
    """Apply it as Argo CD does, strictly; what kubectl said."""
    how = ("--server-side", "--force-conflicts", f"--field-manager={ARGO_CD}") if server_side else ()
    applied = plane.kubectl("apply", *how, "--validate=strict", "-f", "-", input=yaml.safe_dump(dict(manifest)))
    return f"{applied.stdout}{applied.stderr}"


def differences(plane: ControlPlane, manifest: Mapping[str, Any], live: Mapping[str, Any]) -> list[str]:
    """What Argo CD would call OutOfSync: by its three-way merge, and by its dry run of a server-side apply."""
    return [*three_way(_last_applied(live) or manifest, manifest, live), *_dry_run(plane, manifest)]


def _last_applied(live: Mapping[str, Any]) -> dict[str, Any]:
    """Without the empty annotations that kubectl writes into it: Argo CD takes them out too."""
    text = live["metadata"].get("annotations", {}).get(LAST_APPLIED)
    found: dict[str, Any] = json.loads(text) if text else {}
    if found and not found["metadata"].get("annotations"):
        found["metadata"].pop("annotations", None)
    return found


def _dry_run(plane: ControlPlane, manifest: Mapping[str, Any]) -> list[str]:
    how = ("--server-side", "--force-conflicts", f"--field-manager={ARGO_CD}")
    shown = plane.kubectl("diff", *how, "-f", "-", input=yaml.safe_dump(dict(manifest)), check=False)
    assert shown.returncode in {0, 1}, shown.stderr
    return [line for line in shown.stdout.splitlines() if line[:1] in "+-"] if shown.returncode else []


def added_metadata(manifest: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """What others than the API server and the one who applied have put into metadata."""
    metadata = copy.deepcopy(live["metadata"])
    metadata.get("annotations", {}).pop(LAST_APPLIED, None)
    asked = manifest["metadata"]
    return {key: value for key, value in metadata.items() if key not in SERVERS and value and value != asked.get(key)}


def managers_of_spec(live: Mapping[str, Any]) -> set[str]:
    """Who owns a field of spec."""
    return {entry["manager"] for entry in live["metadata"]["managedFields"] if "f:spec" in entry["fieldsV1"]}
