"""A resource is applied, its endpoints are made as the spec says, and they go with it."""

import json
from typing import Any

import pytest

from ibpe.policy.canonical import same_policy
from ibpe.policy.imagebuilder import imagebuilder_policy
from ibpe.policy.s3 import s3_policy
from sandbox.stage import condition, endpoint_ids
from tests.e2e.scene import IMAGE_BUILDER, REGION, S3, Scene, eventually, parameters

pytestmark = pytest.mark.e2e


def conditions(resource: dict[str, Any]) -> dict[str, str]:
    return {each["type"]: each["status"] for each in resource["status"]["conditions"]}


def test_both_endpoints_are_made_as_the_spec_says(scene: Scene) -> None:
    since = scene.cursor()
    scene.apply(scene.rich())
    scene.ready()
    network, ours = scene.network, scene.ours()
    interface, gateway = ours[IMAGE_BUILDER], ours[S3]
    assert set(interface.subnet_ids) == set(network.subnet_ids[:2])
    assert set(interface.group_ids) == {network.security_group_id, network.other_security_group_id}
    assert (interface.type, interface.private_dns, interface.ip_address_type) == ("Interface", True, "ipv4")
    assert same_policy(imagebuilder_policy("DenyDeletion", REGION), interface.policy)
    assert interface.tags == {**scene.tags, "ibpe.dev/role": IMAGE_BUILDER, "team": "images"}
    assert gateway.type == "Gateway"
    assert set(gateway.route_table_ids) == {network.route_table_id, scene.tables[0]}
    assert same_policy(s3_policy("ImageBuilderOnly", REGION), gateway.policy)
    assert gateway.tags == {**scene.tags, "ibpe.dev/role": S3, "team": "images"}
    writes = scene.writes(since)
    assert [call.action for call in writes] == ["CreateVpcEndpoint", "CreateVpcEndpoint"], "one call an endpoint"
    assert len({call.parameters["ClientToken"] for call in writes}) == 2


def test_the_status_tells_what_was_made(scene: Scene) -> None:
    scene.apply(scene.rich())
    resource = scene.ready()
    ours = scene.ours()
    assert conditions(resource) == {
        "Ready": "True",
        "Reconciling": "False",
        "Stalled": "False",
        "ImageBuilderEndpointReady": "True",
        "S3AccessReady": "True",
        "PolicyValid": "True",
        "PrerequisitesMet": "True",
        "DriftFree": "True",
    }
    assert endpoint_ids(resource) == {role: endpoint.id for role, endpoint in ours.items()}
    entry = next(each for each in resource["status"]["endpoints"] if each["role"] == IMAGE_BUILDER)
    assert set(entry["networkInterfaceIDs"]) == set(ours[IMAGE_BUILDER].network_interface_ids)
    assert f"imagebuilder.{REGION}.amazonaws.com" in entry["dnsNames"]
    assert (entry["state"], entry["attempt"]) == ("available", 1)
    assert resource["status"]["accountID"] == ours[S3].account
    assert "ibpe.dev/aws-resources" in resource["metadata"]["finalizers"]
    for role, endpoint in ours.items():
        scene.event("Created", role, endpoint.id)
    scene.event("Ready")


@pytest.mark.parametrize("only", [IMAGE_BUILDER, S3])
def test_a_spec_with_one_part_makes_that_part_alone(scene: Scene, only: str) -> None:
    left_out = {"s3": None} if only == IMAGE_BUILDER else {"imageBuilder": None}
    scene.apply(scene.example(**left_out))
    resource = scene.ready()
    assert set(scene.ours()) == {only}
    other = "S3AccessReady" if only == IMAGE_BUILDER else "ImageBuilderEndpointReady"
    assert condition(resource, other)["reason"] == "NotManaged"


def test_a_pending_endpoint_is_waited_for_and_not_called_ready(scene: Scene) -> None:
    scene.stage.aws.control.hold_clock()
    scene.apply(scene.example())
    resource = scene.until(lambda found: condition(found, "Reconciling").get("reason") == "Pending", "Pending")
    assert conditions(resource)["Ready"] == "False"
    assert conditions(resource)["Stalled"] == "False"
    assert scene.endpoint(IMAGE_BUILDER).id in condition(resource, "Reconciling")["message"]
    assert conditions(resource)["S3AccessReady"] == "True", "the gateway is available at once"
    scene.stage.aws.control.resume_clock()
    scene.ready()


def test_the_finalizer_stays_until_aws_shows_the_endpoints_gone(scene: Scene) -> None:
    scene.apply(scene.example())
    resource = scene.ready()
    ids = set(endpoint_ids(resource).values())
    scene.stage.aws.control.hold_clock()
    scene.delete()
    scene.until(
        lambda found: (
            condition(found, "Ready").get("reason") == "Deleting"
            and all(f"{id_} (deleting)" in condition(found, "Ready")["message"] for id_ in ids)
        ),
        "waiting for both endpoints",
    )
    scene.snapshots(3)
    held = scene.get()
    assert held is not None, "released while AWS still showed the endpoints deleting"
    assert condition(held, "Reconciling")["status"] == "True"
    scene.stage.aws.control.resume_clock()
    scene.gone()
    assert scene.endpoints() == ()
    note = scene.event("Deleted")
    assert all(id_ in note for id_ in ids), note


def test_the_end_needs_one_delete_call_and_no_other_write(scene: Scene) -> None:
    scene.apply(scene.example())
    scene.ready()
    ids = {endpoint.id for endpoint in scene.endpoints()}
    since = scene.cursor()
    scene.delete()
    scene.gone()
    writes = scene.writes(since)
    assert [call.action for call in writes] == ["DeleteVpcEndpoints"], writes
    assert parameters(writes[0])["VpcEndpointId"] == ids


def test_two_resources_of_one_vpc_live_side_by_side_while_their_claims_differ(scene: Scene) -> None:
    scene.apply(scene.example(s3=None))
    other = Scene(scene.stage, scene.operator, scene.network, scene.namespace, f"{scene.name}-s3", scene.tables)
    other.apply(other.example(imageBuilder=None))
    scene.ready()
    other.ready()
    tags = {role: endpoint.tags["ibpe.dev/owner"] for role, endpoint in scene.ours().items()}
    assert tags == {IMAGE_BUILDER: scene.tags["ibpe.dev/owner"], S3: other.tags["ibpe.dev/owner"]}
    other.delete()
    other.gone()
    assert set(scene.ours()) == {IMAGE_BUILDER}, "only its own endpoint goes with a resource"
    scene.ready()


def test_a_custom_policy_given_as_a_string_is_the_endpoints_policy(scene: Scene) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:Get*", "Resource": "*"}],
    }
    spec = scene.example(s3=None)
    spec["spec"]["imageBuilder"]["policy"] = {"preset": "Custom", "document": json.dumps(document)}
    scene.apply(spec)
    scene.ready()
    assert json.loads(scene.endpoint(IMAGE_BUILDER).policy) == document
    since = scene.cursor()
    scene.quiet(since)


@pytest.mark.parametrize("form", ["pretty", "verbatim", "harsh"])
def test_however_a_policy_reads_back_it_is_no_drift(scene: Scene, form: str) -> None:
    scene.stage.aws.control.set(policy_format=form)
    scene.apply(scene.example())
    scene.ready()
    since = scene.cursor()
    scene.quiet(since)


def test_states_in_other_case_are_the_same_states(scene: Scene) -> None:
    scene.stage.aws.control.set(state_case="varied")
    scene.apply(scene.example())
    scene.ready()
    scene.delete()
    scene.gone()


def test_an_endpoint_that_describe_does_not_show_yet_is_not_made_twice(scene: Scene) -> None:
    scene.stage.aws.control.set(lag_new_seconds=3.0)
    since = scene.cursor()
    scene.apply(scene.example())
    eventually(lambda: len(scene.writes(since)) == 2, "two creates")
    scene.ready()
    assert [call.action for call in scene.writes(since)] == ["CreateVpcEndpoint", "CreateVpcEndpoint"]
