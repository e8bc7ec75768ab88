"""A namespace for each test module, helm with homes of its own, and the chart."""

import uuid
from collections.abc import Iterator

import pytest

from sandbox.aws import AwsServer, Settings
from sandbox.helm import Helm
from sandbox.kube import ControlPlane
from sandbox.stage import Stage

QUICK = Settings(pending_seconds=0.3, modify_pending_seconds=0.2, deleting_seconds=0.3, deleted_listed_seconds=5.0)


@pytest.fixture(scope="session")
def stage(control_plane: ControlPlane) -> Iterator[Stage]:
    with AwsServer(QUICK) as aws, Stage(control_plane, aws) as stage:
        yield stage


@pytest.fixture(scope="module")
def helm(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(tmp_path_factory.mktemp("helm"), control_plane.kubeconfig)


@pytest.fixture(scope="module")
def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> str:
    """A namespace that enforces the restricted Pod Security Standard."""
    return make_namespace(control_plane, request.module.__name__.rpartition(".")[2].removeprefix("test_"))


def make_namespace(plane: ControlPlane, stem: str) -> str:
    name = f"release-{stem.replace('_', '-')}-{uuid.uuid4().hex[:6]}"
    plane.kubectl("create", "namespace", name)
    plane.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    return name
