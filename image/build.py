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
_PREFIX: Final = "org.opencontainers.image."
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


def build(
    base: str,
    tag: str,
    report: Report,
    *,
    folder: Path = REPOSITORY,
    source: Origin | None = None,
    storage: Sequence[str] = (),
) -> Built:
    """Build the image of the sources in `folder` and name it `tag`. `storage`: buildah's options for one that is not
    the user's own.

    `base` is NAME@sha256:…, or the name of an image made on this machine (localhost/…). Raises programs.ProgramError
    when it isn't, or with what the build said last.
    """
    programs.ensure(["buildah"], report)
    facts = _labels(source or origin()) + _annotations(base, storage)
    with ticking(report, f"building {tag}"):
        programs.run(["buildah", *storage, "build", *_options(base), *facts, "--tag", tag, str(folder)])
    return inspect(tag, storage)


def _options(base: str) -> list[str]:
    given = {name: os.environ[name] for name in _INDEXES if os.environ.get(name)}
    arguments = {"BASE": base, "VERSION": __version__, **given}
    options = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    if _CERTIFICATES.is_dir():  # for the build alone: a network may have a certificate authority of its own
        options.append(f"--volume={_CERTIFICATES}:{_CERTIFICATES}:ro")
    return [
        *options,
        "--isolation=chroot",
        "--log-level=error",
        "--layers",
        # Every file is of 1970; when the image was made is in its label. So layers don't change with each commit: those
        # in the cache are right, and an upgrade of the operator is a download of its own layer.
        "--timestamp=0",
        # They differ with buildah's version, and with what its cache held.
        "--identity-label=false",
        "--omit-history",
    ]


def _labels(source: Origin) -> list[str]:
    """Not in the Dockerfile: buildah takes a LABEL from its cache whatever the build's arguments are."""
    labels = {"version": __version__, "revision": source.revision, "created": source.created}
    return [f"--label={_PREFIX}{name}={value}" for name, value in labels.items()]


def _annotations(base: str, storage: Sequence[str]) -> list[str]:
    """Which base it is; buildah would name an intermediate image of its cache."""
    name, _, digest = base.partition("@")
    if not digest and not name.startswith("localhost/"):
        raise programs.ProgramError(f"a tag can come to mean another image: give the base by digest, {name}@sha256:…")
    known = {"name": name, "digest": digest or inspect(name, storage).digest}
    return [f"--annotation={_PREFIX}base.{key}={value}" for key, value in known.items()]


def inspect(reference: str, storage: Sequence[str] = ()) -> Built:
    """An image that local storage has. Raises programs.ProgramError."""
    (found,) = json.loads(programs.run(["buildah", *storage, "images", "--json", reference]))
    return Built(reference, str(found["digest"]), str(found["size"]))
