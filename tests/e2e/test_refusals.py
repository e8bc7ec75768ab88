"""What a user got wrong, found by looking at AWS: named with its ids and the fix, nothing written, then mended."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from mypy_boto3_ec2.type_defs import AttributeBooleanValueTypeDef

from sandbox.aws.network import add_security_group, make_network
from sandbox.stage import condition, endpoint_ids
from tests.e2e.scene import IMAGE_BUILDER, REGION, S3, Scene, Scenes, another_subnet, eventually

pytestmark = pytest.mark.e2e

SERVICE = f"com.amazonaws.{REGION}.imagebuilder"
Spec = dict[str, Any]


@dataclass(frozen=True)
class Mistake:
    """Arranges AWS and a spec; what the refusal must contain; and what the user then does about it."""

    name: str
    reason: str
    arrange: Callable[[Scene, Spec], tuple[str, ...]]
    """Changes the spec (of `rich`) in place; returns the ids that the message must contain."""
    mend: Callable[[Scene, Spec], object]
    """Changes AWS, or the spec back, which is then applied again."""
    about: str = IMAGE_BUILDER
    """The endpoint that is refused; the other one is made all the same."""


def subnets(spec: Spec) -> list[str]:
    found: list[str] = spec["imageBuilder"]["subnets"]["ids"]
    return found


def groups(spec: Spec) -> list[str]:
    found: list[str] = spec["imageBuilder"]["securityGroups"]["ids"]
    return found


def tables(spec: Spec) -> list[str]:
    found: list[str] = spec["s3"]["routeTables"]["ids"]
    return found


def missing_subnet(_: Scene, spec: Spec) -> tuple[str, ...]:
    subnets(spec).append("subnet-0deadbeefdeadbeef")
    return ("subnet-0deadbeefdeadbeef",)


def foreign_subnet(scene: Scene, spec: Spec) -> tuple[str, ...]:
    other = make_network(scene.ec2, subnets=3)
    subnets(spec).append(other.subnet_ids[2])
    return (other.subnet_ids[2], other.vpc_id, scene.network.vpc_id)


def missing_build_subnet(_: Scene, spec: Spec) -> tuple[str, ...]:
    spec["builds"]["subnets"]["ids"].append("subnet-0deadbeefdeadbeef")
    return ("subnet-0deadbeefdeadbeef", "builds.subnets.ids")


def missing_group(_: Scene, spec: Spec) -> tuple[str, ...]:
    groups(spec).append("sg-0deadbeefdeadbeef")
    return ("sg-0deadbeefdeadbeef",)


def foreign_group(scene: Scene, spec: Spec) -> tuple[str, ...]:
    other = make_network(scene.ec2)
    groups(spec).append(other.security_group_id)
    return (other.security_group_id, other.vpc_id, scene.network.vpc_id)


def missing_table(scene: Scene, spec: Spec) -> tuple[str, ...]:
    tables(spec).append("rtb-0deadbeefdeadbeef")
    return ("rtb-0deadbeefdeadbeef", scene.network.vpc_id)


def foreign_table(scene: Scene, spec: Spec) -> tuple[str, ...]:
    other = make_network(scene.ec2)
    tables(spec).append(other.route_table_id)
    return (other.route_table_id, scene.network.vpc_id)


def one_zone(scene: Scene, spec: Spec) -> tuple[str, ...]:
    second = another_subnet(scene, zone_of=0)
    subnets(spec).append(second)
    spec["builds"]["subnets"]["ids"].append(second)
    return (scene.network.subnet_ids[0], second, scene.network.zones[0])


def vpc_attribute(attribute: str, *, on: bool) -> Callable[[Scene], None]:
    def change(scene: Scene) -> None:
        value: AttributeBooleanValueTypeDef = {"Value": on}
        if attribute == "enableDnsSupport":
            scene.ec2.modify_vpc_attribute(VpcId=scene.network.vpc_id, EnableDnsSupport=value)
        else:
            scene.ec2.modify_vpc_attribute(VpcId=scene.network.vpc_id, EnableDnsHostnames=value)

    return change


def dns_off(attribute: str) -> Callable[[Scene, Spec], tuple[str, ...]]:
    def arrange(scene: Scene, _: Spec) -> tuple[str, ...]:
        vpc_attribute(attribute, on=False)(scene)
        return (scene.network.vpc_id, attribute)

    return arrange


def no_https(scene: Scene, spec: Spec) -> tuple[str, ...]:
    spec["imageBuilder"]["securityGroups"]["ids"] = [scene.network.other_security_group_id]
    return (scene.network.other_security_group_id, "443")


def let_https_in(scene: Scene, _: Spec) -> None:
    scene.ec2.authorize_security_group_ingress(
        GroupId=scene.network.other_security_group_id,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": scene.network.cidr}]}
        ],
    )


def https_for_some(scene: Scene, spec: Spec) -> tuple[str, ...]:
    made = add_security_group(scene.ec2, scene.network.vpc_id, f"part-{scene.name}", "10.0.0.0/24")
    spec["imageBuilder"]["securityGroups"]["ids"] = [made]
    return (made, scene.network.subnet_ids[1], scene.network.subnet_ids[2], "443")


def main_table(scene: Scene, spec: Spec) -> tuple[str, ...]:
    tables(spec).append(scene.network.main_route_table_id)
    return (scene.network.main_route_table_id, "main route table")


def shared_table(scene: Scene, spec: Spec) -> tuple[str, ...]:
    stranger = another_subnet(scene, zone_of=1)
    return (scene.network.route_table_id, stranger, "Organization", "FullAccess", "builds.subnets") if spec else ()


def foreign_name(scene: Scene, _: Spec) -> tuple[str, ...]:
    made = scene.ec2.create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=scene.network.vpc_id,
        ServiceName=SERVICE,
        SubnetIds=[scene.network.subnet_ids[0]],
        SecurityGroupIds=[scene.network.security_group_id],
        PrivateDnsEnabled=True,
        TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Name", "Value": "of-the-network-team"}]}],
    )
    return (str(made["VpcEndpoint"]["VpcEndpointId"]), "of-the-network-team", scene.network.vpc_id)


def foreign_route(scene: Scene, _: Spec) -> tuple[str, ...]:
    made = scene.ec2.create_vpc_endpoint(
        VpcId=scene.network.vpc_id,
        ServiceName=f"com.amazonaws.{REGION}.s3",
        RouteTableIds=[scene.network.route_table_id],
    )
    return (str(made["VpcEndpoint"]["VpcEndpointId"]), scene.network.route_table_id)


def delete_foreign(scene: Scene, _: Spec) -> None:
    ids = [each.id for each in scene.endpoints() if "ibpe.dev/owner" not in each.tags]
    scene.ec2.delete_vpc_endpoints(VpcEndpointIds=ids)


def one_zone_served(scene: Scene, _: Spec) -> tuple[str, ...]:
    scene.stage.aws.control.limit_zones(REGION, SERVICE, [scene.network.zones[0]])
    return (scene.network.subnet_ids[1], scene.network.zones[1], scene.network.zones[0])


def all_zones_served(scene: Scene, _: Spec) -> None:
    scene.stage.aws.control.limit_zones(REGION, SERVICE, None)


def drop_last(ids: Callable[[Spec], list[str]]) -> Callable[[Scene, Spec], object]:
    return lambda _, spec: ids(spec).pop()


MISTAKES = (
    Mistake("a subnet that is missing", "SubnetNotFound", missing_subnet, drop_last(subnets)),
    Mistake("a subnet of another VPC", "SubnetInAnotherVpc", foreign_subnet, drop_last(subnets)),
    Mistake(
        "a build subnet that is missing",
        "SubnetNotFound",
        missing_build_subnet,
        drop_last(lambda spec: spec["builds"]["subnets"]["ids"]),
    ),
    Mistake("a group that is missing", "SecurityGroupNotFound", missing_group, drop_last(groups)),
    Mistake("a group of another VPC", "SecurityGroupInAnotherVpc", foreign_group, drop_last(groups)),
    Mistake("a table that is missing", "RouteTableNotFound", missing_table, drop_last(tables), about=S3),
    Mistake("a table of another VPC", "RouteTableNotFound", foreign_table, drop_last(tables), about=S3),
    Mistake("two subnets in a zone", "DuplicateSubnetsInSameZone", one_zone, drop_last(subnets)),
    Mistake(
        "DNS support off",
        "VpcDnsDisabled",
        dns_off("enableDnsSupport"),
        lambda scene, _: vpc_attribute("enableDnsSupport", on=True)(scene),
    ),
    Mistake(
        "DNS host names off",
        "VpcDnsDisabled",
        dns_off("enableDnsHostnames"),
        lambda scene, _: vpc_attribute("enableDnsHostnames", on=True)(scene),
    ),
    Mistake(
        "DNS off and private DNS given up",
        "VpcDnsDisabled",
        dns_off("enableDnsSupport"),
        lambda _, spec: spec["imageBuilder"].update(privateDNS=False),
    ),
    Mistake("a zone that is not served", "ZoneNotSupported", one_zone_served, all_zones_served),
    Mistake("443 let in from nowhere", "HttpsNotLetIn", no_https, let_https_in),
    Mistake(
        "443 let in from some builds",
        "HttpsNotLetIn",
        https_for_some,
        lambda scene, spec: groups(spec).append(scene.network.security_group_id),
    ),
    Mistake("the main route table", "RouteTableShared", main_table, drop_last(tables), about=S3),
    Mistake(
        "a table that others use",
        "RouteTableShared",
        shared_table,
        lambda _, spec: spec["s3"]["policy"].update(baseline="FullAccess"),
        about=S3,
    ),
    Mistake("a name that is held", "PrivateDnsConflict", foreign_name, delete_foreign),
    Mistake("a route that is there", "RouteAlreadyExists", foreign_route, delete_foreign, about=S3),
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_named_and_its_mending_is_enough(scene: Scene, mistake: Mistake) -> None:
    resource = scene.rich()
    named = mistake.arrange(scene, resource["spec"])
    foreign = {each.id: each for each in scene.endpoints()}
    if foreign:
        scene.snapshots(2)  # one that began before would let a Create go to AWS, which refuses it too
    since = scene.cursor()
    scene.apply(resource)
    message = scene.stalled(mistake.reason)
    assert [word for word in named if word not in message] == [], f"not named in: {message}"
    refused = scene.get()
    assert condition(refused, "PrerequisitesMet")["status"] == "False"
    assert refused is not None
    assert (mistake.about, "Create") not in {(p["role"], p["action"]) for p in refused["status"].get("plan", [])}
    scene.snapshots(2)
    made = {call.parameters["ServiceName"].rpartition(".")[2] for call in scene.writes(since)}
    assert mistake.about not in made, "a refused endpoint was made"
    mistake.mend(scene, resource["spec"])
    scene.apply(resource)
    ids = set(endpoint_ids(scene.ready()).values())
    assert len(ids) == 2
    for id_, before in foreign.items():
        now = {each.id: each for each in scene.endpoints()}.get(id_)
        assert now is None or now == before, "a foreign endpoint was changed"


def test_a_vpc_that_does_not_exist_is_named_with_the_account(scene: Scene) -> None:
    resource = scene.rich()
    resource["spec"]["vpcID"] = "vpc-0deadbeefdeadbeef"
    since = scene.cursor()
    scene.apply(resource)
    message = scene.stalled("VpcNotFound")
    assert "vpc-0deadbeefdeadbeef" in message
    assert "123456789012" in message
    assert scene.writes(since) == ()
    scene.delete()
    scene.gone()


def test_a_vpc_of_another_account_is_refused_with_its_owner_named(scene: Scene) -> None:
    scene.stage.aws.control.set_vpc_owner(scene.network.vpc_id, "999988887777")
    since = scene.cursor()
    scene.apply(scene.rich())
    message = scene.stalled("VpcOfAnotherAccount")
    assert "999988887777" in message
    assert scene.network.vpc_id in message
    scene.quiet(since)
    scene.stage.aws.control.set_vpc_owner(scene.network.vpc_id, None)
    scene.ready()


def test_a_policy_that_grew_too_long_is_refused_before_aws_is_asked(scene: Scene) -> None:
    # Each statement is short enough for admission; the policy that they make together is not.
    resource = scene.example(s3=None)
    resource["spec"]["imageBuilder"]["policy"]["additionalStatements"] = [
        {
            "Sid": f"S{number}",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "imagebuilder:GetImage",
            "Resource": [
                f"arn:aws:imagebuilder:us-west-2:123456789012:image/{number}-{part}-{'x' * 90}" for part in range(6)
            ],
        }
        for number in range(30)
    ]
    since = scene.cursor()
    scene.apply(resource)
    message = scene.stalled("PolicyTooLong")
    assert "20,480" in message
    assert condition(scene.get(), "PolicyValid")["status"] == "False"
    scene.quiet(since)
    scene.edit(imageBuilder={"policy": {"additionalStatements": None}})
    scene.ready()


def sibling(scene: Scene, name: str) -> Scene:
    return Scene(scene.stage, scene.operator, scene.network, scene.namespace, f"{scene.name}-{name}", scene.tables)


@pytest.mark.parametrize("part", [IMAGE_BUILDER, S3])
def test_a_second_claim_waits_for_the_holder_and_goes_on_by_itself(ready: Iterator[Scene], part: str) -> None:
    holder = next(ready)
    held = holder.ours()
    loser = sibling(holder, "second")
    left_out = {"s3": None} if part == IMAGE_BUILDER else {"imageBuilder": None}
    loser.apply(loser.rich(**left_out))
    loser.until(lambda found: condition(found, "Stalled").get("status") == "True", "Stalled")
    message = condition(loser.get(), "Stalled")["message"]
    assert str(holder.tags["ibpe.dev/owner"]) in message, f"the holder is named: {message}"
    since = loser.cursor()
    loser.snapshots(2)
    assert loser.writes(since) == ()
    assert holder.ours() == held
    holder.delete()
    holder.gone()
    loser.ready()
    assert {each.tags["ibpe.dev/owner"] for each in loser.endpoints()} == {loser.tags["ibpe.dev/owner"]}


def test_of_two_applied_at_once_one_wins_and_the_other_says_who(scene: Scene) -> None:
    other = sibling(scene, "twin")
    items = [scene.rich(), other.rich()]
    since = scene.cursor()
    scene.stage.apply({"apiVersion": "v1", "kind": "List", "items": items})

    def decided() -> tuple[Scene, Scene] | None:
        for winner, loser in ((scene, other), (other, scene)):
            ready_, stalled = condition(winner.get(), "Ready"), condition(loser.get(), "Stalled")
            if ready_.get("status") == stalled.get("status") == "True" and len(scene.ours()) == 2:
                return winner, loser
        return None

    found = eventually(decided, "one Ready, one Stalled", explain=lambda: (scene.get(), other.get()))
    assert found is not None
    winner, loser = found
    assert winner.tags["ibpe.dev/owner"] in condition(loser.get(), "Stalled")["message"]
    creates = [call.action for call in scene.writes(since)]
    assert creates == ["CreateVpcEndpoint", "CreateVpcEndpoint"]


def test_a_holder_that_gives_up_its_claim_lets_the_other_go_on(ready: Iterator[Scene]) -> None:
    holder = next(ready)
    loser = sibling(holder, "waiting")
    loser.apply(loser.rich(s3=None))
    loser.until(lambda found: condition(found, "Stalled").get("status") == "True", "Stalled")
    holder.edit(imageBuilder={"privateDNS": False})
    loser.ready()
    holder.ready()
    names = {each.tags["ibpe.dev/owner"]: each.private_dns for each in holder.endpoints() if each.type == "Interface"}
    assert names == {holder.tags["ibpe.dev/owner"]: False, loser.tags["ibpe.dev/owner"]: True}


def test_a_prerequisite_broken_behind_our_back_is_told_and_the_endpoint_left(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    before, since = scene.ours(), scene.cursor()
    vpc_attribute("enableDnsSupport", on=False)(scene)
    resource = scene.until(
        lambda found: condition(found, "PrerequisitesMet").get("status") == "False", "PrerequisitesMet=False"
    )
    assert scene.network.vpc_id in condition(resource, "PrerequisitesMet")["message"]
    scene.quiet(since)
    assert scene.ours() == before
    vpc_attribute("enableDnsSupport", on=True)(scene)
    scene.ready()


def test_a_443_rule_revoked_behind_our_back_is_told(ready: Iterator[Scene]) -> None:
    scene = next(ready)
    group = scene.network.security_group_id
    rules = scene.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    rule: Any = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": scene.network.cidr}]}]
    assert rules
    scene.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule)
    assert group in scene.stalled("HttpsNotLetIn")
    scene.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule)
    scene.ready()


def test_the_scenes_of_this_module_share_one_operator(scenes: Scenes) -> None:
    assert scenes.operator.running, "an operator that ended by itself took its module with it"
