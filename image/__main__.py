"""`python -m image`: build the container image, as `make image` does."""

import sys

import click

from ibpe import __version__
from image import build, programs, stand_in
from sandbox.kube.progress import to_stderr


@click.command()
@click.option("--base", metavar="IMAGE", help="The base image, by digest. [default: Debian's Python, made here]")
@click.option("--tag", metavar="NAME", default=f"{build.NAME}:{__version__}", show_default=True)
def main(base: str | None, tag: str) -> None:
    """Build the image into local storage, and print its name, digest and size."""
    programs.ensure(["buildah"], to_stderr)
    if base is None:
        to_stderr("No base image is given: one is made of Debian's packages. It is for tests, not for a release.")
        base = stand_in.ensure(to_stderr)
    built = build.build(base, tag, to_stderr)
    print(f"{built.reference} {built.digest} {built.size}")


if __name__ == "__main__":
    try:
        main(prog_name="python -m image", standalone_mode=False)
    except programs.ProgramError as error:
        sys.exit(f"error: {error}")
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
