"""Which Kubernetes binaries are used, and when they are built: with programs that only say what a real one would."""

import multiprocessing
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from sandbox.kube import binaries, build, toolchain, tools
from sandbox.kube.progress import quiet

GO = """#!/bin/sh
if [ "$1" = env ]; then echo "${FAKE_GO_VERSION:-go1.26.8}"; exit 0; fi
echo "$*" >> "$FAKE_GO_LOG"
[ -z "${FAKE_GO_FAILS:-}" ] || { echo "go: downloading noise v1"; echo "main.go:1: broken"; exit 1; }
while [ "$1" != -o ]; do shift; done
sleep ${FAKE_GO_SECONDS:-0.1}; echo built > "$2"; chmod +x "$2"
"""
ROOT = Path(__file__).parents[3]
DEADLINE_SECONDS = 20.0
VERSIONS = {
    "etcd": "echo etcd",
    "kube-apiserver": "echo Kubernetes {version}",
    "kubectl": "echo Client Version: {version}; echo Kustomize Version: v5.7.1",
}


def program(directory: Path, name: str, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def install(directory: Path, version: str = "v1.35.4", **versions: str) -> Path:
    for name, text in VERSIONS.items():
        program(directory, name, text.format(version=versions.get(name.replace("-", "_"), version)))
    return directory


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user with Go and nothing else; what Go was asked is in ``FAKE_GO_LOG``."""
    go = program(tmp_path / "bin", "go", GO)
    path = f"{go.parent}{os.pathsep}{os.defpath}"
    return {"PATH": path, "HOME": str(tmp_path / "home"), "FAKE_GO_LOG": str(tmp_path / "go.log")}


def wait_for(found: Callable[[], list[psutil.Process]], process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (processes := found()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return processes


def times_built(environment: dict[str, str]) -> int:
    log = Path(environment["FAKE_GO_LOG"])
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_kubebuilder_assets_come_first(tmp_path: Path, environment: dict[str, str]) -> None:
    assets = install(tmp_path / "assets")
    path = install(tmp_path / "on-path")
    found = binaries.ensure(quiet, {**environment, "KUBEBUILDER_ASSETS": str(assets), "PATH": str(path)})
    assert found == binaries.in_directory(assets)


def test_incomplete_assets_are_an_error_that_names_what_is_missing(tmp_path: Path, environment: dict[str, str]) -> None:
    assets = install(tmp_path / "assets")
    (assets / "kubectl").unlink()
    with pytest.raises(binaries.BinariesError, match=r"has no executable kubectl; unset it to build"):
        binaries.ensure(quiet, {**environment, "KUBEBUILDER_ASSETS": str(assets)})


def test_programs_on_path_are_used_when_they_fit_together(tmp_path: Path, environment: dict[str, str]) -> None:
    path = install(tmp_path / "on-path")
    found = binaries.ensure(quiet, {**environment, "PATH": f"{path}{os.pathsep}{environment['PATH']}"})
    assert found == binaries.in_directory(path)
    assert times_built(environment) == 0


@pytest.mark.parametrize(
    "versions",
    [
        {"version": "v1.28.3"},
        {"kubectl": "v1.32.4"},
        {"kubectl": "v1.35.4-dispatcher"},
    ],
    ids=["too-old", "kubectl-of-another-version", "kubectl-that-picks-a-version"],
)
def test_programs_on_path_that_would_surprise_are_not_used(
    tmp_path: Path, environment: dict[str, str], versions: dict[str, str]
) -> None:
    path = install(tmp_path / "on-path", **versions)
    found = binaries.ensure(quiet, {**environment, "PATH": f"{path}{os.pathsep}{environment['PATH']}"})
    assert found.kubectl.is_relative_to(environment["HOME"])
    assert times_built(environment) == 3


def test_they_are_built_once(environment: dict[str, str]) -> None:
    lines: list[str] = []
    first = binaries.ensure(lines.append, environment)
    assert binaries.ensure(lines.append, environment) == first
    assert times_built(environment) == 3
    assert [path.read_text() for path in (first.etcd, first.kube_apiserver, first.kubectl)] == ["built\n"] * 3
    assert [line.split()[0] for line in lines[1::2]] == ["etcd", "kube-apiserver", "kubectl"]
    assert sorted(path.name for path in first.etcd.parent.iterdir()) == [".lock", "etcd", "kube-apiserver", "kubectl"]


def test_two_builds_at_once_build_once(environment: dict[str, str]) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        first, second = pool.starmap(build.ensure, [(quiet, environment)] * 2)
    assert first == second
    assert times_built(environment) == 3


def test_what_a_killed_build_left_is_cleared(environment: dict[str, str]) -> None:
    directory = build.ensure(quiet, environment)
    (directory / "kubectl").unlink()
    program(directory / ".building-abandoned", "kubectl", "half")
    build.ensure(quiet, environment)
    assert times_built(environment) == 4
    assert sorted(path.name for path in directory.iterdir()) == [".lock", "etcd", "kube-apiserver", "kubectl"]


def test_a_build_that_fails_says_what_go_said_and_leaves_nothing(environment: dict[str, str]) -> None:
    with pytest.raises(build.BuildError) as raised:
        build.ensure(quiet, {**environment, "FAKE_GO_FAILS": "1"})
    assert str(raised.value).endswith("did not build (exit 1):\nmain.go:1: broken")
    assert build.ensure(quiet, environment)
    assert times_built(environment) == 4


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "terminated"]
)
def test_a_build_that_is_broken_off_leaves_nothing(
    environment: dict[str, str], number: signal.Signals, code: int
) -> None:
    def hear_ctrl_c() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a run in the background of a shell ignores it

    command = [sys.executable, "-m", "sandbox.kube", "binaries"]
    slow = {**environment, "FAKE_GO_SECONDS": "300"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=slow,
        stderr=subprocess.DEVNULL,
        preexec_fn=hear_ctrl_c,  # noqa: PLW1509 - it only sets a signal's default
    ) as process:
        compiling = wait_for(lambda: psutil.Process(process.pid).children(recursive=True)[1:], process)
        process.send_signal(number)
        assert process.wait(DEADLINE_SECONDS) == code
    gone, alive = psutil.wait_procs(compiling, DEADLINE_SECONDS)
    assert (len(gone), alive) == (len(compiling), [])
    directory = build.cache_directory(environment)
    assert [path.name for path in directory.rglob("*") if path.is_file()] == [".lock"]
    assert not list(directory.rglob(".building-*"))


@pytest.mark.parametrize("configured", [None, "", "relative/cache"], ids=["unset", "empty", "relative"])
def test_the_cache_is_in_home_unless_xdg_says_where(configured: str | None) -> None:
    environment = {"HOME": "/home/ada"} | ({} if configured is None else {"XDG_CACHE_HOME": configured})
    assert build.cache_directory(environment) == Path("/home/ada/.cache/imagebuilder-private-endpoint-operator")
    environment["XDG_CACHE_HOME"] = "/var/cache/ada"
    assert build.cache_directory(environment) == Path("/var/cache/ada/imagebuilder-private-endpoint-operator")


def test_a_go_that_is_too_old_is_not_used(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def install_go(target: Path, _environment: object) -> None:
        program(target / "go" / "bin", "go", GO)

    monkeypatch.setattr(toolchain, "_install", install_go)
    old = {**environment, "FAKE_GO_VERSION": "go1.25.3"}
    own = toolchain.ensure((1, 26, 0), tmp_path / "cache", quiet, old)
    assert own.is_relative_to(tmp_path / "cache")
    assert toolchain.ensure((1, 26, 0), tmp_path / "cache", quiet, old) == own
    on_path = toolchain.ensure((1, 26, 0), tmp_path / "cache", quiet, environment)
    assert on_path == tmp_path / "bin" / "go"
    assert toolchain.ensure((1, 25), tmp_path / "cache", quiet, old) == on_path


def test_a_program_of_our_own_is_built_whatever_path_has(tmp_path: Path, environment: dict[str, str]) -> None:
    program(tmp_path / "on-path", "kstatus", "echo somebody else's")
    path = {**environment, "PATH": f"{tmp_path / 'on-path'}{os.pathsep}{environment['PATH']}"}
    assert tools.ensure(tools.KSTATUS, quiet, path).read_text() == "built\n"


def test_an_edit_of_a_program_of_our_own_builds_it_anew(tmp_path: Path, environment: dict[str, str]) -> None:
    (ours,) = build.KSTATUS.programs
    folder = tmp_path / "kstatus"
    shutil.copytree(ours.folder, folder)
    group = build.Group("kstatus", (replace(ours, folder=folder),))
    first = build.ensure(quiet, environment, group)
    (folder / "main.go").write_text("package main\n")
    assert build.ensure(quiet, environment, group) != first
    assert times_built(environment) == 2
