"""A namespace and the CRD on the real API server, and the operator's seam to it."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config

from ibpe.kube.calls import CONNECT_SECONDS, READ_SECONDS, Connection
from ibpe.kube.resources import KubernetesResources
from ibpe.reconcile.ports import Key, Resource
from sandbox.kube import ControlPlane

CRD = Path(__file__).parents[2] / "crds" / "ibpe.dev_imagebuilderprivateendpoints.yaml"
_numbers = itertools.count()


@dataclass
class Problems:
    """A WriteObserver that remembers."""

    seen: list[str] = field(default_factory=list)

    def write_problem(self, problem: str) -> None:
        self.seen.append(problem)


def connection_to(
    kubeconfig: Path, *, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS
) -> Connection:
    found = client.Configuration()
    config.load_kube_config(config_file=str(kubeconfig), client_configuration=found)  # type: ignore[no-untyped-call]  # the library has no types
    found.retries = False
    made = Connection.to(found, user_agent="test")
    return replace(made, connect_seconds=connect_seconds, read_seconds=read_seconds)


@pytest.fixture(scope="session")
def with_crd(control_plane: ControlPlane) -> ControlPlane:
    control_plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
    control_plane.kubectl("wait", "--for=condition=Established", "-f", str(CRD), "--timeout=30s")
    return control_plane


@pytest.fixture
def namespace(with_crd: ControlPlane) -> str:
    name = f"seam-{next(_numbers)}-{uuid.uuid4().hex[:6]}"
    with_crd.kubectl("create", "namespace", name)
    return name


@pytest.fixture
def connection(with_crd: ControlPlane) -> Iterator[Connection]:
    made = connection_to(with_crd.kubeconfig)
    yield made
    made.api.rest_client.close()


@pytest.fixture
def problems() -> Problems:
    return Problems()


@pytest.fixture
def resources(connection: Connection, problems: Problems) -> KubernetesResources:
    return KubernetesResources(connection, problems)


def manifest(name: str, namespace: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "ibpe.dev/v1beta1",
        "kind": "ImageBuilderPrivateEndpoint",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {
            "region": "us-west-2",
            "vpcID": "vpc-0a1b2c3d4e5f60718",
            "imageBuilder": {
                "subnets": {"ids": ["subnet-0a1b2c3d4e5f60718"]},
                "securityGroups": {"ids": ["sg-0a1b2c3d4e5f60718"]},
                "policy": {"preset": "DenyDeletion"},
            },
        },
    }


@pytest.fixture
def make(with_crd: ControlPlane, namespace: str, resources: KubernetesResources) -> Callable[..., Resource]:
    """Creates a resource as a user would, and reads it as the operator does."""

    def made(name: str = "one", **metadata: Any) -> Resource:
        with_crd.kubectl("create", "-f", "-", input=yaml.safe_dump(manifest(name, namespace, **metadata)))
        found = resources.get(Key(namespace, name))
        assert found is not None
        return found

    return made
