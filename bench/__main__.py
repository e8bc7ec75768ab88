"""`python -m bench`: measure, print, and exit with 1 when a figure is past its target."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click

from bench import policies, sharing
from bench.figures import Figure, show
from bench.fleet import Fleet, NeverCameTrue, booted
from bench.repair import DEEDS, repair
from bench.rest import creation, rest

CHAPTERS = ("policies", "sharing", "fleet")
MOST_MEBIBYTES = 150
MOST_READS = 20
"""For each resource that is made; one alone takes the most, since many share their looks."""


@dataclass(frozen=True)
class Scale:
    """How many resources there are at each step, and how long rest is watched. `some` is a multiple of the deeds."""

    some: int
    many: int
    most: int
    rest_seconds: float


FULL = Scale(some=5 * len(DEEDS), many=500, most=1000, rest_seconds=60)
QUICK = Scale(some=len(DEEDS), many=2 * len(DEEDS), most=3 * len(DEEDS), rest_seconds=20)


def fleet_chapters(fleet: Fleet, scale: Scale) -> Iterator[tuple[str, Callable[[], Iterator[Figure]]]]:
    """What is measured with one operator, in order: each chapter finds what the one before has left."""
    yield "No resource", lambda: memory(fleet)
    yield "Making 1", lambda: creation(fleet, 1, MOST_READS)
    yield "1 at rest", lambda: rest(fleet, scale.rest_seconds)
    fleet.shrink()
    yield f"Making {scale.some}", lambda: creation(fleet, scale.some, MOST_READS)
    yield f"{scale.some} at rest", lambda: rest(fleet, scale.rest_seconds)
    yield f"Memory with {scale.some}", lambda: memory(fleet)
    yield "From an intrusion to its repair", lambda: repair(fleet)
    yield f"Growing to {scale.many}", lambda: creation(fleet, scale.many)
    yield f"{scale.many} at rest", lambda: rest(fleet, scale.rest_seconds)
    yield f"Memory with {scale.many}", lambda: memory(fleet)
    yield f"Growing to {scale.most}", lambda: creation(fleet, scale.most)
    yield f"{scale.most} at rest", lambda: rest(fleet, scale.rest_seconds)
    yield f"Memory with {scale.most}", lambda: memory(fleet)


def memory(fleet: Fleet) -> Iterator[Figure]:
    """The operator's resident memory."""
    yield Figure(f"MiB resident with {len(fleet.members)}", fleet.rss(), "MiB", most=MOST_MEBIBYTES)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(CHAPTERS))
@click.option("--quick", is_flag=True, help="Fewer resources and shorter rest, to see that it runs.")
def main(names: tuple[str, ...], *, quick: bool) -> None:
    """Measure NAMES, or everything."""
    began, failed = time.monotonic(), 0
    try:
        for title, measure in chapters(names or CHAPTERS, QUICK if quick else FULL):
            figures = list(measure())
            show(title, figures)
            failed += sum(not figure.met for figure in figures)
    except NeverCameTrue as stuck:
        raise click.ClickException(str(stuck)) from None
    verdict = f"{failed} figures are past their target" if failed else "Every figure is within its target"
    print(f"\n{verdict}. It took {time.monotonic() - began:.0f} s.")
    sys.exit(1 if failed else 0)


def chapters(names: tuple[str, ...], scale: Scale) -> Iterator[tuple[str, Callable[[], Iterator[Figure]]]]:
    """Title and measurement of each chapter."""
    if "policies" in names:
        yield "Comparing policies", policies.measure
    if "sharing" in names:
        yield "Editing a shared policy", sharing.measure
    if "fleet" in names:
        with booted() as fleet:
            yield from fleet_chapters(fleet, scale)


if __name__ == "__main__":
    main()
