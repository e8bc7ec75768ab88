"""The sandbox carries Jobs out as a cluster would: what helm waits for, and what people read of them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.jobs import Jobs
from sandbox.kube import ControlPlane
from tests.e2e.scene import eventually

pytestmark = [pytest.mark.kube, pytest.mark.release]


@pytest.fixture(scope="module")
def jobs(plane: ControlPlane, namespace: str) -> Iterator[Jobs]:
    plane.kubectl("create", "serviceaccount", "worker", "-n", namespace)
    with Jobs(plane, namespace) as jobs:
        yield jobs


def job(name: str, *arguments: str, command: tuple[str, ...] = (), **spec: Any) -> dict[str, Any]:
    restricted = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "main", "image": "none", "args": list(arguments), "securityContext": restricted}
    if command:
        container["command"] = list(command)
    template = {"spec": {"serviceAccountName": "worker", "restartPolicy": "Never", "containers": [container]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": template, **spec},
    }


def conditions(plane: ControlPlane, namespace: str, name: str) -> dict[str, str]:
    """Type -> reason of those that are True, once there are any."""

    def look() -> dict[str, str]:
        found = json.loads(plane.kubectl("get", "job", name, "-n", namespace, "-o", "json").stdout)
        held = found.get("status", {}).get("conditions") or []
        return {each["type"]: each["reason"] for each in held if each["status"] == "True"}

    return eventually(look, f"job {name} finished")


@pytest.mark.parametrize(
    ("arguments", "spec", "condition", "printed"),
    [
        (("--version",), {}, ("Complete", "CompletionsReached"), "ibpe, version"),
        (("nonsense",), {}, ("Failed", "BackoffLimitExceeded"), "No such command 'nonsense'"),
        (("nonsense",), {"backoffLimit": 1}, ("Failed", "BackoffLimitExceeded"), "No such command 'nonsense'"),
    ],
    ids=["succeeds", "fails", "fails-twice"],
)
def test_a_job_ends_as_its_process_does_and_its_log_can_be_read(
    plane: ControlPlane,
    namespace: str,
    jobs: Jobs,  # noqa: ARG001 -- it runs them
    arguments: tuple[str, ...],
    spec: dict[str, Any],
    condition: tuple[str, str],
    printed: str,
) -> None:
    name = f"job-{len(arguments[0])}-{spec.get('backoffLimit', 0)}"
    plane.kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(job(name, *arguments, **spec)))
    assert condition in conditions(plane, namespace, name).items()
    selected = ("-n", namespace, "-l", f"job-name={name}")
    assert printed in plane.kubectl("logs", *selected).stdout
    pods = plane.kubectl("get", "pods", *selected, "-o", "name").stdout.split()
    assert len(pods) == spec.get("backoffLimit", 0) + 1
    plane.kubectl("delete", "job", name, "-n", namespace)
    eventually(lambda: not plane.kubectl("get", "pods", *selected, "-o", "name").stdout, "pods go with the job")


def test_a_job_past_its_deadline_has_failed(plane: ControlPlane, namespace: str, jobs: Jobs) -> None:  # noqa: ARG001 -- it runs them
    late = job("late", command=("/bin/sleep", "60"), activeDeadlineSeconds=1)
    late["spec"]["template"]["spec"]["containers"][0]["args"] = []
    plane.kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(late))
    assert conditions(plane, namespace, "late")["Failed"] == "DeadlineExceeded"
