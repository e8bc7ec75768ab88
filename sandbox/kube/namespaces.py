"""What the namespace controller does, for a control plane without controllers. Reaches it through kubectl alone.

Kubernetes documentation, "Namespaces" and "Finalizers": the content is deleted, then the namespace's own finalizer.
"""

import json
import time
from typing import Protocol

_POLL_SECONDS = 0.5


class NotFinalizedError(RuntimeError):
    """The namespace is still there; the message says what holds it."""


class Kubectl(Protocol):
    """Runs kubectl with ``given`` on its standard input and returns what it printed; raises when it fails."""

    def __call__(self, *arguments: str, given: str | None = None) -> str:
        """Run it."""


def finalize(kubectl: Kubectl, name: str, timeout: float) -> None:
    """Delete everything in the namespace ``name``, wait until it is gone (``timeout`` seconds), then let it go.

    Raises NotFinalizedError when objects are left by then, or when the namespace is not being deleted.
    """
    deadline = time.monotonic() + timeout
    namespace = json.loads(kubectl("get", "namespace", name, "-o", "json"))
    if "deletionTimestamp" not in namespace["metadata"]:
        raise NotFinalizedError(
            f"namespace {name} is not being deleted: run kubectl delete namespace --wait=false first"
        )
    kinds = ",".join(kubectl("api-resources", "--namespaced", "--verbs=list,delete", "-o", "name").split())
    kubectl("delete", kinds, "--all", "--namespace", name, "--wait=false", "--ignore-not-found")
    while left := kubectl("get", kinds, "--namespace", name, "-o", "name", "--ignore-not-found").split():
        if time.monotonic() > deadline:
            raise NotFinalizedError(f"namespace {name} still holds {', '.join(left)} after {timeout:.0f} s")
        time.sleep(_POLL_SECONDS)
    namespace["spec"]["finalizers"] = []
    namespace["metadata"].pop("resourceVersion")  # others may have written to it meanwhile
    kubectl("replace", "--raw", f"/api/v1/namespaces/{name}/finalize", "-f", "-", given=json.dumps(namespace))
