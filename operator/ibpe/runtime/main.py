"""`ibpe run`: the operator as a process, from its settings to its exit code."""

import asyncio
import logging
import os
import signal
from typing import Final

import kopf

from ibpe import __version__
from ibpe.kube import watch
from ibpe.kube.connect import NoCluster
from ibpe.runtime import logs
from ibpe.runtime.accounts_file import InvalidAccounts
from ibpe.runtime.allocator import share_one_pool
from ibpe.runtime.leadership import NoNamespace
from ibpe.runtime.process import Compose, Process
from ibpe.runtime.settings import Settings

log: Final = logging.getLogger(__name__)

BEAT_SECONDS: Final = 1.0
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run(settings: Settings, compose: Compose | None = None) -> int:
    """Run until SIGTERM or SIGINT. The exit code: 0 when asked to end, 1 when it can't start or go on.

    A second signal ends the process at once, with 128 + the signal's number. `compose` builds what reconciles; the
    product's own by default.
    """
    share_one_pool()
    logs.configure(settings.log_format, settings.log_level)
    log.info("Starting.", extra={"version": __version__, "cluster": settings.cluster_name})
    try:
        return asyncio.run(_operate(settings, compose or _product()))
    except (NoCluster, NoNamespace, InvalidAccounts) as fault:
        log.critical("%s", fault)
    except OSError as failure:
        log.critical("A port can't be had: %s", failure)
    return 1


def _product() -> Compose:
    from ibpe.runtime.assembly import compose  # noqa: PLC0415 -- it loads boto3, which not every caller needs

    return compose


async def _operate(settings: Settings, compose: Compose) -> int:
    loop = asyncio.get_running_loop()
    stop, elected, api_ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
    process = Process(
        settings,
        compose,
        api_ready=lambda: _set_from_thread(loop, api_ready),
        on_death=lambda: _set_from_thread(loop, stop),
    )
    _on_signals(loop, stop, process)
    heart = asyncio.create_task(_beat(process), name="heartbeat")
    process.serve()
    process.leadership.start(won=lambda: _set_from_thread(loop, elected))
    await _first(stop, elected)
    failed = not stop.is_set() and await _lead(process, stop, api_ready)
    if await asyncio.to_thread(process.stop):  # else a write may still be under way: the Lease ends by itself
        await asyncio.to_thread(process.leadership.release)
    heart.cancel()
    log.info("Ended.")
    return 1 if failed or process.died else 0


async def _lead(process: Process, stop: asyncio.Event, api_ready: asyncio.Event) -> bool:
    """Work until `stop`. Returns whether it ended by itself, which it never should."""
    process.start()
    await _first(stop, api_ready)
    return not stop.is_set() and await _watch(process, stop)


async def _watch(process: Process, stop: asyncio.Event) -> bool:
    """Run kopf until `stop`. Returns whether it ended by itself, which it never should."""
    namespaces = process.settings.watch_namespaces
    registry, settings = kopf.OperatorRegistry(), kopf.OperatorSettings()
    watch.register(registry, process.watch)
    watch.tune(settings)
    ours = asyncio.all_tasks()
    tasks = await kopf.spawn_tasks(
        registry=registry,
        settings=settings,
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        stop_flag=stop,
    )
    _on_signals(asyncio.get_running_loop(), stop, process)  # spawn_tasks has put kopf's own handlers in their place
    process.lister.watching.set()
    try:
        await kopf.run_tasks(tasks, ignored=ours)
    except Exception:
        log.critical("The watch failed; the process ends so that it is started anew.", exc_info=True)
        return True
    if not stop.is_set():
        log.critical("The watch ended by itself; the process ends so that it is started anew.")
    return not stop.is_set()


async def _beat(process: Process) -> None:
    while True:
        process.beat()
        await asyncio.sleep(BEAT_SECONDS)


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def _on_signals(loop: asyncio.AbstractEventLoop, stop: asyncio.Event, process: Process) -> None:
    def received(number: signal.Signals) -> None:
        if stop.is_set():
            log.warning("A second signal; ending at once.", extra={"signal": number.name})
            os._exit(128 + number)
        log.info("Ending: no new work is begun.", extra={"signal": number.name})
        process.hold()  # at once: kopf may take seconds to wind down
        stop.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, received, number)


def _set_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(event.set)
