"""Telling a person that something long is still going on. Knows nothing of what it is."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

Report = Callable[[str], None]

_REPEAT_SECONDS = 15.0


def quiet(_line: str) -> None:
    """Tell nobody."""


def to_stderr(line: str) -> None:
    """Tell whoever reads standard error, at once."""
    print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def ticking(report: Report, what: str, repeat_seconds: float = _REPEAT_SECONDS) -> Iterator[None]:
    """Report ``what`` when it begins, every ``repeat_seconds`` with the seconds it has taken, and when it is done."""
    began = time.monotonic()
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(repeat_seconds):
            report(f"  {what}: {time.monotonic() - began:.0f} s so far")

    report(f"  {what} …")
    ticker = threading.Thread(target=tick, name=f"ticking {what}", daemon=True)
    ticker.start()
    try:
        yield
    finally:
        ended.set()
        ticker.join()
    report(f"  {what}: done in {time.monotonic() - began:.0f} s")
