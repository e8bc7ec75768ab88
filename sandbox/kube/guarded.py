"""Programs in a temporary directory that can't outlive this process: the calling side of ``guard``.

Must not know what the programs are.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_GUARD = Path(__file__).with_name("guard.py")
_END_SECONDS = 10.0


class GuardError(RuntimeError):
    """The guard is gone or could not start a program; the message says which."""


class GuardedDirectory:
    """A temporary directory (``path``, mode 0700) and the programs started in it; all end with this object.

    They end as well when this process ends without a word (SIGKILL). Safe to use from several threads.
    """

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
        self._lock = threading.Lock()
        try:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_GUARD), str(self.path), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C in a terminal reaches the caller, which decides
            )
        except BaseException:
            shutil.rmtree(self.path, ignore_errors=True)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def guard_pid(self) -> int:
        """The guard's process id, for tests that look for what is left behind."""
        return self._guard.pid

    def log(self, name: str) -> Path:
        """Where the program ``name`` writes what it prints."""
        return self.path / f"{name}.log"

    def start(self, name: str, argv: list[str]) -> int:
        """Start ``argv`` as ``name`` and return its process id; raises GuardError when it can't be executed."""
        answer = self._ask({"do": "start", "name": name, "argv": argv, "log": str(self.log(name))})
        pid = answer.get("pid")
        if pid is None:
            raise GuardError(f"{name} did not start: {answer.get('error')}")
        return int(pid)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the program has ended."""
        self._ask({"do": "signal", "name": name, "signal": int(number)})

    def exit_code(self, name: str, within_seconds: float = 0.0) -> int | None:
        """The exit code (negative: the signal's number), None when it still runs after ``within_seconds``."""
        code = self._ask({"do": "wait", "name": name, "seconds": within_seconds}).get("code")
        return None if code is None else int(code)

    def close(self) -> None:
        """End every program, remove the directory; safe to call twice."""
        if self._guard.stdin is not None and not self._guard.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()
        try:
            self._guard.wait(_END_SECONDS)
        finally:
            self._guard.kill()
            self._guard.wait()
            if self._guard.stdout is not None:
                self._guard.stdout.close()
            shutil.rmtree(self.path, ignore_errors=True)  # a guard that was killed has not done it

    def _ask(self, command: dict[str, str | int | float | list[str]]) -> dict[str, int | str | None]:
        guard = self._guard
        if guard.stdin is None or guard.stdout is None or guard.stdin.closed:
            raise GuardError("the sandbox is closed")
        with self._lock:
            try:
                guard.stdin.write(json.dumps(command).encode() + b"\n")
                guard.stdin.flush()
                line = guard.stdout.readline()
            except BrokenPipeError:
                line = b""
        if not line:
            raise GuardError(f"the guard process {guard.pid} has ended")
        answer: dict[str, int | str | None] = json.loads(line)
        return answer
