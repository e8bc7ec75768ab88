"""A node whose kubelet only serves logs: what `kubectl logs` and helm's hook output read through the API server.

Knows the kubelet's /containerLogs (Kubernetes, pkg/kubelet/server); starts no containers.
"""

import http.server
import ssl
import threading
import uuid
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, cast

from kubernetes.client import CoreV1Api

from sandbox.kube import ControlPlane

_POLL_SECONDS = 0.05


class Node:
    """A Node object, and its kubelet on a free port of loopback, until the ``with`` block ends."""

    def __init__(self, plane: ControlPlane) -> None:
        self.name = f"node-{uuid.uuid4().hex[:8]}"
        self._logs: dict[tuple[str, str], str] = {}
        self._client = plane.client()
        self._core = CoreV1Api(self._client)
        pair = plane.serving_certificate()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self._server = _Kubelet(("127.0.0.1", 0), _Logs)
        self._server.logs = self._logs
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), name=self.name)

    def __enter__(self) -> Self:
        self._thread.start()
        node: Any = {"metadata": {"name": self.name}}
        self._core.create_node(node)
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._server.server_address[1]}},
        }
        self._core.patch_node_status(self.name, {"status": status})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._core.delete_node(self.name)
        self._client.rest_client.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def keep_log(self, namespace: str, pod: str, text: str) -> None:
        """What the container of a pod has printed."""
        self._logs[namespace, pod] = text


class _Kubelet(http.server.ThreadingHTTPServer):
    logs: dict[tuple[str, str], str]


class _Logs(http.server.BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the parent
        """Say nothing."""

    def do_GET(self) -> None:
        """/containerLogs/NAMESPACE/POD/CONTAINER."""
        _, kind, namespace, pod, *_ = [*self.path.partition("?")[0].split("/"), "", "", ""]
        text = cast("_Kubelet", self.server).logs.get((namespace, pod)) if kind == "containerLogs" else None
        self.send_response(HTTPStatus.OK if text is not None else HTTPStatus.NOT_FOUND)
        self.end_headers()
        self.wfile.write((text or "").encode())
