"""The stage that pairs of replicas stand on; scenarios wait much and compute little, so they run side by side."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from sandbox.aws import AwsServer, Settings
from sandbox.kube import ControlPlane
from sandbox.stage import Stage

Scenario = Callable[[Stage], None]

AT_A_TIME = 5
QUICK = Settings(
    pending_seconds=0.3, modify_pending_seconds=0.2, deleting_seconds=0.3, gateway_endpoints_per_region=10_000
)


@pytest.fixture(scope="session")
def ha_stage(control_plane: ControlPlane) -> Iterator[Stage]:
    with AwsServer(QUICK) as aws, Stage(control_plane, aws) as stage:
        yield stage


@pytest.fixture(scope="module")
def played(ha_stage: Stage, request: pytest.FixtureRequest) -> Iterator[Mapping[str, Future[None]]]:
    """The module's SCENARIOS by name, so many at a time."""
    scenarios: Mapping[str, Scenario] = request.module.SCENARIOS
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {name: pool.submit(scenario, ha_stage) for name, scenario in scenarios.items()}
