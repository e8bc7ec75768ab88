"""The brake: many of our endpoints that vanish from the list at once are believed only after a second look by id.

A list can lie (an outage, a filter in between, other credentials), and making everything again would be worse than
waiting. Knows endpoints and the gateway; not thread-safe: the inventory holds its lock.
"""

import logging
from collections.abc import Mapping
from typing import Final

from ibpe.aws.errors import AwsError
from ibpe.aws.gateway import AccountID, Endpoint, EndpointID, EndpointState, Gateway
from ibpe.aws.snapshot import Snapshot, is_ours

VANISHED_AT_LEAST: Final = 6
"""More than 5 …"""
VANISHED_SHARE: Final = 5
"""… and more than one in 5 of those that we own."""
LOOKS_EACH_TIME: Final = 100
"""Endpoints looked up by id in one pass: DescribeVpcEndpoints is shared with everyone in the account."""

_EXPECTED_TO_GO: Final = frozenset({EndpointState.DELETING, EndpointState.DELETED})

_LOGGER = logging.getLogger(__name__)


class Brake:
    """The brake of one region. What vanished counts for the account it vanished from alone."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._owned: dict[AccountID, Mapping[EndpointID, Endpoint]] = {}
        self._missing: dict[AccountID, dict[EndpointID, Endpoint]] = {}

    def note(self, snapshot: Snapshot) -> None:
        """Compare a snapshot with the one before it, of the same account."""
        owned = {
            each.id: each
            for each in snapshot.endpoints.values()
            if is_ours(each, self._cluster) and each.state not in _EXPECTED_TO_GO
        }
        before = self._owned.get(snapshot.account, {})
        vanished = {each: before[each] for each in before.keys() - snapshot.endpoints.keys()}
        missing = self._missing.setdefault(snapshot.account, {})
        if len(vanished) >= VANISHED_AT_LEAST and len(vanished) * VANISHED_SHARE > len(before):
            _LOGGER.warning("%d of %d endpoints vanished at once: nothing is created", len(vanished), len(before))
            missing.update(vanished)
        for back in missing.keys() & snapshot.endpoints.keys():
            del missing[back]
        self._owned[snapshot.account] = owned

    def missing(self, account: AccountID) -> tuple[Endpoint, ...]:
        """Endpoints that vanished and are not confirmed gone yet; any of them means: braked."""
        return tuple(self._missing.get(account, {}).values())

    def confirm(self, account: AccountID, gone: frozenset[EndpointID]) -> None:
        """These are gone by id."""
        for endpoint_id in gone:
            self._missing.get(account, {}).pop(endpoint_id, None)


def look_by_id(gateway: Gateway, missing: tuple[Endpoint, ...]) -> frozenset[EndpointID]:
    """Which of them are gone by id: NotFound or deleted. Stops at one that is there: then the list can't be trusted."""
    gone: set[EndpointID] = set()
    for endpoint in missing[:LOOKS_EACH_TIME]:
        try:
            found = gateway.endpoint(endpoint.id)
        except AwsError as error:
            _LOGGER.warning("the second look at %s failed: %s", endpoint.id, error)
            break
        if found is not None and not found.state.is_gone:
            _LOGGER.warning("%s exists although the list lacks it", endpoint.id)
            break
        gone.add(endpoint.id)
    return frozenset(gone)
