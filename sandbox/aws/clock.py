"""The clock that moves endpoints from state to state: monotonic, and a test can hold it and push it on."""

import threading
import time
from collections.abc import Callable


class Clock:
    """Seconds that never go back. While held they stand still; `advance` moves them whether held or not."""

    def __init__(self, source: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._offset = 0.0
        self._held_at: float | None = None
        self._lock = threading.Lock()

    def now(self) -> float:
        """The time in seconds, from an origin without meaning."""
        with self._lock:
            return self._read()

    @property
    def held(self) -> bool:
        """Whether it stands still."""
        with self._lock:
            return self._held_at is not None

    def hold(self) -> None:
        """Stand still from now on."""
        with self._lock:
            if self._held_at is None:
                self._held_at = self._read()

    def resume(self) -> None:
        """Go on from where it was held: the time that passed meanwhile does not count."""
        with self._lock:
            if self._held_at is not None:
                self._offset = self._held_at - self._source()
                self._held_at = None

    def advance(self, seconds: float) -> None:
        """Jump ahead by this many seconds (not below 0)."""
        if seconds < 0:
            raise ValueError("a monotonic clock can't go back")
        with self._lock:
            if self._held_at is None:
                self._offset += seconds
            else:
                self._held_at += seconds

    def _read(self) -> float:
        return self._held_at if self._held_at is not None else self._source() + self._offset
