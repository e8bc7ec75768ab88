"""Where our statements are in others' policies, and where they are proved not to be. Decides on what was looked up."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ibpe.api.status import Status
from ibpe.aws.gateway import Endpoint, EndpointID
from ibpe.policy.contribution import is_contributed
from ibpe.reconcile.memory import LAG_BOUND, Recollection


@dataclass(frozen=True)
class Contributions:
    """Where our statements are in others' policies."""

    found: tuple[Endpoint, ...]
    proved_without: frozenset[EndpointID]
    """Endpoints that the status records for having them, and that are proved not to, or to be gone."""


def contributed_ids(status: Status) -> Iterator[EndpointID]:
    """Every endpoint of others that the status says may have our statements."""
    for entry in status.endpoints:
        yield from map(EndpointID, entry.contributed_ids)


def unshown_ids(status: Status) -> frozenset[EndpointID]:
    """Those of them that have not shown our statements since they were put in."""
    return frozenset(EndpointID(id_) for entry in status.endpoints for id_ in entry.unshown_ids)


def contributions(
    listed: Iterable[Endpoint],
    recorded: Mapping[EndpointID, Endpoint | None],
    unshown: Collection[EndpointID],
    mark: str,
    past: Recollection,
    now: datetime,
) -> Contributions:
    """Every policy with our Sids: of a list, and of the recorded endpoints as they were looked up (None: not found).

    Statements that were shown there and no longer are, are gone. Where they were put in and not shown since
    (`unshown`), they may yet appear, for as long as the lag bound.
    """
    found = {endpoint.id: endpoint for endpoint in listed if not endpoint.state.is_gone}
    without: set[EndpointID] = set()
    for id_, endpoint in recorded.items():
        gone = endpoint is None or endpoint.state.is_gone
        if endpoint is not None and not gone and is_contributed(endpoint.policy, mark):
            found[id_] = endpoint
            past.unseen_since.pop(_statements_in(id_), None)
        elif gone or id_ not in unshown or past.unseen_for(_statements_in(id_), now) > LAG_BOUND:
            without.add(id_)
    return Contributions(tuple(found.values()), frozenset(without))


def begin_waiting(past: Recollection, endpoint_id: EndpointID) -> None:
    """Statements are about to be put in: from now on they may take as long as the lag bound to appear."""
    past.unseen_since.pop(_statements_in(endpoint_id), None)


def _statements_in(endpoint_id: EndpointID) -> str:
    return f"statements in {endpoint_id}"
