"""Whether this process may act: always, or for as long as it holds a Lease, as the settings ask for."""

import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from ibpe import __version__
from ibpe.kube.calls import Connection
from ibpe.kube.connect import configuration
from ibpe.kube.lease import Lease
from ibpe.runtime.elected import Elected
from ibpe.runtime.election import Terms
from ibpe.runtime.settings import Settings

NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class NoNamespace(Exception):  # noqa: N818 -- a state of the settings, told to a person
    """Nothing says where the Lease is."""


class Leadership(Protocol):
    """Whether this process may act."""

    @property
    def alive(self) -> bool:
        """Whether the Lease is looked after."""

    def start(self, won: Callable[[], None]) -> None:
        """Begin; `won` is called once, from another thread, when this process leads."""

    def permit(self) -> None:
        """Returns only while this process leads: the fence in front of every write."""

    def release(self) -> None:
        """Nothing is written any more: let another lead."""


class Alone:
    """No election: the one process there is."""

    @property
    def alive(self) -> bool:
        """There is nothing to look after."""
        return True

    def start(self, won: Callable[[], None]) -> None:
        """It leads at once."""
        won()

    def permit(self) -> None:
        """Always."""

    def release(self) -> None:
        """Nothing to let go of."""


def leadership(settings: Settings, leading: Callable[[bool], None]) -> Leadership:
    """What the settings ask for. Raises NoCluster, and NoNamespace with what to do."""
    if not settings.leader_election:
        leading(True)  # noqa: FBT003 -- the gauge's value
        return Alone()
    leading(False)  # noqa: FBT003 -- as above
    namespace = settings.lease_namespace or _own_namespace()
    terms = Terms(settings.lease_duration_seconds, settings.lease_renew_deadline_seconds, settings.lease_retry_seconds)
    connection = replace(
        Connection.to(configuration(), user_agent=f"ibpe/{__version__} ({settings.cluster_name})", pool_size=2),
        connect_seconds=terms.attempt / 2,
        read_seconds=terms.attempt / 2,
    )
    identity = f"{os.environ.get('HOSTNAME') or socket.gethostname()}_{uuid.uuid4().hex[:8]}"
    return Elected(Lease(connection, namespace, settings.lease_name), identity, terms, leading=leading)


def _own_namespace() -> str:
    try:
        return NAMESPACE.read_text().strip()
    except OSError:
        raise NoNamespace(
            "IBPE_LEASE_NAMESPACE is not set: outside of a pod, say in which namespace the Lease is."
        ) from None
