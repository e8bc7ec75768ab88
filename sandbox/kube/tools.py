"""Where helm, promtool and kstatus are: on PATH, or built on first use. Must not know what they are used for."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sandbox.kube import build
from sandbox.kube.progress import Report, quiet

HELM: Final = "helm"
PROMTOOL: Final = "promtool"
KSTATUS: Final = "kstatus"
_GROUPS: Final = {HELM: build.HELM, PROMTOOL: build.PROMTOOL, KSTATUS: build.KSTATUS}
_OURS: Final = {KSTATUS}
"""A program of that name on PATH is somebody else's."""


def ensure(name: str, report: Report = quiet, environment: Mapping[str, str] = os.environ) -> Path:
    """The absolute path of HELM, PROMTOOL or KSTATUS: of PATH, else of the cache, built on first use (minutes).

    Raises build.BuildError when building fails.
    """
    on_path = None if name in _OURS else shutil.which(name, path=environment.get("PATH", os.defpath))
    return Path(on_path) if on_path else build.ensure(report, environment, _GROUPS[name]) / name
