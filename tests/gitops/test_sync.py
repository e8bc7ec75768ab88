"""A resource under Argo CD: nothing to ignore, nothing that a sync or a tracking label sets off."""

from typing import Any

import pytest

from tests.e2e.scene import IMAGE_BUILDER, Scene
from tests.gitops.argo import act, merge_patch
from tests.gitops.resting import bring_to_rest, rounds
from tests.gitops.syncing import ARGO_CD, added_metadata, differences, managers_of_spec, sync

pytestmark = pytest.mark.e2e

TRACKING = {
    "annotations": {"argocd.argoproj.io/tracking-id": "builds:ibpe.dev/ImageBuilderPrivateEndpoint:builds/images"},
    "labels": {"app.kubernetes.io/instance": "builds"},
}
ALL = {"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:*", "Resource": "*"}
STATEMENT = {"Sid": "Mine", "Effect": "Deny", "Principal": "*", "Action": "imagebuilder:DeleteImage", "Resource": "*"}


def everything(scene: Scene) -> dict[str, Any]:
    """A resource with lists, maps, statements and a document of one's own."""
    resource = scene.rich(tags={"team": "images", "cost-centre": "42"}, deletionPolicy="Retain")
    spec = resource["spec"]
    spec["imageBuilder"]["policy"] = {
        "preset": "Custom",
        "document": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:*", "Resource": "*"},
                STATEMENT,
            ],
        },
    }
    statement = {**STATEMENT, "Action": "s3:PutObject", "Resource": ["arn:aws:s3:::z/*", "arn:aws:s3:::a/*"]}
    spec["s3"]["policy"] |= {"logBuckets": ["logs-b", "logs-a"], "additionalStatements": [statement]}
    spec["imageBuilder"]["subnets"]["ids"].reverse()
    return resource


def test_argo_cds_tracking_marks_wake_nobody(scene: Scene) -> None:
    scene.apply(scene.rich())
    before = scene.ready()
    bring_to_rest(scene)
    count, since = rounds(scene), scene.cursor()
    scene.stage.patch(scene.name, {"metadata": TRACKING}, scene.namespace)
    marked = scene.get()
    assert marked is not None
    scene.quiet(since)
    assert rounds(scene) == count, "no reconcile"
    after = scene.get()
    assert after is not None
    assert after["metadata"]["resourceVersion"] == marked["metadata"]["resourceVersion"], "no write"
    assert after["status"] == before["status"]
    by_id = [call for call in scene.stage.aws.control.calls(since=since) if "VpcEndpointId.1" in call.parameters]
    assert by_id == [], "nothing is asked of AWS but what is asked every period"


@pytest.mark.parametrize("server_side", [False, True], ids=["client-side", "server-side"])
def test_a_resource_with_everything_is_in_sync_from_the_first_sync_on(scene: Scene, *, server_side: bool) -> None:
    desired, plane = everything(scene), scene.stage.plane
    sync(plane, desired, server_side=server_side)
    live = scene.ready()
    assert differences(plane, desired, live) == []
    assert added_metadata(desired, live) == {"finalizers": ["ibpe.dev/aws-resources"]}
    assert managers_of_spec(live) == {ARGO_CD if server_side else "kubectl-client-side-apply"}
    sync(plane, desired, server_side=server_side)
    after = scene.ready()
    assert after["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"], "a second sync changes nothing"


def test_what_argo_cd_would_call_different_is_seen_here(scene: Scene) -> None:
    """The two ways of comparing do find what is different."""
    desired, plane = everything(scene), scene.stage.plane
    sync(plane, desired, server_side=False)
    live = scene.ready()
    edited = {**desired, "spec": {**desired["spec"], "tags": {"team": "others"}}}
    found = differences(plane, edited, live)
    assert {"/spec/tags/team", "/spec/tags/cost-centre"} <= set(found)
    assert any("team: others" in line for line in found), "by the dry run too"


def test_a_field_that_goes_from_git_goes_from_the_resource_and_from_aws(scene: Scene) -> None:
    desired, plane = everything(scene), scene.stage.plane
    sync(plane, desired, server_side=True)
    scene.ready()
    del desired["spec"]["tags"]["cost-centre"]
    sync(plane, desired, server_side=True)
    scene.settled(lambda now: "cost-centre" not in now.tags and now.tags["team"] == "images", IMAGE_BUILDER, "retagged")
    assert differences(plane, desired, scene.ready()) == []


@pytest.mark.parametrize(("in_git", "found"), [(None, []), (False, ["/spec/suspend"])], ids=["unsaid", "said"])
def test_suspending_by_an_action_is_a_difference_only_if_git_says_otherwise(
    scene: Scene, *, in_git: bool | None, found: list[str]
) -> None:
    desired, plane = scene.rich() if in_git is None else scene.rich(suspend=in_git), scene.stage.plane
    sync(plane, desired, server_side=False)
    live = scene.ready()
    suspended = act(live, "suspend")
    scene.stage.patch(scene.name, merge_patch(live, suspended), scene.namespace)
    now = scene.until(lambda resource: resource and resource["spec"]["suspend"], "suspended")
    assert [each for each in differences(plane, desired, now) if each.startswith("/")] == found
    assert any("suspend: false" in each for each in differences(plane, desired, now)) == bool(found)
