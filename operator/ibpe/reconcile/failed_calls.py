"""A failed call to AWS in words for a person, and whether two such words tell of the same failure. Pure."""

import re
from http import HTTPStatus
from typing import Final

from ibpe.aws.errors import AwsError

_FAILED_CALL: Final = re.compile(r"\b(?:Assume|Create|Delete|Describe|Get|Modify)[A-Z]\w+ [A-Za-z][\w.]*: ")
_IDS: Final = re.compile(r"\b(?:vpc|vpce|subnet|sg|rtb|eni|pl)-[0-9a-z]+")


def describe(error: AwsError, account: str | None, about: str = "") -> str:
    """Operation and code first, then what AWS said, what to do, and in parentheses what and where it was about."""
    answer = f"request {error.request_id}" if error.request_id else ""
    if not answer and error.http_status >= HTTPStatus.BAD_REQUEST:
        answer = f"HTTP status {error.http_status}"
    known = ", ".join(filter(None, (about, f"account {account}" if account else "", answer)))
    said = f"{error.operation} {error.code}: {error.message.rstrip('.')}."
    return f"{said} {error.fix}{f' ({known})' if known else ''}"


def same_call(one: str, other: str) -> bool:
    """Whether two messages tell of one failed call: operation, code, and every id that a reader would act on.

    What else AWS says differs from call to call: request ids, times, names of sessions, pages of proxies. A status
    that followed it would be written for ever.
    """
    called, again = _FAILED_CALL.search(one), _FAILED_CALL.search(other)
    if called is None or again is None or one[: called.end()] != other[: again.end()]:
        return False
    return set(_IDS.findall(one)) == set(_IDS.findall(other))
