"""What one process remembers between reconciles. Losing it costs time, never safety: nothing here must survive."""

import threading
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ibpe.api.names import Role
from ibpe.aws.errors import AwsError
from ibpe.aws.gateway import EndpointID, ModifyEndpoint
from ibpe.reconcile.fields import Field
from ibpe.reconcile.plan import Patience

LAG_BOUND = timedelta(minutes=5)
"""How long AWS may not show what it made (EC2 developer guide, eventual consistency: back off up to five minutes)."""
CONTENTION_WINDOW = timedelta(hours=1)
CONTENTION_REPAIRS = 3
CHANGE_REST = timedelta(seconds=5)
"""After a change, how long the same sight may be what AWS showed before it, and is not acted on again; doubles with
each repetition."""
LONGEST_REST = timedelta(seconds=60)
"""A sight that is the same after this long is no lag: somebody undid the repair."""
WITHDRAWAL_REST = timedelta(seconds=30)
"""After our statements were taken out of a policy, how long AWS may still show them: written again from that, it would
undo what somebody else wrote since."""
DELETE_REST = timedelta(seconds=30)
"""After AWS took a deletion, how long it may not show it."""
RECREATE_BASE_SECONDS = 10.0
RECREATE_MAX_SECONDS = 3600.0


@dataclass(frozen=True)
class Change:
    """The last change of a field."""

    observed: str
    """What was seen before it."""
    at: datetime
    repetitions: int = 0

    @property
    def rest(self) -> timedelta:
        """How long the same sight is left alone."""
        return min(CHANGE_REST * (1 << min(self.repetitions, 8)), LONGEST_REST)


@dataclass
class Recollection:
    """What is remembered of one resource."""

    not_before: float = float("-inf")
    """The inventory's clock at our last write: older snapshots don't show it."""
    unseen_since: dict[str, datetime] = field(default_factory=dict)
    """Since when an id (or a role's intent) has been invisible."""
    made_at: dict[Role, tuple[int, datetime]] = field(default_factory=dict)
    """Attempt and time of the last Create of a role."""
    repairs: dict[tuple[Role, Field], deque[datetime]] = field(default_factory=dict)
    changes: dict[tuple[Role, Field], Change] = field(default_factory=dict)
    apart: dict[Role, tuple[ModifyEndpoint, AwsError]] = field(default_factory=dict)
    """Modifications that AWS refused as a whole, and how: from then on they go field by field."""
    tried_at: dict[tuple[Role, Field], datetime] = field(default_factory=dict)
    """When a field was last sent alone."""
    delete_accepted: dict[EndpointID, datetime] = field(default_factory=dict)
    """Deletions that AWS took, so that NotFound afterwards means gone, and when it last did."""
    intents_without_vpc: set[Role] = field(default_factory=set)
    """Intents whose VPC is gone: nothing can have come of them that is still there."""
    withdrawn_at: dict[EndpointID, datetime] = field(default_factory=dict)
    """When our statements were last taken out of a policy."""
    told_stuck: frozenset[str] = frozenset()
    """Policies of others that our statements can't leave, and of which that was told."""
    seen_gone_at: datetime | None = None
    """When everything was seen gone for the first time; the second look releases the finalizer."""
    known_to_watch: bool = False
    """The AWS watch was told what this resource depends on."""
    denied: bool = False
    """Its account, Region or VPC was not granted at the last look."""
    prerequisites_stale: bool = False
    """Something was refused: the surroundings are looked at anew each time."""
    blind_since: datetime | None = None
    """Since when AWS could not be looked at."""

    def unseen_for(self, what: str, now: datetime) -> timedelta:
        """How long something has been invisible, counted from the first time that this is asked."""
        return now - self.unseen_since.setdefault(what, now)

    def note_seen(self, role: Role, differing: Collection[Field]) -> None:
        """AWS shows every other field of the role as desired: what differs after that is new, however it looks."""
        self.changes = {what: c for what, c in self.changes.items() if what[0] is not role or what[1] in differing}

    def note_change(self, role: Role, field_: Field, observed: str, now: datetime) -> None:
        """A field may have been changed from what was observed of it."""
        self.changes[role, field_] = Change(observed, now)

    def note_update(self, role: Role, field_: Field, observed: str, now: datetime) -> None:
        """A field was changed from what was observed of it, maybe once more since AWS is slow to show it."""
        last = self.changes.get((role, field_))
        same = last is not None and last.observed == observed
        lagging = last is not None and same and now - last.at <= 2 * last.rest
        self.changes[role, field_] = Change(observed, now, last.repetitions + 1 if last and lagging else 0)

    def note_repair(self, role: Role, field_: Field, observed: str, now: datetime, *, new: bool) -> None:
        """Count a repair: of new drift, or of drift that looks as it did before an earlier repair, too late for a lag.

        Drift that looks otherwise is the rest of a repair in several steps, and counts once.
        """
        times = self.repairs.setdefault((role, field_), deque(maxlen=CONTENTION_REPAIRS))
        last = self.changes.get((role, field_))
        same = last is not None and last.observed == observed
        if new or (same and (not times or now - times[-1] >= LONGEST_REST)):
            times.append(now)
        self.note_update(role, field_, observed, now)

    def patience(self, now: datetime) -> Patience:
        """What the planner must know of the past."""
        contended = frozenset(
            what
            for what, times in self.repairs.items()
            if len(times) == CONTENTION_REPAIRS and now - times[0] < CONTENTION_WINDOW
        )
        abandoned = frozenset(
            role for role in Role if role.value in self.unseen_since and now - self.unseen_since[role.value] > LAG_BOUND
        )
        resting = {what: change.observed for what, change in self.changes.items() if now - change.at < change.rest}
        return Patience(contended, self._recreate_in(now), abandoned, resting, self.just_withdrawn(now))

    def just_withdrawn(self, now: datetime) -> frozenset[EndpointID]:
        """Policies that our statements were taken out of so lately that AWS may still show them."""
        return frozenset(id_ for id_, at in self.withdrawn_at.items() if now - at < WITHDRAWAL_REST)

    def _recreate_in(self, now: datetime) -> Mapping[Role, float]:
        return {
            role: max(0.0, recreate_delay(attempt) - (now - made).total_seconds())
            for role, (attempt, made) in self.made_at.items()
        }


def recreate_delay(attempt: int) -> float:
    """Seconds after attempt N before the next: none after the first, then doubling up to an hour."""
    if attempt <= 1:
        return 0.0
    return min(RECREATE_BASE_SECONDS * 2.0 ** min(attempt - 2, 16), RECREATE_MAX_SECONDS)


class Memory:
    """Recollections by uid. Safe for threads: a key is never worked on twice at once, so only the map is locked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_uid: dict[str, Recollection] = {}

    def of(self, uid: str) -> Recollection:
        """What is remembered of a resource."""
        with self._lock:
            return self._by_uid.setdefault(uid, Recollection())

    def forget(self, uid: str) -> None:
        """Drop a resource that is gone."""
        with self._lock:
            self._by_uid.pop(uid, None)
