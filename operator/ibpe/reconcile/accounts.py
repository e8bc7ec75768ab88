"""The account that a resource is about: whether its namespace may use it, and what is seen of it.

Calls nothing before that is decided; where it hangs on a VPC's tags, nothing but the look at these.
"""

import threading
from collections.abc import Callable

from ibpe.reconcile.grants import OWN_FOR_ALL, Allowed, Denied, Grants, Tags, Wish, decide, tags_missing, wish_of
from ibpe.reconcile.memory import Recollection
from ibpe.reconcile.observe import Eyes, check_account
from ibpe.reconcile.ports import Interest, Key, Resource


class NotAllowed(Exception):  # noqa: N818 -- named for what it says of the resource
    """What the resource asks for is not granted to its namespace."""

    def __init__(self, denied: Denied) -> None:
        super().__init__(denied.message)
        self.reason = denied.reason


class Accounts:
    """One pair of eyes for each account, made when somebody may use it and kept. Thread-safe."""

    def __init__(self, grants: Grants, make: Callable[[str], Eyes], interest: Interest) -> None:
        self._grants = grants
        self._make = make
        self._interest = interest
        self._lock = threading.Lock()
        self._made: dict[str, Eyes] = {}

    def eyes(self, name: str) -> Eyes:
        """What sees an account of this name, or OWN_ACCOUNT; nothing is called."""
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def of(self, resource: Resource, past: Recollection) -> Eyes:
        """What sees the resource's account. Raises NotAllowed, AccountMismatch, AwsError.

        For one that is not allowed nothing is called any more, by the watches neither.
        """
        try:
            eyes = self._decided(resource, past)
        except NotAllowed:
            past.denied, past.known_to_watch = True, False
            self.forget(resource.key)
            raise
        past.denied = False
        return eyes

    def _decided(self, resource: Resource, past: Recollection) -> Eyes:
        wish = wish_of(resource)
        decision = decide(self._grants, wish)
        if isinstance(decision, Denied):
            raise NotAllowed(decision)
        eyes = self.eyes(wish.account)
        if decision.on_tags:
            _check_tags(eyes, resource, past, wish, decision)
        return eyes

    def forget(self, key: Key) -> None:
        """The key needs nothing any more, in whatever account."""
        self._interest.forget(key)
        with self._lock:
            made = tuple(self._made.values())
        for eyes in made:
            eyes.prerequisites.forget(key)


def only(eyes: Eyes, interest: Interest) -> Accounts:
    """One account, the operator's own, for whoever may create resources."""
    return Accounts(OWN_FOR_ALL, lambda _: eyes, interest)


def _check_tags(eyes: Eyes, resource: Resource, past: Recollection, wish: Wish, allowed: Allowed) -> None:
    """Raise NotAllowed unless the VPC carries what was granted. One that is gone holds up no deletion."""
    tags = _tags(eyes, resource, past, wish)
    if tags is None and resource.deleting:
        return
    if tags is None or not allowed.by(tags):
        raise NotAllowed(tags_missing(wish, allowed))


def _tags(eyes: Eyes, resource: Resource, past: Recollection, wish: Wish) -> Tags | None:
    """As the second watch saw them lately, else as AWS has them now; None: there is no such VPC."""
    if wish.vpc_id is None:
        return None
    known = None if past.denied else eyes.prerequisites.known_vpc(wish.region, wish.vpc_id, eyes.prerequisites_max_age)
    if known is not None:
        return known.vpc.tags if known.vpc is not None else None
    if resource.status.account_id is not None:
        check_account(resource.status, eyes.cloud.caller_account())
    return eyes.cloud.gateway(wish.region).vpc_tags(wish.vpc_id)
