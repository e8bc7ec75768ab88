"""Builds the sandbox's Go programs from the modules pinned beside this file, into the user's cache.

Knows modules, flags and where the cache is; must not know how the programs are run.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.kube import toolchain
from sandbox.kube.progress import Report, ticking

_MODULES = Path(__file__).with_name("go")
_CACHE_NAME = "imagebuilder-private-endpoint-operator"
_STAMP = "-X k8s.io/component-base/version."


class BuildError(RuntimeError):
    """A program could not be built; the message ends with what Go said."""


@dataclass(frozen=True)
class Program:
    """A Go program: the folder whose go.mod pins it, the module whose version it has, and its package."""

    name: str
    folder: Path
    module: str
    package: str

    @property
    def version(self) -> str:
        """The module's version in go.mod, with its v."""
        found = re.search(rf"^(?:require )?\s*{re.escape(self.module)} (v\S+)", self.go_mod, re.MULTILINE)
        if found is None:
            raise BuildError(f"{self.folder}/go.mod does not require {self.module}")
        return found[1]

    @property
    def go_mod(self) -> str:
        """The text of go.mod."""
        return (self.folder / "go.mod").read_text()

    @property
    def go_version(self) -> toolchain.Version:
        """The Go that go.mod needs."""
        found = re.search(r"^go ([\d.]+)$", self.go_mod, re.MULTILINE)
        return tuple(int(part) for part in found[1].split(".")) if found else ()


@dataclass(frozen=True)
class Group:
    """Programs that are built and kept together; ``name`` is their folder in the cache."""

    name: str
    programs: tuple[Program, ...]


KUBERNETES = Group(
    "kubernetes",
    (
        Program("etcd", _MODULES / "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
        Program("kube-apiserver", _MODULES / "kube", "k8s.io/kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
        Program("kubectl", _MODULES / "kube", "k8s.io/kubernetes", "k8s.io/kubernetes/cmd/kubectl"),
    ),
)
HELM = Group("helm", (Program("helm", _MODULES / "helm", "helm.sh/helm/v3", "helm.sh/helm/v3/cmd/helm"),))
PROMTOOL = Group(
    "promtool",
    (
        Program(
            "promtool",
            _MODULES / "promtool",
            "github.com/prometheus/prometheus",
            "github.com/prometheus/prometheus/cmd/promtool",
        ),
    ),
)
KSTATUS = Group("kstatus", (Program("kstatus", _MODULES / "kstatus", "sigs.k8s.io/cli-utils", "."),))
"""Our own few lines around a library."""


def ensure(report: Report, environment: Mapping[str, str], group: Group = KUBERNETES) -> Path:
    """The directory that holds every program of the group, built on first use; two builds at once make one.

    Raises BuildError, or toolchain.ToolchainError where there is no Go.
    """
    cache = cache_directory(environment)
    directory = cache / group.name / _pins(group)
    if not _missing(group, directory):
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    with _alone(directory, report):
        missing = _missing(group, directory)  # another build may have made them while this one waited
        if missing:
            _build(missing, directory, cache, report, environment)
    return directory


def cache_directory(environment: Mapping[str, str]) -> Path:
    """The project's folder in the user's cache; an empty or relative XDG_CACHE_HOME counts as unset, as XDG says."""
    configured = Path(environment.get("XDG_CACHE_HOME", ""))
    base = configured if configured.is_absolute() else _home(environment) / ".cache"
    return base / _CACHE_NAME


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or Path.home())


def _pins(group: Group) -> str:
    """What the programs are made from, as a short hash: pins, flags, machine, sources of our own."""
    digest = hashlib.sha256(f"{platform.system()} {platform.machine()}\n".encode())
    for program in group.programs:
        digest.update(" ".join(_command(Path("go"), program, Path("out"))).encode())
        digest.update((program.folder / "go.mod").read_bytes())
        digest.update((program.folder / "go.sum").read_bytes())
        for source in sorted(program.folder.glob("*.go")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _missing(group: Group, directory: Path) -> list[Program]:
    return [program for program in group.programs if not os.access(directory / program.name, os.X_OK)]


@contextlib.contextmanager
def _alone(directory: Path, report: Report) -> Iterator[None]:
    """Hold the build lock of ``directory``; the kernel drops it when this process ends, however."""
    with (directory / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with ticking(report, "waiting for another build of the same programs"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(
    missing: list[Program], directory: Path, cache: Path, report: Report, environment: Mapping[str, str]
) -> None:
    for abandoned in directory.glob(".building-*"):  # by a build that was killed: this one holds the lock
        shutil.rmtree(abandoned)
    report(f"Building {', '.join(program.name for program in missing)} from Go modules, once, into {directory}")
    go = toolchain.ensure(max(program.go_version for program in missing), cache, report, environment)
    settings = _settings(environment)
    for program in missing:
        # Built aside and renamed: whoever sees the name sees a whole program, also after Ctrl-C.
        with (
            tempfile.TemporaryDirectory(prefix=".building-", dir=directory) as private,
            ticking(report, f"{program.name} {program.version}"),
        ):
            made = Path(private) / program.name
            _run(_command(go, program, made), program.folder, settings)
            made.rename(directory / program.name)


def _command(go: Path, program: Program, output: Path) -> list[str]:
    major, minor, _ = program.version.removeprefix("v").split(".", 2)
    stamp = f"{_STAMP}gitVersion={program.version} {_STAMP}gitMajor={major} {_STAMP}gitMinor={minor}"
    flags = f"-s -w {stamp}" if program.module == "k8s.io/kubernetes" else "-s -w"
    return [str(go), "build", "-buildvcs=false", "-trimpath", "-ldflags", flags, "-o", str(output), program.package]


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The user's environment with what would change the result fixed; Go's own caches stay where they are."""
    return {
        **environment,
        "HOME": str(_home(environment)),
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -modcacherw",  # writable, or a user can't remove a cache in a temporary HOME
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _run(command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    ) as process:
        try:
            said, _ = process.communicate()
        except BaseException:  # Ctrl-C: Go's compilers must not go on for nobody
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode != 0:
        tail = "\n".join(line for line in said.splitlines() if not line.startswith("go: downloading"))[-4000:]
        raise BuildError(f"{' '.join(command[-1:])} did not build (exit {process.returncode}):\n{tail}")
