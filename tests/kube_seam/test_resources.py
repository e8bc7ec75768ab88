"""Reading and writing our resources on a real API server."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ibpe.api.names import FINALIZER, ConditionType, Role
from ibpe.api.status import Condition, EndpointStatus, Status
from ibpe.kube.calls import Forbidden, KindNotInstalled, Unauthenticated, Unreachable, WriteRefused
from ibpe.kube.resources import KubernetesResources
from ibpe.reconcile.ports import Key, Resource, WriteConflict
from sandbox.kube import ControlPlane

from .conftest import Problems, connection_to, manifest

pytestmark = pytest.mark.kube

Make = Callable[..., Resource]
NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)


def condition(type_: ConditionType, message: str = "fine") -> Condition:
    return Condition(
        type=type_,
        status="True",
        reason="Fine",
        message=message,
        last_transition_time=NOON,
        observed_generation=1,
    )


def status(*types: ConditionType, message: str = "fine") -> Status:
    return Status(observed_generation=1, conditions=tuple(condition(type_, message) for type_ in types))


def raw(control_plane: ControlPlane, key: Key) -> Any:
    return json.loads(control_plane.kubectl("get", "ibpe", "-n", key.namespace, key.name, "-o", "json").stdout)


def test_a_missing_resource_is_none(resources: KubernetesResources, namespace: str) -> None:
    assert resources.get(Key(namespace, "nobody")) is None


def test_what_is_read_is_what_the_user_wrote(make: Make) -> None:
    made = make(annotations={"ibpe.dev/abandon": "123456789012"})
    assert made.spec["region"] == "us-west-2"
    assert made.status == Status()
    assert (made.generation, made.deleting, made.finalizers) == (1, False, ())
    assert made.abandoned_account == "123456789012"
    assert made.created_at.tzinfo is not None


def test_status_is_written_and_read_back(make: Make, resources: KubernetesResources) -> None:
    made = make()
    endpoint = EndpointStatus(role=Role.S3, id="vpce-0a", state="available", attempt=2, previous_ids=("vpce-0b",))
    meant = Status(
        observed_generation=1,
        account_id="123456789012",
        conditions=(condition(ConditionType.READY),),
        endpoints=(endpoint,),
    )
    written = resources.write_status(made, meant)
    assert written.status.endpoint(Role.S3) == endpoint
    assert written.status.account_id == "123456789012"
    assert written.generation == made.generation, "a status write is no edit"
    assert resources.get(made.key) == written


def test_an_equal_status_is_not_written(make: Make, resources: KubernetesResources) -> None:
    written = resources.write_status(make(), status(ConditionType.READY))
    assert resources.write_status(written, status(ConditionType.READY)) is written, "not even asked of the API server"


def test_a_dropped_condition_and_a_dropped_field_go(
    make: Make, resources: KubernetesResources, problems: Problems
) -> None:
    first = status(ConditionType.READY, ConditionType.STALLED).model_copy(update={"account_id": "123456789012"})
    written = resources.write_status(make(), first)
    shorter = resources.write_status(written, status(ConditionType.READY))
    assert [entry.type for entry in shorter.status.conditions] == [ConditionType.READY]
    assert shorter.status.account_id is None
    assert problems.seen == []


def test_a_map_that_we_filled_is_emptied(make: Make, resources: KubernetesResources, problems: Problems) -> None:
    full = Status(endpoints=(EndpointStatus(role=Role.S3, id="vpce-0a", applied={"policy": "0a", "tags": "0b"}),))
    empty = Status(endpoints=(EndpointStatus(role=Role.S3, id="vpce-0a"),))
    written = resources.write_status(resources.write_status(make(), full), empty)
    assert written.status.endpoint(Role.S3).applied == {}
    assert not problems.seen


def test_a_condition_that_somebody_else_owns_too_goes_all_the_same(
    make: Make, resources: KubernetesResources, problems: Problems, with_crd: ControlPlane
) -> None:
    made = make()
    resources.write_status(made, status(ConditionType.READY, ConditionType.STALLED))
    foreign = {
        "apiVersion": "ibpe.dev/v1beta1",
        "kind": "ImageBuilderPrivateEndpoint",
        "metadata": {"name": made.key.name, "namespace": made.key.namespace},
        "status": raw(with_crd, made.key)["status"],
    }
    apply = ("apply", "--server-side", "--field-manager=somebody", "--subresource=status", "-f", "-")
    with_crd.kubectl(*apply, input=json.dumps(foreign))
    current = resources.get(made.key)
    assert current is not None
    written = resources.write_status(current, status(ConditionType.READY, message="changed"))
    assert [entry.type for entry in written.status.conditions] == [ConditionType.READY]
    assert raw(with_crd, made.key)["status"]["conditions"][0]["message"] == "changed"
    assert problems.seen == ["leftover"]


def test_a_stale_read_writes_no_status(make: Make, resources: KubernetesResources) -> None:
    made = make()
    resources.write_status(made, status(ConditionType.READY))
    with pytest.raises(WriteConflict):
        resources.write_status(made, status(ConditionType.STALLED))


def test_a_namesake_is_not_written_to(
    make: Make, resources: KubernetesResources, namespace: str, with_crd: ControlPlane
) -> None:
    made = make()
    with_crd.kubectl("delete", "ibpe", "-n", namespace, made.key.name)
    make()
    with pytest.raises(WriteConflict):
        resources.write_status(made, status(ConditionType.READY))
    with pytest.raises(WriteConflict):
        resources.add_finalizer(made)


def test_a_status_for_a_resource_that_is_gone_is_a_conflict(
    make: Make, resources: KubernetesResources, namespace: str, with_crd: ControlPlane
) -> None:
    made = make()
    with_crd.kubectl("delete", "ibpe", "-n", namespace, made.key.name)
    with pytest.raises(WriteConflict):
        resources.write_status(made, status(ConditionType.READY))
    assert resources.get(made.key) is None


def test_a_status_that_the_crd_refuses_is_told_and_counted(
    make: Make, resources: KubernetesResources, problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    meant = Status(observed_generation=1, endpoints=(EndpointStatus(role=Role.S3),)).model_copy(
        update={"account_id": "not an account"}
    )
    with pytest.raises(WriteRefused, match="accountID"):
        resources.write_status(make(), meant)
    assert problems.seen == ["refused"]
    assert "accountID" in caplog.text


@pytest.mark.parametrize("others", [[], ["example.com/theirs"], ["example.com/a", "example.com/b"]])
def test_our_finalizer_comes_and_goes_and_others_stay(
    make: Make, resources: KubernetesResources, others: list[str]
) -> None:
    held = resources.add_finalizer(make(finalizers=others))
    assert held.finalizers == (*others, FINALIZER)
    assert resources.add_finalizer(held) is held
    resources.remove_finalizer(held)
    after = resources.get(held.key)
    assert after is not None
    assert after.finalizers == tuple(others)


def test_a_finalizer_that_came_meanwhile_is_not_lost(
    make: Make, resources: KubernetesResources, with_crd: ControlPlane, namespace: str
) -> None:
    held = resources.add_finalizer(make())
    patch = '[{"op":"add","path":"/metadata/finalizers/0","value":"example.com/late"}]'
    with_crd.kubectl("patch", "ibpe", "-n", namespace, held.key.name, "--type=json", "-p", patch)
    with pytest.raises(WriteConflict):
        resources.remove_finalizer(held)
    current = resources.get(held.key)
    assert current is not None
    resources.remove_finalizer(current)
    after = resources.get(held.key)
    assert after is not None
    assert after.finalizers == ("example.com/late",)


def test_a_resource_that_is_being_deleted_takes_no_new_finalizer(
    make: Make, resources: KubernetesResources, with_crd: ControlPlane, namespace: str
) -> None:
    made = make(finalizers=["example.com/theirs"])
    with_crd.kubectl("delete", "ibpe", "-n", namespace, made.key.name, "--wait=false")
    deleting = resources.get(made.key)
    assert deleting is not None
    assert deleting.deleting
    with pytest.raises(WriteConflict):
        resources.add_finalizer(deleting)


def test_the_last_finalizer_lets_a_deleted_resource_go(
    make: Make, resources: KubernetesResources, with_crd: ControlPlane, namespace: str
) -> None:
    held = resources.add_finalizer(make())
    with_crd.kubectl("delete", "ibpe", "-n", namespace, held.key.name, "--wait=false")
    deleting = resources.get(held.key)
    assert deleting is not None
    resources.remove_finalizer(deleting)
    assert resources.get(held.key) is None
    resources.remove_finalizer(deleting)  # it is gone already: nothing to do


def test_a_list_turns_every_page(resources: KubernetesResources, with_crd: ControlPlane, namespace: str) -> None:
    names = [f"n{number}" for number in range(5)]
    listed = {"apiVersion": "v1", "kind": "List", "items": [manifest(name, namespace) for name in names]}
    with_crd.kubectl("create", "-f", "-", input=json.dumps(listed))
    assert sorted(found.key.name for found in resources.list_all((namespace,), chunk=2)) == names
    everywhere = {found.key for found in resources.list_all(chunk=2)}
    assert {Key(namespace, name) for name in names} <= everywhere


def test_wrong_credentials_and_missing_permissions_are_told_apart(with_crd: ControlPlane, namespace: str) -> None:
    nobody = KubernetesResources(connection_to(with_crd.kubeconfig_with_token("nobody", "wrong")), Problems())
    with pytest.raises(Unauthenticated):
        nobody.get(Key(namespace, "one"))
    stranger = KubernetesResources(connection_to(with_crd.user_kubeconfig("stranger", [])), Problems())
    with pytest.raises(Forbidden, match="stranger"):
        stranger.probe((namespace,))


def test_a_kind_that_is_not_installed_is_not_a_missing_resource(
    with_crd: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ibpe.kube.resources.PLURAL", "othersthings")
    resources = KubernetesResources(connection_to(with_crd.kubeconfig), Problems())
    with pytest.raises(KindNotInstalled):
        resources.get(Key(namespace, "one"))
    with pytest.raises(KindNotInstalled):
        resources.probe()


def test_an_api_server_that_hangs_is_given_up(with_crd: ControlPlane, make: Make) -> None:
    made = make()
    impatient = KubernetesResources(
        connection_to(with_crd.kubeconfig, connect_seconds=1.0, read_seconds=0.5), Problems()
    )
    with_crd.pause()
    try:
        with pytest.raises(Unreachable):
            impatient.get(made.key)
    finally:
        with_crd.resume()
    assert impatient.get(made.key) is not None
