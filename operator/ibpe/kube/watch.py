"""The watch of our resources: kopf brings events, what matters of them goes to a sink. Reconciles nothing."""

import itertools
import logging
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import kopf

from ibpe.api.names import GROUP, PLURAL, VERSION
from ibpe.kube.connect import configuration
from ibpe.kube.resources import KubernetesResources
from ibpe.kube.seen import Seen, Sighting, sighting_from, sighting_of
from ibpe.reconcile.ports import Key

log: Final = logging.getLogger(__name__)


class Sink(Protocol):
    """Who is told. Called from kopf's event loop and from the pruning thread: must be quick and thread safe."""

    def seen(self, sighting: Sighting, *, wake: bool) -> None:
        """A resource exists; `wake`: something changed that a reconcile must look at."""

    def ended(self, uid: str, key: Key | None) -> None:
        """A resource is gone for good; `key` is its name, or None when another resource bears it by now."""


@dataclass
class Watch:
    """Turns events and lists into calls of the sink. A damaged object is logged and passed over."""

    sink: Sink
    memory: Seen = field(default_factory=Seen)

    def event(self, kind: str | None, raw: Mapping[str, Any]) -> None:
        """One event of kopf's stream; `kind` is None for what its first list shows."""
        try:
            if kind == "DELETED":
                self.gone(str(raw["metadata"]["uid"]))
            else:
                self._note(sighting_of(raw), listed=False)
        except Exception:
            # kopf would log it as a failed handler of its own; and an event is never worth ending the watch
            log.exception("A watch event could not be understood.")

    def gone(self, uid: str) -> None:
        """The resource with that uid exists no more."""
        self.sink.ended(uid, self.memory.ended(uid))

    def has_seen_all(self, resources: KubernetesResources, namespaces: tuple[str, ...], *, chunk: int = 100) -> bool:
        """Whether the watch has shown everything that a list shows now. Raises KubernetesUnavailable."""
        return all(self.memory.knows(resource.uid) for resource in resources.list_all(namespaces, chunk=chunk))

    def prune(self, resources: KubernetesResources, namespaces: tuple[str, ...], *, chunk: int = 100) -> None:
        """Compare with a full list: end what is gone, see what the watch missed. Raises KubernetesUnavailable."""
        before = self.memory.begin_listing()
        try:
            listed = set()
            for resource in resources.list_all(namespaces, chunk=chunk):
                listed.add(resource.uid)
                if self._note(sighting_from(resource), listed=True):
                    log.info("The watch had missed a change; the list shows it.", extra={"key": str(resource.key)})
            for uid in before.keys() - listed:
                if not self.memory.knows(uid):
                    continue  # a namesake has ended it meanwhile
                log.info("The watch had missed a deletion; the list shows it.", extra={"key": str(before[uid])})
                self.gone(uid)
        finally:
            self.memory.end_listing()

    def _note(self, sighting: Sighting, *, listed: bool) -> bool:
        noted = self.memory.note(sighting.uid, sighting.wakers, listed=listed)
        if noted.replaced is not None:
            self.sink.ended(noted.replaced, None)
        if self.memory.knows(sighting.uid):
            self.sink.seen(sighting, wake=noted.wake)
        return noted.wake


class EndlessJitter(Iterable[float]):
    """Seconds between kopf's attempts at a request: 1 to 30, for ever. kopf iterates it anew for each request."""

    def __init__(self, cap: float = 30.0) -> None:
        self._cap = cap

    def __iter__(self) -> Iterator[float]:
        for step in itertools.count():
            yield min(2.0 ** min(step, 10), self._cap) * random.uniform(0.5, 1)  # noqa: S311 -- spreads load, no secret


def tune(chosen: kopf.OperatorSettings, chunk: int = 100) -> None:
    """Keep kopf to watching: no scanning, no event posting, little memory, patient with the API server."""
    chosen.scanning.disabled = True
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    chosen.watching.chunk_size = chunk
    chosen.watching.initial_streaming = False  # it loses objects in kopf 1.45.2
    chosen.watching.inactivity_timeout = 70
    chosen.watching.connect_timeout = 10
    chosen.networking.request_timeout = 30
    chosen.networking.connect_timeout = 10
    chosen.networking.enforce_retry_after = True
    chosen.networking.error_backoffs = EndlessJitter()
    chosen.queueing.idle_timeout = 0.5


def register(registry: kopf.OperatorRegistry, watch: Watch) -> None:
    """Put our two handlers into kopf's registry: events, and credentials as kube.connect finds them."""

    @kopf.on.login(registry=registry)
    async def credentials(**_: Any) -> kopf.ConnectionInfo:
        return connection_info(configuration())

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def event(type: str | None, event: Mapping[str, Any], **_: Any) -> None:  # noqa: A002 -- kopf's name
        watch.event(type, event["object"])


def connection_info(found: Any) -> kopf.ConnectionInfo:
    """What kopf needs of the library's Configuration; both then talk to the same server as the same user."""
    scheme, _, token = str(found.get_api_key_with_prefix("BearerToken") or "").rpartition(" ")
    return kopf.ConnectionInfo(
        server=found.host,
        ca_path=found.ssl_ca_cert,
        insecure=not found.verify_ssl,
        username=found.username or None,
        password=found.password or None,
        scheme=scheme or None,
        token=token or None,
        certificate_path=found.cert_file,
        private_key_path=found.key_file,
    )
