"""Faults that a test arranges: which calls they meet, and what happens to those. Knows no EC2."""

import itertools
import threading
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.aws.call import Call

Effect = Literal["error", "raw", "close", "hang", "delay", "hold"]


class Fault(BaseModel):
    """Meets the calls of `action` (`*` for every action; wildcards) whose parameters match; passes over the first
    `skip` of them, then has its effect on `times` of them (None: on all).

    - `error`: EC2's error with `code`, `message`, `status`; nothing is executed.
    - `raw`: HTTP `status` with `body` as it is (an HTML 502, say); nothing is executed.
    - `close`: the connection closes without an answer, before the call has its effect or after.
    - `hang`: no answer until the fault is released or removed, then the connection closes; before or after.
    - `delay`: `seconds`, before or after the effect; then the answer.
    - `hold`: as `delay`, until the fault is released or removed.

    `parameters`: wire name (`VpcId`, `SubnetId.1`; wildcards) -> value (wildcards); all must match some parameter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: str = "*"
    effect: Effect
    phase: Literal["before", "after"] = "before"
    skip: int = Field(0, ge=0)
    times: int | None = Field(None, ge=1)
    parameters: Mapping[str, str] = Field(default_factory=dict)
    access_key: str = "*"
    region: str = "*"
    code: str = "InternalError"
    message: str = "An internal error has occurred"
    status: int = Field(500, ge=100, le=599)
    body: str = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
    content_type: str = "text/html"
    seconds: float = Field(0.0, ge=0)

    def meets(self, call: Call) -> bool:
        """Whether the call is one of those that this fault counts."""
        return (
            fnmatchcase(call.action, self.action)
            and fnmatchcase(call.access_key, self.access_key)
            and fnmatchcase(call.region, self.region)
            and all(_has(call.parameters.flat, name, value) for name, value in self.parameters.items())
        )


def _has(flat: Mapping[str, str], name: str, value: str) -> bool:
    return any(fnmatchcase(key, name) and fnmatchcase(sent, value) for key, sent in flat.items())


class ArrangedFault:
    """A fault with its counters. `released` opens every call that it holds, now and later."""

    def __init__(self, number: int, fault: Fault) -> None:
        self.id = number
        self.fault = fault
        self.met = 0
        self.hits = 0
        self.released = threading.Event()

    def takes(self, call: Call) -> bool:
        """Count the call when it is met; whether the fault has its effect on it."""
        if not self.fault.meets(call):
            return False
        self.met += 1
        if self.met <= self.fault.skip or (self.fault.times is not None and self.hits >= self.fault.times):
            return False
        self.hits += 1
        return True


class Faults:
    """Every fault that is arranged, and the actions that are denied."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._arranged: dict[int, ArrangedFault] = {}
        self._denied: tuple[str, ...] = ()

    def add(self, fault: Fault) -> ArrangedFault:
        """Arrange a fault."""
        with self._lock:
            arranged = ArrangedFault(next(self._numbers), fault)
            self._arranged[arranged.id] = arranged
            return arranged

    def all(self) -> tuple[ArrangedFault, ...]:
        """Every arranged fault, oldest first."""
        with self._lock:
            return tuple(self._arranged.values())

    def take(self, call: Call) -> tuple[ArrangedFault, ...]:
        """The faults that have their effect on this call; asked once for each call."""
        with self._lock:
            return tuple(arranged for arranged in self._arranged.values() if arranged.takes(call))

    def release(self, number: int) -> bool:
        """Let go of what a fault holds; False when there is no such fault."""
        with self._lock:
            arranged = self._arranged.get(number)
        if arranged is not None:
            arranged.released.set()
        return arranged is not None

    def remove(self, number: int) -> bool:
        """End a fault and let go of what it holds."""
        with self._lock:
            arranged = self._arranged.pop(number, None)
        if arranged is not None:
            arranged.released.set()
        return arranged is not None

    def clear(self) -> None:
        """End every fault and every denial."""
        for arranged in self.all():
            self.remove(arranged.id)
        self._denied = ()

    def deny(self, actions: Iterable[str]) -> None:
        """The actions (wildcards) that IAM denies from now on, in place of those before."""
        self._denied = tuple(actions)

    def denied(self) -> tuple[str, ...]:
        """The actions that are denied."""
        return self._denied

    def denies(self, action: str) -> bool:
        """Whether the caller may not do this."""
        return any(fnmatchcase(action, pattern) for pattern in self._denied)
