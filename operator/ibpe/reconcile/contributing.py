"""Changing a policy that others change too: read by id, edit, write, read again, one at a time for each endpoint.

EC2 has no conditional write. What somebody else writes between our read and our write is lost, so nothing stands
between the two: the shared snapshot is never what is edited, and no two of our own resources are at it at once.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ibpe.aws.gateway import EndpointID, Gateway, ModifyEndpoint
from ibpe.policy.document import SIZE_LIMIT, PolicyError

log = logging.getLogger(__name__)

Edit = Callable[[str], str | None]
"""From a policy's text to the one that is to be; None or the same text: nothing is written. May raise PolicyError."""


class EndpointLocks:
    """A lock for each endpoint that anybody is at; one of these is shared by all workers of the process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[EndpointID, tuple[threading.Lock, int]] = {}

    @contextmanager
    def of(self, endpoint_id: EndpointID) -> Iterator[None]:
        """Nobody else of this process is at the endpoint inside the block: it is two or three calls long."""
        with self._guard:
            lock, users = self._locks.get(endpoint_id, (threading.Lock(), 0))
            self._locks[endpoint_id] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, users = self._locks.pop(endpoint_id)
                if users > 1:
                    self._locks[endpoint_id] = (lock, users - 1)


def edit_policy(gateway: Gateway, locks: EndpointLocks, endpoint_id: EndpointID, edit: Edit) -> bool:
    """Edit the policy of somebody else's endpoint; returns whether it was written. Raises AwsError.

    Nothing is written where the endpoint is gone, where its policy can't be read, or where it would be too long: each
    of these is refused with its reason at the next look.
    """
    with locks.of(endpoint_id):
        before = gateway.endpoint(endpoint_id)
        if before is None or before.state.is_gone:
            return False
        try:
            edited = edit(before.policy)
        except PolicyError as error:
            log.warning("the policy of %s was left as it is: %s", endpoint_id, error)
            return False
        if edited is None or edited == before.policy:
            return False
        if len(edited) > SIZE_LIMIT:
            log.warning("the policy of %s was left as it is: it would have %d characters", endpoint_id, len(edited))
            return False
        gateway.modify_endpoint(ModifyEndpoint(endpoint_id, policy=edited))
        after = gateway.endpoint(endpoint_id)
        if after is None or edit(after.policy) != after.policy:
            log.info("%s does not show the change of its policy yet, or somebody changed it again", endpoint_id)
    return True
