"""What can be done to AWS, one value an action, and what keeps one from being done. Pure."""

from dataclasses import dataclass

from ibpe.api.names import Role
from ibpe.aws.errors import AwsError
from ibpe.aws.gateway import EndpointID, ModifyEndpoint
from ibpe.policy.document import Statement
from ibpe.reconcile.compare import TagChange
from ibpe.reconcile.fields import Field
from ibpe.reconcile.wanted import DesiredEndpoint


@dataclass(frozen=True)
class Create:
    """Make the endpoint of a role."""

    role: Role
    attempt: int
    endpoint: DesiredEndpoint
    service_name: str


@dataclass(frozen=True)
class Resolve:
    """Find out whether an intent became an endpoint that AWS doesn't show, by sending its Create again.

    With the same ClientToken the answer is either the endpoint, or IdempotentParameterMismatch, which proves that
    there is one, or a new endpoint without subnets, routes or private DNS, which harms nobody and is deleted.
    """

    role: Role
    attempt: int


@dataclass(frozen=True)
class Modify:
    """Change fields of an endpoint in place."""

    role: Role
    change: ModifyEndpoint
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Retag:
    """Change tags of an endpoint."""

    role: Role
    id: EndpointID
    change: TagChange


@dataclass(frozen=True)
class Delete:
    """Delete endpoints that are ours."""

    role: Role
    ids: tuple[EndpointID, ...]
    why: str


@dataclass(frozen=True)
class Contribute:
    """Put our statements into the policy of somebody else's endpoint, all else in it as it is."""

    role: Role
    id: EndpointID
    statements: tuple[Statement, ...]
    mark: str


@dataclass(frozen=True)
class Withdraw:
    """Take our statements out of the policy of somebody else's endpoint."""

    role: Role
    id: EndpointID
    mark: str
    why: str


Action = Create | Resolve | Modify | Retag | Delete | Contribute | Withdraw


@dataclass(frozen=True)
class Wait:
    """Nothing can be done now; somebody else moves next."""

    reason: str
    message: str
    seconds: float


@dataclass(frozen=True)
class Failure:
    """An action that AWS did not carry out."""

    role: Role
    error: AwsError
    fields: tuple[Field, ...] = ()
    endpoint_id: EndpointID | None = None
    """The one endpoint that it was about; None: the role's own, or several."""

    def about(self, otherwise: str = "") -> str:
        """What it was about, in words; `otherwise`: where it names no endpoint."""
        endpoint = self.endpoint_id or otherwise
        fields = f": {', '.join(self.fields)}" if self.fields else ""
        return f"{self.role} endpoint {endpoint}{fields}" if endpoint else ""
