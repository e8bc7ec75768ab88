"""Fixtures that several folders of tests share."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from sandbox.kube import ControlPlane
from sandbox.kube.progress import to_stderr

# How long an example takes says nothing on a machine that runs several tests at once.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """One API server for the whole run: tests use namespaces of their own and leave it running."""
    with ControlPlane(report=to_stderr) as booted:
        yield booted
