"""The second tier of the AWS watch: subnets, security groups, route tables, VPC attributes and services.

What the first tier can't show. Thread-safe. Parts are kept once however many resources need them, and are fetched in
batches: a pass over everything, and for those who can't wait as many as wait at the time.
"""

import threading
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from ibpe.aws.errors import AwsError
from ibpe.aws.facts import Facts, Needs, Part, VpcFacts, assemble, fetch, part_names
from ibpe.aws.gateway import Cloud, VpcID

__all__ = ["Facts", "Needs", "Prerequisites"]

KeyT = TypeVar("KeyT", bound=Hashable)

BATCH: Final = 200
"""Resources fetched together: as many values as one filter takes."""

_NEVER: Final[tuple[float, Part]] = (float("-inf"), None)


@dataclass(eq=False)
class _Batch:
    """Needs that are fetched together; `landed` is set when `parts` or `error` is there."""

    wanted: set[Needs] = field(default_factory=set)
    landed: threading.Event = field(default_factory=threading.Event)
    parts: Mapping[str, tuple[float, Part]] | None = None
    error: AwsError | None = None


class Prerequisites(Generic[KeyT]):
    """Facts for keys, from AWS or from what was fetched lately. `KeyT` is what names a resource."""

    def __init__(self, cloud: Cloud, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._cloud = cloud
        self._clock = clock
        self._lock = threading.Lock()
        self._needs: dict[KeyT, Needs] = {}
        self._parts: dict[str, dict[str, tuple[float, Part]]] = {}
        self._changed: set[KeyT] = set()
        self._waiting: dict[str, _Batch] = {}
        self._flying: dict[str, threading.Lock] = {}
        self._failing: set[str] = set()

    def facts(self, key: KeyT, needs: Needs, max_age: float) -> Facts:
        """What AWS has of `needs`: at most `max_age` seconds old (0: asked for now). Raises AwsError.

        The needs are remembered for `refresh`, also when AWS does not answer.
        """
        with self._lock:
            self._needs[key] = needs
            known = self._parts.get(needs.region, {})
            floor = self._clock() - max_age
            if max_age > 0 and all(each in known and known[each][0] >= floor for each in part_names(needs)):
                self._changed.discard(key)
                return assemble(needs, known)
        parts = self._fetched(needs)
        with self._lock:
            self._changed.discard(key)
        return assemble(needs, parts)

    def known_vpc(self, region: str, vpc_id: VpcID, max_age: float) -> VpcFacts | None:
        """What is known of a VPC, at most `max_age` seconds old, without a call; None: nothing so young."""
        with self._lock:
            taken_at, part = self._parts.get(region, {}).get(vpc_id, _NEVER)
        return part if isinstance(part, VpcFacts) and taken_at >= self._clock() - max_age else None

    def refresh(self, region: str) -> frozenset[KeyT]:
        """Fetch everything that is needed in the region; returns the keys whose facts changed since they were told.

        Raises AwsError when AWS does not answer; what was found until then is kept and told by the next refresh.
        """
        with self._lock:
            wanted = {needs for needs in self._needs.values() if needs.region == region}
            self._prune(region, wanted)
            known = self._parts.get(region, {})
            # The oldest first: a pass that AWS cut short goes on where it stopped.
            in_order = sorted(wanted, key=lambda needs: (known.get(needs.vpc_id, _NEVER)[0], needs.vpc_id))
        for start in range(0, len(in_order), BATCH):
            begun_at = self._clock()
            self._store(region, begun_at, self._fetch(region, in_order[start : start + BATCH]))
        with self._lock:
            told = frozenset(key for key in self._changed if key in self._needs and self._needs[key].region == region)
            self._changed -= told
        return told

    def regions(self) -> frozenset[str]:
        """The regions in which something is needed."""
        with self._lock:
            return frozenset(needs.region for needs in self._needs.values())

    def failing(self, region: str) -> bool:
        """Whether the last fetch that ended brought nothing."""
        with self._lock:
            return region in self._failing

    def forget(self, key: KeyT) -> None:
        """The resource is gone; what it alone needed goes with the next refresh."""
        with self._lock:
            self._needs.pop(key, None)
            self._changed.discard(key)

    def _fetched(self, needs: Needs) -> Mapping[str, tuple[float, Part]]:
        """Fetch these needs, together with those of everyone who came while an earlier fetch was under way."""
        region = needs.region
        with self._lock:
            batch = self._waiting.setdefault(region, _Batch())
            batch.wanted.add(needs)
            turn = self._flying.setdefault(region, threading.Lock())
        with turn:
            with self._lock:
                mine = self._waiting.get(region) is batch
                if mine:
                    del self._waiting[region]
            if mine:
                self._fly(region, batch)
        batch.landed.wait()
        if batch.error is not None:
            raise replace(batch.error)  # one for each thread: raising writes its traceback into it
        if batch.parts is None:
            raise RuntimeError("the fetch that this one shared was broken off")
        return batch.parts

    def _fly(self, region: str, batch: _Batch) -> None:
        begun_at = self._clock()
        try:
            found = self._fetch(region, batch.wanted)
        except AwsError as error:
            batch.error = error
        else:
            self._store(region, begun_at, found)
            batch.parts = {name: (begun_at, part) for name, part in found.items()}
        finally:
            batch.landed.set()

    def _fetch(self, region: str, wanted: Collection[Needs]) -> Mapping[str, Part]:
        try:
            found = fetch(self._cloud.gateway(region), wanted)
        except AwsError:
            with self._lock:
                self._failing.add(region)
            raise
        with self._lock:
            self._failing.discard(region)
        return found

    def _store(self, region: str, begun_at: float, found: Mapping[str, Part]) -> None:
        with self._lock:
            known = self._parts.setdefault(region, {})
            differing = {name for name, part in found.items() if _put(known, name, begun_at, part)}
            if differing:
                self._changed.update(
                    key
                    for key, needs in self._needs.items()
                    if needs.region == region and not differing.isdisjoint(part_names(needs))
                )

    def _prune(self, region: str, wanted: Collection[Needs]) -> None:
        needed = frozenset[str]().union(*(part_names(needs) for needs in wanted))
        known = self._parts.get(region, {})
        for name in known.keys() - needed:
            del known[name]


def _put(known: dict[str, tuple[float, Part]], name: str, begun_at: float, part: Part) -> bool:
    """Keep the newer part; returns whether it differs from the one before. An equal one stays the same object."""
    before = known.get(name)
    if before is None:
        known[name] = (begun_at, part)
        return False
    if before[0] > begun_at:
        return False
    same = before[1] == part
    known[name] = (begun_at, before[1] if same else part)
    return not same
