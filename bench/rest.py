"""What the operator does while nothing happens, and what it takes to make many resources."""

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from bench.figures import Figure, exactly
from bench.fleet import PERIOD, PREREQUISITES_PERIOD, WRITES, Fleet
from sandbox.aws.call_log import CallRecord

FIRST_TIER = "DescribeVpcEndpoints"
PER_LOOK = "GetCallerIdentity"
"""Sent once at the beginning of each look at a region."""
PAGE = 1000


def creation(fleet: Fleet, total: int, most_reads: float | None = None) -> Iterator[Figure]:
    """The calls to AWS from the first `create` until all are Ready, by action. `most_reads` is for each resource."""
    new, cursor = total - len(fleet.members), fleet.cursor()
    seconds = fleet.grow(total)
    counts = Counter(call.action for call in fleet.calls(cursor))
    yield Figure(f"seconds to make {new}, until all are Ready", seconds, "s")
    yield exactly(f"CreateVpcEndpoint for {new}: one an endpoint", counts.pop("CreateVpcEndpoint", 0), 2 * new)
    others = sum(counts.pop(action, 0) for action in WRITES)
    yield exactly(f"other writes to AWS for {new}", others, 0)
    for action, count in sorted(counts.items()):
        yield Figure(f"{action} for {new}", count)
    yield Figure(f"reads for each of {new}", sum(counts.values()) / new, most=most_reads)


def rest(fleet: Fleet, seconds: float) -> Iterator[Figure]:
    """Counts over so many seconds in which nobody changes anything."""
    fleet.settle()
    cursor, began = fleet.cursor(), time.monotonic()
    time.sleep(seconds)
    calls = fleet.calls(cursor)
    size = len(fleet.members)
    yield exactly(f"{size} at rest for {seconds:.0f} s: writes to Kubernetes", len(fleet.kubernetes_writes(began)), 0)
    yield exactly(f"{size} at rest: writes to AWS", sum(call.action in WRITES for call in calls), 0)
    yield from first_tier(calls, size)
    yield from second_tier(calls, size)


def first_tier(calls: Sequence[CallRecord], size: int) -> Iterator[Figure]:
    """Calls of whole looks: what came before the first began, and from the last one on, is not counted."""
    starts = [call.sequence for call in calls if call.action == PER_LOOK]
    looks = len(starts) - 1
    if looks < 1:
        yield Figure(f"{size} at rest: whole looks", looks, least=1)
        return
    pages = sum(call.action == FIRST_TIER and starts[0] < call.sequence < starts[-1] for call in calls)
    wanted = math.ceil(2 * size / PAGE)
    note = f"{pages} in {looks} looks, one each {PERIOD:.0f} s"
    yield exactly(f"{size} at rest: {FIRST_TIER} a look, {2 * size} endpoints", pages / looks, wanted, note)


def second_tier(calls: Sequence[CallRecord], size: int) -> Iterator[Figure]:
    """All other reads."""
    counts = Counter(call.action for call in calls if call.action not in {FIRST_TIER, PER_LOOK} | WRITES)
    note = ", ".join(f"{count} {action}" for action, count in sorted(counts.items()))
    yield Figure(
        f"{size} at rest: second tier, a pass each {PREREQUISITES_PERIOD:.0f} s", sum(counts.values()), note=note
    )
