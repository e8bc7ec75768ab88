"""What a check takes and gives, and the words that checks share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG, Role
from ibpe.aws.gateway import Endpoint, SecurityGroup, Subnet, VpcID
from ibpe.policy.access import Decision
from ibpe.policy.needs import Need
from ibpe.reconcile.fields import Field
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.wanted import Desired, DesiredEndpoint

EVERYTHING = frozenset(Field)


@dataclass(frozen=True)
class Refusal:
    """What is wrong, in one sentence that says what to do, and what may not be written because of it."""

    reason: str
    message: str
    role: Role | None = None
    """None: the whole resource."""
    forbids: frozenset[Field] = field(default=EVERYTHING)
    """Fields of an existing endpoint that stay as they are."""

    def concerns(self, role: Role) -> bool:
        """Whether it stands in the way of this role."""
        return self.role is None or self.role is role


@dataclass(frozen=True)
class Case:
    """What a check looks at: one endpoint that the spec asks for, and what was seen."""

    desired: Desired
    endpoint: DesiredEndpoint
    seen: Observation

    def refuse(self, reason: str, message: str, *fields: Field) -> Refusal:
        """A refusal of this endpoint."""
        return Refusal(reason, message, self.endpoint.role, frozenset(fields))


Check = Callable[[Case], Refusal | None]


def rivals_for(case: Case) -> Iterable[Endpoint]:
    """Endpoints of the same service in this VPC that aren't ours and still hold what they hold."""
    return [
        other
        for other in case.seen.neighbours
        if other.service_name in case.endpoint.services and not (other.state.is_gone or other.state.is_dead)
    ]


def carries(endpoint: Endpoint) -> str:
    """Whose it is, by its tags, in words."""
    owner, cluster = endpoint.tags.get(OWNER_TAG), endpoint.tags.get(CLUSTER_TAG)
    if owner and cluster:
        return f"it belongs to {owner} of cluster {cluster}"
    name = endpoint.tags.get("Name")
    return f"it carries no tags of ours{f', its Name is {name}' if name else ''}"


def in_other_vpcs(things: Iterable[Subnet | SecurityGroup], vpc_id: VpcID) -> str:
    """Where these are in place of the resource's VPC, in words."""
    where = ", ".join(f"{thing.id} is in {thing.vpc_id}" for thing in things)
    return f"{where}, not in {vpc_id}"


def verb(ids: Iterable[str]) -> str:
    """`does` or `do`."""
    return "does" if len(list(ids)) == 1 else "do"


def denial(need: Need, decision: Decision) -> str:
    """A denied request in words, with what denies it."""
    return f"{asked(need)}: {decision}"


def asked(need: Need) -> str:
    """A request in words: `anonymous s3:GetObject on arn:… (a build downloads AWSTOE)`."""
    who = "anonymous " if need.request.caller.kind == "Anonymous" else ""
    return f"{who}{need.request.action} on {need.request.resource} (a {need.asker} {need.words})"
