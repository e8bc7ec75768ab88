"""What an AWS error means for us: the one table from code to class. Knows no SDK; `aws.ec2` raises these."""

from dataclasses import dataclass
from enum import StrEnum


class ErrorClass(StrEnum):
    """What an error asks of the operator."""

    RETRY = "Retry"
    """Passes by itself: try again with backoff; the resource is Reconciling."""
    USER = "WaitForUser"
    """Somebody must act outside the spec: Stalled, rechecked slowly."""
    SPEC = "TerminalUntilSpecChanges"
    """Only an edit of the spec helps: Stalled, rechecked slowly."""


@dataclass(eq=False)
class AwsError(Exception):
    """An AWS call that did not do what was asked, classified."""

    operation: str
    """The API operation, e.g. CreateVpcEndpoint."""
    code: str
    """AWS's code, or our own word where AWS gave none (Timeout, ConnectionFailed, NotAnAwsAnswer, NoCredentials)."""
    message: str
    error_class: ErrorClass
    reason: str
    """CamelCase condition reason, e.g. PrivateDnsConflict, AccessDenied, Throttled."""
    fix: str
    """One imperative sentence: what the reader should do."""
    request_id: str = ""
    http_status: int = 0
    outcome_known: bool = True
    """False when the call may have taken effect all the same (no answer, or a 5xx)."""

    def __str__(self) -> str:
        return f"{self.operation} failed with {self.code}: {self.message}"
