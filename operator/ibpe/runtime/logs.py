"""How the operator logs: one JSON object a line for machines, or one readable line. Knows no one who logs."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

LogFormat = Literal["json", "text"]

_BOUND: ContextVar[Mapping[str, object]] = ContextVar("bound log fields", default={})  # noqa: B039 -- never mutated
_OWN_OF_RECORD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_QUIET: Final = ("kopf", "asyncio", "urllib3", "botocore", "boto3", "kubernetes", "aiohttp")
"""Libraries whose debug and info lines describe themselves, not our resources."""


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Add fields to every line that this thread (or task) logs inside the block."""
    token = _BOUND.set({**_BOUND.get(), **fields})
    try:
        yield
    finally:
        _BOUND.reset(token)


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """The bound fields and those given as `extra`; the latter win."""
    given = {name: value for name, value in vars(record).items() if name not in _OWN_OF_RECORD}
    return {**_BOUND.get(), **given}


class JsonFormatter(logging.Formatter):
    """time (RFC 3339, UTC, milliseconds), level, logger, message, then the fields; `exception` holds a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message holds."""
        entry: dict[str, object] = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry.update((name, value) for name, value in fields_of(record).items() if name not in entry)
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """`12:34:56.789 WARNING ibpe.x: message key=a/b`, for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and a traceback below it where there is one."""
        fields = "".join(f" {name}={value}" for name, value in fields_of(record).items())
        line = f"{_time_of(record)[11:23]} {record.levelname:<7} {record.name}: {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _time_of(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def configure(form: LogFormat, level: str, stream: TextIO | None = None) -> None:
    """Send everything from `level` on to `stream` (stderr) in that form; libraries speak from WARNING on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    # A renewal that fails: who needed the credentials tells why there are none, without a traceback each time.
    logging.getLogger("botocore.credentials").setLevel(logging.CRITICAL)
