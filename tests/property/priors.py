"""What may be in AWS before, and happen behind the operator's back: generated, and put there over EC2's own API."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError
from hypothesis import strategies as st

from sandbox.aws.messages import EndpointEdit, EndpointTruth
from tests.property.ground import IMAGE_BUILDER, REGION, S3, Ground
from tests.property.specs import some_of, subnet_sets
from tests.property.world import KEY, OURS, World

ROLES: Final = {"imagebuilder": IMAGE_BUILDER, "s3": S3}
OPEN: Final = '{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}'
SHUT: Final = '{"Statement":[{"Action":"*","Effect":"Deny","Principal":"*","Resource":"*"}]}'
BROKEN: Final = '{"Version":"2012-10-17","Statement":[]}'
STRANGERS: Final[Sequence[Mapping[str, str]]] = (
    {},
    {"Name": "central"},
    {**OURS, "ibpe.dev/cluster": "green", "ibpe.dev/role": "imagebuilder"},
    {**OURS, "ibpe.dev/owner": "team-b/images", "ibpe.dev/role": "s3"},
    {"ibpe.dev/retained": "team-b/images", "ibpe.dev/role": "imagebuilder"},
    {"ibpe.dev/owner": str(KEY), "ibpe.dev/role": "imagebuilder"},
)
"""Tags of endpoints that are not ours: another cluster's, another owner's, half of ours."""


@dataclass(frozen=True)
class Placed:
    """An endpoint that somebody made. `state`: what became of it since."""

    role: str
    tags: Mapping[str, str]
    state: str = "available"
    private_dns: bool = False
    subnets: Sequence[str] = ()
    groups: Sequence[str] = ()
    tables: Sequence[str] = ()

    def happen(self, world: World) -> str | None:
        """Make it, without what AWS refuses because somebody holds it already; returns its id."""
        try:
            made = self._make(world, private_dns=self.private_dns, tables=self.tables)
        except ClientError:
            made = self._make(world, private_dns=False, tables=())
        world.pass_time(3.0)
        if self.state == "deleting":
            world.aws.client("ec2", REGION).delete_vpc_endpoints(VpcEndpointIds=[made])
        elif self.state != "available":
            world.aws.control.set_state(made, self.state)
        return made

    def _make(self, world: World, *, private_dns: bool, tables: Sequence[str]) -> str:
        given: dict[str, Any] = {"RouteTableIds": list(tables), "VpcEndpointType": "Gateway"}
        if self.role == "imagebuilder":
            given = {
                "VpcEndpointType": "Interface",
                "SubnetIds": list(self.subnets),
                "SecurityGroupIds": list(self.groups),
                "PrivateDnsEnabled": private_dns,
            }
        if self.tags:
            tags = [{"Key": key, "Value": value} for key, value in self.tags.items()]
            given["TagSpecifications"] = [{"ResourceType": "vpc-endpoint", "Tags": tags}]
        answer = world.aws.client("ec2", REGION).create_vpc_endpoint(
            VpcId=world.ground.vpc_id, ServiceName=ROLES[self.role], **given
        )
        return answer["VpcEndpoint"]["VpcEndpointId"]


@dataclass(frozen=True)
class Intrusion:
    """A change of what is ours in a role, without the operator."""

    role: str
    what: str
    do: Callable[[World, EndpointTruth], None] = field(repr=False)

    def happen(self, world: World) -> None:
        """Change what is there, if anything is."""
        for endpoint in world.ours(self.role):
            self.do(world, endpoint)


def placed(ground: Ground, tags: st.SearchStrategy[Mapping[str, str]], states: Sequence[str]) -> st.SearchStrategy[Any]:
    """An endpoint of any form in this VPC."""
    common = {"state": st.sampled_from(states), "tags": tags}
    return st.one_of(
        st.builds(
            Placed,
            role=st.just("imagebuilder"),
            private_dns=st.booleans(),
            subnets=subnet_sets(ground),
            groups=some_of(ground.group_ids),
            **common,
        ),
        st.builds(
            Placed, role=st.just("s3"), tables=st.lists(st.sampled_from(ground.table_ids), unique=True), **common
        ),
    )


def predecessors(ground: Ground) -> st.SearchStrategy[Any]:
    """Endpoints of a resource of the same name that is no more, and what it left behind for us."""

    def with_role(endpoint: Placed) -> Placed:
        ours = dict(endpoint.tags) or dict(OURS)
        return Placed(**{**vars(endpoint), "tags": {**ours, "ibpe.dev/role": endpoint.role}})

    tags = st.sampled_from(({}, {**OURS, "team": "old"}, {"ibpe.dev/retained": str(KEY)}))
    return placed(ground, tags, ("available", "available", "failed", "deleting", "rejected")).map(with_role)


def strangers(ground: Ground) -> st.SearchStrategy[Any]:
    """Endpoints of others; a dead one holds its claims in this double too, so they are alive."""
    return placed(ground, st.sampled_from(STRANGERS), ("available",))


def intrusions(ground: Ground) -> st.SearchStrategy[Intrusion]:
    """One change behind our back."""
    interface: dict[str, st.SearchStrategy[EndpointEdit]] = {
        "subnets": subnet_sets(ground).map(lambda ids: EndpointEdit(subnet_ids=tuple(ids))),
        "groups": some_of(ground.group_ids).map(lambda ids: EndpointEdit(group_ids=tuple(ids))),
        "private DNS off": st.just(EndpointEdit(private_dns=False)),
        "address type": st.sampled_from(("ipv4", "ipv6")).map(lambda kind: EndpointEdit(ip_address_type=kind)),
    }
    policies = st.sampled_from((OPEN, SHUT, BROKEN)).map(lambda text: EndpointEdit(policy=text))
    gone = st.sampled_from(("failed", "rejected", "expired")).map(lambda state: EndpointEdit(state=state))
    edits = [edit.map(lambda edit: Intrusion("imagebuilder", repr(edit), _edit(edit))) for edit in interface.values()]
    edits += [
        st.tuples(st.sampled_from(tuple(ROLES)), edit).map(
            lambda both: Intrusion(both[0], repr(both[1]), _edit(both[1]))
        )
        for edit in (policies, gone)
    ]
    tables = st.lists(st.sampled_from(ground.table_ids), unique=True)
    edits.append(tables.map(lambda ids: Intrusion("s3", f"tables {ids}", _tables(ids))))
    acts: Sequence[tuple[str, Callable[[World, EndpointTruth], None]]] = (
        ("deleted", _delete),
        ("vanished", lambda world, endpoint: world.aws.control.vanish(endpoint.id)),
        ("role tag taken off", _retag(remove=("ibpe.dev/role",))),
        ("a user's tag changed, another's added", _retag(put={"team": "theirs", "their": "own"})),
        ("owner tag taken off", _retag(remove=("ibpe.dev/owner",))),
    )
    edits.append(
        st.tuples(st.sampled_from(tuple(ROLES)), st.sampled_from(acts)).map(
            lambda both: Intrusion(both[0], both[1][0], both[1][1])
        )
    )
    return st.one_of(edits)


def _edit(edit: EndpointEdit) -> Callable[[World, EndpointTruth], None]:
    def do(world: World, endpoint: EndpointTruth) -> None:
        world.aws.control.edit_endpoint(endpoint.id, edit)

    return do


def _tables(ids: Sequence[str]) -> Callable[[World, EndpointTruth], None]:
    """Other tables, but none that somebody else's endpoint routes: AWS would not have let that happen."""

    def do(world: World, endpoint: EndpointTruth) -> None:
        others = {table for e in world.endpoints() if e.id != endpoint.id for table in e.route_table_ids}
        free = tuple(table for table in ids if table not in others)
        world.aws.control.edit_endpoint(endpoint.id, EndpointEdit(route_table_ids=free))

    return do


def _delete(world: World, endpoint: EndpointTruth) -> None:
    world.aws.client("ec2", REGION).delete_vpc_endpoints(VpcEndpointIds=[endpoint.id])


def _retag(put: Mapping[str, str] | None = None, remove: Sequence[str] = ()) -> Callable[[World, EndpointTruth], None]:
    def do(world: World, endpoint: EndpointTruth) -> None:
        tags = {key: value for key, value in {**endpoint.tags, **(put or {})}.items() if key not in remove}
        world.aws.control.edit_endpoint(endpoint.id, EndpointEdit(tags=tags))

    return do
