"""A cluster of the releases' own, a namespace for each test module, helm with homes of its own.

Not the API server of the other tests: a release owns the CRD here, and an operator may serve every namespace.
"""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.aws import AwsServer, Settings
from sandbox.helm import Helm
from sandbox.kube import ControlPlane
from sandbox.kube.progress import to_stderr
from sandbox.stage import RESOURCE, Stage
from tests.release.release import CHART
from tests.release.runbook import Person

QUICK = Settings(pending_seconds=0.3, modify_pending_seconds=0.2, deleting_seconds=0.3, deleted_listed_seconds=5.0)


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    with ControlPlane(report=to_stderr) as booted:
        yield booted


@pytest.fixture(scope="session")
def aws() -> Iterator[AwsServer]:
    with AwsServer(QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def stage(plane: ControlPlane, aws: AwsServer) -> Iterator[Stage]:
    with Stage(plane, aws) as stage:
        yield stage


@pytest.fixture(scope="module")
def cluster(aws: AwsServer) -> Iterator[Stage]:
    """A cluster of the module's own, into which nothing of ours was ever put: the releases bring their CRD."""
    with ControlPlane(report=to_stderr) as booted:
        stage = Stage(booted, aws)
        try:
            yield stage
        finally:
            stage.close()


@pytest.fixture(scope="module")
def desk(cluster: Stage, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm for that cluster."""
    return Helm(tmp_path_factory.mktemp("helm"), cluster.plane.kubeconfig)


@pytest.fixture
def home(cluster: Stage, desk: Helm, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace for a test's releases; no release and no resource of it is left when the test ends, however."""
    name = make_namespace(cluster.plane, request.module.__name__.rpartition(".")[2].removeprefix("test_"))
    yield name
    for release in desk.releases(name):
        desk.uninstall(release, name, "--no-hooks")
    for left in cluster.plane.kubectl("get", RESOURCE, "-n", name, "-o", "name", check=False).stdout.split():
        cluster.patch(left.partition("/")[2], {"metadata": {"finalizers": None}}, name)
        cluster.plane.kubectl("delete", left, "-n", name)


@pytest.fixture
def person(cluster: Stage, desk: Helm, home: str, tmp_path: Path) -> Person:
    """Whoever follows the runbook about the release `ibpe` in `home`, whose resources are there too."""
    person = Person(cluster.plane, desk, tmp_path, {"ibpe-system": home, "team-a": home})
    person.at(CHART)
    return person


@pytest.fixture(scope="module")
def helm(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(tmp_path_factory.mktemp("helm"), plane.kubeconfig)


@pytest.fixture(scope="module")
def namespace(plane: ControlPlane, request: pytest.FixtureRequest) -> str:
    return make_namespace(plane, request.module.__name__.rpartition(".")[2].removeprefix("test_"))


def make_namespace(plane: ControlPlane, stem: str) -> str:
    """A namespace of its own that enforces the restricted Pod Security Standard."""
    name = f"release-{stem.replace('_', '-')}-{uuid.uuid4().hex[:6]}"
    metadata = {"name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
    plane.kubectl(
        "create", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    )
    return name
