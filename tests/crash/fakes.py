"""An AWS account in memory, at the seam of the gateway: true ClientTokens, lag after writes, endpoints that die.

What AWS holds (`truth`) and what it shows are apart. Knows nothing of resources or reconciling.
"""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ibpe.aws.errors import AwsError, classify
from ibpe.aws.gateway import (
    AccountID,
    CreateEndpoint,
    DeleteFailure,
    Endpoint,
    EndpointID,
    EndpointState,
    EndpointType,
    ModifyEndpoint,
)
from tests.crash.fuse import Fuse
from tests.crash.surroundings import ACCOUNT, REGION, Surroundings

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
TICK_SECONDS = 0.001


class Clock:
    """The one time of a world: monotonic seconds, and the wall clock in step with it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Behaviour:
    """How this AWS behaves; seconds."""

    create_lag: float = 0.0
    """How long a new endpoint is not shown."""
    change_lag: float = 0.0
    """How long a change is not shown."""
    pending: float = 2.0
    deleting: float = 5.0
    listed: float = 60.0
    """How long a deleted endpoint stays listed."""
    deletes_lag: bool = False
    """Whether a deletion doesn't know either what is not shown yet."""
    strict: bool = True
    """Whether private DNS names and routes conflict; without, nothing but the operator prevents a second endpoint."""


@dataclass
class Record:
    """One endpoint: as it is, and since when AWS shows which of its versions."""

    truth: Endpoint
    due: float
    """When its state moves on by itself."""
    shown: list[tuple[float, Endpoint | None]] = field(default_factory=list)


MOVES = {EndpointState.PENDING: EndpointState.AVAILABLE, EndpointState.DELETING: EndpointState.DELETED}


class FakeAws(Surroundings):
    """Implements Cloud and Gateway. `check` is called with each write's endpoints before its effect."""

    region = REGION

    def __init__(self, clock: Clock, fuse: Fuse, behaviour: Behaviour) -> None:
        self._clock = clock
        self._fuse = fuse
        self.behaviour = behaviour
        self._records: dict[EndpointID, Record] = {}
        self._tokens: dict[str, tuple[CreateEndpoint, EndpointID]] = {}
        self._numbers = itertools.count(1)
        self.check: Callable[[str, tuple[Endpoint, ...]], None] = lambda _operation, _endpoints: None

    # What a test sees and does.

    def truth(self) -> tuple[Endpoint, ...]:
        """Every endpoint that is not deleted, whatever AWS shows."""
        self._move_on()
        return tuple(r.truth for r in self._records.values() if r.truth.state is not EndpointState.DELETED)

    def holds(self, endpoint: Endpoint) -> None:
        """Let somebody else's endpoint be there."""
        self._records[endpoint.id] = Record(endpoint, float("inf"), [(0.0, endpoint)])

    def intrude(self, endpoint_id: EndpointID, **changes: object) -> None:
        """Change an endpoint behind everybody's back, shown at once where it is shown at all."""
        self._change(self._records[endpoint_id], 0.0, **changes)

    def shows(self, endpoint_id: EndpointID) -> Endpoint | None:
        """What AWS would answer about it."""
        return self._shown(self._records[endpoint_id])

    # Cloud.

    def caller_account(self) -> AccountID:
        return ACCOUNT

    def gateway(self, region: str) -> "FakeAws":
        assert region == REGION
        return self

    # Gateway: looking.

    def list_endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(self._listed())

    def endpoint(self, endpoint_id: EndpointID) -> Endpoint | None:
        return next((e for e in self._listed() if e.id == endpoint_id), None)

    def owned_endpoints(self, tags: Mapping[str, str]) -> tuple[Endpoint, ...]:
        return tuple(e for e in self._listed() if tags.items() <= e.tags.items())

    # Gateway: writing.

    def create_endpoint(self, request: CreateEndpoint) -> Endpoint:
        self._move_on()
        known = self._tokens.get(request.client_token)
        if known is not None and known[0] != request:
            raise classify("CreateVpcEndpoint", "IdempotentParameterMismatch", "other parameters", 400)
        with self._fuse.aws("CreateVpcEndpoint"):
            return self._make(request) if known is None else self._records[known[1]].truth

    def modify_endpoint(self, request: ModifyEndpoint) -> None:
        record = self._writable("ModifyVpcEndpoint", request.id)
        truth = record.truth
        with self._fuse.aws("ModifyVpcEndpoint"):
            if truth.state is not EndpointState.AVAILABLE:
                raise classify("ModifyVpcEndpoint", "OperationInProgress", "modify operation in progress", 400)
            self._refuse_removing_strangers(request, truth)
            changes: dict[str, object] = {
                "subnet_ids": truth.subnet_ids - request.remove_subnet_ids | request.add_subnet_ids,
                "security_group_ids": (
                    truth.security_group_ids - request.remove_security_group_ids | request.add_security_group_ids
                ),
                "route_table_ids": truth.route_table_ids - request.remove_route_table_ids | request.add_route_table_ids,
            }
            given = {
                "policy": request.policy,
                "private_dns": request.private_dns,
                "ip_address_type": request.ip_address_type,
            }
            changes |= {name: value for name, value in given.items() if value is not None}
            self._refuse_conflicts("ModifyVpcEndpoint", replace(truth, **changes))  # type: ignore[arg-type] # by name
            if changes["subnet_ids"] != truth.subnet_ids:
                changes["state"] = EndpointState.PENDING
                record.due = self._clock() + self.behaviour.pending
            self._change(record, self.behaviour.change_lag, **changes)

    def delete_endpoints(self, ids: Collection[EndpointID]) -> Mapping[EndpointID, DeleteFailure]:
        self._move_on()
        failures: dict[EndpointID, DeleteFailure] = {}
        with self._fuse.aws("DeleteVpcEndpoints"):
            self.check("DeleteVpcEndpoints", tuple(self._records[id_].truth for id_ in ids if id_ in self._records))
            for id_ in ids:
                record = self._records.get(id_)
                unknown = self.behaviour.deletes_lag and record is not None and self._shown(record) is None
                if record is None or unknown or record.truth.state is EndpointState.DELETED:
                    failures[id_] = DeleteFailure("InvalidVpcEndpoint.NotFound", f"{id_} does not exist")
                elif record.truth.state is not EndpointState.DELETING:
                    record.due = self._clock() + self.behaviour.deleting
                    self._change(record, self.behaviour.change_lag, state=EndpointState.DELETING)
        return failures

    def put_tags(self, ids: Collection[EndpointID], tags: Mapping[str, str]) -> None:
        for id_ in ids:
            record = self._writable("CreateTags", id_)
            with self._fuse.aws("CreateTags"):
                self._change(record, self.behaviour.change_lag, tags={**record.truth.tags, **tags})

    def remove_tags(self, ids: Collection[EndpointID], keys: Collection[str]) -> None:
        for id_ in ids:
            record = self._writable("DeleteTags", id_)
            with self._fuse.aws("DeleteTags"):
                left = {key: value for key, value in record.truth.tags.items() if key not in keys}
                self._change(record, self.behaviour.change_lag, tags=left)

    # How it works inside.

    def _make(self, request: CreateEndpoint) -> Endpoint:
        interface = request.type is EndpointType.INTERFACE
        endpoint = Endpoint(
            id=EndpointID(f"vpce-{next(self._numbers):017x}"),
            vpc_id=request.vpc_id,
            service_name=request.service_name,
            type=request.type,
            state=EndpointState.PENDING if interface else EndpointState.AVAILABLE,
            owner_id=ACCOUNT,
            policy=request.policy or '{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}',
            subnet_ids=request.subnet_ids,
            security_group_ids=request.security_group_ids,
            route_table_ids=request.route_table_ids,
            private_dns=request.private_dns,
            tags=request.tags,
            created_at=self._clock.now,
        )
        self._refuse_conflicts("CreateVpcEndpoint", endpoint)
        self.check("CreateVpcEndpoint", (endpoint,))
        self._records[endpoint.id] = Record(endpoint, self._clock() + self.behaviour.pending)
        self._records[endpoint.id].shown.append((self._clock() + self.behaviour.create_lag, endpoint))
        self._tokens[request.client_token] = (request, endpoint.id)
        return endpoint

    def _writable(self, operation: str, id_: EndpointID) -> Record:
        self._move_on()
        record = self._records.get(id_)
        if record is None or self._shown(record) is None or record.truth.state is EndpointState.DELETED:
            raise classify(operation, "InvalidVpcEndpointId.NotFound", f"{id_} does not exist", 400)
        self.check(operation, (record.truth,))
        return record

    def _refuse_conflicts(self, operation: str, endpoint: Endpoint) -> None:
        if not self.behaviour.strict:
            return
        others = [e for e in self.truth() if e.id != endpoint.id and e.service_name == endpoint.service_name]
        if endpoint.private_dns and any(e.private_dns for e in others):
            words = (
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                f"imagebuilder.{REGION}.amazonaws.com in the VPC {endpoint.vpc_id}"
            )
            raise classify(operation, "InvalidParameter", words, 400)
        if any(e.route_table_ids & endpoint.route_table_ids for e in others):
            raise classify(operation, "RouteAlreadyExists", "route table already has a route to pl-1", 400)

    @staticmethod
    def _refuse_removing_strangers(request: ModifyEndpoint, truth: Endpoint) -> None:
        if (
            request.remove_subnet_ids - truth.subnet_ids
            or request.remove_security_group_ids - truth.security_group_ids
            or request.remove_route_table_ids - truth.route_table_ids
        ):
            raise _invalid(f"{request.id} is not associated with what is to be removed")

    def _listed(self) -> Iterator[Endpoint]:
        self._move_on()
        for record in self._records.values():
            shown = self._shown(record)
            if shown is not None:
                yield shown

    def _shown(self, record: Record) -> Endpoint | None:
        seen = [version for since, version in record.shown if since <= self._clock()]
        return seen[-1] if seen else None

    def _move_on(self) -> None:
        self._clock.advance(TICK_SECONDS)
        for record in self._records.values():
            while record.due <= self._clock():
                moved = MOVES.get(record.truth.state)
                if moved is None:
                    record.due = float("inf")
                elif moved is EndpointState.DELETED:
                    gone_at = record.due + self.behaviour.listed
                    record.due = float("inf")
                    self._change(record, 0.0, state=moved)
                    record.shown.append((max(gone_at, record.shown[-1][0]), None))
                else:
                    record.due = float("inf")
                    self._change(record, 0.0, state=moved)

    def _change(self, record: Record, lag: float, **changes: object) -> None:
        record.truth = replace(record.truth, **changes)  # type: ignore[arg-type] # fields by name
        record.shown.append((max(self._clock() + lag, record.shown[-1][0]), record.truth))


def _invalid(words: str) -> AwsError:
    return classify("ModifyVpcEndpoint", "InvalidParameter", words, 400)
