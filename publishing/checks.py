"""What must hold before a release is made: questions about files, each with one sentence when the answer is no."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")
_BY_DIGEST: Final = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Candidate:
    """What is about to be released."""

    tag: str
    """In Git, "v0.1.0"."""
    base: str
    """The image's base, "python:3.13-slim-trixie@sha256:…"."""
    package_version: str
    chart_version: str
    app_version: str
    changelog: str
    changes: str
    """What `git status --porcelain` says."""


def problems(candidate: Candidate) -> Iterator[str]:
    """One sentence for each thing that is not as it must be, with what to do."""
    version = candidate.tag.removeprefix("v")
    if not candidate.tag.startswith("v") or not _VERSION.fullmatch(version):
        yield f"The tag {candidate.tag!r} is not a version, v1.2.3."
    if candidate.package_version != version:
        yield f"operator/ibpe/__init__.py says {candidate.package_version}, the tag {version}: correct one of them."
    if candidate.app_version != candidate.package_version:
        yield f"Chart.yaml's appVersion is {candidate.app_version}, the package's version {candidate.package_version}."
    if candidate.chart_version != candidate.package_version:
        yield f"Chart.yaml's version is {candidate.chart_version}: the chart has the version of what it installs."
    if f"\n## [{version}]" not in candidate.changelog:
        yield f"CHANGELOG.md has no heading for {version}: give what is under Unreleased that heading, with the date."
    if not _BY_DIGEST.fullmatch(candidate.base):
        yield f"The base image {candidate.base!r} is not given by digest, NAME@sha256:…, and tags move."
    if candidate.changes:
        yield f"The checkout has changes that no commit has:\n{candidate.changes}"
