"""For development: `kopf run -m ibpe.runtime.kopf_module`, with kopf's own command line and reloading.

`ibpe run` is the product. Under `kopf run` the scope comes from kopf's flags alone, so this module refuses to start
when they differ from IBPE_WATCH_NAMESPACES: a list of one scope would prune what a watch of another shows.
"""

import asyncio
import os
import signal
from typing import Any

import click
import kopf

from ibpe.kube import watch
from ibpe.runtime import logs
from ibpe.runtime.accounts_file import InvalidAccounts, load
from ibpe.runtime.assembly import compose
from ibpe.runtime.process import Process
from ibpe.runtime.settings import InvalidSettings, Settings

_running: list[Process] = []
_tasks: list[asyncio.Task[None]] = []
"""asyncio itself keeps tasks by weak references only."""


def scope_problem(wanted: tuple[str, ...], *, clusterwide: bool, namespaces: tuple[str, ...]) -> str | None:
    """What is wrong when kopf's scope is not the settings'; None when they agree."""
    if clusterwide == (not wanted) and set(namespaces) == set(wanted):
        return None
    flags = " ".join(f"-n {name}" for name in wanted) or "-A"
    return f"kopf's scope is not that of IBPE_WATCH_NAMESPACES: run it with {flags}, or change the setting."


@kopf.on.startup()
async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Check the scope, then start everything but kopf."""
    try:
        ours = Settings.load()
        load(ours.accounts_file, ours.cluster_name)
    except (InvalidSettings, InvalidAccounts) as invalid:
        raise kopf.PermanentError(str(invalid)) from None
    if ours.leader_election:
        raise kopf.PermanentError("IBPE_LEADER_ELECTION is not for `kopf run`: unset it, or use `ibpe run`.")
    flags = click.get_current_context().params
    problem = scope_problem(
        ours.watch_namespaces,
        clusterwide=bool(flags.get("clusterwide")),
        namespaces=tuple(flags.get("namespaces") or ()),
    )
    if problem:
        raise kopf.PermanentError(problem)
    logs.configure("text", ours.log_level)
    watch.tune(settings)
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    process = Process(
        ours,
        compose,
        api_ready=lambda: _from_thread(loop, ready),
        on_death=lambda: os.kill(os.getpid(), signal.SIGTERM),
    )
    watch.register(kopf.get_default_registry(), process.watch)
    _running.append(process)
    process.serve()
    process.start()
    _tasks.append(asyncio.create_task(_beat(process), name="heartbeat"))
    await ready.wait()
    process.lister.watching.set()


@kopf.on.cleanup()
async def stop(**_: Any) -> None:
    """Let work end within the bound."""
    for process in _running:
        await asyncio.to_thread(process.stop)


async def _beat(process: Process) -> None:
    while True:
        process.beat()
        await asyncio.sleep(1)


def _from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    loop.call_soon_threadsafe(event.set)
