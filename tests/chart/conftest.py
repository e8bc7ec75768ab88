"""The real helm, and a namespace of the real API server that enforces the restricted Pod Security Standard."""

import uuid

import pytest

from sandbox.helm import Helm
from sandbox.kube import ControlPlane

LEVELS = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Without a cluster: it lints and renders."""
    return Helm(tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def namespace(control_plane: ControlPlane) -> str:
    name = f"chart-{uuid.uuid4().hex[:6]}"
    control_plane.kubectl("create", "namespace", name)
    control_plane.kubectl("label", "namespace", name, *(f"{label}={level}" for label, level in LEVELS.items()))
    for served in ("team-a", "team-b"):
        control_plane.kubectl("create", "namespace", f"{name}-{served}")
    return name
