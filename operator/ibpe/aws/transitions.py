"""When a region is worth frequent looks: while an endpoint of ours is in transition, or a reconcile said so. Pure but
for the memory of since when; not thread-safe: the inventory holds its lock.
"""

from typing import Final

from ibpe.aws.gateway import EndpointID, EndpointState
from ibpe.aws.snapshot import Snapshot, is_ours

PATIENCE_SECONDS: Final = 15 * 60.0
"""So long an endpoint, or an unbroken row of hints, keeps looks frequent; what takes longer waits for someone."""
HINT_SECONDS: Final = 120.0
"""So long one hint holds: what it was about shows in a snapshot by then, and counts by itself."""

_TRANSITIONAL: Final = frozenset({EndpointState.PENDING, EndpointState.PENDING_ACCEPTANCE, EndpointState.DELETING})


class Transitions:
    """What is in transition in one region, and since when by the clock."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._since: dict[EndpointID, float] = {}
        self._hinted_first = float("-inf")
        self._hinted_last = float("-inf")

    def note(self, snapshot: Snapshot) -> None:
        """Start the time of endpoints newly in transition; end that of those which arrived."""
        moving = {
            each.id
            for each in snapshot.endpoints.values()
            if each.state in _TRANSITIONAL and is_ours(each, self._cluster)
        }
        self._since = {each: self._since.get(each, snapshot.begun_at) for each in moving}

    def hint(self, now: float) -> None:
        """A reconcile wrote something, or waits for something."""
        if now - self._hinted_last >= HINT_SECONDS:
            self._hinted_first = now
        self._hinted_last = now

    def at(self, now: float) -> bool:
        """Whether to look often now."""
        if any(now - since < PATIENCE_SECONDS for since in self._since.values()):
            return True
        return now - self._hinted_last < HINT_SECONDS and now - self._hinted_first < PATIENCE_SECONDS
