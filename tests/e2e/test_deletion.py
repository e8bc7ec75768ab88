"""Deleting when something is in the way: the finalizer stays, the reason is told, and it ends when that is mended."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.aws.faults import Fault
from sandbox.aws.messages import EndpointEdit
from sandbox.stage import condition, endpoint_ids
from tests.e2e.scene import IMAGE_BUILDER, OPERATORS_KEY, S3, Scene, eventually

pytestmark = pytest.mark.e2e

ACCOUNT, ANOTHER_ACCOUNT = "123456789012", "210987654321"
UNSUCCESSFUL = """<?xml version="1.0" encoding="UTF-8"?>
<DeleteVpcEndpointsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>0a1b2c3d-0000-4000-8000-000000000000</requestId>
  <unsuccessful><item><resourceId>{id}</resourceId><error>
    <code>{code}</code><message>{message}</message>
  </error></item></unsuccessful>
</DeleteVpcEndpointsResponse>"""


@pytest.fixture(autouse=True)
def _own_account(scene: Scene) -> Iterator[None]:
    yield
    scene.stage.aws.control.set_account(OPERATORS_KEY, ACCOUNT)


def held(scene: Scene, reason: str) -> str:
    """The message once the deletion is Stalled for a reason; the finalizer is there."""

    def blocked(found: dict[str, Any] | None) -> bool:
        stalled = condition(found, "Stalled")
        told = (stalled.get("status"), stalled.get("reason")) == ("True", reason)
        return told and "Deletion waits" in stalled["message"]

    resource = scene.until(blocked, f"Stalled {reason}: Deletion waits")
    assert "ibpe.dev/aws-resources" in resource["metadata"]["finalizers"]
    assert condition(resource, "Reconciling")["status"] == "False"
    message: str = condition(resource, "Stalled")["message"]
    assert f'ibpe.dev/abandon: "{ACCOUNT}"' in message, "the last way out is told"
    scene.event("DeletionBlocked")
    return message


@pytest.mark.parametrize("denied", ["DeleteVpcEndpoints", "DescribeVpcEndpoints", "*"])
def test_permissions_revoked_before_a_deletion_hold_it_until_they_are_back(ready: Iterator[Scene], denied: str) -> None:
    scene = next(ready)
    before = scene.ours()
    scene.stage.aws.control.deny([denied])
    scene.delete()
    message = held(scene, "AccessDenied")
    if denied != "*":
        assert denied in message
    assert scene.ours() == before
    scene.stage.aws.control.deny([])
    scene.gone()
    assert scene.endpoints() == ()


def test_permissions_revoked_midway_hold_a_deletion_until_they_are_back(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    scene.endpoints()
    scene.stage.aws.control.hold_clock()
    since = scene.cursor()
    scene.delete()
    eventually(lambda: scene.writes(since), "the delete call")
    scene.until(lambda found: condition(found, "Ready").get("reason") == "Deleting", "Deleting")
    scene.stage.aws.control.deny(["Describe*"])
    scene.stage.aws.control.resume_clock()
    assert "DescribeVpcEndpoints" in held(scene, "AccessDenied")
    eventually(lambda: not scene.endpoints(), "gone in AWS")
    scene.stage.aws.control.deny([])
    scene.gone()


def test_credentials_of_another_account_hold_a_deletion_and_are_not_used(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    before, control = scene.ours(), scene.stage.aws.control
    control.set_account(OPERATORS_KEY, ANOTHER_ACCOUNT)
    scene.delete()
    message = held(scene, "AccountMismatch")
    assert ACCOUNT in message
    assert ANOTHER_ACCOUNT in message
    assert scene.ours() == before
    in_the_wrong_account = [
        call.action
        for call in control.calls(access_key=OPERATORS_KEY)
        if call.account == ANOTHER_ACCOUNT and not call.action.startswith(("Describe", "GetCallerIdentity"))
    ]
    assert in_the_wrong_account == []
    control.set_account(OPERATORS_KEY, ACCOUNT)
    scene.gone()
    assert scene.endpoints() == ()


def test_an_abandoned_resource_goes_and_says_what_it_leaves(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    before = scene.ours()
    scene.stage.aws.control.deny(["*"])
    scene.delete()
    held(scene, "AccessDenied")
    since = scene.cursor()
    scene.annotate(abandon=ANOTHER_ACCOUNT, reconcile_requested_at="now")
    scene.stage.aws.control.wait_for_calls(3, since=since, access_key=OPERATORS_KEY)
    assert scene.get() is not None, "another account's id releases nothing"
    scene.annotate(abandon=ACCOUNT, reconcile_requested_at="again")
    scene.gone()
    assert scene.ours() == before
    note = scene.event("Abandoned", ACCOUNT)
    assert all(each.id in note for each in before.values()), note


def test_a_deletion_that_aws_reports_unsuccessful_is_not_taken_for_done(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    endpoint = scene.endpoint(S3)
    body = UNSUCCESSFUL.format(id=endpoint.id, code="UnauthorizedOperation", message="You are not authorized.")
    fault = scene.stage.aws.control.fault(
        Fault(action="DeleteVpcEndpoints", effect="raw", status=200, body=body, content_type="text/xml")
    )
    scene.delete()
    message = held(scene, "AccessDenied")
    assert endpoint.id in message
    assert set(scene.ours()) == {IMAGE_BUILDER, S3}
    scene.stage.aws.control.remove_fault(fault.id)
    scene.gone()
    assert scene.endpoints() == ()


def test_what_is_gone_already_does_not_hold_a_deletion(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    for endpoint in scene.endpoints():
        scene.stage.aws.control.vanish(endpoint.id)
    scene.delete()
    scene.gone()
    assert scene.endpoints() == ()


def test_an_endpoint_that_another_claims_holds_a_deletion_until_it_is_settled(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    lost = scene.endpoint(IMAGE_BUILDER)
    scene.ec2.create_tags(Resources=[lost.id], Tags=[{"Key": "ibpe.dev/cluster", "Value": "another"}])
    scene.stalled("OwnershipMismatch")
    scene.delete()
    assert lost.id in held(scene, "OwnershipMismatch")
    assert scene.endpoint(IMAGE_BUILDER).state == "available", "never deleted"
    scene.ec2.create_tags(Resources=[lost.id], Tags=[{"Key": "ibpe.dev/cluster", "Value": "sandbox"}])
    scene.gone()
    assert scene.endpoints() == ()


def test_a_role_of_a_later_version_is_reported_and_never_deleted(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    made = scene.ec2.create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=scene.network.vpc_id,
        ServiceName="com.amazonaws.us-west-2.ssm",
        SubnetIds=[scene.network.subnet_ids[0]],
        SecurityGroupIds=[scene.network.security_group_id],
        TagSpecifications=[
            {
                "ResourceType": "vpc-endpoint",
                "Tags": [
                    {"Key": "ibpe.dev/cluster", "Value": "sandbox"},
                    {"Key": "ibpe.dev/owner", "Value": scene.tags["ibpe.dev/owner"]},
                    {"Key": "ibpe.dev/role", "Value": "ssm"},
                ],
            }
        ],
    )["VpcEndpoint"]["VpcEndpointId"]
    scene.snapshots(3)
    assert endpoint_ids(scene.ready()).keys() == {IMAGE_BUILDER, S3}
    scene.delete()
    assert made in held(scene, "OwnershipMismatch")
    (left,) = (each for each in scene.stage.aws.control.endpoints() if each.id == made)
    assert left.state in {"pending", "available"}
    scene.ec2.delete_vpc_endpoints(VpcEndpointIds=[made])
    scene.gone()


def test_a_failed_endpoint_is_deleted_with_its_resource(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    scene.edit(driftPolicy="Report")
    scene.ready()
    endpoint = scene.endpoint(IMAGE_BUILDER)
    scene.stage.aws.control.edit_endpoint(endpoint.id, EndpointEdit(state="failed"))
    scene.stalled("EndpointMissing")
    scene.delete()
    scene.gone()
    assert scene.endpoints() == ()
