"""Everything at once on this machine: a Kubernetes API server, an AWS, and the operator as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from kubernetes.client import ApiException, CustomObjectsApi, EventsV1Api

from sandbox.aws import AwsServer
from sandbox.aws.network import Network
from sandbox.kube import ControlPlane

REPOSITORY = Path(__file__).parent.parent
CLUSTER = "sandbox"
API_GROUP, API_VERSION, PLURAL = "ibpe.dev", "v1beta1", "imagebuilderprivateendpoints"
RESOURCE = f"{PLURAL}.{API_GROUP}"
POLL_SECONDS = 0.1


class OperatorProcess:
    """The operator as `ibpe run` starts it. `environment` overrides the sandbox's settings."""

    def __init__(self, kubeconfig: Path, aws_url: str, environment: Mapping[str, str] | None = None) -> None:
        self._log = tempfile.NamedTemporaryFile(prefix="ibpe-", suffix=".log", mode="w+")  # noqa: SIM115 -- closed in stop
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "IBPE_"))},
            "KUBECONFIG": str(kubeconfig),
            "AWS_ENDPOINT_URL": aws_url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "IBPE_CLUSTER_NAME": CLUSTER,
            "IBPE_HEALTH_HOST": "127.0.0.1",
            "IBPE_METRICS_HOST": "127.0.0.1",
            "IBPE_HEALTH_PORT": "0",
            "IBPE_METRICS_PORT": "0",
            "IBPE_SNAPSHOT_SECONDS": "2",
            "IBPE_SNAPSHOT_FAST_SECONDS": "0.5",
            "IBPE_AWS_WRITE_BURST": "1000000",  # the sandbox has no limits of its own
            "IBPE_AWS_WRITES_PER_SECOND": "1000000",
            **(environment or {}),
        }
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it; returns at once."""
        command = [str(Path(sys.executable).parent / "ibpe"), "run"]
        self._process = subprocess.Popen(
            command, env=self.environment, stdout=self._log, stderr=subprocess.STDOUT, text=True, cwd=REPOSITORY
        )

    @property
    def pid(self) -> int:
        """The process's id."""
        if self._process is None:
            raise RuntimeError("the operator is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGTERM)

    def stop(self, timeout: float = 30.0) -> int:
        """SIGTERM, and its exit code."""
        if self._process is None:
            return 0
        self.terminate()
        return self._process.wait(timeout)

    def restart(self, environment: Mapping[str, str] | None = None) -> None:
        """Start again after `kill` or `stop`, with these settings changed."""
        self.environment.update(environment or {})
        self.start()

    def wait_for_exit(self, timeout: float = 30.0) -> int:
        """The exit code once it has ended by itself (or was killed by somebody else)."""
        if self._process is None:
            raise RuntimeError("the operator was never started")
        return self._process.wait(timeout)

    def log(self) -> str:
        """All that it has printed."""
        return Path(self._log.name).read_text()

    def metrics(self) -> str:
        """What it serves at /metrics now: on the port that it said in its log when it started last."""
        records = [json.loads(line) for line in self.log().splitlines() if '"Metrics are served."' in line]
        if not records:
            raise RuntimeError("the operator has not said yet where it serves metrics")
        with urllib.request.urlopen(f"http://127.0.0.1:{records[-1]['port']}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def close(self) -> None:
        """End it whatever its state, and its log with it."""
        self.kill()
        self._log.close()


class Stage:
    """Both sandboxes with our CRD in place; operators are started on it with `operator()`."""

    def __init__(self, plane: ControlPlane, aws: AwsServer) -> None:
        self.plane = plane
        self.aws = aws
        self._operators: list[OperatorProcess] = []
        self._client = plane.client()
        self._objects = CustomObjectsApi(self._client)  # a kubectl for every poll would be most of a test's work

    def __enter__(self) -> Self:
        self.plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(REPOSITORY / "crds"))
        self.plane.kubectl("wait", "--for=condition=Established", f"crd/{RESOURCE}", "--timeout=30s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every operator."""
        for operator in self._operators:
            operator.close()
        self._client.rest_client.close()

    def operator(self, kubeconfig: Path | None = None, **environment: str) -> OperatorProcess:
        """An operator on this stage, started."""
        operator = OperatorProcess(kubeconfig or self.plane.kubeconfig, self.aws.url, environment)
        self._operators.append(operator)
        operator.start()
        return operator

    def apply(self, resource: Mapping[str, Any]) -> None:
        """Kubectl apply."""
        self.plane.kubectl("apply", "-f", "-", input=json.dumps(resource))

    def patch(self, name: str, patch: Mapping[str, Any], namespace: str = "default") -> None:
        """Kubectl patch --type=merge."""
        self.plane.kubectl("patch", RESOURCE, name, "-n", namespace, "--type=merge", "-p", json.dumps(patch))

    def get(self, name: str, namespace: str = "default") -> dict[str, Any] | None:
        """The resource as JSON, or None."""
        try:
            found = self._objects.get_namespaced_custom_object(API_GROUP, API_VERSION, namespace, PLURAL, name)
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return cast("dict[str, Any]", found)

    def events(self, name: str, namespace: str = "default") -> list[tuple[str, str]]:
        """Reason and note of every event about a resource, oldest first."""
        found = EventsV1Api(self._client).list_namespaced_event(namespace).items
        about = [event for event in found if event.regarding and event.regarding.name == name]
        return [(str(event.reason), str(event.note)) for event in sorted(about, key=lambda event: event.event_time)]

    def delete(self, name: str, namespace: str = "default") -> None:
        """Kubectl delete, without waiting."""
        self.plane.kubectl("delete", RESOURCE, name, "-n", namespace, "--wait=false", "--ignore-not-found")

    def wait(
        self,
        name: str,
        until: Callable[[dict[str, Any] | None], bool],
        what: str,
        *,
        namespace: str = "default",
        timeout: float = 60.0,
    ) -> dict[str, Any] | None:
        """Poll the resource until it is so; AssertionError with its status when it never is."""
        deadline = time.monotonic() + timeout
        while True:
            resource = self.get(name, namespace)
            if until(resource):
                return resource
            if time.monotonic() > deadline:
                status = json.dumps((resource or {}).get("status"), indent=1)
                logs = "\n".join(operator.log()[-4000:] for operator in self._operators if operator.running)
                raise AssertionError(f"{namespace}/{name} never was {what}; status: {status}\noperator:\n{logs}")
            time.sleep(POLL_SECONDS)

    def wait_ready(self, name: str, *, namespace: str = "default", timeout: float = 60.0) -> dict[str, Any]:
        """Poll until Ready is True for the generation that is there."""
        resource = self.wait(name, is_ready, "Ready", namespace=namespace, timeout=timeout)
        if resource is None:
            raise AssertionError(f"{namespace}/{name} is gone")
        return resource

    def wait_gone(self, name: str, *, namespace: str = "default", timeout: float = 60.0) -> None:
        """Poll until the resource doesn't exist."""
        self.wait(name, lambda resource: resource is None, "gone", namespace=namespace, timeout=timeout)


def condition(resource: Mapping[str, Any] | None, type_: str) -> dict[str, Any]:
    """A condition of a resource; an empty one where it has none."""
    conditions = ((resource or {}).get("status") or {}).get("conditions") or []
    found: dict[str, Any] = next((c for c in conditions if c["type"] == type_), {})
    return found


def is_ready(resource: Mapping[str, Any] | None) -> bool:
    """Ready and done: True for this generation, nothing reconciling."""
    if resource is None or resource["status"].get("observedGeneration") != resource["metadata"]["generation"]:
        return False
    ready, busy = condition(resource, "Ready"), condition(resource, "Reconciling")
    return bool(ready.get("status") == "True" and busy.get("status") == "False")


def endpoint_ids(resource: Mapping[str, Any]) -> dict[str, str]:
    """Role -> endpoint id, from the status."""
    return {entry["role"]: entry["id"] for entry in resource["status"].get("endpoints", []) if entry.get("id")}


def example(network: Network, name: str = "images", namespace: str = "default", **spec: Any) -> dict[str, Any]:
    """A resource for a VPC of the sandbox; `spec` replaces whole fields."""
    return {
        "apiVersion": "ibpe.dev/v1beta1",
        "kind": "ImageBuilderPrivateEndpoint",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "region": "us-west-2",
            "vpcID": network.vpc_id,
            "builds": {"subnets": {"ids": list(network.subnet_ids)}},
            "imageBuilder": {
                "subnets": {"ids": list(network.subnet_ids)},
                "securityGroups": {"ids": [network.security_group_id]},
                "policy": {"preset": "DenyDeletion"},
            },
            "s3": {
                "routeTables": {"ids": [network.route_table_id]},
                "policy": {"baseline": "ImageBuilderOnly"},
            },
            **spec,
        },
    }
