"""How often each operation that AWS limits may be sent: a token bucket for each account, region and operation.

Knows no SDK, no resource and no time of its own: the clock is given. Nobody is ever made to sleep: who finds no token
is told in how many seconds its turn comes.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

CREATE: Final = "CreateVpcEndpoint"
MODIFY: Final = "ModifyVpcEndpoint"
DELETE: Final = "DeleteVpcEndpoints"
LIMITED: Final = frozenset({CREATE, MODIFY, DELETE})
"""Operations with a bucket of 4, refilled by 0.3 a second, in each account and Region (EC2 API: Request throttling).

CreateTags and DeleteTags have 100 and 10 a second there, and the SDK's own pool of connections keeps us below that.
"""
LAPSE_SECONDS: Final = 15.0
"""How long after its turn a place in the line is kept for who does not come."""
SLOWEST: Final = 1 / 8
"""The share of its rate that a bucket keeps, however often AWS throttles."""
RECOVERY_SECONDS: Final = 600.0
"""In which a rate rises from nothing to the whole: from half of it, five minutes."""
SAME_THROTTLE_SECONDS: Final = 5.0
"""Throttle answers within so many seconds are one: calls that were under way together learn the same thing."""
UNDER_WAY_SECONDS: Final = 30.0
"""How long a call may be under way whose end nobody tells: it was never sent, or its thread is gone."""
MARGIN_SECONDS: Final = 0.001
"""Added to each wait, so that rounding brings nobody a moment too early."""


class Turns(Protocol):
    """Who says whether a write may be sent now."""

    def turn(self, *, account: str, region: str, operation: str, caller: str) -> float:
        """0.0: the caller may send it now, once. Else the seconds until it should ask again."""


class Unlimited:
    """Turns without end, for who has no limits to keep."""

    def turn(self, *, account: str, region: str, operation: str, caller: str) -> float:  # noqa: ARG002 -- as Turns
        """Now."""
        return 0.0


class Level(NamedTuple):
    """What a bucket holds now."""

    account: str
    region: str
    operation: str
    tokens: float


@dataclass
class Bucket:
    """Tokens, their rate, and who waits for them, in order. Not safe for threads; `now` in seconds, never falling.

    A turn sets a token aside, and the end of its call takes it: AWS counts a call when it comes, somewhere between the
    two, and so never finds its own bucket emptier than this one, however long a call is on its way.

    A throttle answer empties it and halves its rate, down to SLOWEST of the whole; from then on the rate rises by the
    same amount each second, until it is whole again.
    """

    burst: float
    full_rate: float
    at: float
    """When `tokens` and `rate` were so."""
    tokens: float = field(init=False)
    rate: float = field(init=False)
    _line: dict[str, float] = field(default_factory=dict)
    """Who waits -> when its place lapses; in the order of their coming."""
    _under_way: deque[float] = field(default_factory=deque)
    """When each turn was given whose call has not ended."""
    _throttled_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.tokens, self.rate = self.burst, self.full_rate

    def turn(self, caller: str, now: float) -> float:
        """Set a token aside, or stay in the line: the seconds until the caller's own comes."""
        self._pass_to(now)
        self._line = {who: lapses for who, lapses in self._line.items() if lapses >= now or who == caller}
        before = list(self._line).index(caller) if caller in self._line else len(self._line)
        missing = before + 1 - self.level(now)
        if missing <= 0:
            self._under_way.append(now)
            self._line.pop(caller, None)
            return 0.0
        wait = missing / self.rate + MARGIN_SECONDS  # the rate only rises meanwhile, unless AWS throttles again
        self._line[caller] = now + wait + LAPSE_SECONDS
        return wait

    def called(self, now: float) -> None:
        """A call ended, whether or not a turn was taken for it."""
        self._pass_to(now)
        if self._under_way:
            self._under_way.popleft()
        self.tokens = max(self.tokens - 1, 0.0)

    def throttled(self, now: float) -> None:
        """AWS said that its own bucket is empty: others draw from it too."""
        self._pass_to(now)
        self.tokens = 0.0
        if now - self._throttled_at >= SAME_THROTTLE_SECONDS:
            self.rate = max(self.rate / 2, self.full_rate * SLOWEST)
            self._throttled_at = now

    def level(self, now: float) -> float:
        """Tokens that are there now and not set aside; below zero after a throttle, while calls are under way."""
        self._pass_to(now)
        return self.tokens - len(self._under_way)

    def _pass_to(self, now: float) -> None:
        while self._under_way and now - self._under_way[0] >= UNDER_WAY_SECONDS:
            self._refill(self._under_way[0] + UNDER_WAY_SECONDS)
            self._under_way.popleft()
            self.tokens = max(self.tokens - 1, 0.0)
        self._refill(now)

    def _refill(self, now: float) -> None:
        passed, slope = max(now - self.at, 0.0), self.full_rate / RECOVERY_SECONDS
        rising = min(passed, (self.full_rate - self.rate) / slope)
        gained = rising * (self.rate + slope * rising / 2) + (passed - rising) * self.full_rate
        self.tokens = min(self.burst, self.tokens + gained)
        self.rate = min(self.full_rate, self.rate + slope * rising)
        self.at = max(self.at, now)


class Limits:
    """All buckets of the process; thread-safe. An `aws.observer.Observer` of calls that end, and of throttling."""

    def __init__(self, burst: float, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str, str], Bucket] = {}

    def turn(self, *, account: str, region: str, operation: str, caller: str) -> float:
        """As Turns. A caller has one place in each line, and keeps it until its turn is LAPSE_SECONDS past."""
        if operation not in LIMITED:
            return 0.0
        with self._lock:
            now = self._clock()
            return self._bucket(account, region, operation, now).turn(caller, now)

    def called(self, *, service: str, operation: str, code: str, account: str, region: str, seconds: float) -> None:  # noqa: ARG002 -- as Observer
        """Observer: a call ended, and its token is gone."""
        if service == "ec2" and operation in LIMITED:
            with self._lock:
                now = self._clock()
                self._bucket(account, region, operation, now).called(now)

    def throttled(self, *, service: str, operation: str, account: str, region: str) -> None:
        """Observer: the bucket in AWS was emptied, by us or by others."""
        if service == "ec2" and operation in LIMITED:
            with self._lock:
                now = self._clock()
                self._bucket(account, region, operation, now).throttled(now)

    def levels(self) -> Iterable[Level]:
        """What each bucket that was ever asked holds now."""
        with self._lock:
            now = self._clock()
            return [Level(*where, bucket.level(now)) for where, bucket in self._buckets.items()]

    def _bucket(self, account: str, region: str, operation: str, now: float) -> Bucket:
        where = account, region, operation
        if where not in self._buckets:
            self._buckets[where] = Bucket(self._burst, self._per_second, now)
        return self._buckets[where]
