"""Makes the files of a release: the chart, the CRD, the admission policies, the wheel, and the sums of all of them."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from sandbox.helm import Helm

REPOSITORY: Final = Path(__file__).parent.parent
DIST: Final = REPOSITORY / "dist"
CHART: Final = REPOSITORY / "charts" / "imagebuilder-private-endpoint-operator"
CRD: Final = "crds.yaml"
POLICIES: Final = "admission-policies.yaml"
SUMS: Final = "SHA256SUMS"
_DOCUMENTS: Final = {
    CRD: ("ibpe.dev_imagebuilderprivateendpoints.yaml",),
    POLICIES: ("policies.ibpe.dev_admission.yaml", "advice.ibpe.dev_admission.yaml"),
}


def make(folder: Path) -> list[Path]:
    """Make them in `folder`, which must not exist; returns the files, the sums last.

    Raises subprocess.CalledProcessError when the wheel can't be built, sandbox.helm.HelmError for the chart.
    """
    folder.mkdir(parents=True)
    for name, parts in _DOCUMENTS.items():
        (folder / name).write_text("".join(_documents(REPOSITORY / "crds" / part) for part in parts))
    with tempfile.TemporaryDirectory() as home:
        Helm(Path(home)).run("package", str(CHART), "--destination", str(folder))
    _wheel(folder)
    made = sorted(folder.iterdir())
    sums = folder / SUMS
    sums.write_text("".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made))
    return [*made, sums]


def _documents(path: Path) -> str:
    """The YAML of a generated file, less the line that says by what it was made."""
    return "---\n" + path.read_text().partition("\n---\n")[2]


def _wheel(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as private:  # the backend leaves a .gitignore beside what it builds
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", private]
        subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
        for wheel in Path(private).glob("*.whl"):
            shutil.copy(wheel, folder)
