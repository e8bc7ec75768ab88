"""Mode Existing: endpoints of somebody else's, looked at closely, told about at once, and never touched."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ibpe.policy.document import PolicyDocument, plain
from sandbox.aws.messages import EndpointEdit
from sandbox.aws.network import make_network
from sandbox.stage import condition
from tests.e2e.owners import GOOD_POLICIES, SERVICE_NAMES, Owner, deny, document, existing
from tests.e2e.scene import IMAGE_BUILDER, OPERATORS_KEY, S3, WRITES, Scene, Scenes

pytestmark = pytest.mark.e2e

SNAPSHOT_SECONDS, PREREQUISITES_SECONDS = 0.4, 2.0
SLACK_SECONDS = 3.0
"""For a busy machine: the bounds are about the periods, not about the API server."""
COMPONENTS = {IMAGE_BUILDER: "ImageBuilderEndpointReady", S3: "S3AccessReady"}
TOE = "arn:aws:s3:::ec2imagebuilder-toe-us-west-2-prod/bootstrap_scripts/bootstrap.sh"


@dataclass
class Setup:
    """Two endpoints of an owner, and the resource that looks at them."""

    scene: Scene
    owner: Owner
    image_builder: str
    s3: str

    def id_of(self, role: str) -> str:
        return self.image_builder if role == IMAGE_BUILDER else self.s3

    def manifest(self, **spec: Any) -> dict[str, Any]:
        return self.scene.example(**{**existing(self.image_builder, self.s3), **spec})


def set_up(scenes: Scenes) -> Setup:
    scene = scenes.make()
    owner = Owner(scene)
    return Setup(scene, owner, owner.interface(), owner.gateway())


@pytest.fixture(scope="module")
def setup(scenes: Scenes) -> Iterator[Setup]:
    """Good endpoints and a Ready resource: each test mends what it breaks. At the end, AWS saw no write."""
    ready = set_up(scenes)
    since = ready.scene.cursor()
    ready.scene.apply(ready.manifest())
    ready.scene.ready()
    yield ready
    assert written_by_us(ready, since) == []


def written_by_us(setup: Setup, since: int) -> list[str]:
    """The operator's writes about this VPC or any endpoint of its owner's."""
    mine = {setup.scene.network.vpc_id, *setup.owner.made}
    calls = setup.scene.stage.aws.control.calls(since=since, access_key=OPERATORS_KEY)
    return [
        f"{call.action} {call.parameters}"
        for call in calls
        if call.action in WRITES and not mine.isdisjoint(call.parameters.values())
    ]


@pytest.mark.usefixtures("setup")  # the operator looks at AWS for as long as there is a resource
def test_a_good_setup_is_ready_and_is_never_written_from_its_first_day_to_its_last(scenes: Scenes) -> None:
    setup = set_up(scenes)
    scene, before = setup.scene, setup.scene.ours()
    since = scene.cursor()
    scene.apply(setup.manifest())
    resource = scene.ready()
    told = {each["type"]: (each["status"], each["reason"]) for each in resource["status"]["conditions"]}
    assert told["DriftFree"] == ("Unknown", "NotManaged")
    assert {type_: status for type_, (status, _) in told.items() if type_ != "DriftFree"} == {
        "Ready": "True",
        "Reconciling": "False",
        "Stalled": "False",
        "ImageBuilderEndpointReady": "True",
        "S3AccessReady": "True",
        "PolicyValid": "True",
        "PrerequisitesMet": "True",
    }
    entries = {each["role"]: (each["ownership"], each["id"]) for each in resource["status"]["endpoints"]}
    assert entries == {IMAGE_BUILDER: ("Existing", setup.image_builder), S3: ("Existing", setup.s3)}
    assert not resource["metadata"].get("finalizers")
    scene.edit(tags={"team": "images"})
    scene.ready()
    scene.snapshots(3)
    scene.delete()
    assert scene.get() is None, "nothing holds its deletion"
    scene.snapshots(2)
    assert written_by_us(setup, since) == []
    assert scene.ours() == before


@dataclass(frozen=True)
class Damage:
    """What an owner does to a good endpoint, how that is told, and how it is undone."""

    name: str
    role: str
    reason: str
    words: tuple[str, ...]
    """Words of the message; {id} is the endpoint, {other_group} and {table} what the network has."""
    do: Callable[[Setup], object]
    undo: Callable[[Setup], object]
    second_tier: bool = False

    def sentence(self, setup: Setup, word: str) -> str:
        network = setup.scene.network
        return word.format(
            id=setup.id_of(self.role),
            group=network.security_group_id,
            other_group=network.other_security_group_id,
            table=network.route_table_id,
            vpc=network.vpc_id,
        )


def policy(name: str, role: str, reason: str, broken: Any, *words: str) -> Damage:
    return Damage(
        name,
        role,
        reason,
        words,
        lambda setup: setup.owner.writes_policy(setup.id_of(role), broken),
        lambda setup: setup.owner.writes_policy(setup.id_of(role), GOOD_POLICIES[role]),
    )


def with_statement(good: PolicyDocument, *more: dict[str, Any]) -> dict[str, Any]:
    written = json.loads(json.dumps(plain(good)))
    return {**written, "Statement": [*written["Statement"], *more]}


def change(name: str, role: str, reason: str, do: dict[str, Any], undo: dict[str, Any], *words: str) -> Damage:
    """`do` and `undo` are changes of ModifyVpcEndpoint; strings in lists are as in `words`."""

    def modified(parameters: dict[str, Any]) -> Callable[[Setup], object]:
        return lambda setup: setup.owner.changes(
            setup.id_of(role),
            **{
                key: [damage.sentence(setup, each) for each in value] if isinstance(value, list) else value
                for key, value in parameters.items()
            },
        )

    damage = Damage(name, role, reason, words, modified(do), modified(undo))
    return damage


def https(setup: Setup, verb: str) -> object:
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": setup.scene.network.cidr}]}
    call = getattr(setup.scene.ec2, f"{verb}_security_group_ingress")
    return call(GroupId=setup.scene.network.security_group_id, IpPermissions=[rule])


def dns_support(setup: Setup, on: bool) -> object:  # noqa: FBT001 -- the value of AWS's attribute
    return setup.scene.ec2.modify_vpc_attribute(VpcId=setup.scene.network.vpc_id, EnableDnsHostnames={"Value": on})


def edited(setup: Setup, role: str, **fields: Any) -> object:
    return setup.scene.stage.aws.control.edit_endpoint(setup.id_of(role), EndpointEdit(**fields))


DAMAGES = (
    policy(
        "Image Builder policy denies by a statement",
        IMAGE_BUILDER,
        "ForeignDeny",
        with_statement(GOOD_POLICIES[IMAGE_BUILDER], deny("NoRecipes", "imagebuilder:GetContainerRecipe")),
        *('Statement "NoRecipes" of {id} denies', "imagebuilder:GetContainerRecipe", ":container-recipe/"),
    ),
    policy(
        "Image Builder policy allows too little",
        IMAGE_BUILDER,
        "PolicyDeniesBuilds",
        document({"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:List*", "Resource": "*"}),
        *("{id}", "imagebuilder:GetComponent on arn:aws:imagebuilder:", "no statement allows it", "mode Managed"),
    ),
    policy(
        "S3 policy denies without a Sid",
        S3,
        "ForeignDeny",
        with_statement(GOOD_POLICIES[S3], deny("", "s3:GetObject", TOE)),
        *("A statement without a Sid of {id} denies anonymous s3:GetObject", TOE),
    ),
    policy(
        "S3 policy allows something else",
        S3,
        "PolicyDeniesBuilds",
        document(),
        *("{id}", f"anonymous s3:GetObject on {TOE}", "no statement allows it", "mode Contribute"),
    ),
    policy(
        "S3 policy asks for an organization",
        S3,
        "PolicyDeniesBuilds",
        document(
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
            }
        ),
        *("{id}", f"anonymous s3:GetObject on {TOE}"),
    ),
    change(
        "private DNS off",
        IMAGE_BUILDER,
        "PrivateDnsOff",
        {"PrivateDnsEnabled": False},
        {"PrivateDnsEnabled": True},
        *("{id} has private DNS off", "imageBuilder.privateDNS"),
    ),
    change(
        "a group that lets nothing in",
        IMAGE_BUILDER,
        "HttpsNotLetIn",
        {"AddSecurityGroupIds": ["{other_group}"], "RemoveSecurityGroupIds": ["{group}"]},
        {"AddSecurityGroupIds": ["{group}"], "RemoveSecurityGroupIds": ["{other_group}"]},
        "{other_group} let nothing in on TCP 443",
    ),
    Damage(
        "443 taken out of its group",
        IMAGE_BUILDER,
        "HttpsNotLetIn",
        ("{group} let nothing in on TCP 443",),
        lambda setup: https(setup, "revoke"),
        lambda setup: https(setup, "authorize"),
        second_tier=True,
    ),
    Damage(
        "DNS host names off in the VPC",
        IMAGE_BUILDER,
        "VpcDnsDisabled",
        ("{vpc} has enableDnsSupport or enableDnsHostnames off",),
        lambda setup: dns_support(setup, False),  # noqa: FBT003 -- as above
        lambda setup: dns_support(setup, True),  # noqa: FBT003 -- as above
        second_tier=True,
    ),
    Damage(
        "out of every subnet",
        IMAGE_BUILDER,
        "EndpointWithoutSubnet",
        ("{id} is in no subnet",),
        lambda setup: edited(setup, IMAGE_BUILDER, subnet_ids=()),
        lambda setup: edited(setup, IMAGE_BUILDER, subnet_ids=setup.scene.network.subnet_ids),
    ),
    change(
        "off its route table",
        S3,
        "BuildsNotRouted",
        {"RemoveRouteTableIds": ["{table}"]},
        {"AddRouteTableIds": ["{table}"]},
        "{id} is on no route table",
    ),
    Damage(
        "on another route table",
        S3,
        "BuildsNotRouted",
        ("{id} does not serve subnet-", "(by {table})", "add {table} to it"),
        lambda setup: edited(setup, S3, route_table_ids=setup.scene.tables[:1]),
        lambda setup: edited(setup, S3, route_table_ids=(setup.scene.network.route_table_id,)),
    ),
    Damage(
        "failed",
        IMAGE_BUILDER,
        "EndpointNotAvailable",
        ("{id} is failed",),
        lambda setup: setup.scene.stage.aws.control.set_state(setup.image_builder, "failed"),
        lambda setup: setup.scene.stage.aws.control.set_state(setup.image_builder, "available"),
    ),
    Damage(
        "rejected, in another letter case",
        S3,
        "EndpointNotAvailable",
        ("{id} is rejected",),
        lambda setup: setup.scene.stage.aws.control.set_state(setup.s3, "Rejected"),
        lambda setup: setup.scene.stage.aws.control.set_state(setup.s3, "available"),
    ),
)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_what_its_owner_breaks_is_told_within_a_period_and_so_is_its_mending(setup: Setup, damage: Damage) -> None:
    scene, component = setup.scene, COMPONENTS[damage.role]
    damage.do(setup)
    began = time.monotonic()
    try:
        message = scene.stalled(damage.reason)
        seconds = time.monotonic() - began
        resource = scene.get()
        for word in (damage.sentence(setup, word) for word in damage.words):
            assert word in message, f"{word!r} is not in: {message}"
        assert condition(resource, component)["status"] == "False"
        other = COMPONENTS[S3 if damage.role == IMAGE_BUILDER else IMAGE_BUILDER]
        assert condition(resource, other)["status"] == "True", "the other endpoint is as good as before"
        period = PREREQUISITES_SECONDS if damage.second_tier else SNAPSHOT_SECONDS
        assert seconds < period + SLACK_SECONDS, f"told after {seconds:.1f} s"
    finally:
        damage.undo(setup)
    scene.ready()


def test_a_pending_endpoint_is_awaited_and_not_complained_about(setup: Setup) -> None:
    scene, control = setup.scene, setup.scene.stage.aws.control
    control.set_state(setup.image_builder, "pending")
    resource = scene.until(lambda found: condition(found, "Reconciling").get("reason") == "Pending", "Pending")
    assert condition(resource, "Ready")["status"] == "False"
    assert condition(resource, "Stalled")["status"] == "False"
    assert setup.image_builder in condition(resource, "Reconciling")["message"]
    assert condition(resource, "ImageBuilderEndpointReady")["status"] == "False"
    control.set_state(setup.image_builder, "available")
    scene.ready()


@pytest.mark.parametrize("role", [IMAGE_BUILDER, S3])
def test_an_endpoint_that_its_owner_deleted_is_named_until_another_is(setup: Setup, role: str) -> None:
    scene, lost = setup.scene, setup.id_of(role)
    setup.owner.deletes(lost)
    message = scene.stalled("EndpointNotFound")
    assert f"{lost} does not exist in account 123456789012, us-west-2" in message
    if role == IMAGE_BUILDER:
        setup.image_builder = setup.owner.interface()
    else:
        setup.s3 = setup.owner.gateway()
    part = {IMAGE_BUILDER: "imageBuilder", S3: "s3"}[role]
    assert f"{part}.endpointID" in message
    scene.edit(**{part: {"endpointID": setup.id_of(role)}})
    scene.ready()


def test_an_endpoint_that_is_not_the_one_meant_is_told_apart(setup: Setup) -> None:
    scene, owner = setup.scene, setup.owner
    elsewhere = make_network(scene.ec2)
    other_vpc = owner.interface(
        VpcId=elsewhere.vpc_id,
        SubnetIds=list(elsewhere.subnet_ids),
        SecurityGroupIds=[elsewhere.security_group_id],
    )
    other_type = owner.interface(document(), ServiceName=SERVICE_NAMES[S3], PrivateDnsEnabled=False)
    for part, id_, reason, word in (
        ("imageBuilder", "vpce-0123456789abcdef0", "EndpointNotFound", "vpce-0123456789abcdef0 does not exist"),
        ("imageBuilder", other_vpc, "EndpointInAnotherVpc", f"{other_vpc} is in {elsewhere.vpc_id}, not in"),
        ("imageBuilder", setup.s3, "EndpointOfAnotherService", f"{setup.s3} is for com.amazonaws.us-west-2.s3, not"),
        ("s3", setup.image_builder, "EndpointOfAnotherService", "not for com.amazonaws.us-west-2.s3"),
        ("s3", other_type, "EndpointOfAnotherType", f"{other_type} is no Gateway endpoint"),
    ):
        scene.edit(**{part: {"endpointID": id_}})
        message = scene.stalled(reason)
        assert word in message
        assert f"{part}.endpointID" in message or reason == "EndpointOfAnotherType"
        scene.edit(**{part: {"endpointID": setup.image_builder if part == "imageBuilder" else setup.s3}})
        scene.ready()
    owner.deletes(other_vpc, other_type)


def test_what_the_spec_says_that_builds_use_must_be_allowed(setup: Setup) -> None:
    scene = setup.scene
    scene.edit(s3={"policy": {"logBuckets": ["build-logs"]}})
    message = scene.stalled("PolicyDeniesBuilds")
    assert "s3:PutObject on arn:aws:s3:::build-logs/" in message
    scene.edit(s3={"policy": None})
    scene.ready()
    scene.edit(imageBuilder={"privateDNS": False})
    scene.ready()
    setup.owner.changes(setup.image_builder, PrivateDnsEnabled=False)
    scene.snapshots(2)
    assert condition(scene.get(), "Ready")["status"] == "True", "nobody counts on its private name"
    setup.owner.changes(setup.image_builder, PrivateDnsEnabled=True)
    scene.edit(imageBuilder={"privateDNS": True})
    scene.ready()


def test_endpoints_that_were_retained_are_somebody_elses_for_a_resource_that_only_looks(scenes: Scenes) -> None:
    scene = scenes.make()
    scene.apply(scene.example(deletionPolicy="Retain"))
    scene.ready()
    left = {role: endpoint.id for role, endpoint in scene.ours().items()}
    scene.delete()
    scene.gone()
    since = scene.cursor()
    for spec in (existing(left[IMAGE_BUILDER], left[S3]), {**existing(left[IMAGE_BUILDER], left[S3]), "s3": None}):
        scene.apply(scene.example(**spec))
        resource = scene.ready()
        assert {each["ownership"] for each in resource["status"]["endpoints"]} == {"Existing"}
        scene.snapshots(2)
        scene.delete()
        scene.gone()
    assert {role: endpoint.id for role, endpoint in scene.ours().items()} == left
    assert scene.writes(since) == ()


def test_a_build_subnet_that_does_not_exist_is_refused(scenes: Scenes) -> None:
    setup = set_up(scenes)
    setup.scene.apply(setup.manifest(builds={"subnets": {"ids": ["subnet-0123456789abcdef0"]}}))
    assert "subnet-0123456789abcdef0 of builds.subnets.ids does not exist" in setup.scene.stalled("SubnetNotFound")
    setup.scene.delete()
    setup.scene.gone()
