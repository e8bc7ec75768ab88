"""What an AWS error means for us, and how it reads: `classify` turns an answer into an `AwsError`. Knows no SDK."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter
from typing import Final

from ibpe.aws.error_row import ErrorClass, Row
from ibpe.aws.error_table import TABLE, UNKNOWN

__all__ = ["AwsError", "ErrorClass", "classify"]

MESSAGE_LIMIT: Final = 1000
"""Characters of AWS's message that people get to see; some proxies answer with a whole page."""


@dataclass(eq=False)
class AwsError(Exception):
    """An AWS call that did not do what was asked, classified."""

    operation: str
    """The API operation, e.g. CreateVpcEndpoint."""
    code: str
    """AWS's code, or our own word where AWS gave none: Timeout, ConnectionFailed (the call never left), ConnectionLost,
    NotAnAwsAnswer, NoCredentials, CredentialRetrieval, InvalidRegion, AccountMismatch."""
    message: str
    error_class: ErrorClass
    reason: str
    """CamelCase condition reason, e.g. PrivateDnsConflict, AccessDenied, Throttled."""
    fix: str
    """One imperative sentence: what the reader should do."""
    request_id: str = ""
    http_status: int = 0
    outcome_known: bool = True
    """False when the call may have taken effect all the same (no answer, or a 5xx that is not throttling)."""
    encoded_authorization: str = ""
    """For logs only: what `aws sts decode-authorization-message` takes; it is long, and differs on every call."""

    def __str__(self) -> str:
        return f"{self.operation} failed with {self.code}: {self.message}"

    @property
    def throttled(self) -> bool:
        """Whether AWS asked us to slow down."""
        return self.reason == "Throttled"


def classify(operation: str, code: str, message: str, http_status: int = 0, request_id: str = "") -> AwsError:
    """The error that an answer stands for. Pure.

    `code` is AWS's, or one of our own words (see AwsError.code); `http_status` is 0 where nothing answered. A code that
    no row of the table knows is tried again: with status 500 and above as AWS's own fault, else as unexpected.
    """
    bare = code.removeprefix("Client.").removeprefix("Server.").strip()
    if not bare or bare.isdigit():  # botocore's way to say that the body was a page: the HTTP status as the code
        bare = "NotAnAwsAnswer" if http_status != 429 else "TooManyRequests"  # noqa: PLR2004 -- HTTP's name for it
    shown, encoded = _without_encoded_authorization(message)
    row = _row_for(bare, shown, http_status)
    return AwsError(
        operation=operation,
        code=bare,
        message=_shortened(shown),
        error_class=row.error_class,
        reason=row.reason,
        fix=_fix(row, operation, bare, shown, request_id),
        request_id=request_id,
        http_status=http_status,
        outcome_known=row.not_executed or not (http_status >= 500 or bare in _NO_ANSWER),  # noqa: PLR2004 -- HTTP's 5xx
        encoded_authorization=encoded,
    )


_NO_ANSWER: Final = frozenset({"Timeout", "ConnectionLost", "NotAnAwsAnswer"})


def _row_for(code: str, message: str, http_status: int) -> Row:
    row = next((row for row in TABLE if row.matches(code, message)), None)
    if row is not None:
        return row
    if http_status >= 500:  # noqa: PLR2004 -- HTTP's 5xx
        return next(row for row in TABLE if row.matches("InternalError", message))
    if http_status == 429:  # noqa: PLR2004 -- HTTP's Too Many Requests
        return next(row for row in TABLE if row.matches("Throttling", message))
    return UNKNOWN


_ENCODED: Final = re.compile(
    r"[\s,;.]*\bencoded\b[^:]{0,60}\bmessage\b\s*:?\s*(?P<encoded>[\w+/=-]{20,})", re.IGNORECASE
)
_BARE_ENCODED: Final = re.compile(r"\s*:?\s*(?P<encoded>[\w+/=-]{200,})")


def _without_encoded_authorization(message: str) -> tuple[str, str]:
    for pattern in (_ENCODED, _BARE_ENCODED):
        found = pattern.search(message)
        if found:
            rest = f"{message[: found.start()]}. {message[found.end() :].lstrip(' .')}".strip()
            return rest.replace("..", "."), found["encoded"]
    return message, ""


def _shortened(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= MESSAGE_LIMIT else f"{line[: MESSAGE_LIMIT - 1]}…"


def _ids(prefix: str) -> re.Pattern[str]:
    return re.compile(rf"\b{prefix}-[0-9a-z]+(?![\w-])")


_SERVICE: Final = re.compile(r"\b(?:com|cn\.com|eu|gov\.ic|gov\.sgov|uk\.adc-e)\.[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_DOMAIN: Final = re.compile(r"(?<![\w.-])(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+){2,}", re.IGNORECASE)
_THINGS: Final = re.compile(r"\b(?:vpc|vpce|subnet|sg|rtb|eni|pl)-[0-9a-z]+(?![\w-])")
_INTERFACE: Final = re.compile(r"\binterface endpoint vpce-[0-9a-z]+", re.IGNORECASE)
_PLACED: Final = re.compile(r"\b(?:subnet|sg|rtb)-[0-9a-z]+(?![\w-])")
_ACTION: Final = re.compile(r"(?:to perform|for action)\s*:?\s*(?P<found>[a-z0-9-]+:\w+)", re.IGNORECASE)
_PRINCIPAL: Final = re.compile(r"\barn:[a-z-]+:(?:iam|sts)::\d*:[\w+=,.@/-]+")
_ROLE: Final = re.compile(r"on resource:\s*(?P<found>arn:[\w+=,.@:/-]+)")
_POSITION: Final = re.compile(r"position \(?(?P<found>\d+, ?\d+)\)?", re.IGNORECASE)
_DENIAL: Final = re.compile(r"explicit deny in an? (?P<found>[a-z -]+? policy)\b", re.IGNORECASE)

_STS_OPERATIONS: Final = re.compile(r"Assume|GetCallerIdentity|GetSessionToken|DecodeAuthorization")


def _named(noun: str, pattern: re.Pattern[str], otherwise: str) -> Callable[[str], str]:
    def name(message: str) -> str:
        found = tuple(dict.fromkeys(match.group() for match in pattern.finditer(message)))
        return " ".join((noun, ", ".join(found))).strip() if found else otherwise

    return name


def _domain(message: str) -> str:
    names = (match.group().rstrip(".") for match in _DOMAIN.finditer(message))
    return next((name for name in names if not _SERVICE.match(name)), "the service's private DNS name")


def _captured(pattern: re.Pattern[str], around: str, otherwise: str = "") -> Callable[[str], str]:
    def name(message: str) -> str:
        found = pattern.search(message)
        return around.format(found["found"]) if found else otherwise

    return name


NOUNS: Final[dict[str, Callable[[str], str]]] = {
    "vpc": _named("VPC", _ids("vpc"), "the VPC"),
    "subnets": _named("subnet", _ids("subnet"), "the subnet"),
    "groups": _named("security group", _ids("sg"), "the security group"),
    "tables": _named("route table", _ids("rtb"), "the route table"),
    "interface": _named("", _INTERFACE, "the interface endpoint that needs this one"),
    "endpoint": _named("endpoint", _ids("vpce"), "the endpoint"),
    "placed": _named("", _PLACED, "one of them"),
    "things": _named("", _THINGS, "one of those named"),
    "service": _named("service", _SERVICE, "the endpoint service"),
    "principal": _named("", _PRINCIPAL, "the operator's IAM role"),
    "role": _captured(_ROLE, "{}", "the role"),
    "domain": _domain,
    "position": _captured(_POSITION, " (line and column {})"),
    "denial": _captured(_DENIAL, ": an {} denies it explicitly"),
}
"""What a fix sentence may name: ids out of AWS's message, or a general word where it has none."""


def _fix(row: Row, operation: str, code: str, message: str, request_id: str) -> str:
    asked = _ACTION.search(message)
    service = "sts" if _STS_OPERATIONS.match(operation) else "ec2"
    given = {
        "action": asked["found"] if asked else f"{service}:{operation}",
        "code": code,
        "request": f" with request id {request_id}" if request_id else "",
    }
    wanted = {name for _, name, _, _ in Formatter().parse(row.fix) if name}
    return row.fix.format_map(given | {name: NOUNS[name](message) for name in wanted - given.keys()})
