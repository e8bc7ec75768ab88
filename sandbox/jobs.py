"""The Job controller and a kubelet for one namespace: each Job's container is run as a process, its end made known.

Knows the batch API; what the container does, and what the Job is for, is not its affair.
"""

import subprocess
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

from kubernetes.client import ApiException, BatchV1Api, CoreV1Api

from sandbox import containers
from sandbox.kube import ControlPlane, ControlPlaneError
from sandbox.node import Node

_POLL_SECONDS: Final = 0.1
_DEADLINE_SECONDS: Final = 60.0
_LOG_BYTES: Final = 2048
"""Of a log, what becomes the termination message (FallbackToLogsOnError)."""


class Jobs:
    """Carries out every Job of `namespace` until the ``with`` block ends, one after the other.

    Pods go with their Job. The block raises at its end what went wrong here (not in a container).
    """

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane = plane
        self._namespace = namespace
        self._client = plane.client()
        self._batch, self._core = BatchV1Api(self._client), CoreV1Api(self._client)
        self._node = Node(plane)
        self._pods: dict[str, list[str]] = {}
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._guarded, name=f"jobs-{namespace}")

    def __enter__(self) -> Self:
        self._node.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._node.__exit__(kind, error, trace)
        self._client.rest_client.close()
        if error is None and self._error is not None:
            raise self._error

    def _guarded(self) -> None:
        try:
            while not self._stop.wait(_POLL_SECONDS):
                self._turn()
        except BaseException as error:  # noqa: BLE001 -- raised by whoever closes the block
            self._error = error

    def _turn(self) -> None:
        listed: Any = self._client.sanitize_for_serialization(self._batch.list_namespaced_job(self._namespace))  # type: ignore[no-untyped-call] # untyped there
        jobs: list[dict[str, Any]] = listed["items"]
        for uid in self._pods.keys() - {job["metadata"]["uid"] for job in jobs}:
            for pod in self._pods.pop(uid):
                self._delete_pod(pod)
        for job in jobs:
            finished = any(condition["status"] == "True" for condition in job.get("status", {}).get("conditions") or ())
            if not finished and "deletionTimestamp" not in job["metadata"]:
                self._carry_out(job)

    def _carry_out(self, job: Mapping[str, Any]) -> None:
        """Run its pod until one succeeds, or as often as backoffLimit allows."""
        limit, attempts = job["spec"].get("backoffLimit", 6), self._pods.setdefault(job["metadata"]["uid"], [])
        container = containers.of(
            job["spec"]["template"], self._namespace, f"{job['metadata']['name']}-{len(attempts)}"
        )
        try:
            kubeconfig = container.kubeconfig(self._plane)
        except ControlPlaneError:  # no such service account yet: a controller tries again too
            return
        pod = self._make_pod(job, len(attempts))
        attempts.append(pod)
        started = datetime.now(UTC)
        code, said = _run(container.command, container.process_environment(kubeconfig), _seconds(job))
        self._node.keep_log(self._namespace, pod, said)
        self._end_pod(pod, container.name, code, said)
        if code == 0:
            self._finish(job, started, ("SuccessCriteriaMet", "Complete"), "CompletionsReached")
        elif code is None:
            self._finish(job, started, ("FailureTarget", "Failed"), "DeadlineExceeded")
        elif len(attempts) > limit:
            self._finish(job, started, ("FailureTarget", "Failed"), "BackoffLimitExceeded")

    def _make_pod(self, job: Mapping[str, Any], attempt: int) -> str:
        """The pod object, as admission (Pod Security too) lets it in; bound to our node."""
        metadata, template = job["metadata"], job["spec"]["template"]
        body: Any = {
            "metadata": {
                **{key: value for key, value in template["metadata"].items() if key in {"labels", "annotations"}},
                "name": f"{metadata['name']}-{attempt}",
                "ownerReferences": [
                    {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}
                ],
            },
            "spec": {**template["spec"], "nodeName": self._node.name},
        }
        self._core.create_namespaced_pod(self._namespace, body)
        return str(body["metadata"]["name"])

    def _end_pod(self, pod: str, container: str, code: int | None, said: str) -> None:
        terminated = {"exitCode": 137 if code is None else code, "message": said[-_LOG_BYTES:]}
        status = {"name": container, "ready": False, "restartCount": 0, "image": "", "imageID": ""}
        body = {
            "status": {
                "phase": "Succeeded" if code == 0 else "Failed",
                "containerStatuses": [{**status, "state": {"terminated": terminated}}],
            }
        }
        self._core.patch_namespaced_pod_status(pod, self._namespace, body)

    def _finish(self, job: Mapping[str, Any], started: datetime, conditions: tuple[str, str], reason: str) -> None:
        """The conditions that the API server takes together (batch/v1, validation of a finished Job's status)."""
        now = _time(datetime.now(UTC))
        succeeded = conditions[1] == "Complete"
        status: dict[str, Any] = {
            "startTime": _time(started),
            "succeeded" if succeeded else "failed": 1,
            "conditions": [
                {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": now, "lastProbeTime": now}
                for kind in conditions
            ],
            **({"completionTime": now} if succeeded else {}),
        }
        self._batch.patch_namespaced_job_status(job["metadata"]["name"], self._namespace, {"status": status})

    def _delete_pod(self, pod: str) -> None:
        try:
            self._core.delete_namespaced_pod(pod, self._namespace, grace_period_seconds=0)
        except ApiException as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise


def _run(command: tuple[str, ...], environment: dict[str, str], seconds: float) -> tuple[int | None, str]:
    """Its exit code (None: past its time, killed) and all that it printed."""
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return None, str(late.stdout or "")
    return done.returncode, done.stdout


def _seconds(job: Mapping[str, Any]) -> float:
    """Its activeDeadlineSeconds."""
    return min(float(job["spec"].get("activeDeadlineSeconds") or _DEADLINE_SECONDS), _DEADLINE_SECONDS)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
