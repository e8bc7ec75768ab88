"""A plan: what to do for each role, what differs, what is awaited; and what became of it. Values alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus
from ibpe.aws.gateway import Endpoint, EndpointID
from ibpe.reconcile.actions import Action, Contribute, Create, Delete, Failure, Modify, Retag, Wait
from ibpe.reconcile.compare import Difference
from ibpe.reconcile.fields import Field


class Response:
    """What becomes of a difference; the values of `status.drift[].action`."""

    UPDATING = "Updating"
    """An edit of the spec on its way: no drift."""
    REPAIRING = "Repairing"
    REPORTED = "Reported"
    BLOCKED = "Blocked"
    CONTENDED = "Contended"


@dataclass(frozen=True)
class Finding:
    """A difference and what becomes of it."""

    difference: Difference
    drift: bool
    """Whether it differs from what was last applied; an edit of the spec does not."""
    response: str


@dataclass(frozen=True)
class RolePlan:
    """What to do for one role."""

    role: Role
    live: Endpoint | None = None
    findings: tuple[Finding, ...] = ()
    actions: tuple[Action, ...] = ()
    wait: Wait | None = None
    works: bool = False
    """Whether builds can use the endpoint as it is."""
    given_up: bool = False
    """The intent to make an endpoint that is no longer asked for came to nothing that AWS shows: forget it."""

    note: str = ""
    """What to say of the endpoint while it works, where there is more to say than that it does."""
    held: tuple[Action, ...] = ()
    """What is to be done too, and waits for its turn: AWS takes few writes a second."""

    def mends(self, field_: Field) -> bool:
        """Whether an action is about this field."""
        for action in self.actions:
            match action:
                case Modify(fields=fields) if field_ in fields:
                    return True
                case Contribute() if field_ is Field.POLICY:
                    return True
                case Retag() if field_ is Field.TAGS:
                    return True
                case Create() | Delete() if field_ is Field.ENDPOINT:
                    return True
                case _:
                    continue
        return False


@dataclass(frozen=True)
class Plan:
    """What to do for the resource."""

    roles: tuple[RolePlan, ...]
    turn_in: float | None = None
    """Seconds until the first write that is held may be sent; None: none is held."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """All writes, in order."""
        return tuple(action for role in self.roles for action in role.actions)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All differences."""
        return tuple(finding for role in self.roles for finding in role.findings)

    def role(self, role: Role) -> RolePlan | None:
        """The plan of a role, where there is anything to say."""
        return next((plan for plan in self.roles if plan.role is role), None)


@dataclass
class Applied:
    """What became of a plan."""

    entries: dict[Role, EndpointStatus]
    done: list[Action] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    made: dict[Role, Endpoint] = field(default_factory=dict)


@dataclass(frozen=True)
class Patience:
    """What this process remembers of earlier rounds; losing it costs time, never safety."""

    contended: frozenset[tuple[Role, Field]] = frozenset()
    """Repaired three times within the hour: somebody else keeps changing it."""
    recreate_in: Mapping[Role, float] = field(default_factory=dict)
    """Seconds until an endpoint that keeps dying may be made again."""
    abandoned_intents: frozenset[Role] = frozenset()
    """Intents that AWS said exist, and that stayed invisible beyond the lag bound: the next attempt is due."""
    resting: Mapping[tuple[Role, Field], str] = field(default_factory=dict)
    """Fields that were changed a moment ago, with what was observed then: AWS may be slow to show it."""
    withdrawn: frozenset[EndpointID] = frozenset()
    """Policies that our statements were taken out of a moment ago."""
