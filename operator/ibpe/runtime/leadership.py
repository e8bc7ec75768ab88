"""Leading and ceasing to lead, as threads: one that takes and renews the Lease, one that ends the process in time.

A process that led never goes back to waiting: it ends, and is started anew. Knows the Lease; not what leading is for.
"""

import logging
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn, Protocol

from ibpe import __version__
from ibpe.kube.calls import Connection, Forbidden, NotFound, Unauthenticated
from ibpe.kube.connect import configuration
from ibpe.kube.lease import Lease, Record
from ibpe.reconcile.ports import KubernetesUnavailable, WriteConflict
from ibpe.runtime.election import Election, Lock, Terms
from ibpe.runtime.settings import Settings

log: Final = logging.getLogger(__name__)

EXIT_NOT_LEADING: Final = 75
"""The exit code of a leader that could no longer count on its Lease (sysexits.h: try again)."""
WATCH_SECONDS: Final = 0.1
JITTER: Final = 0.2


class Leadership(Protocol):
    """Whether this process may act."""

    def start(self, won: Callable[[], None]) -> None:
        """Begin; `won` is called once, from another thread, when this process leads."""

    def permit(self) -> None:
        """Returns only while this process leads: the fence in front of every write to AWS."""

    def release(self) -> None:
        """Nothing is written any more: let another lead."""


class Alone:
    """No election: the one process there is."""

    def start(self, won: Callable[[], None]) -> None:
        """It leads at once."""
        won()

    def permit(self) -> None:
        """Always."""

    def release(self) -> None:
        """Nothing to let go of."""


NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class NoNamespace(Exception):  # noqa: N818 -- a state of the settings, told to a person
    """Nothing says where the Lease is."""


def leadership(settings: Settings, leading: Callable[[bool], None]) -> Leadership:
    """What the settings ask for. Raises NoCluster, and NoNamespace with what to do."""
    if not settings.leader_election:
        leading(True)  # noqa: FBT003 -- the gauge's value
        return Alone()
    leading(False)  # noqa: FBT003 -- as above
    terms = Terms(settings.lease_duration_seconds, settings.lease_renew_deadline_seconds, settings.lease_retry_seconds)
    connection = replace(
        Connection.to(configuration(), user_agent=f"ibpe/{__version__} ({settings.cluster_name})", pool_size=2),
        connect_seconds=terms.attempt / 2,
        read_seconds=terms.attempt / 2,
    )
    identity = f"{os.environ.get('HOSTNAME') or socket.gethostname()}_{uuid.uuid4().hex[:8]}"
    lease = Lease(connection, settings.lease_namespace or _own_namespace(), settings.lease_name)
    return Elected(lease, identity, terms, leading=leading)


def _own_namespace() -> str:
    try:
        return NAMESPACE.read_text().strip()
    except OSError:
        raise NoNamespace(
            "IBPE_LEASE_NAMESPACE is not set: outside of a pod, say in which namespace the Lease is."
        ) from None


def end_at_once() -> NoReturn:
    """End the process without a further instruction of any other thread."""
    os._exit(EXIT_NOT_LEADING)


class Elected:
    """One of several replicas. `end` ends the process; it is given for tests, which go on."""

    def __init__(
        self,
        lease: Lock,
        identity: str,
        terms: Terms,
        *,
        leading: Callable[[bool], None],
        clock: Callable[[], float] = time.monotonic,
        end: Callable[[], None] = end_at_once,
    ) -> None:
        self.election = Election(identity, terms, clock)
        self._lease = lease
        self._terms = terms
        self._clock = clock
        self._leading = leading
        self._end = end
        self._record: Record | None = None
        self._led = threading.Event()
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._told = ""

    def start(self, won: Callable[[], None]) -> None:
        """Be a candidate until elected, then hold on to the Lease."""
        log.info("Waiting for the Lease.", extra={"lease": self._lease.label, "identity": self.election.identity})
        threading.Thread(target=self._guarded, args=(self._campaign, won), name="lease", daemon=True).start()
        threading.Thread(target=self._guarded, args=(self._watch,), name="lease-watchdog", daemon=True).start()

    def permit(self) -> None:
        """Returns only while the Lease can be counted on; otherwise the process ends here."""
        if not self.election.leads:
            self._cease("a write to AWS was about to begin after the Lease's end")

    def release(self) -> None:
        """Let go of the Lease, if we hold it; a failure costs the others a wait and nothing else."""
        self._stopping.set()
        with self._writing:
            record, led = self._record, self.election.leads
            self.election.lost()
            self._leading(False)  # noqa: FBT003 -- the gauge's value
            if not led or record is None:
                return
            try:
                self._lease.release(record, _now())
            except (WriteConflict, KubernetesUnavailable) as failure:
                log.warning("The Lease was not released; the others wait for its end: %s", failure)
            else:
                log.info("Released the Lease.", extra={"lease": self._lease.label})

    def _campaign(self, won: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            began = self._clock()
            with self._writing:
                if not self._stopping.is_set():
                    self.turn(won)
            pause = self._terms.retry * (1 - JITTER * random.random())  # noqa: S311 -- spreads candidates, hides nothing
            self._stopping.wait(max(pause - (self._clock() - began), 0.0))

    def turn(self, won: Callable[[], None]) -> None:
        """One attempt to take the Lease or to renew it. What fails passes, or the watchdog ends it."""
        try:
            sent_at = self._clock()
            record = self._write()
        except WriteConflict as conflict:
            self._look(conflict)
            return
        except KubernetesUnavailable as failure:
            self._tell(failure)
            return
        self._told = ""
        if record is None or not self.election.held(record, sent_at):
            return
        self._record = record
        if not self._led.is_set():
            self._led.set()
            log.info("Leading.", extra={"lease": self._lease.label, "identity": self.election.identity})
            self._leading(True)  # noqa: FBT003 -- the gauge's value
            won()

    def _write(self) -> Record | None:
        """The record that was written; None where there was nothing to write: another holds it."""
        duration = self._terms.duration
        if self._led.is_set() and self._record is not None:
            return self._lease.renew(self._record, duration, _now())
        found = self._lease.read()
        self.election.saw(found)
        if not self.election.may_take(found):
            return None
        if found is None:
            return self._lease.create(self.election.identity, duration, _now())
        return self._lease.take(found, self.election.identity, duration, _now())

    def _look(self, conflict: WriteConflict) -> None:
        """Somebody wrote meanwhile: another holder ends us; our own write whose answer was lost is read again."""
        if not self._led.is_set():
            if isinstance(conflict, NotFound):
                self._tell(conflict)
            return
        try:
            found = self._lease.read()
        except (WriteConflict, KubernetesUnavailable) as failure:
            self._tell(failure)
            return
        if found is None or found.holder != self.election.identity:
            self.election.lost()
            self._cease(f"{found.holder if found and found.holder else 'nobody'} holds the Lease")
            return
        self._record = found

    def _watch(self) -> None:
        """End the process as soon as the Lease can't be counted on, whatever every other thread is doing."""
        self._led.wait()
        while not self._stopping.is_set():
            left = self.election.left
            if left <= 0 and not self._stopping.is_set():  # letting go also ends our time, after it set this
                self._cease("the Lease could not be renewed in time")
                return
            time.sleep(max(min(left, WATCH_SECONDS), 0.0))

    def _cease(self, why: str) -> None:
        log.critical("No longer leading: %s. The process ends so that it is started anew.", why)
        self._leading(False)  # noqa: FBT003 -- the gauge's value
        self._end()

    def _tell(self, failure: KubernetesUnavailable | WriteConflict) -> None:
        """One line for each obstacle, not for each attempt."""
        kind = type(failure).__name__
        if kind == self._told:
            return
        self._told = kind
        match failure:
            case Forbidden():
                advice = f"RBAC does not let us use the Lease {self._lease.label}; allow create, get and patch of it"
            case NotFound():
                advice = f"the namespace of {self._lease.label} does not exist; make it, or set IBPE_LEASE_NAMESPACE"
            case Unauthenticated():
                advice = "the API server does not accept our credentials; check the service account"
            case _:
                advice = "the API server does not do what is asked; it is asked again"
        log.warning("The Lease %s: %s: %s", self._lease.label, advice, failure)

    def _guarded(self, run: Callable[..., None], *arguments: object) -> None:
        try:
            run(*arguments)
        except Exception:
            log.critical("A thread of the election died; the process ends.", exc_info=True)
            self._end()


def _now() -> datetime:
    return datetime.now(UTC)
