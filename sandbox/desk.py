"""`make sandbox`: both sandboxes and the operator, and what a person needs to work on them from another terminal."""

import shlex
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.demo import REGION, booted, example
from sandbox.kube import ControlPlane
from sandbox.stage import REPOSITORY

FOLDER: Final = REPOSITORY / ".sandbox"


def environment(plane: ControlPlane, aws_url: str, kubeconfig: Path | None = None) -> dict[str, str]:
    """Variables that let kubectl, ibpe and every AWS SDK work on the sandboxes; PATH holds only what is to be added."""
    return {
        "PATH": f"{plane.kubectl_path.parent}:{Path(sys.executable).parent}",
        "KUBECONFIG": str(kubeconfig or plane.kubeconfig),
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "person",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "IBPE_CLUSTER_NAME": "sandbox",
    }


def lay_out(folder: Path, variables: Mapping[str, str], resource: Mapping[str, Any]) -> None:
    """Write `environment`, to be sourced by a shell, and `images.yaml`, the minimal example with the VPC's ids."""
    folder.mkdir(mode=0o700, exist_ok=True)
    lines = [
        f"export {name}={shlex.quote(value)}{':$PATH' if name == 'PATH' else ''}" for name, value in variables.items()
    ]
    (folder / "environment").write_text("\n".join(lines) + "\n")
    (folder / "images.yaml").write_text(yaml.safe_dump(resource, sort_keys=False))


@contextmanager
def desk() -> Iterator[None]:
    """All of it runs, and `.sandbox` says how to reach it."""
    with booted() as story:
        try:
            lay_out(FOLDER, environment(story.stage.plane, story.stage.aws.url), example(story.network))
            yield
        finally:
            shutil.rmtree(FOLDER, ignore_errors=True)


def main() -> int:
    """0 after SIGTERM, 130 after Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with desk():
            print("\nReady. In another terminal: source .sandbox/environment\nCtrl-C ends it.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("\nEnded.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
