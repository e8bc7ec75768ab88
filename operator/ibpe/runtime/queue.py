"""The work queue: which keys are to be looked at, and when. Knows nothing of Kubernetes, AWS or threads' purposes."""

import heapq
import itertools
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Final, Generic, Protocol, TypeVar

K = TypeVar("K", bound=Hashable)

BACKOFF_BASE: Final = 1.0
"""Seconds before the first retry."""
BACKOFF_CAP: Final = 300.0
"""Seconds that no retry exceeds."""
JITTER: Final = 0.2
"""The share of a backoff that chance may take off, so that many keys that failed together don't return together."""


class QueueObserver(Protocol):
    """What the queue tells whoever measures it. Called under the queue's lock: be quick, never call back."""

    def depth_changed(self, depth: int) -> None:
        """Keys that are ready and not taken yet."""

    def added(self) -> None:
        """A key became ready, or dirty while it is worked on."""

    def retried(self) -> None:
        """A key was put back with backoff."""

    def waited(self, seconds: float) -> None:
        """How long a key was ready before a worker took it."""


class Unobserved:
    """A QueueObserver for who measures nothing."""

    def depth_changed(self, depth: int) -> None:
        """Nothing is kept."""

    def added(self) -> None:
        """Nothing is kept."""

    def retried(self) -> None:
        """Nothing is kept."""

    def waited(self, seconds: float) -> None:
        """Nothing is kept."""


class WorkQueue(Generic[K]):
    """Keys to work on: each at most once in the queue and with at most one worker; first come, first served.

    A key that is added while it is worked on becomes dirty and is ready again the moment its worker is done.
    `clock` gives seconds on a monotonic scale; `chance` gives [0, 1).
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        observer: QueueObserver | None = None,
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._observer: QueueObserver = observer or Unobserved()
        self._changed = threading.Condition()
        self._ready: deque[K] = deque()
        self._dirty: dict[K, float] = {}  # wanted keys -> since when; ready ones and those dirty while worked on
        self._processing: set[K] = set()
        self._due: dict[K, float] = {}  # delayed keys -> when; the heap may hold outdated entries besides
        self._heap: list[tuple[float, int, K]] = []
        self._order = itertools.count()
        self._failures: dict[K, int] = {}
        self._shut_down = False

    def __len__(self) -> int:
        """Keys that a `get` would find now."""
        with self._changed:
            self._promote()
            return len(self._ready)

    def add(self, key: K) -> None:
        """Work on the key as soon as a worker is free. Takes the place of a delayed entry."""
        with self._changed:
            self._add(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Work on the key in so many seconds, or sooner when something else asks for it sooner."""
        with self._changed:
            if seconds <= 0:
                self._add(key)
            else:
                self._delay(key, self._clock() + seconds)

    def add_backoff(self, key: K, cap: float | None = None) -> float:
        """Work on the key after its own backoff, which doubles with each call until `forget`. Returns the seconds.

        `cap`: seconds that this wait may not exceed, where the caller knows better than BACKOFF_CAP.
        """
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
            full = min(BACKOFF_BASE * 2.0 ** min(failures, 30), BACKOFF_CAP if cap is None else cap)
            seconds = full * (1 - JITTER * self._chance())
            self._delay(key, self._clock() + seconds)
            self._observer.retried()
            return seconds

    def forget(self, key: K) -> None:
        """The key went well: its next backoff begins anew."""
        with self._changed:
            self._failures.pop(key, None)

    def get(self) -> K | None:
        """The next key, waited for; the caller owes a `done`. None: the queue is shut down."""
        with self._changed:
            while not self._shut_down:
                self._promote()
                if self._ready:
                    return self._take()
                self._changed.wait(self._until_next())
            return None

    def done(self, key: K) -> None:
        """The worker has finished with the key; it is ready again when somebody asked for it meanwhile."""
        with self._changed:
            self._processing.remove(key)
            if key in self._dirty:
                self._dirty[key] = self._clock()
                self._ready.append(key)
                self._observer.depth_changed(len(self._ready))
            self._changed.notify_all()

    def shut_down(self) -> None:
        """No key is handed out any more; those with workers may end. Nothing here has to survive a restart."""
        with self._changed:
            self._shut_down = True
            self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """Wait at most so many real seconds for the workers to end what they have. True when nothing is left."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while self._processing:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return True

    def processing(self) -> frozenset[K]:
        """The keys that workers have now."""
        with self._changed:
            return frozenset(self._processing)

    def _add(self, key: K) -> None:
        if self._shut_down:
            return
        self._due.pop(key, None)
        if key in self._dirty:
            return
        self._dirty[key] = self._clock()
        self._observer.added()
        if key in self._processing:
            return
        self._ready.append(key)
        self._observer.depth_changed(len(self._ready))
        self._changed.notify()

    def _delay(self, key: K, due: float) -> None:
        if self._shut_down or key in self._dirty or due >= self._due.get(key, float("inf")):
            return
        self._due[key] = due
        heapq.heappush(self._heap, (due, next(self._order), key))
        self._drop_outdated()
        self._changed.notify()

    def _promote(self) -> None:
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                self._add(key)

    def _drop_outdated(self) -> None:
        # Every add_after may outdate an entry; without this a key that is moved often would fill the memory.
        if len(self._heap) > 2 * len(self._due) + 64:
            self._heap = [entry for entry in self._heap if self._due.get(entry[2]) == entry[0]]
            heapq.heapify(self._heap)

    def _take(self) -> K:
        key = self._ready.popleft()
        self._processing.add(key)
        self._observer.waited(self._clock() - self._dirty.pop(key))
        self._observer.depth_changed(len(self._ready))
        return key

    def _until_next(self) -> float | None:
        return max(self._heap[0][0] - self._clock(), 0.0) if self._heap else None
