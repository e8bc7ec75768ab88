"""A real Kubernetes control plane on this machine: etcd and kube-apiserver with TLS and RBAC, and no controllers."""

from sandbox.kube.control_plane import ControlPlane, ControlPlaneError

__all__ = ["ControlPlane", "ControlPlaneError"]
