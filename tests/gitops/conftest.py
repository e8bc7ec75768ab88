"""The stage of the end-to-end tests, with a module's own operator on it."""

from collections.abc import Iterator

import pytest

from sandbox.stage import Stage
from tests.e2e.conftest import QUICK, namespace, operator, ready, scene, scenes, stage

__all__ = ["as_it_was", "namespace", "operator", "ready", "scene", "scenes", "stage"]


@pytest.fixture
def as_it_was(stage: Stage) -> Iterator[None]:
    """Faults, denials and times that a test arranged end with it."""
    yield
    stage.aws.control.clear_faults()
    stage.aws.control.resume_clock()
    stage.aws.control.set(**QUICK.model_dump())
