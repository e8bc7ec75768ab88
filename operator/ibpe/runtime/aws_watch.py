"""The AWS watch: when to look at a region of an account again, and whom a difference concerns. Knows no AWS call."""

import logging
import random
import threading
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Protocol

from ibpe.reconcile.observe import STALE_SECONDS
from ibpe.reconcile.ports import Key, Place
from ibpe.runtime.interest import Interest

log: Final = logging.getLogger(__name__)

SPREAD: Final = 0.1
"""The share by which chance moves a look at the prerequisites."""
AGAIN_SECONDS: Final = 30.0
"""Between a look at the prerequisites that failed and the next."""
OUTDATED: Final = 1.5
"""Periods without a good look at the prerequisites after which whoever relies on them is woken."""
LOOKOUT_SECONDS: Final = 1.0
"""Between two looks at which regions matter."""


class Difference(Protocol):
    """What differs between two snapshots for one endpoint."""

    @property
    def endpoint_id(self) -> str:
        """The endpoint."""

    @property
    def vpc_id(self) -> str:
        """Its VPC."""

    @property
    def owners(self) -> AbstractSet[str]:
        """`namespace/name` by the owner tags before and after, under our cluster's tag."""

    @property
    def foreign(self) -> bool:
        """Whether it is not ours, before or after."""


class Snapshots(Protocol):
    """The first tier: `aws.inventory.Inventory`."""

    def refresh(self, region: str) -> AbstractSet[Difference]:
        """Take a snapshot now. Raises when there is none to be had."""

    def age(self, region: str) -> float:
        """Seconds since the last good one began; infinite before the first."""

    def braked(self, region: str) -> bool:
        """Whether many endpoints vanished at once, so that none is made before each was looked up by id."""

    def is_transitional(self, region: str) -> bool:
        """Whether an endpoint of ours is on its way to another state."""

    def forget_region(self, region: str) -> None:
        """Nobody needs the region any more."""


class PrerequisiteFacts(Protocol):
    """The second tier: `aws.prerequisites.Prerequisites`."""

    def refresh(self, region: str) -> AbstractSet[Key]:
        """Look at everything that was ever asked for; the keys for which something differs."""


class View(Protocol):
    """What sees one account."""

    @property
    def snapshots(self) -> Snapshots:
        """The first tier."""

    @property
    def prerequisites(self) -> PrerequisiteFacts:
        """The second tier."""


@dataclass(frozen=True)
class Periods:
    """Seconds between two looks."""

    snapshot: float = 60.0
    snapshot_fast: float = 5.0
    prerequisites: float = 600.0


def concerned(place: Place, difference: Difference, interest: Interest) -> frozenset[Key]:
    """The owners, whoever looks at the endpoint, and for others' endpoints all of the VPC (conflicts come and go)."""
    owners = frozenset(Key(*owner.split("/", 1)) for owner in difference.owners if owner.count("/") == 1)
    neighbours = interest.in_vpc(place, difference.vpc_id) if difference.foreign else frozenset()
    return owners | interest.of_endpoint(difference.endpoint_id) | neighbours


class FirstTier:
    """The looks at the endpoints of one region of an account."""

    def __init__(
        self,
        place: Place,
        snapshots: Snapshots,
        interest: Interest,
        wake: Callable[[Key], None],
        *,
        periods: Periods,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.place = place
        self._fields = {"account": place.account, "region": place.region}
        self._snapshots = snapshots
        self._interest = interest
        self._wake = wake
        self._periods = periods
        self._clock = clock
        self._began = self._last = clock()
        self._told_stale = False

    def seconds_until_due(self) -> float:
        """How long until the next look; shorter as soon as something of ours is in transition."""
        fast = self._snapshots.is_transitional(self.place.region)
        period = min(self._periods.snapshot_fast, self._periods.snapshot) if fast else self._periods.snapshot
        return self._last + period - self._clock()

    def look(self) -> None:
        """Take a snapshot, wake whom it concerns; wake all of the region when sight is lost, and when it returns."""
        self._last = self._clock()
        try:
            for difference in self._snapshots.refresh(self.place.region):
                for key in concerned(self.place, difference, self._interest):
                    self._wake(key)
        except Exception as failure:  # noqa: BLE001 -- whatever it is, the next look comes; ageing is what is reported
            log.warning("No snapshot of %s: %s", self.place, failure, extra=self._fields)
        self._report_sight()

    def _report_sight(self) -> None:
        age = min(self._snapshots.age(self.place.region), self._clock() - self._began)
        stale = age >= STALE_SECONDS
        if stale == self._told_stale:
            return
        self._told_stale = stale
        log.log(
            logging.ERROR if stale else logging.INFO,
            "Sight of %s is %s.",
            self.place,
            "lost" if stale else "back",
            extra=self._fields,
        )
        for key in self._interest.at(self.place):
            self._wake(key)


class SecondTier:
    """The looks at what these endpoints need around them."""

    def __init__(
        self,
        place: Place,
        prerequisites: PrerequisiteFacts,
        interest: Interest,
        wake: Callable[[Key], None],
        *,
        period: float,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.place = place
        self._fields = {"account": place.account, "region": place.region}
        self._prerequisites = prerequisites
        self._interest = interest
        self._wake = wake
        self._period = period
        self._clock = clock
        self._chance = chance
        self._good = clock()
        self._told_outdated = False
        self._next = clock() + self._spread()

    def seconds_until_due(self) -> float:
        """How long until the next look."""
        return self._next - self._clock()

    def look(self) -> None:
        """Look at all of it, wake whom a difference concerns; wake all of the region once when no look succeeds."""
        begun_at = self._clock()
        try:
            for key in self._prerequisites.refresh(self.place.region):
                self._wake(key)
        except Exception as failure:  # noqa: BLE001 -- the next look comes, and each reconcile asks for itself
            log.warning("No look at the prerequisites in %s: %s", self.place, failure, extra=self._fields)
            self._next = self._clock() + min(self._period, AGAIN_SECONDS)
            self._report_age()
        else:
            self._good, self._told_outdated = begun_at, False
            self._next = self._clock() + self._spread()

    def _report_age(self) -> None:
        if self._told_outdated or self._clock() - self._good <= OUTDATED * self._period:
            return
        self._told_outdated = True
        for key in self._interest.at(self.place):
            self._wake(key)

    def _spread(self) -> float:
        return self._period * (1 - SPREAD * self._chance())


class Tier(Protocol):
    """Something to look at from time to time."""

    def seconds_until_due(self) -> float:
        """How long until the next look; may shrink at any time."""

    def look(self) -> None:
        """Look now; blocks for as long as AWS takes."""


class AwsWatch:
    """Two threads for each region of an account that any key is interested in; they end when nobody is any more.

    `view` gives what sees an account, by its name.
    """

    def __init__(
        self,
        view: Callable[[str], View],
        interest: Interest,
        wake: Callable[[Key], None],
        *,
        periods: Periods,
        on_death: Callable[[BaseException], None],
    ) -> None:
        self._view = view
        self._interest = interest
        self._wake = wake
        self._periods = periods
        self._on_death = on_death
        self._stopping = threading.Event()
        self._lookout = threading.Thread(target=self._guarded, args=(self._keep_watch,), name="aws-watch", daemon=True)
        self._watched: dict[Place, threading.Event] = {}

    def start(self) -> None:
        """Begin to watch."""
        self._lookout.start()

    @property
    def alive(self) -> bool:
        """Whether it watches."""
        return self._lookout.is_alive()

    def stop(self) -> None:
        """Begin no further look. Those that are under way end with the process."""
        self._stopping.set()

    def _keep_watch(self) -> None:
        while not self._stopping.wait(LOOKOUT_SECONDS):
            places = self._interest.places()
            for place in self._watched.keys() - places:
                self._watched.pop(place).set()
                self._view(place.account).snapshots.forget_region(place.region)
            for place in places - self._watched.keys():
                self._watched[place] = self._watch(place)

    def _watch(self, place: Place) -> threading.Event:
        ended, view, periods = threading.Event(), self._view(place.account), self._periods
        first = FirstTier(place, view.snapshots, self._interest, self._wake, periods=periods)
        second = SecondTier(place, view.prerequisites, self._interest, self._wake, period=periods.prerequisites)
        for name, tier in (("snapshots", first), ("prerequisites", second)):
            thread = threading.Thread(
                target=self._guarded,
                args=(self._drive, tier, ended),
                name=f"{name}-{place.account}-{place.region}",
                daemon=True,
            )
            thread.start()
        return ended

    def _drive(self, tier: Tier, ended: threading.Event) -> None:
        pause = min(self._periods.snapshot_fast, LOOKOUT_SECONDS)
        while not (ended.wait(max(min(tier.seconds_until_due(), pause), 0.0)) or self._stopping.is_set()):
            if tier.seconds_until_due() <= 0:
                tier.look()

    def _guarded(self, run: Callable[..., None], *arguments: object) -> None:
        try:
            run(*arguments)
        except BaseException as death:
            log.critical("A thread of the AWS watch died; the process ends.", exc_info=True)
            self._on_death(death)
            raise
