"""The audit log: one line on the logger `ibpe.audit` for each write to AWS, done or refused, with who asked for it."""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from ibpe.aws.errors import AwsError

_LOGGER = logging.getLogger("ibpe.audit")
_CONTEXT: ContextVar[Mapping[str, object]] = ContextVar("ibpe audit context", default={})  # noqa: B039 -- never mutated


@contextmanager
def audit_context(**fields: object) -> Iterator[None]:
    """Add fields (key, uid, generation, role, digests, …) to every audit line of this thread inside the block."""
    token = _CONTEXT.set({**_CONTEXT.get(), **fields})
    try:
        yield
    finally:
        _CONTEXT.reset(token)


def record_done(operation: str, region: str, ids: Collection[str], request_id: str) -> None:
    """A write that AWS accepted; `ids` are the endpoints it was about."""
    _LOGGER.info("%s %s", operation, ", ".join(sorted(ids)), extra=_fields(operation, region, ids, request_id, "ok"))


def record_failed(operation: str, region: str, ids: Collection[str], error: AwsError) -> None:
    """A write that AWS refused, or whose outcome nobody knows (`outcome_known` is false)."""
    fields = _fields(operation, region, ids, error.request_id, error.code)
    fields["outcome_known"] = error.outcome_known
    if error.encoded_authorization:
        fields["encoded_authorization"] = error.encoded_authorization
    about = f" ({', '.join(sorted(ids))})" if ids else ""
    _LOGGER.warning("%s%s", error, about, extra=fields)


def _fields(operation: str, region: str, ids: Collection[str], request_id: str, code: str) -> dict[str, object]:
    own = {"operation": operation, "region": region, "ids": sorted(ids), "request_id": request_id, "code": code}
    return {**_CONTEXT.get(), **own}
