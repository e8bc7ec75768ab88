"""The files of a release: made by the real tools, and what they hold is what the sources say."""

import hashlib
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml

from ibpe import __version__
from publishing import files

PACKAGE = f"imagebuilder_private_endpoint_operator-{__version__}"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("publishing") / "dist"
    files.make(folder)
    return folder


def test_it_makes_these_and_their_sums(dist: Path) -> None:
    chart = f"imagebuilder-private-endpoint-operator-{__version__}.tgz"
    expected = {files.CRD, files.POLICIES, chart, f"{PACKAGE}-py3-none-any.whl"}
    lines = [line.split("  ") for line in (dist / files.SUMS).read_text().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert set(sums) == expected == {path.name for path in dist.iterdir()} - {files.SUMS}
    for name, digest in sums.items():
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest


def documents(text: str) -> list[object]:
    return [each for each in yaml.safe_load_all(text) if each is not None]


def test_the_crd_is_released_alone_as_it_is_in_the_sources(dist: Path) -> None:
    source = files.REPOSITORY / "crds" / "ibpe.dev_imagebuilderprivateendpoints.yaml"
    released = documents((dist / files.CRD).read_text())
    assert released == documents(source.read_text())
    assert [each["kind"] for each in released if isinstance(each, dict)] == ["CustomResourceDefinition"]


def test_the_admission_policies_are_those_of_the_sources(dist: Path) -> None:
    names = ("policies.ibpe.dev_admission.yaml", "advice.ibpe.dev_admission.yaml")
    sources = [each for name in names for each in documents((files.REPOSITORY / "crds" / name).read_text())]
    released = documents((dist / files.POLICIES).read_text())
    assert len(released) > 2
    assert released == sources


def test_the_chart_is_packed_whole(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tgz"))) as archive:
        packed = {member.name.partition("/")[2] for member in archive.getmembers()}
    sources = {str(path.relative_to(files.CHART)) for path in files.CHART.rglob("*") if path.is_file()}
    assert packed == sources


def test_the_wheel_holds_the_operator_and_nothing_else(dist: Path) -> None:
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        metadata = message_from_bytes(wheel.read(f"{PACKAGE}.dist-info/METADATA"))
    product = files.REPOSITORY / "operator"
    sources = {str(path.relative_to(product)) for path in product.rglob("*.py")}
    assert {name for name in names if not name.startswith(f"{PACKAGE}.dist-info/")} == sources
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_wheel_is_the_same_each_time(dist: Path, tmp_path: Path) -> None:
    files.make(tmp_path / "again")
    (first,), (second,) = dist.glob("*.whl"), (tmp_path / "again").glob("*.whl")
    assert first.read_bytes() == second.read_bytes()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(FileExistsError):
        files.make(tmp_path)
    assert (tmp_path / "mine").exists()
