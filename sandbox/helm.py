"""The real helm as typed calls: its own homes in one folder, one cluster or none. Knows no chart of ours."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.kube import build, tools

_SECONDS: Final = 120.0


class HelmError(RuntimeError):
    """Helm refused or failed; the message is all that it said, a hook's log among it."""


class Helm:
    """Helm for one kubeconfig (None: for rendering, which needs no cluster). `home` is a folder that it may fill."""

    def __init__(self, home: Path, kubeconfig: Path | None = None) -> None:
        self.path: Final = tools.ensure(tools.HELM)
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "HELM_CACHE_HOME": str(home / "cache"),
            "HELM_CONFIG_HOME": str(home / "config"),
            "HELM_DATA_HOME": str(home / "data"),
            "KUBECONFIG": str(kubeconfig or home / "no-cluster"),
        }

    def run(
        self, *arguments: str | Path, given: str | None = None, check: bool = True, timeout: float = _SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run helm with `given` on its standard input; HelmError when it fails, if `check`."""
        done = subprocess.run(
            [self.path, *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=self.environment,
        )
        if check and done.returncode != 0:
            raise HelmError(f"{done.stdout}{done.stderr}".strip())
        return done

    def template(
        self, chart: Path, values: Mapping[str, Any], *, name: str, namespace: str, hooks: bool = True
    ) -> list[dict[str, Any]]:
        """The manifests that a release `name` of `chart` in `namespace` would have, with its hooks or without."""
        # unlike a release's, a helm that was built from its module takes 1.20 for the cluster's version
        flags = (f"--kube-version={build.KUBERNETES.programs[1].version}", *(() if hooks else ("--no-hooks",)))
        return documents(self._with_values("template", name, chart, values, namespace, *flags))

    def install(self, name: str, chart: Path, values: Mapping[str, Any], namespace: str, *flags: str) -> str:
        """`helm install` into a namespace that is there; what it printed, NOTES among it."""
        return self._with_values("install", name, chart, values, namespace, *flags)

    def upgrade(self, name: str, chart: Path, values: Mapping[str, Any], namespace: str, *flags: str) -> str:
        """`helm upgrade`; the values are all that count: none are reused."""
        return self._with_values("upgrade", name, chart, values, namespace, *flags)

    def rollback(self, name: str, revision: int, namespace: str, *flags: str) -> str:
        """`helm rollback` to a revision."""
        return self.run("rollback", name, str(revision), "--namespace", namespace, *flags).stdout

    def uninstall(self, name: str, namespace: str, *flags: str) -> str:
        """`helm uninstall`; HelmError with what a hook says when one refuses."""
        return self.run("uninstall", name, "--namespace", namespace, *flags).stdout

    def manifest(self, name: str, namespace: str) -> list[dict[str, Any]]:
        """What helm has recorded as the release's objects, without hooks."""
        return documents(self.run("get", "manifest", name, "--namespace", namespace).stdout)

    def releases(self, namespace: str) -> dict[str, str]:
        """Name -> state (deployed, failed, uninstalling, …) of each release in the namespace."""
        found = yaml.safe_load(self.run("list", "--all", "--namespace", namespace, "--output", "yaml").stdout)
        return {release["name"]: release["status"] for release in found}

    def _with_values(
        self, verb: str, name: str, chart: Path, values: Mapping[str, Any], namespace: str, *flags: str
    ) -> str:
        arguments: list[str | Path] = [verb, name, chart, "--namespace", namespace, "--values", "-", *flags]
        return self.run(*arguments, given=yaml.safe_dump(dict(values))).stdout


def documents(text: str) -> list[dict[str, Any]]:
    """The objects of a stream of YAML documents, empty ones left out."""
    return [document for document in yaml.safe_load_all(text) if document]
