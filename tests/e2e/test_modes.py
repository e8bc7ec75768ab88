"""suspend, driftPolicy Report and deletionPolicy Retain: what each holds back, says, and lets go on."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.stage import condition, endpoint_ids, is_ready
from tests.e2e.scene import IMAGE_BUILDER, S3, Scene, parameters, sids

pytestmark = pytest.mark.e2e


def planned(resource: dict[str, Any]) -> set[tuple[str, str]]:
    return {(each["role"], each["action"]) for each in resource["status"].get("plan", [])}


def drifted(resource: dict[str, Any] | None) -> dict[tuple[str, str], str]:
    entries = ((resource or {}).get("status") or {}).get("drift", [])
    return {(each["role"], each["field"]): each["action"] for each in entries}


def test_what_is_suspended_from_the_start_is_planned_and_not_made(scene: Scene) -> None:
    since = scene.cursor()
    scene.apply(scene.rich(suspend=True))
    resource = scene.until(lambda found: condition(found, "Ready").get("reason") == "Suspended", "Suspended")
    assert planned(resource) == {(IMAGE_BUILDER, "Create"), (S3, "Create")}
    statuses = {each["type"]: each["status"] for each in resource["status"]["conditions"]}
    assert (statuses["Ready"], statuses["Reconciling"], statuses["Stalled"]) == ("Unknown", "False", "False")
    assert not resource["metadata"].get("finalizers"), "it can be deleted without us"
    scene.quiet(since)
    scene.edit(suspend=False)
    assert not scene.ready()["status"].get("plan")
    assert set(scene.ours()) == {IMAGE_BUILDER, S3}


def test_suspending_stops_repairs_and_edits_and_shows_them(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    before = scene.endpoint(IMAGE_BUILDER)
    scene.edit(suspend=True)
    scene.until(lambda found: condition(found, "Ready").get("reason") == "Suspended", "Suspended")
    since = scene.cursor()
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=before.id, PrivateDnsEnabled=False)
    scene.ec2.delete_tags(Resources=[before.id], Tags=[{"Key": "team"}])
    scene.edit(s3={"policy": {"baseline": "FullAccess"}})
    wanted = {(IMAGE_BUILDER, "Modify"), (IMAGE_BUILDER, "Tag"), (S3, "Modify")}
    resource = scene.until(lambda found: found and planned(found) == wanted, f"with the plan {wanted}")
    assert condition(resource, "Ready")["status"] == "True", "as it was"
    assert "3 action(s)" in condition(resource, "Ready")["message"]
    assert any(before.id in each["detail"] and "privateDNS" in each["detail"] for each in resource["status"]["plan"])
    scene.quiet(since)
    scene.edit(suspend=False)
    scene.settled(lambda now: now.private_dns and now.tags == before.tags, IMAGE_BUILDER, "repaired after all")
    assert not scene.ready()["status"].get("plan")
    assert sids(scene.endpoint(S3)) == {""}, "AWS's default document has no Sids"


def test_a_suspended_deletion_waits_and_says_so(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    scene.edit(suspend=True)
    scene.until(lambda found: condition(found, "Ready").get("reason") == "Suspended", "Suspended")
    since = scene.cursor()
    scene.delete()
    resource = scene.until(lambda found: condition(found, "Stalled").get("status") == "True", "Stalled")
    assert condition(resource, "Stalled")["reason"] == "Suspended"
    assert "spec.suspend" in condition(resource, "Stalled")["message"]
    scene.quiet(since)
    assert set(scene.ours()) == {IMAGE_BUILDER, S3}
    scene.edit(suspend=False)
    scene.gone()
    assert scene.endpoints() == ()


def test_report_shows_drift_and_leaves_it(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    scene.edit(driftPolicy="Report")
    scene.ready()
    ours, since = scene.ours(), scene.cursor()
    group = scene.network.default_security_group_id
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=ours[IMAGE_BUILDER].id, AddSecurityGroupIds=[group])
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=ours[S3].id, ResetPolicy=True)
    reported = {(IMAGE_BUILDER, "securityGroups"): "Reported", (S3, "policy"): "Reported"}
    resource = scene.until(lambda found: drifted(found) == reported, f"with the drift {reported}")
    assert is_ready(resource), "builds can use the endpoints"
    assert condition(resource, "DriftFree")["status"] == "False"
    assert group in condition(resource, "Ready")["message"], "Ready says that there is drift, and which"
    assert group in next(each["observed"] for each in resource["status"]["drift"] if each["role"] == IMAGE_BUILDER)
    scene.event("DriftDetected", "securityGroups", group)
    scene.quiet(since)
    scene.edit(driftPolicy="Repair")
    scene.settled(lambda now: group not in now.group_ids, IMAGE_BUILDER, "repaired once that is asked for")
    scene.settled(lambda now: sids(now) == sids(ours[S3]), S3, "repaired once that is asked for")
    assert not drifted(scene.ready())


def test_report_still_carries_out_edits_and_leaves_the_drift_beside_them(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    scene.edit(driftPolicy="Report")
    scene.ready()
    endpoint, since = scene.endpoint(IMAGE_BUILDER), scene.cursor()
    group = scene.network.default_security_group_id
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, AddSecurityGroupIds=[group])
    scene.until(lambda found: (IMAGE_BUILDER, "securityGroups") in drifted(found), "with drift")
    scene.edit(imageBuilder={"policy": {"preset": "FullAccess"}})
    scene.settled(lambda now: sids(now) == {""}, IMAGE_BUILDER, "with the edited policy")
    resource = scene.ready()
    assert [set(parameters(call)) for call in scene.writes(since)] == [{"VpcEndpointId", "PolicyDocument"}]
    assert group in scene.endpoint(IMAGE_BUILDER).group_ids
    assert drifted(resource) == {(IMAGE_BUILDER, "securityGroups"): "Reported"}


@pytest.mark.parametrize("role", [IMAGE_BUILDER, S3])
def test_report_calls_a_missing_endpoint_stalled_and_makes_none(ready: Iterator[Scene], role: str) -> None:
    scene = next(ready)
    scene.edit(driftPolicy="Report")
    scene.ready()
    lost, since = scene.endpoint(role), scene.cursor()
    scene.ec2.delete_vpc_endpoints(VpcEndpointIds=[lost.id])
    message = scene.stalled("EndpointMissing")
    assert lost.id in message
    assert "driftPolicy" in message
    scene.quiet(since)
    scene.edit(driftPolicy="Repair")
    scene.settled(lambda now: now.id != lost.id and now.state == "available", role, "made again")
    scene.ready()


def test_report_calls_drift_that_breaks_builds_stalled(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    scene.edit(driftPolicy="Report")
    scene.ready()
    endpoint = scene.endpoint(IMAGE_BUILDER)
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, PrivateDnsEnabled=False)
    assert "privateDNS" in scene.stalled("DriftReported")
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, PrivateDnsEnabled=True)
    assert not drifted(scene.ready()), "put right by hand"


def test_what_is_retained_is_taken_back_by_the_same_resource(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    scene.edit(deletionPolicy="Retain")
    scene.ready()
    before = scene.ours()
    since = scene.cursor()
    scene.delete()
    scene.gone()
    left = scene.ours()
    assert {role: each.id for role, each in left.items()} == {role: each.id for role, each in before.items()}
    for role, each in left.items():
        assert each.state == "available"
        assert each.tags == {
            "ibpe.dev/retained": scene.tags["ibpe.dev/owner"],
            "ibpe.dev/role": role,
            "team": "images",
        }
    assert "DeleteVpcEndpoints" not in {call.action for call in scene.writes(since)}
    note = scene.event("Retained")
    assert all(each.id in note for each in left.values())
    since = scene.cursor()
    scene.apply(scene.rich())
    resource = scene.ready()
    assert endpoint_ids(resource) == {role: each.id for role, each in before.items()}, "the same endpoints"
    assert {role: each.tags for role, each in scene.ours().items()} == {r: each.tags for r, each in before.items()}
    assert {call.action for call in scene.writes(since)} == {"CreateTags", "DeleteTags"}
    scene.delete()
    scene.gone()
    assert scene.endpoints() == (), "what was taken back goes as what was made"


def test_what_is_retained_is_nobody_elses(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    scene.edit(deletionPolicy="Retain")
    scene.ready()
    before = scene.ours()
    scene.delete()
    scene.gone()
    other = Scene(scene.stage, scene.operator, scene.network, scene.namespace, f"{scene.name}-other", scene.tables)
    since = scene.cursor()
    other.apply(other.rich())
    assert before[IMAGE_BUILDER].id in other.stalled("PrivateDnsConflict")
    other.quiet(since)
    scene.ec2.delete_vpc_endpoints(VpcEndpointIds=[each.id for each in before.values()])
    other.ready()
