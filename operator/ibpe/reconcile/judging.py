"""What becomes of each difference of an endpoint: repaired, reported, left, awaited. Pure; of any kind of endpoint."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus
from ibpe.aws.gateway import Endpoint, EndpointState
from ibpe.reconcile.actions import Wait
from ibpe.reconcile.compare import Difference
from ibpe.reconcile.fields import Field
from ibpe.reconcile.plan import Finding, Patience, Response
from ibpe.reconcile.refusals import Refusal

PENDING_SECONDS = 30.0
"""How often to look at an endpoint that AWS works on, should the watch not wake us first."""
LAG_SECONDS = 5.0


@dataclass(frozen=True)
class Judge:
    """Judging one role's differences."""

    role: Role
    fields: Mapping[Field, str]
    """The digests of what is desired."""
    entry: EndpointStatus
    refusals: Collection[Refusal]
    report: bool
    patience: Patience

    def judge(self, difference: Difference) -> Finding:
        """Is it drift or an edit, and may it be mended?"""
        field_ = difference.field
        drift = self.entry.applied.get(field_) == self.fields.get(field_)
        if any(field_ in refusal.forbids for refusal in self.refusals):
            return Finding(difference, drift, Response.BLOCKED)
        if drift and self.report:
            return Finding(difference, drift, Response.REPORTED)
        if drift and (self.role, field_) in self.patience.contended:
            return Finding(difference, drift, Response.CONTENDED)
        return Finding(difference, drift, Response.REPAIRING if drift else Response.UPDATING)

    def may_mend(self, finding: Finding) -> bool:
        """Whether to act on it now: not while AWS may only be slow to show the last change."""
        if finding.response not in {Response.REPAIRING, Response.UPDATING}:
            return False
        return self.patience.resting.get((self.role, finding.difference.field)) != finding.difference.observed


def awaited(live: Endpoint, findings: Collection[Finding], mending: Collection[Field]) -> Wait | None:
    """What AWS has still to do or to show of an endpoint."""
    if live.state is not EndpointState.AVAILABLE:
        return Wait("Pending", f"{live.id} is {live.state} in AWS.", PENDING_SECONDS)
    resting = [f.response for f in findings if f.difference.field not in mending]
    if Response.REPAIRING in resting:
        return Wait("RepairingDrift", f"A repair of {live.id} was sent, and AWS does not show it yet.", LAG_SECONDS)
    if Response.UPDATING in resting:
        return Wait("Updating", f"A change of {live.id} was sent, and AWS does not show it yet.", LAG_SECONDS)
    return None
