"""What the watch has seen of our resources, by uid, and whether something new is worth a reconcile. Does no I/O."""

import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from ibpe.api.names import ABANDON, RECONCILE_REQUESTED, ConditionType
from ibpe.kube.translate import time_of
from ibpe.reconcile.plan import Response
from ibpe.reconcile.ports import Key, Resource


class Wakers(NamedTuple):
    """The parts of a resource whose change wakes a reconcile; all that is remembered of one."""

    key: Key
    generation: int
    deleting: bool
    requested: str | None
    abandon: str | None


class Standing(NamedTuple):
    """What a resource says of itself, as far as it is measured."""

    ready: bool = False
    stalled: bool = False
    contended: bool = False
    """DriftFree has the reason Contended: somebody else keeps changing what is repaired."""
    reason: str = ""
    """Of Stalled when it is True, else of Ready; "" before the first look."""
    deleted_at: datetime | None = None
    """Since when it is being deleted."""


@dataclass(frozen=True)
class Sighting:
    """One resource as a watch event or a list showed it."""

    uid: str
    wakers: Wakers
    created_at: datetime
    spec: Mapping[str, object]
    standing: Standing

    @property
    def key(self) -> Key:
        """Its name."""
        return self.wakers.key


@dataclass(frozen=True)
class Noted:
    """What a sighting brought."""

    wake: bool
    """Whether to reconcile."""
    replaced: str | None = None
    """The uid that had the same name before and whose end nobody reported."""


class Seen:
    """Keyed by uid: a namesake made again in a watch gap has generation 1 again and must still be seen.

    Thread safe: the watch and the pruning list both use it. Our own status writes, and other tools' labels and
    annotations, change nothing in Wakers and so wake nobody.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_uid: dict[str, Wakers] = {}
        self._uid_of: dict[Key, str] = {}
        self._ended_since_listing: set[str] | None = None

    def note(self, uid: str, wakers: Wakers, *, listed: bool = False) -> Noted:
        """Remember what was seen. `listed`: it comes from the pruning list, which may be older than the watch."""
        with self._lock:
            if listed and self._ended_since_listing is not None and uid in self._ended_since_listing:
                return Noted(wake=False)
            known = self._by_uid.get(uid)
            if known is not None and (known == wakers or wakers.generation < known.generation):
                return Noted(wake=False)
            if listed and known is not None and wakers.generation == known.generation and known.deleting:
                return Noted(wake=False)
            self._by_uid[uid] = wakers
            replaced = self._uid_of.get(wakers.key)
            self._uid_of[wakers.key] = uid
            if replaced is None or replaced == uid:
                return Noted(wake=True)
            self._by_uid.pop(replaced, None)
            return Noted(wake=True, replaced=replaced)

    def ended(self, uid: str) -> Key | None:
        """It is gone for good. Returns its name, unless it was unknown or another uid has that name by now."""
        with self._lock:
            if self._ended_since_listing is not None:
                self._ended_since_listing.add(uid)
            known = self._by_uid.pop(uid, None)
            if known is None:
                return None
            del self._uid_of[known.key]
            return known.key

    def begin_listing(self) -> Mapping[str, Key]:
        """What is known before a list begins: only of these may the list's silence be taken for their end."""
        with self._lock:
            self._ended_since_listing = set()
            return {uid: wakers.key for uid, wakers in self._by_uid.items()}

    def end_listing(self) -> None:
        """The list was compared."""
        with self._lock:
            self._ended_since_listing = None

    def knows(self, uid: str) -> bool:
        """Whether it was seen and is not known to be gone."""
        with self._lock:
            return uid in self._by_uid

    def knows_key(self, key: Key) -> bool:
        """Whether a resource of that name was seen and is not known to be gone."""
        with self._lock:
            return key in self._uid_of

    def __len__(self) -> int:
        with self._lock:
            return len(self._by_uid)


def sighting_of(raw: Mapping[str, Any]) -> Sighting:
    """A sighting from the object of a watch event."""
    metadata = raw["metadata"]
    annotations = metadata.get("annotations") or {}
    spec = raw.get("spec")
    return Sighting(
        uid=metadata["uid"],
        wakers=Wakers(
            key=Key(metadata["namespace"], metadata["name"]),
            generation=int(metadata.get("generation", 0)),
            deleting=bool(metadata.get("deletionTimestamp")),
            requested=annotations.get(RECONCILE_REQUESTED),
            abandon=annotations.get(ABANDON),
        ),
        created_at=time_of(metadata["creationTimestamp"]),
        spec=spec if isinstance(spec, dict) else {},
        standing=standing_of(_conditions(raw), metadata.get("deletionTimestamp")),
    )


def sighting_from(resource: Resource) -> Sighting:
    """A sighting from a resource that was listed."""
    conditions = {condition.type: (condition.status, condition.reason) for condition in resource.status.conditions}
    return Sighting(
        uid=resource.uid,
        wakers=Wakers(
            key=resource.key,
            generation=resource.generation,
            deleting=resource.deleting,
            requested=resource.annotations.get(RECONCILE_REQUESTED),
            abandon=resource.annotations.get(ABANDON),
        ),
        created_at=resource.created_at,
        spec=resource.spec,
        standing=standing_of(conditions, resource.deleted_at),
    )


def standing_of(conditions: Mapping[ConditionType, tuple[str, str]], deleted_at: datetime | str | None) -> Standing:
    """The standing from status and reason of each condition, and the deletionTimestamp as read or as sent."""
    ready, stalled, drift_free = (
        conditions.get(type_, ("Unknown", ""))
        for type_ in (ConditionType.READY, ConditionType.STALLED, ConditionType.DRIFT_FREE)
    )
    is_stalled = stalled[0] == "True"
    return Standing(
        ready=ready[0] == "True",
        stalled=is_stalled,
        contended=drift_free[1] == Response.CONTENDED,
        reason=sys.intern(stalled[1] if is_stalled else ready[1]),
        deleted_at=time_of(deleted_at) if isinstance(deleted_at, str) else deleted_at,
    )


def _conditions(raw: Mapping[str, Any]) -> dict[ConditionType, tuple[str, str]]:
    status = raw.get("status")
    conditions = status.get("conditions") if isinstance(status, dict) else None
    return {
        ConditionType(condition["type"]): (str(condition.get("status")), str(condition.get("reason", "")))
        for condition in (conditions if isinstance(conditions, list) else ())
        if isinstance(condition, dict) and condition.get("type") in _TYPES
    }


_TYPES: Final = frozenset(ConditionType)
