"""A container of the image as a restricted pod has it: read-only, without capabilities, with little of everything."""

import json
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

LOCKED: Final = (
    "--pull=never",
    "--read-only",
    "--read-only-tmpfs=false",
    "--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=16m",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=256:256",
    "--memory=256m",
    "--network=host",
)
Found = TypeVar("Found")
PATIENCE_SECONDS: Final = 45.0
ACCOUNT_FILES: Final = "/var/run/secrets/kubernetes.io/serviceaccount"


def podman(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(["podman", "--runtime=runc", *arguments], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"podman {' '.join(arguments)}: {done.stderr}"
    return done


def run(image: str, *arguments: str, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """What one locked container says and how it ends."""
    return podman("run", "--rm", *LOCKED, *options, image, *arguments, check=False)


def python(image: str, code: str, *options: str) -> subprocess.CompletedProcess[str]:
    """The same for a script in the image's own Python."""
    return run(image, *options, "-c", code, options=["--entrypoint=python"])


@dataclass
class Container:
    """`ibpe run` in a locked container, from `with` until its end."""

    image: str
    environment: Mapping[str, str]
    mounts: Mapping[Path, str] = field(default_factory=dict)
    """File or folder here -> where it is seen, read-only."""
    options: Sequence[str] = ()
    name: str = field(default_factory=lambda: f"ibpe-test-{uuid.uuid4().hex[:8]}")
    started: float = 0.0

    def __enter__(self) -> Self:
        settings = [f"--env={name}={value}" for name, value in self.environment.items()]
        volumes = [f"--volume={here}:{there}:ro" for here, there in self.mounts.items()]
        self.started = time.monotonic()
        podman("run", "--detach", f"--name={self.name}", *LOCKED, *settings, *volumes, *self.options, self.image)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(f"{self.name} said:\n{self.log()[-6000:]}")
        podman("rm", "--force", "--time=0", self.name)

    def log(self) -> str:
        said = podman("logs", self.name, check=False)
        return said.stdout + said.stderr

    def records(self) -> list[dict[str, Any]]:
        """Its log, line by line."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    def until_logged(self, message: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            return next((each for each in self.records() if each.get("message") == message), None)

        return self.until(look, f"logged {message!r}")

    def until_ready(self) -> float:
        """Seconds from the start of the container until /readyz says 200."""
        url = f"http://127.0.0.1:{self.until_logged('Probes are served.')['port']}/readyz"
        self.until(lambda: answers(url), "ready")
        return time.monotonic() - self.started

    def metrics(self) -> str:
        url = f"http://127.0.0.1:{self.until_logged('Metrics are served.')['port']}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def stop(self) -> tuple[int, float]:
        """SIGTERM, as a kubelet ends a pod: the exit code and the seconds it took."""
        began = time.monotonic()
        podman("stop", "--time=30", self.name)
        return self.exit_code(), time.monotonic() - began

    @property
    def running(self) -> bool:
        return podman("inspect", "--format={{.State.Running}}", self.name).stdout.strip() == "true"

    def exit_code(self) -> int:
        return int(podman("inspect", "--format={{.State.ExitCode}}", self.name).stdout)

    def processes(self) -> list[str]:
        """The command lines in the container, the first of them process 1."""
        return podman("top", self.name, "args").stdout.splitlines()[1:]

    def until(self, look: Callable[[], Found | None], what: str) -> Found:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = look()
            if found:
                return found
            assert self.running, f"{self.name} ended with {self.exit_code()} and never {what}"
            assert time.monotonic() < deadline, f"{self.name} never {what}"
            time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether it says 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- a URL of our own, on loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
