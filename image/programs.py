"""The programs that build and run an image on Linux: found, or on Debian as root installed. Knows no image."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

from sandbox.kube.progress import Report, ticking

PACKAGES: Final = {"buildah": "buildah", "mmdebstrap": "mmdebstrap", "podman": "podman", "runc": "runc"}
"""Program -> the Debian package that has it."""


class ProgramError(RuntimeError):
    """A program is missing or has failed; the message says what to do, or ends with what it said."""


def ensure(names: Sequence[str], report: Report) -> None:
    """Each of these programs is on PATH when this returns. Raises ProgramError with the packages to install."""
    missing = [name for name in names if shutil.which(name) is None]
    if not missing:
        return
    packages = sorted(PACKAGES[name] for name in missing)
    wanted = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ProgramError(f"{', '.join(missing)} not found: install it (Debian: {wanted})")
    with ticking(report, f"installing {', '.join(packages)} with apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        with contextlib.suppress(ProgramError):  # of a source that fails; what follows says if it was needed
            run(["apt-get", "update", "--quiet"], environment)
        run([*wanted.split(), "--yes", "--quiet"], environment)


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    """What a program printed on its standard output. Raises ProgramError with the end of what it said when it fails."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-40:])
        raise ProgramError(f"{' '.join(command[:3])} … ended with {done.returncode}:\n{said}")
    return done.stdout.strip()
