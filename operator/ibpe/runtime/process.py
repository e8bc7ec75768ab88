"""All parts of the operator but kopf, joined, started and stopped. What a reconcile does comes from outside."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from prometheus_client import start_http_server

from ibpe import __version__
from ibpe.kube.calls import Connection
from ibpe.kube.connect import configuration
from ibpe.kube.events import KubernetesEvents
from ibpe.kube.resources import KubernetesResources
from ibpe.kube.watch import Watch
from ibpe.reconcile.claims import ClaimIndex
from ibpe.reconcile.ports import Key
from ibpe.runtime.aws_watch import AwsWatch, Periods, PrerequisiteFacts, Snapshots
from ibpe.runtime.health import ProbeServer
from ibpe.runtime.interest import Interest
from ibpe.runtime.leadership import leadership
from ibpe.runtime.lister import Lister
from ibpe.runtime.metrics import Metrics, RegionState
from ibpe.runtime.queue import WorkQueue
from ibpe.runtime.router import Router, only_known
from ibpe.runtime.settings import Settings
from ibpe.runtime.sight import Looks, Sight, merged
from ibpe.runtime.workers import Reconcile, Workers

log: Final = logging.getLogger(__name__)

HUNG_SECONDS: Final = 60.0
"""Silence of the event loop after which the process no longer counts as alive."""


@dataclass(frozen=True)
class Ground:
    """What a reconciler is built on."""

    settings: Settings
    metrics: Metrics
    resources: KubernetesResources
    events: KubernetesEvents
    claims: ClaimIndex
    interest: Interest
    permit: Callable[[], None]
    """Stands before every write to AWS: returns only while this process leads."""


class Sights(Snapshots, Looks, Protocol):
    """The first tier, for who watches and for who measures."""


class Facts(PrerequisiteFacts, Protocol):
    """The second tier, likewise."""

    def failing(self, region: str) -> bool:
        """Whether the last look brought nothing."""


@dataclass(frozen=True)
class View:
    """What sees one account, for who watches and for who measures."""

    snapshots: Sights
    prerequisites: Facts
    account: Callable[[], str]
    """Twelve digits; "" until AWS has told it."""


@dataclass(frozen=True)
class Story:
    """What the process is for: the reconcile and what it sees of AWS."""

    reconcile: Reconcile
    forget: Callable[[str], None]
    """By uid."""
    forget_key: Callable[[Key], None]
    """What is kept by the name of a resource."""
    view: Callable[[str], View]
    """By the account's name."""


Compose = Callable[[Ground], Story]


def _ground(settings: Settings, metrics: Metrics, permit: Callable[[], None]) -> Ground:
    connection = Connection.to(
        configuration(),
        user_agent=f"ibpe/{__version__} ({settings.cluster_name})",
        pool_size=settings.workers + 2,
        permit=permit,
    )
    return Ground(
        settings=settings,
        metrics=metrics,
        resources=KubernetesResources(connection, metrics),
        events=KubernetesEvents(connection, instance=os.environ.get("HOSTNAME") or socket.gethostname()),
        claims=ClaimIndex(),
        interest=Interest(),
        permit=permit,
    )


class Process:
    """Raises NoCluster when nothing says where the API server is, OSError when a port is taken."""

    def __init__(
        self, settings: Settings, compose: Compose, *, api_ready: Callable[[], None], on_death: Callable[[], None]
    ) -> None:
        self.settings = settings
        self.died = False
        self._standby = settings.leader_election
        self._on_death = on_death
        self._beat = time.monotonic()
        self._held_at: float | None = None
        self._servers: list[Callable[[], None]] = []
        self.metrics = Metrics()
        self.metrics.watches(settings.watch_namespaces)
        self.leadership = leadership(settings, self.metrics.leading)
        ground = _ground(settings, self.metrics, self.leadership.permit)
        story = compose(ground)
        self.queue: WorkQueue[Key] = WorkQueue(observer=self.metrics)
        self.watch = Watch(self._router(ground, story))
        self.workers = Workers(
            self.queue, story.reconcile, count=settings.workers, on_death=self._death, observer=self.metrics
        )
        self.aws_watch = AwsWatch(
            story.view,
            ground.interest,
            only_known(self.watch.memory, self.queue.add),
            periods=Periods(settings.snapshot_seconds, settings.snapshot_fast_seconds, settings.prerequisites_seconds),
            on_death=self._death,
        )
        self.lister = Lister(
            ground.resources,
            self.watch,
            settings.watch_namespaces,
            period=settings.prune_seconds,
            api_ready=api_ready,
            on_caught_up=self.workers.begin,
            on_death=self._death,
        )
        self.metrics.show_regions(lambda: merged(self._states(ground.interest, story)))

    def serve(self) -> None:
        """Serve probes and metrics; nothing else is done yet. A standby is alive and ready: it could lead at once."""
        settings = self.settings
        threads = {
            "workers": lambda: self._standby or self.workers.alive,
            "aws_watch": lambda: self._standby or self.aws_watch.alive,
        }
        if settings.health_port is not None:
            probes = {
                "/healthz": {
                    **threads,
                    "lister": lambda: self._standby or self.lister.alive,
                    "lease": lambda: self.leadership.alive,
                    "event_loop": lambda: time.monotonic() - self._beat < HUNG_SECONDS,
                },
                "/readyz": {**threads, "watch": lambda: self._standby or self.lister.caught_up},
            }
            probe_server = ProbeServer(settings.health_host, settings.health_port, probes)
            self._servers.append(probe_server.close)
            log.info("Probes are served.", extra={"host": settings.health_host, "port": probe_server.port})
        if settings.metrics_port is not None:
            server, _ = start_http_server(settings.metrics_port, settings.metrics_host, self.metrics.registry)
            self._servers.append(server.shutdown)
            log.info("Metrics are served.", extra={"host": settings.metrics_host, "port": server.server_port})

    def start(self) -> None:
        """Start every thread; the workers begin when the watch has caught up."""
        self.workers.start()
        self.aws_watch.start()
        self.lister.start()
        self._standby = False

    def beat(self) -> None:
        """Called by the event loop each second: the sign that it turns."""
        self._beat = time.monotonic()

    def hold(self) -> None:
        """Begin nothing new: what is at work may end. From here on the bound of `stop` counts."""
        if self._held_at is None:
            self._held_at = time.monotonic()
        self.queue.shut_down()
        self.aws_watch.stop()
        self.lister.stop()

    def stop(self) -> bool:
        """Wait for what is at work until the bound, and free the ports. True when all of it ended."""
        self.hold()
        passed = time.monotonic() - (self._held_at or 0.0)
        ended = self.workers.stop(max(self.settings.shutdown_seconds - passed, 0.0))
        for close in self._servers:
            close()
        return ended

    def _router(self, ground: Ground, story: Story) -> Router:
        return Router(
            self.queue,
            ground.claims,
            ground.interest,
            self.metrics.resources,
            forget_uid=story.forget,
            forget_key=story.forget_key,
        )

    def _states(self, interest: Interest, story: Story) -> Iterator[RegionState]:
        places = interest.places()
        for name in {place.account for place in places}:
            view = story.view(name)
            regions = [place.region for place in places if place.account == name]
            yield from Sight(
                cluster=self.settings.cluster_name,
                namespaces=self.settings.watch_namespaces,
                regions=lambda: regions,  # noqa: B023 -- asked before the loop goes on
                looks=view.snapshots,
                facts_failing=view.prerequisites.failing,
                knows=self.watch.memory.knows_key,
                caught_up=lambda: self.lister.caught_up,
                account=view.account(),
            ).states()

    def _death(self, death: BaseException) -> None:
        self.died = True
        log.critical("The process ends: %r in %s.", death, threading.current_thread().name)
        self._on_death()
