"""The process that owns a sandbox's programs and its directory; both end when the process that started it ends.

Runs as a script of its own and knows only the standard library; must not know what the programs are.

Python's own ``finally`` can't run after SIGKILL, and PR_SET_PDEATHSIG in the caller follows the *thread* that forked
(prctl(2)), so a sandbox booted in a worker thread would lose its programs with that thread. The guard has one thread
and lives as long as its standard input is open: the kernel closes that with the caller. Commands are lines of JSON:
``{"do": "start", "name": N, "argv": […], "log": PATH}``, ``{"do": "signal", "name": N, "signal": S}``,
``{"do": "wait", "name": N, "seconds": T}``; each is answered by one line,
``{"pid": P, "code": C | null}`` or ``{"error": TEXT}``.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PARENT_CHECK_SECONDS = 1.0
_CLIB = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with_guard() -> None:
    if _CLIB is not None:
        _CLIB.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _commands(parent: int) -> Iterator[bytes]:
    """The lines on standard input until it ends, or until ``parent`` is gone while a fork of it holds the pipe open."""
    pending = b""
    while os.getppid() == parent:
        if not select.select([0], [], [], _PARENT_CHECK_SECONDS)[0]:
            continue
        chunk = os.read(0, 1 << 16)
        if not chunk:
            return
        *lines, pending = (pending + chunk).split(b"\n")
        yield from lines


def _start(argv: list[str], log: str) -> "subprocess.Popen[bytes]":
    with Path(log).open("ab") as output:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=_die_with_guard,  # noqa: PLW1509 - this process has one thread
        )


def _answer(programs: dict[str, "subprocess.Popen[bytes]"], command: dict[str, object]) -> dict[str, int | str | None]:
    name = str(command["name"])
    if command["do"] == "start":
        argv = command["argv"]
        assert isinstance(argv, list)  # noqa: S101 - the protocol above
        try:
            programs[name] = _start(argv, str(command["log"]))
        except OSError as error:
            return {"error": str(error)}
    program = programs[name]
    if command["do"] == "signal":
        program.send_signal(int(str(command["signal"])))
    if command["do"] == "wait":
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(float(str(command["seconds"])))
    return {"pid": program.pid, "code": program.poll()}


def main() -> None:
    """Serve commands for the directory named on the command line, then end the programs and remove the directory."""
    directory, parent = sys.argv[1], int(sys.argv[2])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # not SIG_IGN: the programs would inherit that
    programs: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for line in _commands(parent):
            sys.stdout.write(json.dumps(_answer(programs, json.loads(line))) + "\n")
            sys.stdout.flush()
    finally:
        for program in programs.values():
            program.kill()
        for program in programs.values():
            program.wait()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
