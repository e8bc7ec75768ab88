"""A base image out of Debian's packages, for machines that reach no registry: Debian and its Python, as installed.

Knows what the Dockerfile asks of a base; must not know the Dockerfile.
"""

import hashlib
import os
import platform
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from image import programs
from sandbox.kube.build import cache_directory
from sandbox.kube.progress import Report, ticking

SUITE: Final = "trixie"
"""The Debian of the Dockerfile's default base, which has the same Python, 3.13."""
INCLUDED: Final = ("ca-certificates", "python3", "python3-venv", "tzdata")
_NAME: Final = "localhost/imagebuilder-private-endpoint-operator-base"
_HOOK: Final = 'rm --force "$1"/etc/hostname "$1"/etc/resolv.conf'
"""They are of the machine that makes it."""


def ensure(report: Report, environment: Mapping[str, str] = os.environ, *, storage: Sequence[str] = ()) -> str:
    """The image's name in local storage; made on first use (20 s). Raises programs.ProgramError.

    `storage`: buildah's options for a storage that is not the user's own. The root file system is
    kept in the project's cache, where an image storage that was emptied finds it again.
    """
    name = f"{_NAME}:{SUITE}-{_recipe()}"
    if _exists(name, storage):
        return name
    cached = cache_directory(environment) / "image" / f"base-{SUITE}-{_recipe()}.tar"
    if not cached.exists():
        _make(cached, report)
    _store(cached, name, storage)
    return name


def _recipe() -> str:
    """What decides over the content, but for the versions of the day, as a short hash."""
    return hashlib.sha256("\n".join((platform.machine(), SUITE, *INCLUDED, _HOOK)).encode()).hexdigest()[:12]


def _exists(name: str, storage: Sequence[str]) -> bool:
    try:
        programs.run(["buildah", *storage, "inspect", "--type", "image", name])
    except programs.ProgramError:
        return False
    return True


def _make(path: Path, report: Report) -> None:
    programs.ensure(["mmdebstrap"], report)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        ticking(report, f"Debian {SUITE} and its Python, as a base image"),
        tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as private,
    ):
        made = Path(private) / "base.tar"
        programs.run(
            [
                "mmdebstrap",
                "--variant=minbase",
                f"--include={','.join(INCLUDED)}",
                f"--customize-hook={_HOOK}",
                SUITE,
                str(made),
                mirror(),
            ],
            {**os.environ, "SOURCE_DATE_EPOCH": "0"},
        )
        made.rename(path)


def mirror() -> str:
    """The address that this machine has Debian's own packages from. Raises ProgramError where it isn't a Debian."""
    listed = programs.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL) $(COMPONENT)", "Created-By: Packages"]
    )
    for line in listed.splitlines():
        address, *facts = line.split()
        if facts == ["Debian", "Debian", "main"]:
            return address
    raise programs.ProgramError(
        "apt knows no source of Debian's packages: give a base image (make image IMAGE_BASE=…), "
        "or run apt-get update on a Debian"
    )


def _store(archive: Path, name: str, storage: Sequence[str]) -> None:
    buildah = ["buildah", *storage]
    container = programs.run([*buildah, "from", "scratch"])
    try:
        programs.run([*buildah, "add", "--quiet", container, str(archive), "/"])
        programs.run([*buildah, "commit", "--quiet", "--timestamp", "0", container, name])
    finally:
        programs.run([*buildah, "rm", container])
