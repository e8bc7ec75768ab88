"""The same sources and base give the same image, to the digest."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from image import build, stand_in
from sandbox.kube.progress import quiet
from tests.image.container import podman

pytestmark = pytest.mark.image


def test_built_again_from_nothing_it_has_the_same_digest(image: str, sources: Path, tmp_path: Path) -> None:
    first = build.inspect(image)
    if not first.reference.startswith(build.NAME):
        pytest.skip("the base of an image that was built elsewhere is not known")
    labels = json.loads(podman("image", "inspect", "--format={{json .Labels}}", image).stdout)
    created = datetime.fromisoformat(labels["org.opencontainers.image.created"])
    source = build.Origin(labels["org.opencontainers.image.revision"], int(created.timestamp()))
    elsewhere = [f"--root={tmp_path / 'store'}", f"--runroot={tmp_path / 'run'}"]
    base = stand_in.ensure(quiet, storage=elsewhere)
    second = build.build(base, image, quiet, folder=sources, source=source, storage=elsewhere)
    assert second.digest == first.digest
