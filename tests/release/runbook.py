"""The commands of docs/runbooks/releases.md, run as a person would: names of the page stand for those of a test."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from sandbox.helm import Helm
from sandbox.kube import ControlPlane
from tests.docs.pages import DOCS, REPOSITORY, section
from tests.release.release import CHART

PAGE = DOCS / "runbooks" / "releases.md"
_CONSOLE = re.compile(r"^```console\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Do(Enum):
    """Each block of commands: the section's title, and which of its blocks."""

    UPGRADE = ("Upgrade", 0)
    TAKE_OWNERSHIP = ("Upgrade", 1)
    GO_BACK = ("Go back", 0)
    GO_BACK_BY_UPGRADE = ("A rollback is refused", 0)
    KEEP_THE_RELEASE = ("An uninstall is refused", 0)
    DELETE_AND_UNINSTALL = ("An uninstall is refused", 1)
    LEAVE_EVERYTHING = ("Uninstall, and leave everything as it is", 0)
    MOVE = ("Another name, or another namespace, for the release", 0)
    RENEW_THE_CRD = ("The CRD is older than the operator", 0)
    BACK_UP = ("Restore from a backup", 0)
    RESTORE = ("Restore from a backup", 1)


def written() -> Iterator[tuple[str, int]]:
    """Every block of the page."""
    for title in re.findall(r"^## (.+)$", PAGE.read_text(), re.MULTILINE):
        for number, _ in enumerate(_CONSOLE.finditer(section(PAGE, title))):
            yield title, number


def commands(block: Do) -> list[str]:
    """The commands of a block."""
    title, number = block.value
    text = [match["text"] for match in _CONSOLE.finditer(section(PAGE, title))][number]
    return [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]


@dataclass(frozen=True)
class Person:
    """Somebody at a checkout, an administrator of the cluster, who follows the page."""

    plane: ControlPlane
    helm: Helm
    folder: Path
    """Where they are; `charts` and `crds` of the checkout are here."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What the page calls something -> what it is called here."""

    def at(self, chart: Path = CHART) -> None:
        """Check out a version: its chart, and the CRD of this one."""
        (self.folder / "charts").mkdir(exist_ok=True)
        for link, target in ((f"charts/{CHART.name}", chart), ("crds", REPOSITORY / "crds")):
            (self.folder / link).unlink(missing_ok=True)
            (self.folder / link).symlink_to(target)

    def does(self, block: Do, **changes: str) -> str:
        """Run the commands of a block; what they printed. AssertionError when one fails."""
        script = "\n".join(["set -euo pipefail", *commands(block)])
        for name, here in {**self.names, **changes}.items():
            script = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", here, script)
        path = os.pathsep.join([str(self.helm.path.parent), str(self.plane.kubectl_path.parent), *os.get_exec_path()])
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env={**self.helm.environment, "PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout
