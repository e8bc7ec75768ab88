"""Kubeconfig files: one cluster, one user, certificates inside. Knows the file format and nothing of who runs where."""

import base64
from pathlib import Path

import yaml

from sandbox.kube.certificates import KeyPair


def token_user(token: str) -> dict[str, str]:
    """A kubeconfig user who shows a bearer token."""
    return {"token": token}


def certificate_user(pair: KeyPair) -> dict[str, str]:
    """A kubeconfig user who shows a client certificate."""
    return {"client-certificate-data": _inline(pair.certificate), "client-key-data": _inline(pair.key)}


def write(path: Path, url: str, ca_file: Path, user: dict[str, str]) -> Path:
    """Write the kubeconfig of ``user`` at ``url`` to ``path`` (mode 0600: it holds a secret) and return ``path``."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "sandbox",
        "clusters": [{"name": "sandbox", "cluster": {"server": url, "certificate-authority-data": _inline(ca_file)}}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "user"}}],
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def _inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
