"""What is in the image, and what is not: read from its configuration and its files, mostly without running it."""

import base64
import csv
import hashlib
import json
import os
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

import ibpe
from image.build import REPOSITORY
from tests.image.conftest import Root
from tests.image.container import podman, python

pytestmark = pytest.mark.image

MEGABYTE = 1_000_000
SIZE_BOUND = 170 * MEGABYTE
COMPRESSED_BOUND = 62 * MEGABYTE


@pytest.fixture(scope="module")
def configuration(image: str) -> dict[str, Any]:
    (found,) = json.loads(podman("image", "inspect", image).stdout)
    answer: dict[str, Any] = found
    return answer


@pytest.fixture(scope="module")
def imported(image: str) -> subprocess.CompletedProcess[str]:
    """Every module of the operator imported in the image's Python, which says where it has each from."""
    code = (
        "import importlib, ibpe, pkgutil; "
        "names = [each.name for each in pkgutil.walk_packages(ibpe.__path__, 'ibpe.')]; "
        "print(len([importlib.import_module(name) for name in names if not name.endswith('__main__')]))"
    )
    return python(image, code, "-v")


def test_it_is_small(image: str, configuration: dict[str, Any], report: Callable[[str], None], tmp_path: Path) -> None:
    podman("push", "--quiet", image, f"oci:{tmp_path / 'compressed'}")
    (entry,) = json.loads((tmp_path / "compressed" / "index.json").read_text())["manifests"]
    manifest = json.loads((tmp_path / "compressed" / "blobs" / entry["digest"].replace(":", "/")).read_text())
    compressed = sum(layer["size"] for layer in manifest["layers"])
    size = configuration["Size"]
    report(f"size: {size / MEGABYTE:.0f} MB, {compressed / MEGABYTE:.0f} MB compressed")
    assert size < SIZE_BOUND
    assert compressed < COMPRESSED_BOUND


def test_its_labels_say_what_it_is(configuration: dict[str, Any]) -> None:
    ours = metadata.metadata("imagebuilder-private-endpoint-operator")
    prefix = "org.opencontainers.image."
    labels = {name.removeprefix(prefix): value for name, value in configuration["Labels"].items()}
    created = datetime.fromisoformat(labels.pop("created"))
    revision = labels.pop("revision")
    assert labels == {
        "title": ours["Name"],
        "description": ours["Summary"],
        "licenses": ours["License-Expression"],
        "version": ours["Version"],
    }
    assert datetime(2026, 1, 1, tzinfo=UTC) < created < datetime.now(UTC)
    assert len(revision.removesuffix("-dirty")) == 40 or revision == "unknown"


def test_it_starts_the_operator_as_nobody_in_particular(configuration: dict[str, Any]) -> None:
    started = configuration["Config"]
    assert started["Entrypoint"] == ["ibpe"]
    assert started["Cmd"] == ["run"]
    assert started["User"] == "65532:65532", "in digits, or Kubernetes can't tell that it isn't root"
    assert started["StopSignal"] == "SIGTERM"
    assert "PYTHONSAFEPATH=1" in started["Env"]
    assert set(started["ExposedPorts"]) == {"8080/tcp", "9090/tcp"}


def test_no_shell_stands_between_it_and_the_operator(root: Root) -> None:
    assert root.read("opt/ibpe/bin/ibpe").splitlines()[0] == b"#!/opt/ibpe/bin/python"


def test_no_file_runs_as_another_user(root: Root) -> None:
    special = [path for path, member in root.members.items() if member.mode & (stat.S_ISUID | stat.S_ISGID)]
    assert special == []


def test_only_temporary_folders_are_open_to_all(root: Root) -> None:
    opened = {
        path
        for path, member in root.members.items()
        if member.mode & stat.S_IWOTH and not (member.issym() or member.isdev())
    }
    assert opened <= {"tmp", "var/tmp", "run/lock"}


def test_everything_belongs_to_root(root: Root) -> None:
    """What runs there can't change what will run there, read-only or not."""
    others = {path for path, member in root.members.items() if member.uid != 0}
    assert others == set()


@pytest.mark.parametrize(
    "pattern",
    [
        *("*bin/pip*", "*bin/uv", "*bin/uvx", "*/site-packages/pip*", "*/ensurepip/*", "*/dist-packages/pip*"),
        *("*.whl", "*/site-packages/hatchling/*", "*bin/cc", "*bin/gcc*", "*bin/make", "*bin/ld"),
        *("*bin/apt*", "*bin/dpkg*", "*bin/perl*", "*bin/su", "*bin/mount", "*bin/passwd", "*bin/curl", "*bin/wget"),
        *("etc/apt/*", "var/lib/apt/*", "var/cache/*", "var/log/*", "root/.cache/*", "tmp/*", "*/uv_cache.json"),
        *("*/direct_url.json", "build/*", "src/*", "usr/share/doc/*", "usr/share/man/*"),
    ],
)
def test_it_has_none_of(root: Root, pattern: str) -> None:
    assert [path for path in root.members if fnmatch(path, pattern)] == []


def test_the_only_programs_beside_the_operator_are_its_python(root: Root) -> None:
    programs = {Path(path).name for path in root.find("opt/ibpe/bin/")}
    assert programs == {"ibpe", "python", "python3", f"python3.{minor(root)}"}


def minor(root: Root) -> str:
    """Of the image's Python."""
    return root.packages.split("/")[-2].removeprefix("python3.")


def test_its_packages_are_those_of_the_lock(root: Root) -> None:
    environment = {"python_full_version": f"3.{minor(root)}.0", "python_version": f"3.{minor(root)}"}
    locked = set()
    for line in (REPOSITORY / "requirements" / "operator.lock").read_text().splitlines():
        if "==" not in line:
            continue
        requirement, _, marker = line.rstrip("\\ ").partition(" ; ")
        if not marker or Marker(marker).evaluate(environment):
            locked.add(requirement)
    assert installed(root) == locked | {f"imagebuilder-private-endpoint-operator=={ibpe.__version__}"}


def installed(root: Root) -> set[str]:
    """`name==version` of every distribution."""
    found = set()
    for path in root.find(root.packages):
        if path.endswith(".dist-info/METADATA"):
            name, version = Path(path).parent.name.removesuffix(".dist-info").split("-")
            found.add(f"{canonicalize_name(name)}=={version}")
    return found


def test_every_record_tells_the_truth(root: Root) -> None:
    """Scanners and auditors compare files with it; bytecode, which the build makes, is in none."""
    recorded = set()
    for record in (path for path in root.members if path.endswith(".dist-info/RECORD")):
        for name, expected, _ in csv.reader(root.read(record).decode().splitlines()):
            path = os.path.normpath(f"{root.packages}/{name}")
            recorded.add(path)
            assert path in root.members, f"{record} has {name}"
            if expected:
                digest = hashlib.sha256(root.read(path)).digest()
                assert expected == "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), path
    files = {path for path in root.find(root.packages) if root.members[path].isfile() and "/__pycache__/" not in path}
    assert files <= recorded


def test_every_module_of_the_operator_loads(imported: subprocess.CompletedProcess[str]) -> None:
    assert imported.returncode == 0, imported.stderr[-2000:]
    assert int(imported.stdout) > 100


def test_no_module_is_compiled_when_it_starts(imported: subprocess.CompletedProcess[str]) -> None:
    """On a read-only root that would be done at each start, and slowly."""
    sources = [line.split("'")[1] for line in imported.stderr.splitlines() if line.startswith("# code object from '")]
    assert len(sources) > 500
    assert [path for path in sources if not path.endswith(".pyc")] == []


def test_clients_can_be_made_of_what_is_left_of_the_sdk(image: str) -> None:
    code = (
        "import boto3; session = boto3.Session(region_name='us-gov-west-1'); "
        "print(*sorted(session.client(name).meta.endpoint_url for name in session.get_available_services()))"
    )
    made = python(image, code)
    assert made.returncode == 0, made.stderr[-2000:]
    assert "https://ec2.us-gov-west-1.amazonaws.com" in made.stdout
    assert "https://sts.us-gov-west-1.amazonaws.com" in made.stdout
    assert len(made.stdout.split()) == 5


def test_debian_says_what_there_is_of_it(root: Root) -> None:
    """Scanners for vulnerabilities read it."""
    status = root.read("var/lib/dpkg/status").decode()
    packages = {line.removeprefix("Package: ") for line in status.splitlines() if line.startswith("Package: ")}
    assert {"libc6", "ca-certificates", "tzdata"} <= packages
    assert packages.isdisjoint({"apt", "dpkg", "perl-base", "passwd", "mount"})


def test_nothing_of_the_machine_that_built_it_is_in_it(root: Root) -> None:
    for path in ("etc/resolv.conf", "etc/hostname"):
        assert path not in root.members or not root.read(path).strip()
