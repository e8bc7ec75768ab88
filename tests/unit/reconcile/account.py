"""An AWS account as small as a deletion needs it: endpoints that go when they are told to, and calls that fail."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from ibpe.aws.errors import AwsError
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
from tests.unit.reconcile.given import ACCOUNT


@dataclass
class Account:
    """Implements Cloud, and of Gateway what a teardown calls. `fail` maps an operation to what it answers."""

    region: str = "us-west-2"
    account: AccountID = ACCOUNT
    endpoints: dict[EndpointID, Endpoint] = field(default_factory=dict)
    hidden: set[EndpointID] = field(default_factory=set)
    """Made, and not shown yet."""
    tokens: dict[str, EndpointID] = field(default_factory=dict)
    fail: dict[str, AwsError] = field(default_factory=dict)
    lagging: dict[EndpointID, Endpoint] = field(default_factory=dict)
    """Shown as they were before they were modified."""
    unsuccessful: dict[EndpointID, DeleteFailure] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def hold(self, *endpoints: Endpoint) -> None:
        """Let these be there."""
        self.endpoints |= {endpoint.id: endpoint for endpoint in endpoints}

    def writes(self) -> list[str]:
        """The writes that were sent, in order."""
        return [
            call for call in self.calls if call.split()[0] in {"Create", "Delete", "Modify", "PutTags", "RemoveTags"}
        ]

    def finish_deleting(self) -> None:
        """What is deleting is gone by id."""
        for id_, endpoint in list(self.endpoints.items()):
            if endpoint.state is EndpointState.DELETING:
                del self.endpoints[id_]

    def caller_account(self) -> AccountID:
        self._call("GetCallerIdentity")
        return self.account

    def gateway(self, region: str) -> "Account":
        assert region == self.region
        return self

    def endpoint(self, endpoint_id: EndpointID) -> Endpoint | None:
        self._call("Describe", endpoint_id)
        shown = self.lagging.get(endpoint_id) or self.endpoints.get(endpoint_id)
        return None if endpoint_id in self.hidden else shown

    def owned_endpoints(self, tags: Mapping[str, str]) -> tuple[Endpoint, ...]:
        self._call("Describe", *tags.values())
        shown = (endpoint for id_, endpoint in self.endpoints.items() if id_ not in self.hidden)
        return tuple(endpoint for endpoint in shown if tags.items() <= dict(endpoint.tags).items())

    def create_endpoint(self, request: CreateEndpoint) -> Endpoint:
        self._call("Create", request.service_name)
        if request.client_token in self.tokens:
            return self.endpoints[self.tokens[request.client_token]]
        made = Endpoint(
            id=EndpointID(f"vpce-made{len(self.tokens)}"),
            vpc_id=request.vpc_id,
            service_name=request.service_name,
            type=request.type,
            state=EndpointState.PENDING if request.type is EndpointType.INTERFACE else EndpointState.AVAILABLE,
            owner_id=self.account,
            policy=request.policy or "{}",
            subnet_ids=request.subnet_ids,
            route_table_ids=request.route_table_ids,
            private_dns=request.private_dns,
            tags=request.tags,
        )
        self.hold(made)
        self.tokens[request.client_token] = made.id
        return made

    def delete_endpoints(self, ids: Collection[EndpointID]) -> Mapping[EndpointID, DeleteFailure]:
        self._call("Delete", *sorted(ids))
        failures = {id_: self.unsuccessful[id_] for id_ in ids if id_ in self.unsuccessful}
        for id_ in ids:
            if id_ not in self.endpoints:
                failures[id_] = DeleteFailure("InvalidVpcEndpoint.NotFound", "There is none.")
            elif id_ not in failures:
                self.endpoints[id_] = replace(self.endpoints[id_], state=EndpointState.DELETING)
        return failures

    def modify_endpoint(self, request: ModifyEndpoint) -> None:
        self._call("Modify", request.id)
        if request.policy is not None:
            self.hold(replace(self.endpoints[request.id], policy=request.policy))

    def put_tags(self, ids: Collection[EndpointID], tags: Mapping[str, str]) -> None:
        self._call("PutTags", *sorted(ids))
        for id_ in ids:
            self.endpoints[id_] = replace(self.endpoints[id_], tags={**self.endpoints[id_].tags, **tags})

    def remove_tags(self, ids: Collection[EndpointID], keys: Collection[str]) -> None:
        self._call("RemoveTags", *sorted(ids))
        for id_ in ids:
            left = {key: value for key, value in self.endpoints[id_].tags.items() if key not in keys}
            self.endpoints[id_] = replace(self.endpoints[id_], tags=left)

    def _call(self, operation: str, *about: str) -> None:
        self.calls.append(" ".join((operation, *about)))
        if operation in self.fail:
            raise self.fail[operation]
