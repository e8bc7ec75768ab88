"""The CRD and the admission policy, installed on the real API server."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from ibpe.api.names import API_VERSION, KIND, PLURAL
from sandbox.kube import ControlPlane
from tests.crd.cases import GOOD, changed

ROOT = Path(__file__).parents[2]
NAMESPACE = "crd-tests"
Apply = Callable[..., CompletedProcess[str]]


def resource(spec: dict[str, Any], name: str = "images") -> str:
    return yaml.safe_dump(
        {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}
    )


@pytest.fixture(scope="session")
def installed(control_plane: ControlPlane) -> ControlPlane:
    """A control plane that admits and refuses our resources: policies take a moment until they are in force."""
    control_plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
    control_plane.kubectl("wait", "--for=condition=Established", f"crd/{PLURAL}.ibpe.dev", "--timeout=30s")
    control_plane.kubectl("create", "namespace", NAMESPACE)
    _wait_until_admission_answers(control_plane)
    return control_plane


def _wait_until_admission_answers(control_plane: ControlPlane) -> None:
    """Refusals to a bad one, and warnings about another."""
    bad = resource(changed(GOOD, {"imageBuilder.policy.preset": "Custom"}), "probe")
    dubious = resource(changed(GOOD, {"s3.policy.environment": "beta"}), "probe")
    deadline = time.monotonic() + 30
    while True:
        refused = control_plane.kubectl("create", "--dry-run=server", "-f", "-", input=bad, check=False).returncode != 0
        if (
            refused
            and "Warning:" in control_plane.kubectl("create", "--dry-run=server", "-f", "-", input=dubious).stderr
        ):
            return
        assert time.monotonic() < deadline, "the admission policies are not in force"
        time.sleep(0.2)


@pytest.fixture
def apply(installed: ControlPlane) -> Iterator[Apply]:
    """kubectl apply with strict validation, as people run it; nothing is left behind."""

    def run(spec: dict[str, Any], *flags: str, name: str = "images") -> CompletedProcess[str]:
        arguments = ("apply", "--validate=strict", *flags, "-f", "-")
        return installed.kubectl(*arguments, input=resource(spec, name), check=False)

    yield run
    installed.kubectl("delete", PLURAL, "--all", "--namespace", NAMESPACE)
