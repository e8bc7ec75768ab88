"""A stage for the whole run; an operator and a namespace for each module; a VPC and a resource for each test."""

import itertools
import uuid
from collections.abc import Iterator

import pytest

from sandbox.aws import AwsServer, Settings
from sandbox.kube import ControlPlane
from sandbox.stage import OperatorProcess, Stage
from tests.e2e.scene import Scene, Scenes

QUICK = Settings(
    pending_seconds=0.3,
    modify_pending_seconds=0.2,
    deleting_seconds=0.3,
    deleted_listed_seconds=5.0,
    gateway_endpoints_per_region=10_000,
)
SNAPSHOT_SECONDS = 1.0
BATCH = 12


@pytest.fixture(scope="session")
def stage(control_plane: ControlPlane) -> Iterator[Stage]:
    with AwsServer(QUICK) as aws, Stage(control_plane, aws) as stage:
        yield stage


@pytest.fixture(scope="module")
def namespace(stage: Stage, request: pytest.FixtureRequest) -> str:
    """The namespace that the module's operator serves, and no other operator does."""
    module = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    name = f"e2e-{module}-{uuid.uuid4().hex[:6]}"
    stage.plane.kubectl("create", "namespace", name)
    return name


@pytest.fixture(scope="module")
def operator(stage: Stage, namespace: str, request: pytest.FixtureRequest) -> Iterator[OperatorProcess]:
    """The module's operator: a test that stops it starts it again. A module's own SNAPSHOT_SECONDS are its period."""
    running = stage.operator(
        IBPE_WATCH_NAMESPACES=namespace,
        IBPE_SNAPSHOT_SECONDS=str(getattr(request.module, "SNAPSHOT_SECONDS", SNAPSHOT_SECONDS)),
        IBPE_SNAPSHOT_FAST_SECONDS="0.3",
        IBPE_PREREQUISITES_SECONDS="2",
    )
    yield running
    running.stop()


@pytest.fixture(scope="module")
def scenes(stage: Stage, operator: OperatorProcess, namespace: str) -> Scenes:
    return Scenes(stage, operator, namespace)


@pytest.fixture
def scene(scenes: Scenes) -> Scene:
    return scenes.make()


@pytest.fixture(scope="module")
def ready(scenes: Scenes) -> Iterator[Scene]:
    """Scenes whose `rich` resource is Ready; made a dozen at a time, which costs little more than one."""
    return itertools.chain.from_iterable(scenes.ready(BATCH) for _ in itertools.count())


@pytest.fixture(autouse=True)
def _as_it_was(stage: Stage) -> Iterator[None]:
    """Faults, denials and times that a test arranged end with it."""
    yield
    stage.aws.control.clear_faults()
    stage.aws.control.resume_clock()
    stage.aws.control.set(**QUICK.model_dump())
