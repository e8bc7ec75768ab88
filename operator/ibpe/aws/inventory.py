"""The first tier of the AWS watch: one shared look at all endpoints of a region, for all resources.

Thread-safe and single-flight: callers that may share a look wait for the same one. Knows nothing of specs.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ibpe.aws.brake import Brake, look_by_id
from ibpe.aws.errors import AwsError
from ibpe.aws.gateway import AccountID, Cloud, Endpoint
from ibpe.aws.snapshot import Change, Snapshot, change_of, changes, shared_with
from ibpe.aws.transitions import Transitions

__all__ = ["Change", "Inventory", "ObservationFailed", "Snapshot"]

_NEVER: Final = float("-inf")


@dataclass(eq=False)
class ObservationFailed(Exception):  # noqa: N818 -- a state of affairs: the last good snapshot still stands
    """A look at AWS did not succeed. `age` is how old the last good snapshot is, in seconds (inf: there is none)."""

    error: AwsError
    region: str
    age: float

    def __str__(self) -> str:
        return f"{self.region} could not be observed: {self.error}"


@dataclass(eq=False)
class _Flight:
    """One look that is under way; `landed` is set when `result` is there."""

    begun_at: float
    landed: threading.Event = field(default_factory=threading.Event)
    result: Snapshot | AwsError | None = None


class _Region:
    """What is known of one region. `lock` guards every field, and is never held during a call to AWS."""

    def __init__(self, cluster: str) -> None:
        self.lock = threading.Lock()
        self.latest: Snapshot | None = None
        self.untold: frozenset[Change] = frozenset()
        """What differed from one snapshot to the next since `refresh` last told: what came and went again, too."""
        self.flight: _Flight | None = None
        self.failing: AwsError | None = None
        """Why the last look failed; None once one succeeded."""
        self.brake = Brake(cluster)
        self.transitions = Transitions(cluster)


class Inventory:
    """Snapshots of the regions that somebody asked for. `cluster` is the value of our cluster tag."""

    def __init__(self, cloud: Cloud, *, cluster: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._cloud = cloud
        self._cluster = cluster
        self._clock = clock
        self._lock = threading.Lock()
        self._regions: dict[str, _Region] = {}

    def clock(self) -> float:
        """Now, in the seconds that `not_before` and `begun_at` are in: read it after a write, as the next floor."""
        return self._clock()

    def regions(self) -> frozenset[str]:
        """The regions that were asked for."""
        with self._lock:
            return frozenset(self._regions)

    def snapshot(self, region: str, not_before: float = _NEVER) -> Snapshot:
        """The shared snapshot if it began at or after `not_before`, else a new one. Raises ObservationFailed."""
        known = self._known(region)
        while True:
            with known.lock:
                if known.latest is not None and known.latest.begun_at >= not_before:
                    return known.latest
                flight, mine = known.flight, known.flight is None
                if not mine and known.failing is not None:
                    # One thread tries again; a region that hangs must not hold those that others need.
                    raise ObservationFailed(known.failing, region, self._age_of(known.latest))
                if flight is None:
                    flight = known.flight = _Flight(begun_at=self._clock())
            if mine:
                self._fly(region, known, flight)
            else:
                flight.landed.wait()
            if isinstance(flight.result, Snapshot) and flight.begun_at >= not_before:
                return flight.result
            if isinstance(flight.result, AwsError) and flight.begun_at >= not_before:
                raise ObservationFailed(flight.result, region, self.age(region))

    def latest(self, region: str) -> Snapshot | None:
        """The last good snapshot, without a call."""
        known = self._known(region)
        with known.lock:
            return known.latest

    def age(self, region: str) -> float:
        """Seconds since the last good snapshot began; inf if there is none."""
        return self._age_of(self.latest(region))

    def _age_of(self, latest: Snapshot | None) -> float:
        return float("inf") if latest is None else max(0.0, self._clock() - latest.begun_at)

    def refresh(self, region: str) -> frozenset[Change]:
        """Look now; returns what changed since the last refresh (or, at first, since the first snapshot).

        A change that was undone again is among them: a reconcile may have decided from a snapshot in between.
        While the region is braked, it looks at what vanished by id; what is settled by that counts as a change.
        Raises ObservationFailed: the differences are told by the next refresh that succeeds.
        """
        known = self._known(region)
        with known.lock:
            suspects = self._suspects(known)
        after = self.snapshot(region, not_before=self._clock())
        with known.lock:
            found, known.untold = known.untold, frozenset()
        return found | self._look_again(region, known, after.account, suspects)

    def hint_transitional(self, region: str) -> None:
        """Something changes in this region: look often for a while."""
        known = self._known(region)
        with known.lock:
            known.transitions.hint(self._clock())

    def is_transitional(self, region: str) -> bool:
        """Whether to look often: an endpoint of ours is in transition, a reconcile said so, or the region is braked."""
        known = self._known(region)
        with known.lock:
            return known.transitions.at(self._clock()) or bool(self._suspects(known))

    def failing(self, region: str) -> bool:
        """Whether the last look that ended brought nothing."""
        known = self._known(region)
        with known.lock:
            return known.failing is not None

    def braked(self, region: str) -> bool:
        """Whether nothing may be created: many endpoints vanished at once, and no second look confirmed it yet."""
        known = self._known(region)
        with known.lock:
            return bool(self._suspects(known))

    def forget_region(self, region: str) -> None:
        """Nobody needs the region any more; asking for it begins anew."""
        with self._lock:
            self._regions.pop(region, None)

    def _known(self, region: str) -> _Region:
        with self._lock:
            if region not in self._regions:
                self._regions[region] = _Region(self._cluster)
            return self._regions[region]

    def _fly(self, region: str, known: _Region, flight: _Flight) -> None:
        try:
            flight.result = self._look(region, flight.begun_at, known.latest)
        except AwsError as error:
            flight.result = error
        finally:
            with known.lock:
                known.failing = flight.result if isinstance(flight.result, AwsError) else None
                if isinstance(flight.result, Snapshot):
                    self._land(known, flight.result)
                known.flight = None
            flight.landed.set()

    def _look(self, region: str, begun_at: float, before: Snapshot | None) -> Snapshot:
        gateway = self._cloud.gateway(region)
        account = self._cloud.caller_account()  # of the credentials in use now: they may have changed
        endpoints = shared_with(before, gateway.list_endpoints())
        return Snapshot(account=account, region=region, begun_at=begun_at, endpoints=endpoints)

    def _land(self, known: _Region, snapshot: Snapshot) -> None:
        if known.latest is not None:
            known.untold |= changes(known.latest, snapshot, self._cluster)
        known.latest = snapshot
        known.brake.note(snapshot)
        known.transitions.note(snapshot)

    @staticmethod
    def _suspects(known: _Region) -> tuple[Endpoint, ...]:
        return known.brake.missing(known.latest.account) if known.latest is not None else ()

    def _look_again(
        self, region: str, known: _Region, account: AccountID, suspects: tuple[Endpoint, ...]
    ) -> frozenset[Change]:
        """Settle what was suspect before this refresh: a second look at another time than the first."""
        if not suspects:
            return frozenset()
        with known.lock:
            still = {each.id for each in known.brake.missing(account)}
        gone = look_by_id(self._cloud.gateway(region), tuple(each for each in suspects if each.id in still))
        with known.lock:
            known.brake.confirm(account, gone)
            left = {each.id for each in known.brake.missing(account)}
        return frozenset(change_of(self._cluster, each) for each in suspects if each.id not in left)
