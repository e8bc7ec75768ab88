"""Where etcd, kube-apiserver and kubectl are: given, installed, or built. Must not know how they are run."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.kube import build
from sandbox.kube.progress import Report, quiet

MINIMUM_KUBERNETES = (1, 33)  # an older one on PATH lacks CEL functions that the CRD's rules are written with
_VERSION_SECONDS = 20.0


class BinariesError(RuntimeError):
    """No usable binaries; the message says what is missing and where it was looked for."""


@dataclass(frozen=True)
class Binaries:
    """The three programs, each an absolute path."""

    etcd: Path
    kube_apiserver: Path
    kubectl: Path


def ensure(report: Report = quiet, environment: Mapping[str, str] = os.environ) -> Binaries:
    """The binaries of KUBEBUILDER_ASSETS, else of PATH, else of the cache, built on first use (minutes).

    Raises BinariesError when KUBEBUILDER_ASSETS lacks one, and build.BuildError when building fails.
    """
    assets = environment.get("KUBEBUILDER_ASSETS")
    if assets:
        return _in_assets(Path(assets).expanduser().resolve())
    return _on_path(environment) or in_directory(build.ensure(report, environment))


def in_directory(directory: Path) -> Binaries:
    """The binaries of ``directory``, whether they are there or not."""
    return Binaries(directory / "etcd", directory / "kube-apiserver", directory / "kubectl")


def _in_assets(directory: Path) -> Binaries:
    found = in_directory(directory)
    missing = [path.name for path in (found.etcd, found.kube_apiserver, found.kubectl) if not os.access(path, os.X_OK)]
    if missing:
        raise BinariesError(f"KUBEBUILDER_ASSETS={directory} has no executable {', '.join(missing)}; unset it to build")
    return found


def _on_path(environment: Mapping[str, str]) -> Binaries | None:
    """The programs on PATH, when the API server is new enough and kubectl is of its own version.

    A kubectl of another version, or a wrapper that picks one (cloud SDKs install such), is not used.
    """
    search = environment.get("PATH", os.defpath)
    etcd, server, client = (shutil.which(name, path=search) for name in ("etcd", "kube-apiserver", "kubectl"))
    if etcd is None or server is None or client is None:
        return None
    version = _version([server, "--version"])
    if version is None or version < MINIMUM_KUBERNETES or version != _version([client, "version", "--client"]):
        return None
    return Binaries(Path(etcd), Path(server), Path(client))


def _version(command: list[str]) -> tuple[int, int] | None:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_VERSION_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"v(\d+)\.(\d+)\.\d+\s*$", answer.stdout, re.MULTILINE)
    return (int(match[1]), int(match[2])) if match else None
