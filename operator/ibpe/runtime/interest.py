"""Which keys a change in AWS concerns: the reconciler says what it looked at, the AWS watch asks. Does no I/O."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from ibpe.reconcile.ports import Key, Place

T = TypeVar("T")


@dataclass(frozen=True)
class _Entry:
    place: Place
    vpc_id: str
    endpoint_ids: frozenset[str]


class Interest:
    """One entry a key, replaced by each `note`. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[Key, _Entry] = {}
        self._by_place: dict[Place, set[Key]] = {}
        self._by_vpc: dict[tuple[Place, str], set[Key]] = {}
        self._by_endpoint: dict[str, set[Key]] = {}

    def note(self, key: Key, place: Place, vpc_id: str, endpoint_ids: Iterable[str]) -> None:
        """The key's reconcile depends on that VPC and on those endpoints, ours and others'."""
        entry = _Entry(place, vpc_id, frozenset(endpoint_ids))
        with self._lock:
            if self._entries.get(key) == entry:
                return
            self._forget(key)
            self._entries[key] = entry
            self._by_place.setdefault(place, set()).add(key)
            self._by_vpc.setdefault((place, vpc_id), set()).add(key)
            for endpoint_id in entry.endpoint_ids:
                self._by_endpoint.setdefault(endpoint_id, set()).add(key)

    def forget(self, key: Key) -> None:
        """The key is gone."""
        with self._lock:
            self._forget(key)

    def places(self) -> frozenset[Place]:
        """Where anything is looked at."""
        with self._lock:
            return frozenset(self._by_place)

    def at(self, place: Place) -> frozenset[Key]:
        """The keys of a Region of an account."""
        with self._lock:
            return frozenset(self._by_place.get(place, ()))

    def in_vpc(self, place: Place, vpc_id: str) -> frozenset[Key]:
        """The keys of a VPC."""
        with self._lock:
            return frozenset(self._by_vpc.get((place, vpc_id), ()))

    def of_endpoint(self, endpoint_id: str) -> frozenset[Key]:
        """The keys that look at an endpoint."""
        with self._lock:
            return frozenset(self._by_endpoint.get(endpoint_id, ()))

    def _forget(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        _discard(self._by_place, entry.place, key)
        _discard(self._by_vpc, (entry.place, entry.vpc_id), key)
        for endpoint_id in entry.endpoint_ids:
            _discard(self._by_endpoint, endpoint_id, key)


def _discard(index: dict[T, set[Key]], value: T, key: Key) -> None:
    keys = index[value]
    keys.discard(key)
    if not keys:
        del index[value]
