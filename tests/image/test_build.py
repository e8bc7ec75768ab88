"""What is said when an image can't be built, and what a build is told of its sources."""

import sys
from pathlib import Path

import pytest

from image import build, programs, stand_in
from sandbox.kube.progress import quiet


def test_missing_programs_are_named_with_the_packages_that_have_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(programs.ProgramError) as said:
        programs.ensure(["podman", "buildah"], quiet)
    assert str(said.value) == (
        "podman, buildah not found: install it (Debian: apt-get install --no-install-recommends buildah podman)"
    )


def test_programs_that_are_there_are_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "podman").touch(mode=0o755)
    (tmp_path / "apt-get").touch(mode=0o755)  # running it would fail: it is no program
    monkeypatch.setenv("PATH", str(tmp_path))
    programs.ensure(["podman"], quiet)


def test_a_failure_ends_with_what_the_program_said() -> None:
    with pytest.raises(programs.ProgramError, match=r"ended with 3:\nno such thing"):
        programs.run([sys.executable, "-c", "import sys; sys.stderr.write('no such thing'); sys.exit(3)"])


def test_a_base_by_tag_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "buildah").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(programs.ProgramError, match=r"give the base by digest, python:3\.13@sha256:…"):
        build.build("python:3.13", "localhost/never", quiet, source=build.Origin("0" * 40, 0))


def test_the_time_of_the_sources_can_be_given() -> None:
    assert build.origin({"SOURCE_DATE_EPOCH": "86400"}).created == "1970-01-02T00:00:00Z"


def test_the_revision_is_the_commit_that_is_checked_out() -> None:
    assert len(build.origin({}).revision.removesuffix("-dirty")) == 40


SOURCES = """\
http://security.example/debian-security/ Debian Debian-Security main
http://other.example/apt/ Other Debian main
http://mirror.example/debian/ Debian Debian main
"""


def apt(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    """An apt-get that knows these sources."""
    program = folder / "apt-get"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{says}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_stand_in_is_made_from_the_machines_own_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt(tmp_path, monkeypatch, SOURCES)
    assert stand_in.mirror() == "http://mirror.example/debian/"


def test_a_machine_without_debians_packages_is_told_to_give_a_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt(tmp_path, monkeypatch, "http://archive.example/ubuntu/ Ubuntu Ubuntu main\n")
    with pytest.raises(programs.ProgramError, match="give a base image"):
        stand_in.mirror()
