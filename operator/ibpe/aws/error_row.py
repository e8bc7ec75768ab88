"""What a row of the error table is. The rows are in `aws.error_table` and `aws.parameter_errors`."""

import re
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


@dataclass(frozen=True)
class Row:
    """One kind of error. `fix` may name `{vpc}`, `{subnets}`, `{action}`, …: see `aws.errors.NOUNS`."""

    codes: re.Pattern[str]
    phrases: re.Pattern[str] | None
    error_class: ErrorClass
    reason: str
    fix: str
    not_executed: bool = False
    """AWS refused before doing anything, even where the HTTP status is a 5xx (throttling)."""

    def matches(self, code: str, message: str) -> bool:
        """Whether this row speaks of the error."""
        return bool(self.codes.fullmatch(code)) and (self.phrases is None or bool(self.phrases.search(message)))


def row(codes: str, error_class: ErrorClass, reason: str, fix: str, *, phrases: str = "", refused: bool = False) -> Row:
    """A row from regular expressions: `codes` must match the whole code, `phrases` a part of the message."""
    flags = re.IGNORECASE | re.DOTALL
    return Row(
        codes=re.compile(codes, re.IGNORECASE),
        phrases=re.compile(phrases, flags) if phrases else None,
        error_class=error_class,
        reason=reason,
        fix=fix,
        not_executed=refused,
    )
