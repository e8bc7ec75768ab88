"""Trimming takes what it names, keeps records true, and refuses when packages are laid out otherwise."""

import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from image.trim import CUTS, Cut, Surprise, tidy, trim

CUT = (Cut("sdk", "sdk/data", frozenset({"partitions.json", "ec2"})), Cut("sdk", "sdk/examples"))
FILES = ("sdk/__init__.py", "sdk/data/partitions.json", "sdk/data/ec2/service.json", "sdk/data/s3/service.json")
EXAMPLES = ("sdk/examples/one.py",)


def installed(site_packages: Path, *files: str) -> Path:
    """A distribution `sdk` of these files; returns its RECORD."""
    record = site_packages / "sdk-1.0.dist-info" / "RECORD"
    for name in (*files, "sdk-1.0.dist-info/METADATA"):
        path = site_packages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    record.write_text("".join(f"{name},sha256=x,1\n" for name in files) + "sdk-1.0.dist-info/RECORD,,\n")
    return record


def test_what_is_not_kept_goes_and_is_recorded_no_more(tmp_path: Path) -> None:
    record = installed(tmp_path, *FILES, *EXAMPLES)
    assert trim(tmp_path, CUT) == 2
    assert not (tmp_path / "sdk/data/s3").exists()
    assert not (tmp_path / "sdk/examples").exists()
    assert [line.partition(",")[0] for line in record.read_text().splitlines()] == [
        "sdk/__init__.py",
        "sdk/data/partitions.json",
        "sdk/data/ec2/service.json",
        "sdk-1.0.dist-info/RECORD",
    ]


@pytest.mark.parametrize("missing", ["sdk/data/ec2/service.json", "sdk/data/partitions.json", "sdk/examples/one.py"])
def test_a_release_that_has_moved_things_is_not_trimmed_at_all(tmp_path: Path, missing: str) -> None:
    there = [name for name in (*FILES, *EXAMPLES) if name != missing]
    installed(tmp_path, *there)
    with pytest.raises(Surprise, match="correct CUTS"):
        trim(tmp_path, CUT)
    assert all((tmp_path / name).exists() for name in there)


def test_a_distribution_that_is_not_there_is_a_surprise(tmp_path: Path) -> None:
    installed(tmp_path, *FILES, *EXAMPLES).unlink()
    with pytest.raises(Surprise, match="0 installed distributions are called sdk"):
        trim(tmp_path, CUT)


def test_a_tidy_environment_has_the_operator_and_no_other_command(tmp_path: Path) -> None:
    site_packages = tmp_path / "lib/python3.13/site-packages"
    record = installed(site_packages, *FILES)
    record.write_text(
        record.read_text() + "../../../bin/sdk,sha256=x,1\nsdk-1.0.dist-info/direct_url.json,sha256=x,1\n"
    )
    (site_packages / "sdk-1.0.dist-info/direct_url.json").write_text("{}")
    (tmp_path / "bin").mkdir()
    for name in ("activate", "ibpe", "python", "python3", f"python3.{sys.version_info.minor}", "sdk"):
        (tmp_path / "bin" / name).write_text("")
    (tmp_path / ".lock").write_text("")
    tidy(tmp_path)
    assert {path.name for path in (tmp_path / "bin").iterdir()} == {
        "ibpe",
        "python",
        "python3",
        f"python3.{sys.version_info.minor}",
    }
    assert not (tmp_path / ".lock").exists()
    assert [line for line in record.read_text().splitlines() if "bin/" in line or "direct_url" in line] == []


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.folder)
def test_every_cut_is_of_a_package_as_it_is_locked(cut: Cut) -> None:
    """So that an upgrade of the lock shows here, and not only when the image is built."""
    files = {str(file) for file in distribution(cut.distribution).files or ()}
    inside = {
        name.removeprefix(f"{cut.folder}/").partition("/")[0] for name in files if name.startswith(f"{cut.folder}/")
    }
    assert inside
    assert cut.kept <= inside
