"""The operator is stopped (SIGTERM) in the middle of each kind of work, and started again: one right final state."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sandbox.stage import OperatorProcess, Stage, endpoint_ids, is_ready
from tests.e2e.scene import IMAGE_BUILDER, OPERATORS_KEY, S3, Scene, eventually

pytestmark = pytest.mark.e2e

DRAIN_SECONDS = 1.5
STOPPING = "Ending: no new work is begun."


@pytest.fixture(scope="module")
def operator(stage: Stage, namespace: str) -> Iterator[OperatorProcess]:
    """In place of the module's usual one: it gives reconciles at work less time at its end."""
    running = stage.operator(
        IBPE_WATCH_NAMESPACES=namespace,
        IBPE_SNAPSHOT_SECONDS="1",
        IBPE_SNAPSHOT_FAST_SECONDS="0.3",
        IBPE_SHUTDOWN_SECONDS=str(DRAIN_SECONDS),
    )
    yield running
    running.close()


@dataclass(frozen=True, eq=False)
class Work:
    """A call in whose middle the operator is stopped."""

    name: str
    action: str
    parameters: dict[str, str]


CREATE_INTERFACE = Work("create imagebuilder", "CreateVpcEndpoint", {"VpcEndpointType": "Interface"})
CREATE_GATEWAY = Work("create s3", "CreateVpcEndpoint", {"VpcEndpointType": "Gateway"})
MODIFY = Work("repair a field", "ModifyVpcEndpoint", {})
TAG = Work("repair a tag", "CreateTags", {})
DELETE = Work("delete", "DeleteVpcEndpoints", {})
WORK = (CREATE_INTERFACE, CREATE_GATEWAY, MODIFY, TAG, DELETE)


@pytest.mark.parametrize("answered", [True, False], ids=["answered in time", "never answered"])
@pytest.mark.parametrize("work", WORK, ids=lambda work: work.name)
def test_stopped_in_the_middle_of(scene: Scene, work: Work, answered: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    operator, control = scene.operator, scene.stage.aws.control
    creating = work in {CREATE_INTERFACE, CREATE_GATEWAY}
    if not creating:
        scene.apply(scene.rich())
        scene.ready()
    before, since = {each.id: each for each in scene.endpoints()}, scene.cursor()
    fault = control.hold_answer(work.action, parameters=work.parameters, access_key=OPERATORS_KEY)
    if creating:
        scene.apply(scene.rich())
    elif work is DELETE:
        scene.delete()
    else:
        endpoint_id = endpoint_ids(scene.get() or {})[IMAGE_BUILDER]
        if work is TAG:
            scene.ec2.delete_tags(Resources=[endpoint_id], Tags=[{"Key": "ibpe.dev/owner"}])
        else:
            scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, PrivateDnsEnabled=False)
    control.wait_for_calls(1, since=since, action=work.action, outcome="held")
    stopping = operator.log().count(STOPPING)
    operator.terminate()
    if answered:
        eventually(lambda: operator.log().count(STOPPING) > stopping, "SIGTERM seen")
        control.release(fault.id)
    code = operator.wait_for_exit(timeout=DRAIN_SECONDS + 15)
    assert code == 0, f"exit code {code}: {operator.log()[-2000:]}"
    control.remove_fault(fault.id)
    operator.restart()
    if work is DELETE:
        scene.gone()
        assert scene.endpoints() == ()
        return
    scene.until(lambda found: is_ready(found) and not (found or {})["status"].get("drift"), "Ready and free of drift")
    assert set(scene.ours()) == {IMAGE_BUILDER, S3}, "never a second endpoint"
    if not creating:
        assert {each.id: (each.private_dns, each.tags) for each in scene.endpoints()} == {
            id_: (each.private_dns, each.tags) for id_, each in before.items()
        }
    made = [call for call in scene.writes(since) if call.action == "CreateVpcEndpoint" and call.error_code is None]
    tokens = {call.parameters["ClientToken"] for call in made}
    assert len(tokens) == (2 if creating else 0), "a token an endpoint, the same again after the restart"
    assert endpoint_ids(scene.ready()) == {role: each.id for role, each in scene.ours().items()}


def test_an_edit_made_while_no_operator_runs_is_carried_out_by_the_next(scene: Scene) -> None:
    scene.apply(scene.rich())
    before = endpoint_ids(scene.ready())
    scene.operator.stop()
    scene.edit(imageBuilder={"privateDNS": False}, s3={"policy": {"baseline": "FullAccess"}})
    scene.ec2.modify_vpc_endpoint(
        VpcEndpointId=before[IMAGE_BUILDER], AddSecurityGroupIds=[scene.network.default_security_group_id]
    )
    scene.operator.restart()
    scene.settled(lambda now: not now.private_dns and len(now.group_ids) == 2, IMAGE_BUILDER, "edited and repaired")
    assert endpoint_ids(scene.ready()) == before


def test_a_restart_at_rest_writes_nothing(scene: Scene) -> None:
    scene.apply(scene.rich())
    version = scene.ready()["metadata"]["resourceVersion"]
    since = scene.cursor()
    scene.operator.stop()
    scene.operator.restart()
    scene.quiet(since, snapshots=4)
    assert (scene.get() or {})["metadata"]["resourceVersion"] == version, "not even its status"
