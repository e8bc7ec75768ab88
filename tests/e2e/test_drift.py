"""Every field changed behind the operator's back, in each direction: found, told, and put back by that change alone."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from sandbox.aws.messages import EndpointEdit, EndpointTruth
from sandbox.aws.settings import LastError
from sandbox.stage import condition, endpoint_ids, is_ready
from tests.e2e.scene import IMAGE_BUILDER, S3, Scene, eventually, parameters, statements

pytestmark = pytest.mark.e2e

EVERYTHING = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


@dataclass(frozen=True)
class Intrusion:
    """What somebody does to an endpoint, and the one call that puts it back."""

    name: str
    role: str
    field: str
    act: Callable[[Scene, str], object]
    repair: str
    parameters: frozenset[str]


def retag(scene: Scene, endpoint_id: str, key: str, value: str) -> None:
    scene.ec2.create_tags(Resources=[endpoint_id], Tags=[{"Key": key, "Value": value}])


def untag(scene: Scene, endpoint_id: str, *keys: str) -> None:
    scene.ec2.delete_tags(Resources=[endpoint_id], Tags=[{"Key": key} for key in keys])


def widen(scene: Scene, endpoint_id: str) -> None:
    now = next(endpoint for endpoint in scene.endpoints() if endpoint.id == endpoint_id)
    repolicy(scene, endpoint_id, [*statements(now.policy), EVERYTHING])


def narrow(scene: Scene, endpoint_id: str) -> None:
    now = next(endpoint for endpoint in scene.endpoints() if endpoint.id == endpoint_id)
    repolicy(scene, endpoint_id, statements(now.policy)[1:])


def repolicy(scene: Scene, endpoint_id: str, content: Sequence[Mapping[str, object]]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": content})
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, PolicyDocument=document)


def interface(field: str, name: str, act: Callable[[Scene, str], object], *sent: str) -> Intrusion:
    return Intrusion(name, IMAGE_BUILDER, field, act, "ModifyVpcEndpoint", frozenset({"VpcEndpointId", *sent}))


def gateway(field: str, name: str, act: Callable[[Scene, str], object], *sent: str) -> Intrusion:
    return Intrusion(name, S3, field, act, "ModifyVpcEndpoint", frozenset({"VpcEndpointId", *sent}))


def tag(role: str, name: str, act: Callable[[Scene, str], object], repair: str = "CreateTags") -> Intrusion:
    return Intrusion(f"{role} tag {name}", role, "tags", act, repair, frozenset({"ResourceId", "Tag"}))


INTRUSIONS = (
    interface(
        "securityGroups",
        "a group missing",
        lambda scene, id_: scene.ec2.modify_vpc_endpoint(
            VpcEndpointId=id_, RemoveSecurityGroupIds=[scene.network.other_security_group_id]
        ),
        "AddSecurityGroupId",
    ),
    interface(
        "securityGroups",
        "a group extra",
        lambda scene, id_: scene.ec2.modify_vpc_endpoint(
            VpcEndpointId=id_, AddSecurityGroupIds=[scene.network.default_security_group_id]
        ),
        "RemoveSecurityGroupId",
    ),
    interface(
        "subnets",
        "a subnet missing",
        lambda scene, id_: scene.ec2.modify_vpc_endpoint(
            VpcEndpointId=id_, RemoveSubnetIds=[scene.network.subnet_ids[1]]
        ),
        "AddSubnetId",
    ),
    interface(
        "subnets",
        "a subnet extra",
        lambda scene, id_: scene.ec2.modify_vpc_endpoint(VpcEndpointId=id_, AddSubnetIds=[scene.network.subnet_ids[2]]),
        "RemoveSubnetId",
    ),
    interface("policy", "imagebuilder policy wider", widen, "PolicyDocument"),
    interface("policy", "imagebuilder policy narrower", narrow, "PolicyDocument"),
    interface(
        "policy",
        "imagebuilder policy reset",
        lambda scene, id_: scene.ec2.modify_vpc_endpoint(VpcEndpointId=id_, ResetPolicy=True),
        "PolicyDocument",
    ),
    interface(
        "privateDNS",
        "private DNS off",
        lambda scene, id_: scene.ec2.modify_vpc_endpoint(VpcEndpointId=id_, PrivateDnsEnabled=False),
        "PrivateDnsEnabled",
    ),
    interface(
        "ipAddressType",
        "another address family",
        lambda scene, id_: scene.ec2.modify_vpc_endpoint(VpcEndpointId=id_, IpAddressType="dualstack"),
        "IpAddressType",
    ),
    gateway(
        "routeTables",
        "a route table missing",
        lambda scene, id_: scene.ec2.modify_vpc_endpoint(
            VpcEndpointId=id_, RemoveRouteTableIds=[scene.network.route_table_id]
        ),
        "AddRouteTableId",
    ),
    gateway(
        "routeTables",
        "a route table extra",
        lambda scene, id_: scene.ec2.modify_vpc_endpoint(VpcEndpointId=id_, AddRouteTableIds=[scene.tables[1]]),
        "RemoveRouteTableId",
    ),
    gateway("policy", "S3 policy wider", widen, "PolicyDocument"),
    gateway("policy", "S3 policy narrower", narrow, "PolicyDocument"),
    gateway(
        "policy",
        "S3 policy reset",
        lambda scene, id_: scene.ec2.modify_vpc_endpoint(VpcEndpointId=id_, ResetPolicy=True),
        "PolicyDocument",
    ),
    tag(IMAGE_BUILDER, "cluster removed", lambda scene, id_: untag(scene, id_, "ibpe.dev/cluster")),
    tag(S3, "cluster removed", lambda scene, id_: untag(scene, id_, "ibpe.dev/cluster")),
    tag(IMAGE_BUILDER, "owner removed", lambda scene, id_: untag(scene, id_, "ibpe.dev/owner")),
    tag(S3, "owner removed", lambda scene, id_: untag(scene, id_, "ibpe.dev/owner")),
    tag(IMAGE_BUILDER, "role removed", lambda scene, id_: untag(scene, id_, "ibpe.dev/role")),
    tag(S3, "role removed", lambda scene, id_: untag(scene, id_, "ibpe.dev/role")),
    tag(IMAGE_BUILDER, "role changed", lambda scene, id_: retag(scene, id_, "ibpe.dev/role", "s3")),
    tag(IMAGE_BUILDER, "of the user removed", lambda scene, id_: untag(scene, id_, "team")),
    tag(S3, "of the user removed", lambda scene, id_: untag(scene, id_, "team")),
    tag(IMAGE_BUILDER, "of the user changed", lambda scene, id_: retag(scene, id_, "team", "others")),
    tag(
        S3,
        "saying retained",
        lambda scene, id_: retag(scene, id_, "ibpe.dev/retained", scene.tags["ibpe.dev/owner"]),
        "DeleteTags",
    ),
)


def same(one: EndpointTruth, other: EndpointTruth) -> bool:
    """Whether an endpoint is as it was: order and the policy's text aside."""

    def fields(endpoint: EndpointTruth) -> tuple[object, ...]:
        return (
            endpoint.id,
            endpoint.state,
            statements(endpoint.policy),
            endpoint.private_dns,
            endpoint.ip_address_type,
            frozenset(endpoint.subnet_ids),
            frozenset(endpoint.group_ids),
            frozenset(endpoint.route_table_ids),
            endpoint.tags,
        )

    return fields(one) == fields(other)


@pytest.mark.parametrize("intrusion", INTRUSIONS, ids=lambda intrusion: intrusion.name)
def test_a_field_changed_behind_our_back_is_put_back_by_one_call(ready: Iterator[Scene], intrusion: Intrusion) -> None:
    scene = next(ready)
    before = scene.endpoint(intrusion.role)
    since = scene.cursor()
    intrusion.act(scene, before.id)
    assert not same(before, scene.endpoint(intrusion.role)) or scene.writes(since), "the intrusion changed nothing"
    scene.settled(lambda now: same(before, now), intrusion.role, f"as it was: {before}")
    writes = scene.writes(since)
    assert [call.action for call in writes] == [intrusion.repair], f"one call repairs it: {writes}"
    assert set(parameters(writes[0])) == intrusion.parameters, "the repair sends what differs and nothing else"
    assert parameters(writes[0]).get("VpcEndpointId", {before.id}) == {before.id}
    resource = scene.until(lambda found: is_ready(found) and not found["status"].get("drift"), "free of drift")  # type: ignore[index]  # is_ready says that it is there
    assert condition(resource, "DriftFree")["status"] == "True"
    assert endpoint_ids(resource)[intrusion.role] == before.id
    scene.event("DriftDetected", intrusion.role, intrusion.field)
    scene.event("DriftRepaired", intrusion.role, intrusion.field)


def test_private_dns_turned_on_is_turned_off_where_the_spec_says_so(scene: Scene) -> None:
    resource = scene.rich()
    resource["spec"]["imageBuilder"]["privateDNS"] = False
    scene.apply(resource)
    scene.ready()
    endpoint_id = scene.endpoint(IMAGE_BUILDER).id
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, PrivateDnsEnabled=True)
    scene.event("DriftDetected", "privateDNS", "enabled instead of disabled")
    scene.settled(lambda now: not now.private_dns, IMAGE_BUILDER, "without private DNS")


def test_one_address_family_is_two_again_where_the_spec_says_so(scene: Scene) -> None:
    resource = scene.rich()
    resource["spec"]["imageBuilder"]["ipAddressType"] = "dualstack"
    scene.apply(resource)
    scene.ready()
    endpoint_id = scene.endpoint(IMAGE_BUILDER).id
    assert scene.endpoint(IMAGE_BUILDER).ip_address_type == "dualstack"
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, IpAddressType="ipv4")
    scene.event("DriftDetected", "ipAddressType", "ipv4 instead of dualstack")
    scene.settled(lambda now: now.ip_address_type == "dualstack", IMAGE_BUILDER, "dualstack")


def test_everything_at_once_is_put_back_by_one_call_for_the_endpoint_and_one_for_its_tags(
    ready: Iterator[Scene],
) -> None:
    scene = next(ready)
    before = scene.endpoint(IMAGE_BUILDER)
    since = scene.cursor()
    edit = EndpointEdit(
        subnet_ids=(scene.network.subnet_ids[0], scene.network.subnet_ids[2]),
        group_ids=(scene.network.security_group_id, scene.network.default_security_group_id),
        policy=json.dumps({"Statement": [EVERYTHING]}),
        private_dns=False,
        ip_address_type="dualstack",
        tags={**before.tags, "team": "others"},
    )
    scene.stage.aws.control.edit_endpoint(before.id, edit)
    scene.settled(lambda now: same(before, now), IMAGE_BUILDER, f"as it was: {before}")
    assert sorted(call.action for call in scene.writes(since)) == ["CreateTags", "ModifyVpcEndpoint"]
    scene.ready()
    scene.quiet(since=scene.cursor())


def test_what_is_no_field_of_ours_is_left_alone(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    before = scene.endpoint(S3)
    since = scene.cursor()
    retag(scene, before.id, "cost-centre", "42")
    retag(scene, before.id, "ibpe.dev/of-a-later-version", "yes")
    scene.quiet(since, snapshots=4)
    assert scene.endpoint(S3).tags == {**before.tags, "cost-centre": "42", "ibpe.dev/of-a-later-version": "yes"}
    assert is_ready(scene.get())


@pytest.mark.parametrize("key", ["ibpe.dev/cluster", "ibpe.dev/owner"])
def test_an_endpoint_that_another_claims_by_its_tags_is_never_written_to(ready: Iterator[Scene], key: str) -> None:
    scene = next(ready)
    before = scene.endpoint(IMAGE_BUILDER)
    since = scene.cursor()
    retag(scene, before.id, key, "else/where" if key.endswith("owner") else "another-cluster")
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=before.id, PrivateDnsEnabled=False)
    message = scene.stalled("OwnershipMismatch")
    assert before.id in message
    assert scene.tags[key] in message, "how to say that it is ours"
    scene.quiet(since)
    retag(scene, before.id, key, scene.tags[key])
    scene.settled(lambda now: same(before, now), IMAGE_BUILDER, "as it was")
    scene.ready()


def test_an_endpoint_that_lost_both_tags_is_told_and_not_doubled(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    before = scene.endpoint(IMAGE_BUILDER)
    since = scene.cursor()
    untag(scene, before.id, "ibpe.dev/cluster", "ibpe.dev/owner")
    message = scene.stalled("OwnershipMismatch")
    assert before.id in message
    scene.quiet(since)
    retag(scene, before.id, "ibpe.dev/cluster", "sandbox")
    scene.settled(lambda now: same(before, now), IMAGE_BUILDER, "as it was")
    scene.ready()


@pytest.mark.parametrize("role", [IMAGE_BUILDER, S3])
@pytest.mark.parametrize("way", ["deleted", "vanished"])
def test_an_endpoint_that_is_gone_is_made_again(ready: Iterator[Scene], role: str, way: str) -> None:
    scene = next(ready)
    before = scene.ours()
    since = scene.cursor()
    if way == "deleted":
        scene.ec2.delete_vpc_endpoints(VpcEndpointIds=[before[role].id])
    else:
        scene.stage.aws.control.vanish(before[role].id)
    scene.settled(lambda now: now.id != before[role].id and now.state == "available", role, "made again")
    after = scene.ours()
    scene.until(lambda found: is_ready(found) and endpoint_ids(found or {})[role] == after[role].id, "Ready with it")
    other = S3 if role == IMAGE_BUILDER else IMAGE_BUILDER
    assert after[other] == before[other], "the other endpoint is left as it is"
    assert same(after[role].model_copy(update={"id": before[role].id}), before[role]), "the same but for its id"
    assert [call.action for call in scene.writes(since)] == ["CreateVpcEndpoint"]
    scene.event("DriftDetected", role, before[role].id)
    scene.event("Created", after[role].id, "again")


def test_a_predecessor_that_is_still_deleting_is_waited_for(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    before = scene.endpoint(IMAGE_BUILDER)
    since = scene.cursor()
    scene.stage.aws.control.hold_clock()
    scene.ec2.delete_vpc_endpoints(VpcEndpointIds=[before.id])
    resource = scene.until(lambda found: condition(found, "Reconciling").get("reason") == "Replacing", "Replacing")
    assert before.id in condition(resource, "Reconciling")["message"]
    assert condition(resource, "Stalled")["status"] == "False", "it still holds the name, which is no conflict"
    assert condition(resource, "Ready")["status"] == "False"
    scene.quiet(since)
    scene.stage.aws.control.resume_clock()
    scene.settled(lambda now: now.id != before.id and now.state == "available", IMAGE_BUILDER, "made again")
    scene.ready()


@pytest.mark.parametrize("state", ["failed", "rejected", "expired"])
def test_an_endpoint_in_a_dead_state_is_replaced(ready: Iterator[Scene], state: str) -> None:
    scene = next(ready)
    before = scene.endpoint(IMAGE_BUILDER)
    since = scene.cursor()
    scene.stage.aws.control.set_state(before.id, state, LastError() if state == "failed" else None)
    scene.settled(lambda now: now.id != before.id and now.state == "available", IMAGE_BUILDER, "made again")
    scene.ready()
    assert [call.action for call in scene.writes(since)] == ["DeleteVpcEndpoints", "CreateVpcEndpoint"]
    scene.event("DriftDetected", before.id, state)


def test_a_deleted_vpc_full_of_drift_does_not_stop_the_others(ready: Iterator[Scene]) -> None:
    broken, whole = itertools.islice(ready, 2)
    for endpoint in broken.endpoints():
        broken.stage.aws.control.vanish(endpoint.id)
    broken.stage.aws.control.set_vpc_owner(broken.network.vpc_id, "999988887777")
    broken.stalled("VpcOfAnotherAccount")
    endpoint_id = whole.endpoint(IMAGE_BUILDER).id
    whole.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, PrivateDnsEnabled=False)
    whole.settled(lambda now: now.private_dns, IMAGE_BUILDER, "repaired beside a resource that is stalled")
    broken.stage.aws.control.set_vpc_owner(broken.network.vpc_id, None)
    broken.ready()


def is_told(version: str, resource: dict[str, Any] | None) -> bool:
    """Whether drift came into the status since this version, and went: one changed before that is the same drift."""
    changed = resource is not None and resource["metadata"]["resourceVersion"] != version
    return changed and is_ready(resource) and not (resource or {})["status"].get("drift")


def test_a_field_that_somebody_keeps_changing_is_called_contended(scene: Scene) -> None:
    scene.apply(scene.rich())
    scene.ready()
    endpoint_id = scene.endpoint(IMAGE_BUILDER).id
    for round_ in range(3):
        version = (scene.get() or {})["metadata"]["resourceVersion"]
        scene.ec2.modify_vpc_endpoint(
            VpcEndpointId=endpoint_id, AddSecurityGroupIds=[scene.network.default_security_group_id]
        )
        scene.settled(lambda now: len(now.group_ids) == 2, IMAGE_BUILDER, f"repaired the {round_ + 1}. time")
        scene.until(partial(is_told, version), f"told of the {round_ + 1}. repair")
    since = scene.cursor()
    scene.ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint_id, AddSecurityGroupIds=[scene.network.default_security_group_id]
    )
    resource = scene.until(lambda found: condition(found, "DriftFree").get("reason") == "Contended", "Contended")
    assert condition(resource, "DriftFree")["status"] == "False"
    assert scene.network.default_security_group_id in condition(resource, "DriftFree")["message"]
    scene.quiet(since)
    eventually(lambda: is_ready(scene.get()), "Ready: builds can use the endpoint all the same")
