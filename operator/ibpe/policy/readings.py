"""What a condition's values say: numbers, instants, address ranges, bytes. None for text that says nothing of the kind.

Source: IAM user guide, "IAM JSON policy elements: Condition operators"; W3C note, "Date and Time Formats".
What `policy.operators` counts as one value is read as one value here.
"""

import binascii
import re
from base64 import b64decode
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_network
from typing import Final, NamedTuple

_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,6})?", re.ASCII)
_EPOCH: Final = re.compile(r"-?\d{1,3}|-?\d{5,12}", re.ASCII)
_DATE: Final = re.compile(r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d))?)?", re.ASCII)
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_ADDRESS: Final = re.compile(r"[0-9a-fA-F.:]+(/\d{1,3})?", re.ASCII)


def number(text: str) -> Decimal | None:
    """An integer or a decimal, exactly."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def instant(text: str) -> datetime | None:
    """A W3C date, with or without a time of day, or seconds since 1970; in UTC. Four digits are a year."""
    try:
        if _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(int(text), UTC)
        if found := _DATE.fullmatch(text):
            return datetime(int(found["year"]), int(found["month"] or 1), int(found["day"] or 1), tzinfo=UTC)
        return datetime.fromisoformat(text).astimezone(UTC) if _INSTANT.fullmatch(text) else None
    except (ValueError, OverflowError, OSError):  # the 31st of February; a year that Python doesn't count
        return None


class AddressRange(NamedTuple):
    """IP addresses from the first to the last, as numbers."""

    version: int
    first: int
    last: int


def address_range(text: str) -> AddressRange | None:
    """An address or a range in CIDR notation; bits beyond the prefix don't count."""
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    return AddressRange(network.version, int(network.network_address), int(network.broadcast_address))


def within(inner: AddressRange, outer: AddressRange) -> bool:
    """Whether the one range lies in the other."""
    return inner.version == outer.version and outer.first <= inner.first and inner.last <= outer.last


def truth_value(text: str) -> bool | None:
    """`true` or `false`, in any letter case."""
    return {"true": True, "false": False}.get(text.lower())


def octets(text: str) -> bytes | None:
    """Bytes, from base64."""
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # the latter for letters beyond ASCII
        return None
