"""What is known of each account and region, for the metrics: how fresh it is, and what nobody asks for any more.

Asks what others keep in memory; makes no call.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from ibpe.api.names import OWNER_TAG
from ibpe.aws.gateway import Endpoint, EndpointState
from ibpe.aws.snapshot import Snapshot, is_ours
from ibpe.reconcile.ports import Key
from ibpe.runtime.metrics import RegionState

ON_THEIR_WAY_OUT: Final = frozenset({EndpointState.DELETING, EndpointState.DELETED})


class Looks(Protocol):
    """The first tier, as far as it is measured: `aws.inventory.Inventory`."""

    def age(self, region: str) -> float:
        """Seconds since the last good snapshot began; infinite before the first."""

    def braked(self, region: str) -> bool:
        """Whether many endpoints vanished at once, so that none is made before each was looked up by id."""

    def failing(self, region: str) -> bool:
        """Whether the last look brought nothing."""

    def latest(self, region: str) -> Snapshot | None:
        """The last good snapshot."""


@dataclass(frozen=True)
class Sight:
    """Answers at each scrape, for one account. `namespaces` are those that are served; none: all."""

    cluster: str
    namespaces: tuple[str, ...]
    regions: Callable[[], Iterable[str]]
    looks: Looks
    facts_failing: Callable[[str], bool]
    """Of the second tier."""
    knows: Callable[[Key], bool]
    caught_up: Callable[[], bool]
    """Whether everything that exists is known: before that, nothing may be called an orphan."""
    account: str = ""
    """Its id, where it is known without a look."""

    def states(self) -> Iterator[RegionState]:
        """The regions that any resource is about."""
        for region in sorted(self.regions()):
            snapshot = self.looks.latest(region)
            yield RegionState(
                account=snapshot.account if snapshot is not None else self.account,
                region=region,
                snapshot_age=self.looks.age(region),
                braked=self.looks.braked(region),
                failing=self.looks.failing(region) or self.facts_failing(region),
                orphans=self._orphans(snapshot) if snapshot is not None and self.caught_up() else None,
            )

    def _orphans(self, snapshot: Snapshot) -> int:
        return sum(self._is_orphan(endpoint) for endpoint in snapshot.endpoints.values())

    def _is_orphan(self, endpoint: Endpoint) -> bool:
        """Made by this operator for a resource that is no more. What was let go (Retain) has no tag of ours."""
        owner = endpoint.tags.get(OWNER_TAG, "")
        if not is_ours(endpoint, self.cluster) or endpoint.state in ON_THEIR_WAY_OUT or owner.count("/") != 1:
            return False
        key = Key(*owner.split("/"))
        return (not self.namespaces or key.namespace in self.namespaces) and not self.knows(key)


def merged(states: Iterable[RegionState]) -> Iterator[RegionState]:
    """One for each account and region, the worst of what its several names have: two series alike void a scrape."""
    by_place: dict[tuple[str, str], list[RegionState]] = {}
    for state in states:
        by_place.setdefault((state.account, state.region), []).append(state)
    for (account, region), some in by_place.items():
        orphans = [state.orphans for state in some if state.orphans is not None]
        yield RegionState(
            account=account,
            region=region,
            snapshot_age=max(state.snapshot_age for state in some),
            braked=any(state.braked for state in some),
            failing=any(state.failing for state in some),
            orphans=max(orphans) if orphans else None,
        )
