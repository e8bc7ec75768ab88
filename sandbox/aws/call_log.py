"""Every call that came: when, who, what, and how it ended. A test reads it by cursor and waits on it."""

import itertools
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sandbox.aws.call import Call

Outcome = Literal["running", "held", "answered", "lost"]


class CallRecord(BaseModel):
    """One call. `held` waits for a release; `lost` got no answer (`executed` tells whether it had its effect)."""

    model_config = ConfigDict(frozen=True)

    sequence: int
    action: str
    service: str
    parameters: dict[str, str]
    access_key: str
    account: str
    region: str
    user_agent: str
    request_id: str
    monotonic: float
    wall: datetime
    outcome: Outcome = "running"
    executed: bool = False
    status: int | None = None
    error_code: str | None = None
    seconds: float | None = None


class CallFilter(BaseModel):
    """Which calls to give: after the cursor `since`, and of this action (wildcards), access key, account, outcome."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: int = 0
    action: str = "*"
    access_key: str = "*"
    account: str = "*"
    region: str = "*"
    outcome: Outcome | None = None
    error_code: str | None = None

    def lets(self, record: CallRecord) -> bool:
        """Whether the record is one of those."""
        return (
            record.sequence > self.since
            and fnmatchcase(record.action, self.action)
            and fnmatchcase(record.access_key, self.access_key)
            and fnmatchcase(record.account, self.account)
            and fnmatchcase(record.region, self.region)
            and self.outcome in {None, record.outcome}
            and self.error_code in {None, record.error_code}
        )


class CallLog:
    """The calls of this server, the last 200,000 of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        self._records: dict[int, CallRecord] = {}
        self._order: deque[int] = deque()

    def begin(self, call: Call) -> int:
        """Write down a call that came; returns its sequence number."""
        with self._changed:
            record = CallRecord(
                sequence=next(self._numbers),
                action=call.action,
                service=call.service,
                parameters=call.parameters.without(("Action", "Version")),
                access_key=call.access_key,
                account=call.account,
                region=call.region,
                user_agent=call.user_agent,
                request_id=call.request_id,
                monotonic=time.monotonic(),
                wall=datetime.now(UTC),
            )
            self._records[record.sequence] = record
            self._order.append(record.sequence)
            if len(self._order) > 200_000:
                del self._records[self._order.popleft()]
            self._changed.notify_all()
            return record.sequence

    def note(self, sequence: int, **changes: object) -> None:
        """Write down how a call goes on; the time that it took is kept with its end."""
        with self._changed:
            record = self._records.get(sequence)
            if record is not None:
                if changes.get("outcome") in {"answered", "lost"}:
                    changes["seconds"] = time.monotonic() - record.monotonic
                self._records[sequence] = record.model_copy(update=changes)
                self._changed.notify_all()

    def find(self, wanted: CallFilter, at_least: int = 0, wait_seconds: float = 0.0) -> tuple[CallRecord, ...]:
        """The calls that the filter lets through; waits until there are so many, but no longer than told."""
        with self._changed:
            self._changed.wait_for(lambda: sum(1 for _ in self._matching(wanted)) >= at_least, wait_seconds)
            return tuple(self._matching(wanted))

    def counts(self, wanted: CallFilter) -> dict[str, int]:
        """How many calls of each action the filter lets through."""
        with self._changed:
            return dict(Counter(record.action for record in self._matching(wanted)))

    def last(self) -> int:
        """The newest sequence number: a cursor for what comes after."""
        with self._changed:
            return self._order[-1] if self._order else 0

    def clear(self) -> None:
        """Forget every call; the numbers go on."""
        with self._changed:
            self._records.clear()
            self._order.clear()

    def _matching(self, wanted: CallFilter) -> Iterator[CallRecord]:
        """In order, from the cursor on: numbers have no gaps, so that a late cursor costs nothing."""
        if not self._order:
            return
        for number in range(max(self._order[0], wanted.since + 1), self._order[-1] + 1):
            if wanted.lets(self._records[number]):
                yield self._records[number]
