"""Waits of held and delayed calls, all of which end when the server stops."""

import threading


class Waiting:
    """Waits that `end` cuts short."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds of real time."""
        self._ended.wait(seconds)

    def until(self, event: threading.Event) -> None:
        """Wait for an event; how long is up to the test that holds it."""
        while not event.wait(0.05) and not self._ended.is_set():
            continue

    def end(self) -> None:
        """Let every wait end, now and from now on."""
        self._ended.set()
