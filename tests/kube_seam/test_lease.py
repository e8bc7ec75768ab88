"""The Lease on the real API server: who wins of two, what is written, and under which rights."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from kubernetes.client import CoordinationV1Api

from ibpe.kube.calls import Connection, Forbidden, NotFound, Unreachable
from ibpe.kube.lease import Lease, Record
from ibpe.reconcile.ports import WriteConflict
from sandbox.kube import ControlPlane
from sandbox.kube.hooks import Hang, Refuse
from sandbox.kube.proxy import ApiProxy

from .conftest import connection_to

pytestmark = pytest.mark.kube

NAME = "imagebuilder-private-endpoint-operator"
NOW = datetime(2026, 3, 1, 12, 0, 0, 250, UTC)


@pytest.fixture
def lease(connection: Connection, namespace: str) -> Lease:
    return Lease(connection, namespace, NAME)


def shown(lease: Lease) -> Any:
    """The Lease's spec, as the library's own client reads it."""
    return CoordinationV1Api(lease.connection.api).read_namespaced_lease(lease.name, lease.namespace).spec


def test_it_is_made_taken_renewed_and_let_go(lease: Lease) -> None:
    assert lease.read() is None
    made = lease.create("one", 14.5, NOW)
    assert made == lease.read()
    spec = shown(lease)
    assert (spec.holder_identity, spec.lease_duration_seconds, spec.lease_transitions) == ("one", 15, 0)
    assert spec.acquire_time == spec.renew_time == NOW

    later = NOW + timedelta(seconds=2)
    renewed = lease.renew(made, 14.5, later)
    assert renewed.version != made.version
    spec = shown(lease)
    assert (spec.holder_identity, spec.acquire_time, spec.renew_time) == ("one", NOW, later)

    free = lease.release(renewed, later)
    assert free == Record(free.version, "", 1.0, 0)

    taken = lease.take(free, "two", 60, later)
    assert taken == Record(taken.version, "two", 60.0, 1)
    assert shown(lease).acquire_time == later


def test_of_two_that_make_it_one_wins(lease: Lease) -> None:
    lease.create("one", 15, NOW)
    with pytest.raises(WriteConflict):
        lease.create("two", 15, NOW)
    found = lease.read()
    assert found is not None
    assert found.holder == "one"


def test_of_two_that_take_it_one_wins(lease: Lease) -> None:
    free = lease.release(lease.create("zero", 15, NOW), NOW)
    lease.take(free, "one", 15, NOW)
    with pytest.raises(WriteConflict):
        lease.take(free, "two", 15, NOW)
    found = lease.read()
    assert found is not None
    assert (found.holder, found.transitions) == ("one", 1)


def test_who_lost_it_neither_renews_nor_releases_it(lease: Lease) -> None:
    mine = lease.create("one", 15, NOW)
    theirs = lease.take(mine, "two", 15, NOW)
    with pytest.raises(WriteConflict):
        lease.renew(mine, 15, NOW)
    with pytest.raises(WriteConflict):
        lease.release(mine, NOW)
    assert lease.read() == theirs


def test_one_that_was_deleted_and_made_anew_is_not_ours(lease: Lease, with_crd: ControlPlane) -> None:
    mine = lease.create("one", 15, NOW)
    with_crd.kubectl("delete", "lease", NAME, "-n", lease.namespace)
    with pytest.raises(NotFound):
        lease.renew(mine, 15, NOW)
    lease.create("two", 15, NOW)
    with pytest.raises(WriteConflict):
        lease.renew(mine, 15, NOW)


def test_a_namespace_that_does_not_exist_is_a_404(connection: Connection) -> None:
    with pytest.raises(NotFound):
        Lease(connection, "nowhere", NAME).create("one", 15, NOW)


RIGHTS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: lease}
rules:
  - {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}
  - {apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [imagebuilder-private-endpoint-operator],
     verbs: [get, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: lease}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: lease}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: USER}]
"""


def test_three_rights_are_enough_and_needed(with_crd: ControlPlane, namespace: str) -> None:
    connection = connection_to(with_crd.user_kubeconfig(f"user-of-{namespace}"))
    lease = Lease(connection, namespace, NAME)
    with pytest.raises(Forbidden):
        lease.read()
    documents = list(yaml.safe_load_all(RIGHTS.replace("USER", f"user-of-{namespace}")))
    for document in documents:
        with_crd.kubectl("apply", "-n", namespace, "-f", "-", input=yaml.safe_dump(document))
    deadline = time.monotonic() + 30
    while True:
        try:
            assert lease.read() is None
            break
        except Forbidden:  # the authorizer's cache follows
            assert time.monotonic() < deadline
            time.sleep(0.1)
    made = lease.renew(lease.create("one", 15, NOW), 15, NOW)
    lease.take(lease.release(made, NOW), "two", 15, NOW)
    with pytest.raises(Forbidden):
        Lease(connection, namespace, "another").read()
    connection.api.rest_client.close()


@pytest.mark.parametrize("away", [Hang(), Refuse()], ids=["hangs", "refuses"])
def test_an_attempt_ends_in_its_time(with_crd: ControlPlane, namespace: str, away: Hang | Refuse) -> None:
    with ApiProxy(with_crd) as proxy:
        connection = connection_to(proxy.kubeconfig, connect_seconds=0.5, read_seconds=0.5)
        lease = Lease(connection, namespace, NAME)
        made = lease.create("one", 15, NOW)
        proxy.on_request(lambda _: True, away, None)
        began = time.monotonic()
        with pytest.raises(Unreachable):
            lease.renew(made, 15, NOW)
        assert time.monotonic() - began < 5, "bounded by what was given, not by the library's own patience"
        connection.api.rest_client.close()
