"""The one container of a pod template as a process on this machine: the image is this checkout, its entry point `ibpe`.

Knows pod templates and nothing of who makes pods of them. The process has what the pod would have: the arguments, the
environment and the service account's token, and nothing else.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.kube import ControlPlane

IMAGE_ENTRY_POINT = (str(Path(sys.executable).parent / "ibpe"),)
IMAGE_ARGUMENTS = ("run",)


@dataclass(frozen=True)
class Container:
    """What a kubelet would start, and as whom."""

    name: str
    namespace: str
    service_account: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    """What the template sets; not what the kubelet and the image add."""

    def kubeconfig(self, plane: ControlPlane) -> Path:
        """A kubeconfig with a fresh token of the service account; ControlPlaneError when there is no such account."""
        token = plane.service_account_token(self.namespace, self.service_account)
        return plane.kubeconfig_with_token(self.service_account, token)

    def process_environment(self, kubeconfig: Path) -> dict[str, str]:
        """All of the process's environment."""
        return {"PATH": os.environ.get("PATH", os.defpath), "KUBECONFIG": str(kubeconfig), **self.environment}


def of(template: Mapping[str, Any], namespace: str, pod: str) -> Container:
    """The only container of a pod template whose pod in `namespace` is called `pod`.

    Raises ValueError for what is not carried out here: several containers, variables from Secrets or ConfigMaps.
    """
    spec = template["spec"]
    (container,) = spec["containers"]
    command, arguments = container.get("command"), container.get("args")
    return Container(
        name=container["name"],
        namespace=namespace,
        service_account=spec.get("serviceAccountName") or "default",
        command=(*(command or IMAGE_ENTRY_POINT), *(arguments or (() if command else IMAGE_ARGUMENTS))),
        environment={each["name"]: _value(each, namespace, pod) for each in container.get("env") or ()},
    )


def _value(variable: Mapping[str, Any], namespace: str, pod: str) -> str:
    if "valueFrom" not in variable:
        return str(variable.get("value") or "")
    fields = {"metadata.name": pod, "metadata.namespace": namespace}
    path = variable["valueFrom"].get("fieldRef", {}).get("fieldPath")
    if path not in fields:
        raise ValueError(f"{variable['name']} comes from {variable['valueFrom']}, which the sandbox does not carry out")
    return fields[path]
