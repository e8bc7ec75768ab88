"""Fixtures that several folders of tests share."""

from collections.abc import Iterator

import pytest

from sandbox.kube import ControlPlane
from sandbox.kube.progress import to_stderr


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """One API server for the whole run: tests use namespaces of their own and leave it running."""
    with ControlPlane(report=to_stderr) as booted:
        yield booted
