"""`python -m bench [policies]`: measure, print, and exit with 1 when a figure is past its target."""

import sys
from collections.abc import Callable, Iterator

import click

from bench import policies
from bench.figures import Figure, show

MEASUREMENTS: dict[str, tuple[str, Callable[[], Iterator[Figure]]]] = {
    "policies": ("Comparing policies", policies.measure),
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(MEASUREMENTS)))
def main(names: tuple[str, ...]) -> None:
    """Measure NAMES, or everything."""
    failed: list[Figure] = []
    for name in names or MEASUREMENTS:
        title, measure = MEASUREMENTS[name]
        figures = list(measure())
        show(title, figures)
        failed += [figure for figure in figures if not figure.met]
    print(f"\n{len(failed)} figures are past their target." if failed else "\nEvery figure is within its target.")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
