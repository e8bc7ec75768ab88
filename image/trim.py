"""Takes out of installed packages what the operator never loads. Knows their files, not how they were installed.

The Dockerfile runs it: the standard library alone. Each RECORD is kept true, so that what verifies or lists the
packages of the image sees what is there.
"""

import shutil
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final


class Surprise(Exception):  # noqa: N818 -- a state of the packages, told to whoever builds
    """The packages are not laid out as this module expects: a release has moved things, and the cuts need a look."""


@dataclass(frozen=True)
class Cut:
    """All entries of `folder` in site-packages go but `kept`; without any to keep, the folder itself."""

    distribution: str
    folder: str
    kept: frozenset[str] = frozenset()


CUTS: Final = (
    # The operator sends its own requests through ApiClient; kopf knows objects by the metadata's classes.
    Cut("kubernetes", "kubernetes/aio"),
    Cut("kubernetes", "kubernetes/client/api", frozenset({"__init__.py"})),
    Cut(
        "kubernetes",
        "kubernetes/client/models",
        frozenset({"__init__.py", "v1_managed_fields_entry.py", "v1_object_meta.py", "v1_owner_reference.py"}),
    ),
    # EC2, and every service that gives credentials: roles, service accounts, single sign-on. Pod identities need none.
    Cut(
        "botocore",
        "botocore/data",
        frozenset(
            {
                "_retry.json",
                "endpoints.json",
                "partitions.json",
                "sdk-default-configuration.json",
                "ec2",
                "signin",
                "sso",
                "sso-oidc",
                "sts",
            }
        ),
    ),
    Cut("boto3", "boto3/data"),  # of resources, which are another interface than clients
    Cut("boto3", "boto3/examples"),
)

PROGRAMS: Final = frozenset({"ibpe", "python", "python3", f"python3.{sys.version_info.minor}"})
"""What stays of the environment's bin: packages bring command lines of their own."""

_INSTALLER_NOTES: Final = ("uv_cache.json", "direct_url.json")
"""Where and when a package was installed from: they differ from build to build."""
_UV_NOTES: Final = (".gitignore", ".lock", "CACHEDIR.TAG")
_UV_MODULES: Final = ("_virtualenv.pth", "_virtualenv.py")
"""For tools that build packages."""


def trim(site_packages: Path, cuts: Sequence[Cut] = CUTS) -> int:
    """Make every cut. Returns the number of files that went. Raises Surprise, before anything is removed."""
    for cut in cuts:
        _check(site_packages, cut)
    records = {_record(site_packages, cut.distribution) for cut in cuts}
    for cut in cuts:
        _remove(site_packages, cut)
    return sum(_retain_existing(site_packages, record) for record in records)


def tidy(environment: Path) -> None:
    """Leave of a virtual environment what runs the operator: nothing of how it was made, no other command line."""
    for path in (environment / "bin").iterdir():
        if path.name not in PROGRAMS:
            path.unlink()
    for name in _UV_NOTES:
        (environment / name).unlink(missing_ok=True)
    (site_packages,) = environment.glob("lib/python3.*/site-packages")
    for name in _UV_MODULES:
        (site_packages / name).unlink(missing_ok=True)
    for metadata in site_packages.glob("*.dist-info"):
        for name in _INSTALLER_NOTES:
            (metadata / name).unlink(missing_ok=True)
        _retain_existing(site_packages, metadata / "RECORD")


def _check(site_packages: Path, cut: Cut) -> None:
    folder = site_packages / cut.folder
    if not folder.is_dir():
        raise Surprise(f"{cut.distribution} has no folder {cut.folder}: correct CUTS in image/trim.py")
    missing = cut.kept - {path.name for path in folder.iterdir()}
    if missing:
        raise Surprise(f"{cut.folder} has no {', '.join(sorted(missing))}: correct CUTS in image/trim.py")


def _record(site_packages: Path, distribution: str) -> Path:
    found = list(site_packages.glob(f"{distribution}-*.dist-info/RECORD"))
    if len(found) != 1:
        raise Surprise(f"{len(found)} installed distributions are called {distribution}, not one")
    return found[0]


def _remove(site_packages: Path, cut: Cut) -> None:
    folder = site_packages / cut.folder
    if not cut.kept:
        shutil.rmtree(folder)
        return
    for path in _others(folder, cut.kept):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _others(folder: Path, kept: Collection[str]) -> list[Path]:
    return [path for path in folder.iterdir() if path.name not in kept]


def _retain_existing(site_packages: Path, record: Path) -> int:
    # Only the path is needed of a line, and none of these packages has a comma or a quotation mark in one.
    lines = record.read_text().splitlines(keepends=True)
    kept = [line for line in lines if (site_packages / line.partition(",")[0]).exists()]
    record.write_text("".join(kept))
    return len(lines) - len(kept)


def main() -> None:
    """`trim.py cut SITE_PACKAGES`, `trim.py tidy ENVIRONMENT`."""
    action, path = sys.argv[1], Path(sys.argv[2])
    try:
        if action == "tidy":
            tidy(path)
        else:
            print(f"{trim(path)} files of packages were taken out")
    except Surprise as surprise:
        sys.exit(f"error: {surprise}")


if __name__ == "__main__":
    main()
