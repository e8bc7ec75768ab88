"""Every field of a spec edited: changed in place, by what differs alone, and never through nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from ibpe.policy.canonical import same_policy
from ibpe.policy.imagebuilder import imagebuilder_policy
from ibpe.policy.s3 import S3Use, s3_policy
from ibpe.policy.statements import Organization
from sandbox.aws.messages import EndpointTruth
from sandbox.kube.control_plane import ControlPlaneError
from sandbox.stage import condition, endpoint_ids, is_ready
from tests.e2e.scene import IMAGE_BUILDER, REGION, S3, Scene, another_subnet, eventually, parameters, sids

pytestmark = pytest.mark.e2e

ORGANIZATION = {"principalOrgID": "o-0123456789", "resourceOrgID": "o-0123456789"}
STATEMENT = {"Sid": "Extra", "Effect": "Deny", "Principal": "*", "Action": "imagebuilder:StartImage*", "Resource": "*"}
CUSTOM = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:*", "Resource": "*"}, STATEMENT]}
S3_STATEMENT = {
    "Sid": "Extra",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::build-logs/*",
}


def sub(*indices: int) -> Callable[[Scene], dict[str, Any]]:
    return lambda scene: {"imageBuilder": {"subnets": {"ids": [scene.network.subnet_ids[index] for index in indices]}}}


def groups(*names: str) -> Callable[[Scene], dict[str, Any]]:
    return lambda scene: {"imageBuilder": {"securityGroups": {"ids": [getattr(scene.network, name) for name in names]}}}


def tables(choose: Callable[[Scene], list[str]]) -> Callable[[Scene], dict[str, Any]]:
    return lambda scene: {"s3": {"routeTables": {"ids": choose(scene)}}}


def always(**spec: Any) -> Callable[[Scene], dict[str, Any]]:
    return lambda _: spec


def reads(document: Any) -> Callable[[Scene, EndpointTruth], bool]:
    return lambda _, endpoint: same_policy(document, endpoint.policy)


@dataclass(frozen=True)
class Edit:
    """An edit of the `rich` spec, the endpoint that it concerns, how that ends, and what its Modify calls send."""

    name: str
    role: str
    spec: Callable[[Scene], Mapping[str, Any]]
    right: Callable[[Scene, EndpointTruth], object]
    sent: tuple[frozenset[str], ...]


def edit(
    name: str,
    role: str,
    spec: Callable[[Scene], Mapping[str, Any]],
    right: Callable[[Scene, EndpointTruth], object],
    *sent: str,
) -> Edit:
    return Edit(name, role, spec, right, tuple(frozenset({"VpcEndpointId", *each.split()}) for each in sent))


INTERFACE_POLICIES = {
    "FullAccess": ({"preset": "FullAccess"}, imagebuilder_policy("FullAccess", REGION)),
    "Organization": (
        {"preset": "Organization", "organization": ORGANIZATION},
        imagebuilder_policy("Organization", REGION, organization=Organization(*ORGANIZATION.values())),
    ),
    "Custom": (
        {"preset": "Custom", "document": CUSTOM},
        imagebuilder_policy("Custom", REGION, custom=CUSTOM),
    ),
    "additionalStatements": (
        {"additionalStatements": [STATEMENT]},
        imagebuilder_policy("DenyDeletion", REGION, additional_statements=[STATEMENT]),
    ),
}


def _s3(baseline: str = "ImageBuilderOnly", environment: str = "prod", *, agent: bool = True, **more: Any) -> Any:
    return s3_policy(baseline, REGION, S3Use(environment=environment, ssm_agent=agent), **more)


GATEWAY_POLICIES = {
    "baseline FullAccess": ({"baseline": "FullAccess"}, _s3("FullAccess")),
    "baseline Organization": (
        {"baseline": "Organization", "organization": ORGANIZATION},
        _s3("Organization", organization=Organization(*ORGANIZATION.values())),
    ),
    "environment": ({"environment": "beta"}, _s3(environment="beta")),
    "ssmAgent": ({"ssmAgent": False}, _s3(agent=False)),
    "additionalStatements": ({"additionalStatements": [S3_STATEMENT]}, _s3(additional_statements=[S3_STATEMENT])),
}

EDITS = (
    edit(
        "a subnet added",
        IMAGE_BUILDER,
        sub(0, 1, 2),
        lambda scene, now: set(now.subnet_ids) == set(scene.network.subnet_ids),
        "AddSubnetId",
    ),
    edit(
        "a subnet removed",
        IMAGE_BUILDER,
        sub(0),
        lambda scene, now: now.subnet_ids == scene.network.subnet_ids[:1],
        "RemoveSubnetId",
    ),
    edit(
        "every subnet replaced",
        IMAGE_BUILDER,
        sub(2),
        lambda scene, now: now.subnet_ids == scene.network.subnet_ids[2:],
        "AddSubnetId",
        "RemoveSubnetId",
    ),
    edit(
        "a group added",
        IMAGE_BUILDER,
        groups("security_group_id", "other_security_group_id", "default_security_group_id"),
        lambda _, now: len(now.group_ids) == 3,
        "AddSecurityGroupId",
    ),
    edit(
        "a group removed",
        IMAGE_BUILDER,
        groups("security_group_id"),
        lambda scene, now: now.group_ids == (scene.network.security_group_id,),
        "RemoveSecurityGroupId",
    ),
    edit(
        "private DNS off",
        IMAGE_BUILDER,
        always(imageBuilder={"privateDNS": False}),
        lambda _, now: not now.private_dns,
        "PrivateDnsEnabled",
    ),
    edit(
        "dualstack",
        IMAGE_BUILDER,
        always(imageBuilder={"ipAddressType": "dualstack"}),
        lambda _, now: now.ip_address_type == "dualstack",
        "IpAddressType",
    ),
    *(
        edit(
            f"imagebuilder policy {name}",
            IMAGE_BUILDER,
            always(imageBuilder={"policy": policy}),
            reads(document),
            "PolicyDocument",
        )
        for name, (policy, document) in INTERFACE_POLICIES.items()
    ),
    edit(
        "a route table added",
        S3,
        tables(lambda scene: [scene.network.route_table_id, *scene.tables]),
        lambda scene, now: set(now.route_table_ids) == {scene.network.route_table_id, *scene.tables},
        "AddRouteTableId",
    ),
    edit(
        "a route table removed",
        S3,
        tables(lambda scene: [scene.network.route_table_id]),
        lambda scene, now: now.route_table_ids == (scene.network.route_table_id,),
        "RemoveRouteTableId",
    ),
    edit(
        "every route table replaced",
        S3,
        tables(lambda scene: [scene.tables[1]]),
        lambda scene, now: now.route_table_ids == (scene.tables[1],),
        "AddRouteTableId",
        "RemoveRouteTableId",
    ),
    *(
        edit(f"S3 policy {name}", S3, always(s3={"policy": policy}), reads(document), "PolicyDocument")
        for name, (policy, document) in GATEWAY_POLICIES.items()
    ),
)


@pytest.mark.parametrize("change", EDITS, ids=lambda change: change.name)
def test_an_edit_changes_the_endpoint_in_place(ready: Iterator[Scene], change: Edit) -> None:
    scene = next(ready)
    before = scene.ours()
    since = scene.cursor()
    scene.edit(**change.spec(scene))
    scene.settled(lambda now: change.right(scene, now), change.role, "as edited")
    resource = scene.ready()
    assert endpoint_ids(resource) == {role: endpoint.id for role, endpoint in before.items()}, "same ids"
    writes = scene.writes(since)
    assert tuple(frozenset(parameters(call)) for call in writes) == change.sent, writes
    assert not resource["status"].get("drift"), "an edit is no drift"
    assert "DriftDetected" not in {reason for reason, _ in scene.events()}


def test_tags_are_added_changed_and_removed_on_both_endpoints(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    scene.ec2.create_tags(
        Resources=[endpoint.id for endpoint in scene.endpoints()], Tags=[{"Key": "of-others", "Value": "stays"}]
    )
    scene.edit(tags={"team": "platform", "cost-centre": "42"})
    for role in (IMAGE_BUILDER, S3):
        wanted = {**scene.tags, "ibpe.dev/role": role, "of-others": "stays"}
        scene.settled(
            lambda now, wanted=wanted: now.tags == {**wanted, "team": "platform", "cost-centre": "42"},  # type: ignore[misc]  # a default binds the loop's value
            role,
            "with the edited tags",
        )
    scene.ready()
    scene.edit(tags={"team": None})
    for role in (IMAGE_BUILDER, S3):
        wanted = {**scene.tags, "ibpe.dev/role": role, "of-others": "stays", "cost-centre": "42"}
        scene.settled(lambda now, wanted=wanted: now.tags == wanted, role, "without the removed tag")  # type: ignore[misc]  # as above
    resource = scene.ready()
    assert not resource["status"].get("drift")


def test_a_subnet_is_swapped_for_another_of_its_zone_with_the_other_one_serving_meanwhile(
    ready: Iterator[Scene],
) -> None:
    scene = next(ready)
    before = scene.endpoint(IMAGE_BUILDER)
    first, second = scene.network.subnet_ids[:2]
    swapped = another_subnet(scene, zone_of=1)
    since = scene.cursor()
    scene.edit(
        builds={"subnets": {"ids": [*scene.network.subnet_ids, swapped]}},
        imageBuilder={"subnets": {"ids": [first, swapped]}},
    )
    scene.settled(lambda now: set(now.subnet_ids) == {first, swapped}, IMAGE_BUILDER, "with the subnet swapped")
    assert endpoint_ids(scene.ready())[IMAGE_BUILDER] == before.id
    sent = [parameters(call) for call in scene.writes(since)]
    assert sent == [
        {"VpcEndpointId": {before.id}, "RemoveSubnetId": {second}},
        {"VpcEndpointId": {before.id}, "AddSubnetId": {swapped}},
    ]


def test_the_only_subnet_swapped_for_one_of_its_zone_is_told_with_the_way_out(scene: Scene) -> None:
    only = scene.network.subnet_ids[0]
    resource = scene.rich(builds={"subnets": {"ids": list(scene.network.subnet_ids)}})
    resource["spec"]["imageBuilder"]["subnets"]["ids"] = [only]
    scene.apply(resource)
    scene.ready()
    swapped = another_subnet(scene, zone_of=0)
    scene.edit(
        builds={"subnets": {"ids": [*scene.network.subnet_ids, swapped]}},
        imageBuilder={"subnets": {"ids": [swapped]}},
    )
    message = scene.stalled("DuplicateSubnetsInSameZone")
    assert swapped in message
    assert scene.endpoint(IMAGE_BUILDER).subnet_ids == (only,), "never without a subnet"
    scene.edit(imageBuilder={"subnets": {"ids": [swapped, scene.network.subnet_ids[1]]}})
    scene.settled(
        lambda now: set(now.subnet_ids) == {swapped, scene.network.subnet_ids[1]}, IMAGE_BUILDER, "out of the dead end"
    )
    scene.ready()


@pytest.mark.parametrize("how", ["mode None", "left out"])
def test_s3_no_longer_asked_for_goes_and_comes_back(ready: Iterator[Scene], how: str) -> None:
    scene = next(ready)
    before = scene.ours()
    spec = scene.rich()["spec"]["s3"]
    scene.edit(s3={"mode": "None", "routeTables": None, "policy": None} if how == "mode None" else None)
    eventually(lambda: set(scene.ours()) == {IMAGE_BUILDER}, "the S3 endpoint gone", explain=scene.endpoints)
    resource = scene.ready()
    assert endpoint_ids(resource) == {IMAGE_BUILDER: before[IMAGE_BUILDER].id}
    assert condition(resource, "S3AccessReady")["reason"] == "NotManaged"
    scene.edit(s3={**spec, "mode": "Managed"}, driftPolicy="Report")
    scene.settled(
        lambda now: now.id != before[S3].id and now.state == "available", S3, "made anew: asked for, no drift"
    )
    assert endpoint_ids(scene.ready())[IMAGE_BUILDER] == before[IMAGE_BUILDER].id


def test_image_builder_no_longer_asked_for_goes_and_comes_back(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    before = scene.ours()
    spec = scene.rich()["spec"]["imageBuilder"]
    scene.edit(imageBuilder=None)
    eventually(lambda: set(scene.ours()) == {S3}, "the interface endpoint gone", explain=scene.endpoints)
    assert endpoint_ids(scene.ready()) == {S3: before[S3].id}
    scene.edit(imageBuilder=spec)
    scene.settled(lambda now: now.state == "available", IMAGE_BUILDER, "made anew")
    scene.ready()


def test_fields_that_ask_nothing_of_aws_write_nothing_there(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    since = scene.cursor()
    scene.edit(driftPolicy="Report", deletionPolicy="Retain")
    scene.ready()
    scene.edit(driftPolicy="Repair", deletionPolicy="Delete")
    scene.ready()
    scene.quiet(since)


def test_builds_decide_whose_traffic_the_gateway_may_catch(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    left_out = scene.network.subnet_ids[2]
    since = scene.cursor()
    scene.edit(builds={"subnets": {"ids": list(scene.network.subnet_ids[:2])}})
    message = scene.stalled("RouteTableShared")
    assert left_out in message
    assert scene.network.route_table_id in message
    scene.edit(builds={"subnets": {"ids": list(scene.network.subnet_ids)}})
    scene.ready()
    assert not scene.writes(since)


def test_several_fields_edited_at_once_are_one_call(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    since = scene.cursor()
    scene.edit(
        imageBuilder={
            "subnets": {"ids": list(scene.network.subnet_ids)},
            "securityGroups": {"ids": [scene.network.security_group_id]},
            "privateDNS": False,
            "ipAddressType": "dualstack",
            "policy": {"preset": "FullAccess"},
        }
    )
    scene.settled(lambda now: now.ip_address_type == "dualstack", IMAGE_BUILDER, "dualstack")
    scene.ready()
    (write,) = scene.writes(since)
    assert set(parameters(write)) == {
        "VpcEndpointId",
        "AddSubnetId",
        "RemoveSecurityGroupId",
        "PrivateDnsEnabled",
        "IpAddressType",
        "PolicyDocument",
    }


def test_an_edit_while_the_endpoint_is_pending_is_carried_out_afterwards(scene: Scene) -> None:
    scene.stage.aws.control.hold_clock()
    scene.apply(scene.rich())
    scene.until(lambda found: condition(found, "Reconciling").get("reason") == "Pending", "Pending")
    first = scene.endpoint(IMAGE_BUILDER)
    scene.edit(imageBuilder={"policy": {"preset": "FullAccess"}, "privateDNS": False})
    scene.snapshots(2)
    scene.stage.aws.control.resume_clock()
    scene.settled(lambda now: not now.private_dns and "DenyDeletion" not in sids(now), IMAGE_BUILDER, "as edited")
    assert endpoint_ids(scene.ready())[IMAGE_BUILDER] == first.id


def test_a_bad_edit_leaves_the_endpoint_as_it_was_and_drift_of_other_fields_is_still_repaired(
    ready: Iterator[Scene],
) -> None:
    scene = next(ready)
    before = scene.endpoint(IMAGE_BUILDER)
    scene.edit(imageBuilder={"subnets": {"ids": [scene.network.subnet_ids[0], "subnet-0deadbeefdeadbeef"]}})
    message = scene.stalled("SubnetNotFound")
    assert "subnet-0deadbeefdeadbeef" in message
    assert set(scene.endpoint(IMAGE_BUILDER).subnet_ids) == set(before.subnet_ids)
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=before.id, ResetPolicy=True)
    scene.settled(lambda now: sids(now) == sids(before), IMAGE_BUILDER, "with its policy repaired in spite of that")
    scene.edit(imageBuilder={"subnets": {"ids": list(scene.network.subnet_ids[:2])}})
    scene.ready()


@pytest.mark.parametrize(("field", "value"), [("region", "us-east-1"), ("vpcID", "vpc-0a1b2c3d4e5f60718")])
def test_what_is_immutable_is_refused_at_admission(ready: Iterator[Scene], field: str, value: str) -> None:
    scene = next(ready)
    with pytest.raises(ControlPlaneError, match=f"{field} is immutable"):
        scene.edit(**{field: value})
    assert is_ready(scene.get())
