"""A rendered release on the sandbox: its RBAC applied, its operator run as the Deployment and its account have it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import containers
from sandbox.helm import Helm
from sandbox.kube import ControlPlane
from sandbox.kube.proxy import ApiProxy
from sandbox.stage import CLUSTER, REPOSITORY, OperatorProcess, Stage

CHART = REPOSITORY / "charts" / "imagebuilder-private-endpoint-operator"
RBAC = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
HOOK = "helm.sh/hook"
ON_THE_SANDBOX = {
    "IBPE_HEALTH_HOST": "127.0.0.1",
    "IBPE_METRICS_HOST": "127.0.0.1",
    "IBPE_HEALTH_PORT": "0",
    "IBPE_METRICS_PORT": "0",
    "IBPE_SNAPSHOT_SECONDS": "0.5",
    "IBPE_SNAPSHOT_FAST_SECONDS": "0.3",
    "IBPE_PREREQUISITES_SECONDS": "2",
    "IBPE_LEASE_DURATION_SECONDS": "9",
    "IBPE_LEASE_RENEW_DEADLINE_SECONDS": "7.5",
    "IBPE_LEASE_RETRY_SECONDS": "0.5",
    "IBPE_AWS_CONNECT_TIMEOUT_SECONDS": "1",
}
"""What differs from the Deployment: ports that the kernel chooses, and short periods."""


@dataclass(frozen=True)
class Release:
    """The objects of a release of the chart in `namespace`, hooks left out."""

    namespace: str
    documents: Sequence[Mapping[str, Any]]

    @property
    def rbac(self) -> list[Mapping[str, Any]]:
        """Accounts, roles and bindings."""
        return [each for each in self.documents if each["kind"] in RBAC]

    @property
    def container(self) -> containers.Container:
        """The operator's."""
        (deployment,) = (each for each in self.documents if each["kind"] == "Deployment")
        return containers.of(deployment["spec"]["template"], self.namespace, f"{deployment['metadata']['name']}-0")


def install(helm: Helm, name: str, namespace: str, chart: Path = CHART, **values: Any) -> Release:
    """Install a release that serves its own namespace, unless `values` say otherwise."""
    helm.install(name, chart, {**values_for(namespace), **values}, namespace)
    return Release(namespace, helm.manifest(name, namespace))


def values_for(namespace: str) -> dict[str, Any]:
    """Of a release that serves its own namespace alone."""
    return {"clusterName": CLUSTER, "watchNamespaces": [namespace]}


@contextmanager
def operated(stage: Stage, release: Release, **changed: str) -> Iterator[OperatorProcess]:
    """The operator of a release under its own service account, until the block ends; alone, so it needs no Lease."""
    container = release.container
    settings = {**environment(container), "IBPE_LEADER_ELECTION": "false", **changed}
    operator = stage.operator(container.kubeconfig(stage.plane), **settings)
    try:
        yield operator
    except BaseException as error:
        error.add_note(operator.log()[-4000:])
        raise
    finally:
        code = operator.stop()
    assert code == 0, operator.log()


def apply(plane: ControlPlane, documents: Sequence[Mapping[str, Any]]) -> None:
    """Kubectl apply; every object says its namespace."""
    plane.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(documents)}))


def environment(container: containers.Container) -> dict[str, str]:
    """The operator's environment on the sandbox; a process has no mounted namespace, so the Lease's is said."""
    return {"IBPE_LEASE_NAMESPACE": container.namespace, **container.environment, **ON_THE_SANDBOX}


@contextmanager
def recorded(stage: Stage, container: containers.Container) -> Iterator[tuple[OperatorProcess, ApiProxy]]:
    """The operator of a Deployment under its own service account, all of its requests recorded."""
    token = stage.plane.service_account_token(container.namespace, container.service_account)
    with ApiProxy(stage.plane, token) as proxy:
        operator = stage.operator(proxy.kubeconfig, **environment(container))
        try:
            yield operator, proxy
        finally:
            operator.stop()
