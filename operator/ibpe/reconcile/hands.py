"""What doing needs for one resource in one round."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from ibpe.api.names import Role
from ibpe.aws.audit import audit_context
from ibpe.aws.gateway import Endpoint, Gateway, VpcID
from ibpe.reconcile.contributing import EndpointLocks
from ibpe.reconcile.memory import Recollection
from ibpe.reconcile.wanted import Owner


@dataclass(frozen=True)
class Hands:
    """All that doing needs, for one resource in one round."""

    gateway: Gateway
    owner: Owner
    uid: str
    generation: int
    vpc_id: VpcID
    services: Mapping[Role, tuple[str, ...]]
    past: Recollection
    locks: EndpointLocks
    now: datetime
    holds: Callable[[Endpoint], Role | None]
    """The role in which an endpoint found by our tags is ours."""
    digests: Mapping[Role, tuple[str, str]] = field(default_factory=dict)
    """Digest of each endpoint's configuration before and after, for the audit log."""
    turn: Callable[[str], float] = lambda _: 0.0
    """Operation -> 0.0 when it may be sent once more than was planned; else the seconds until it may."""

    def audit(self, role: Role) -> AbstractContextManager[None]:
        """Who asks, for the audit log."""
        before, after = self.digests.get(role, ("", ""))
        return audit_context(
            key=str(self.owner.key),
            uid=self.uid,
            generation=self.generation,
            role=role.value,
            digest_before=before,
            digest_after=after,
        )
