"""Where the watch's news go: claims, the queue, metrics, and everything that must forget what is gone."""

from collections.abc import Callable

from ibpe.kube.seen import Seen, Sighting
from ibpe.reconcile.claims import ClaimIndex, claims_of
from ibpe.reconcile.ports import Key
from ibpe.runtime.interest import Interest
from ibpe.runtime.metrics import ResourceConditions
from ibpe.runtime.queue import WorkQueue


def only_known(memory: Seen, wake: Callable[[Key], None]) -> Callable[[Key], None]:
    """`wake` for keys that the watch knows: owner tags may be forged, or name another operator's resources."""

    def wake_known(key: Key) -> None:
        if memory.knows_key(key):
            wake(key)

    return wake_known


class Router:
    """Implements `kube.watch.Sink`."""

    def __init__(
        self,
        queue: WorkQueue[Key],
        claims: ClaimIndex,
        interest: Interest,
        conditions: ResourceConditions,
        *,
        forget_uid: Callable[[str], None],
        forget_key: Callable[[Key], None],
    ) -> None:
        self._queue = queue
        self._claims = claims
        self._interest = interest
        self._conditions = conditions
        self._forget_uid = forget_uid
        self._forget_key = forget_key

    def seen(self, sighting: Sighting, *, wake: bool) -> None:
        """A resource exists: measure it; when something in it is new, note its claims and reconcile."""
        self._conditions.put(sighting.uid, sighting.key, sighting.standing)
        if not wake:
            return
        claims = claims_of(sighting.spec)
        self._wake(self._claims.put(sighting.uid, sighting.key, sighting.created_at, claims))
        self._queue.forget(sighting.key)  # the backoff of an old failure doesn't outlive the edit that mends it
        self._queue.add(sighting.key)

    def ended(self, uid: str, key: Key | None) -> None:
        """A resource is gone: who waited for its claims goes on, and nothing remembers it."""
        self._conditions.remove(uid)
        self._forget_uid(uid)
        if key is not None:
            self._interest.forget(key)
            self._forget_key(key)
            self._queue.forget(key)
            self._queue.add(key)  # a reconcile that was under way may have remembered it anew: the next one forgets
        self._wake(self._claims.remove(uid))

    def _wake(self, keys: frozenset[Key]) -> None:
        for key in keys:
            self._queue.add(key)
