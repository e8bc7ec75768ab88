"""What was seen of AWS for one resource, at one time. Values only: `reconcile.observe` does the looking."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ibpe.api.names import Role
from ibpe.aws.facts import Facts
from ibpe.aws.gateway import AccountID, Endpoint, EndpointID
from ibpe.reconcile.holdings import Holdings
from ibpe.reconcile.ports import Key
from ibpe.reconcile.wanted import DesiredEndpoint


@dataclass(frozen=True)
class Absence:
    """An id of ours that DescribeVpcEndpoints, asked by id, doesn't know."""

    proved: bool
    """False while it may just not be visible yet (reads after writes are eventually consistent)."""


@dataclass(frozen=True)
class Observation:
    """Everything that a decision may rest on."""

    account: AccountID
    facts: Facts
    holdings: Holdings
    neighbours: tuple[Endpoint, ...]
    """Endpoints of the VPC that aren't ours."""
    absent: Mapping[EndpointID, Absence] = field(default_factory=dict)
    rivals: Mapping[str, Key] = field(default_factory=dict)
    """Claims of ours that another resource holds or comes first for, with that resource's name."""
    named: Mapping[EndpointID, Endpoint] = field(default_factory=dict)
    """Somebody else's endpoints that the spec names, by id; those that don't exist are absent."""
    contributions: tuple[Endpoint, ...] = ()
    """Endpoints of the region, of whatever VPC, whose policy holds statements of ours."""
    uncontributed: frozenset[EndpointID] = frozenset()
    """Endpoints that the status records for holding our statements, and that are proved not to."""
    braked: bool = False
    """Many owned endpoints vanished at once: nothing is made again before each was looked up by id."""

    def service_name(self, desired: DesiredEndpoint) -> str | None:
        """The first of the service's names that this region has."""
        return next((name for name in desired.services if name in self.facts.services), None)

    def is_ours(self, role: Role, endpoint_id: EndpointID) -> bool:
        """Whether an endpoint is one of ours in this role."""
        return any(endpoint.id == endpoint_id for endpoint in self.holdings.of(role).all)
