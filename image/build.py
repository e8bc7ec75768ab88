"""`buildah` on the Dockerfile: the same commit and base give the same digest. Knows nothing of what is inside."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ibpe import __version__
from image import programs
from sandbox.kube.progress import Report, ticking

REPOSITORY: Final = Path(__file__).parent.parent
NAME: Final = "localhost/imagebuilder-private-endpoint-operator"
_CERTIFICATES: Final = Path("/etc/ssl/certs")
_INDEXES: Final = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")


@dataclass(frozen=True)
class Built:
    """An image in local storage."""

    reference: str
    digest: str
    """Of the manifest in local storage, "sha256:…": layers uncompressed, so a registry has another."""
    size: str
    """Of all layers, uncompressed, for a person: "155 MB"."""


@dataclass(frozen=True)
class Origin:
    """What of the sources goes into the image's labels."""

    revision: str
    epoch: int
    """Seconds: when it was committed."""

    @property
    def created(self) -> str:
        """RFC 3339."""
        return datetime.fromtimestamp(self.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def origin(environment: Mapping[str, str] = os.environ) -> Origin:
    """The commit that is checked out, "-dirty" when that isn't all, and its time, or the one of SOURCE_DATE_EPOCH."""
    revision = _git("rev-parse", "HEAD") or "unknown"
    if _git("status", "--porcelain"):
        revision += "-dirty"
    return Origin(revision, int(environment.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct") or 0))


def _git(*arguments: str) -> str:
    """Git's answer; empty where there is no git or no repository, as in a release's archive."""
    try:
        done = subprocess.run(["git", *arguments], cwd=REPOSITORY, check=False, capture_output=True, text=True)  # noqa: S607 -- by PATH, as the Makefile
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def build(base: str, tag: str, report: Report, *, source: Origin | None = None, storage: Sequence[str] = ()) -> Built:
    """Build the image on `base` and name it `tag`. `storage`: buildah's options for one that is not the user's own.

    Raises programs.ProgramError with what the build said last.
    """
    programs.ensure(["buildah"], report)
    known = source or origin()
    with ticking(report, f"building {tag}"):
        programs.run(["buildah", *storage, "build", *_options(base, known), "--tag", tag, str(REPOSITORY)])
    return inspect(tag, storage)


# Every file is of 1970, and the image with them; when it was made is in its label. So layers don't change with each
# commit: those that are cached are right, and an upgrade is a download of the operator alone.
def _options(base: str, source: Origin) -> list[str]:
    given = {name: os.environ[name] for name in _INDEXES if os.environ.get(name)}
    arguments = {
        "BASE": base,
        "VERSION": __version__,
        "REVISION": source.revision,
        "CREATED": source.created,
        **given,
    }
    options = [
        "--isolation=chroot",
        "--layers",
        "--identity-label=false",
        "--log-level=error",
        "--timestamp=0",
    ]
    options += [f"--build-arg={name}={value}" for name, value in arguments.items()]
    if _CERTIFICATES.is_dir():  # for the build alone: a network may have a certificate authority of its own
        options.append(f"--volume={_CERTIFICATES}:{_CERTIFICATES}:ro")
    return options


def inspect(reference: str, storage: Sequence[str] = ()) -> Built:
    """An image that local storage has. Raises programs.ProgramError."""
    (found,) = json.loads(programs.run(["buildah", *storage, "images", "--json", reference]))
    return Built(reference, str(found["digest"]), str(found["size"]))
