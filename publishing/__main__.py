"""`python -m publishing`: the files of a release, and the checks before one."""

import shutil
import subprocess
import sys

import click
import yaml

from ibpe import __version__
from publishing import checks, files
from sandbox.helm import HelmError


@click.group()
def main() -> None:
    """Prepare a release, as docs/release.md tells."""


@main.command("files")
def _files() -> None:
    """Make the files of a release in dist, which is emptied first."""
    shutil.rmtree(files.DIST, ignore_errors=True)
    for path in files.make(files.DIST):
        print(path.relative_to(files.REPOSITORY))


@main.command("check")
@click.option("--tag", required=True, help="The tag that the release will have, v1.2.3.")
@click.option("--base", required=True, help="The image's base, by digest.")
def _check(tag: str, base: str) -> None:
    """Exit with 1 and say why when this checkout can't be released."""
    chart = yaml.safe_load((files.CHART / "Chart.yaml").read_text())
    candidate = checks.Candidate(
        tag=tag,
        base=base,
        package_version=__version__,
        chart_version=chart["version"],
        app_version=chart["appVersion"],
        changelog=(files.REPOSITORY / "CHANGELOG.md").read_text(),
        changes=_git("status", "--porcelain"),
    )
    found = list(checks.problems(candidate))
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(1 if found else 0)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=files.REPOSITORY, check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    try:
        main(prog_name="python -m publishing")
    except HelmError as error:
        sys.exit(f"error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(map(str, error.cmd[:3]))}: {error.stderr}")
