"""The thread that lists: waits for the API server, tells when the watch has caught up, prunes. Watches nothing."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from ibpe.api.names import GROUP, PLURAL
from ibpe.kube.calls import Forbidden, KindNotInstalled, Unauthenticated
from ibpe.kube.resources import KubernetesResources
from ibpe.kube.watch import Watch
from ibpe.reconcile.ports import KubernetesUnavailable, WriteConflict

log: Final = logging.getLogger(__name__)

CATCH_UP_SECONDS: Final = 0.5
LONGEST_WAIT: Final = 15.0
REPEAT_EVERY: Final = 8
"""Waits between two lines about the same obstacle."""


class Lister:
    """`api_ready` is called once the resources can be listed; `watching` is set by whoever starts the watch then.

    `on_caught_up` is called once the watch has shown everything that existed: only then is it known who claims what.
    """

    def __init__(
        self,
        resources: KubernetesResources,
        watch: Watch,
        namespaces: tuple[str, ...],
        *,
        period: float,
        api_ready: Callable[[], None],
        on_caught_up: Callable[[], None],
        on_death: Callable[[BaseException], None],
    ) -> None:
        self.watching = threading.Event()
        self._resources = resources
        self._watch = watch
        self._namespaces = namespaces
        self._period = period
        self._api_ready = api_ready
        self._on_caught_up = on_caught_up
        self._on_death = on_death
        self._stopping = threading.Event()
        self._caught_up = threading.Event()
        self._thread = threading.Thread(target=self._guarded, name="lister", daemon=True)

    def start(self) -> None:
        """Begin to wait for the API server."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    @property
    def caught_up(self) -> bool:
        """Whether the watch has shown everything that existed at the start."""
        return self._caught_up.is_set()

    def stop(self) -> None:
        """Begin no further list."""
        self._stopping.set()
        self.watching.set()

    def _guarded(self) -> None:
        try:
            self._until_done(lambda: self._resources.probe(self._namespaces))
            if not self._stopping.is_set():
                self._api_ready()
            self.watching.wait()
            self._until_done(self._wait_for_the_watch)
            if not self._stopping.is_set():
                self._caught_up.set()
                self._on_caught_up()
                log.info("Watching %d resources.", len(self._watch.memory))
            while not self._stopping.wait(self._period):
                self._prune()
        except BaseException as death:
            log.critical("The listing thread died; the process ends.", exc_info=True)
            self._on_death(death)
            raise

    def _wait_for_the_watch(self) -> None:
        while not self._watch.has_seen_all(self._resources, self._namespaces):
            if self._stopping.wait(CATCH_UP_SECONDS):
                return

    def _prune(self) -> None:
        try:
            self._watch.prune(self._resources, self._namespaces)
        except (KubernetesUnavailable, WriteConflict) as failure:
            log.warning("The periodic list failed; the next one comes: %s", failure)

    def _until_done(self, attempt: Callable[[], None]) -> None:
        wait, told, since = 0.5, "", 0
        while not self._stopping.is_set():
            try:
                attempt()
            except (KubernetesUnavailable, WriteConflict) as failure:
                advice, since = explained(failure), since + 1
                if type(failure).__name__ != told or since >= REPEAT_EVERY:
                    log.warning("Waiting: %s", advice)
                    told, since = type(failure).__name__, 0
                self._stopping.wait(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                return


def explained(failure: Exception) -> str:
    """What stands between us and the resources, and what to do about it."""
    match failure:
        case KindNotInstalled():
            return f"the CRD {PLURAL}.{GROUP} is not installed; apply the manifest in crds/ or install the chart."
        case Unauthenticated():
            return f"the API server does not accept our credentials; check the kubeconfig or service account: {failure}"
        case Forbidden():
            return f"RBAC does not let us list {PLURAL}.{GROUP}; bind the operator's role: {failure}"
        case _:
            return f"the API server is away: {failure}"
