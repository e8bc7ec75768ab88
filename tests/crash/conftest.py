"""One AWS double for the crash tests (its clock is held and its lag turned up), and the killings on it."""

from collections.abc import Iterator
from functools import partial

import pytest

from sandbox.aws import AwsServer, Settings
from sandbox.kube import ControlPlane
from sandbox.stage import Stage
from tests.crash.killing import Killing, killed
from tests.crash.lives import MATRIX, Life
from tests.crash.sharing_lives import CASES, begun

QUICK = Settings(
    pending_seconds=0.3,
    modify_pending_seconds=0.2,
    deleting_seconds=0.3,
    deleted_listed_seconds=3600.0,  # so that every endpoint that was ever made can be counted
    gateway_endpoints_per_region=10_000,
)


@pytest.fixture(scope="session")
def crash_stage(control_plane: ControlPlane) -> Iterator[Stage]:
    with AwsServer(QUICK) as aws, Stage(control_plane, aws) as stage:
        yield stage


@pytest.fixture(scope="session")
def making(crash_stage: Stage) -> Iterator[Killing]:
    """Operators killed on the way to the first Ready."""
    yield from killed(crash_stage, [partial(Life, *case) for case in MATRIX if case[0].makes])


@pytest.fixture(scope="session")
def changing(crash_stage: Stage) -> Iterator[Killing]:
    """Operators killed on the way from Ready to something else, or to the end."""
    yield from killed(crash_stage, [partial(Life, *case) for case in MATRIX if not case[0].makes])


@pytest.fixture(scope="session")
def sharing(crash_stage: Stage) -> Iterator[Killing]:
    """Operators killed while they put statements into others' policies, or take them out."""
    yield from killed(crash_stage, [partial(begun, case) for case in CASES])
