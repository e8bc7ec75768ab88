"""The operator under exactly the IAM policy that `ibpe iam-policy` prints, enforced before each of its calls."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.stage import OperatorProcess, Stage, condition
from tests.e2e.judge import Judge, allows
from tests.e2e.owners import Owner
from tests.e2e.scene import IMAGE_BUILDER, REGION, S3, Scene, Scenes, eventually
from tests.evaluation.reference import Call as Asked
from tests.evaluation.reference import several

pytestmark = pytest.mark.e2e

KEY = "AKIAIAMPOLICY"
ACCOUNT = "123456789012"
OURS = {"aws:resourcetag/ibpe.dev/cluster": ("sandbox",)}
OTHERS = {"aws:resourcetag/ibpe.dev/cluster": ("other",), "aws:resourcetag/ibpe.dev/owner": ("a/b",)}
TO_OURS = {"aws:requesttag/ibpe.dev/cluster": ("sandbox",)}
S3_SERVICE, EC2_SERVICE = f"com.amazonaws.{REGION}.s3", f"com.amazonaws.{REGION}.ec2"


@pytest.fixture(scope="module")
def judge(stage: Stage) -> Iterator[Judge]:
    judge = Judge(stage.aws.world, KEY, {"Version": "2012-10-17", "Statement": []})
    stage.aws.authorize_by(judge)
    yield judge
    stage.aws.authorize_by(lambda _: True)


@pytest.fixture(scope="module")
def operator(stage: Stage, namespace: str, judge: Judge) -> Iterator[OperatorProcess]:
    running = stage.operator(
        AWS_ACCESS_KEY_ID=judge.access_key,
        IBPE_WATCH_NAMESPACES=namespace,
        IBPE_SNAPSHOT_SECONDS="0.5",
        IBPE_SNAPSHOT_FAST_SECONDS="0.3",
        IBPE_PREREQUISITES_SECONDS="2",
    )
    yield running
    running.stop()


@dataclass
class Story:
    """What was lived through under the policy, and all that was asked of IAM meanwhile."""

    policy: Mapping[str, Any]
    asked: Sequence[Asked]
    denied: Sequence[Asked]


def printed(directory: Path, *resources: Mapping[str, Any]) -> dict[str, Any]:
    """What `ibpe iam-policy` prints for these resources."""
    file = directory / "resources.json"
    file.write_text(json.dumps({"kind": "List", "items": list(resources)}))
    command = [str(Path(sys.executable).parent / "ibpe"), "iam-policy", "--cluster-name", "sandbox"]
    answer = subprocess.run(
        [*command, "--account", ACCOUNT, "-f", str(file)], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def drift(scene: Scene) -> None:
    """Everything that the operator repairs by a call of its own."""
    endpoint = scene.endpoint(IMAGE_BUILDER)
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, RemoveSubnetIds=[scene.network.subnet_ids[0]])
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=scene.endpoint(S3).id, RemoveRouteTableIds=[scene.tables[0]])
    scene.ec2.delete_tags(Resources=[endpoint.id], Tags=[{"Key": "ibpe.dev/cluster"}])
    scene.settled(
        lambda it: len(it.subnet_ids) == 2 and "ibpe.dev/cluster" in it.tags and it.state == "available",
        IMAGE_BUILDER,
        "repaired",
    )
    scene.settled(lambda it: scene.tables[0] in it.route_table_ids, S3, "repaired")
    group = scene.network.other_security_group_id
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, RemoveSecurityGroupIds=[group])
    scene.settled(lambda it: group in it.group_ids, IMAGE_BUILDER, "has its groups again")


@pytest.fixture(scope="module")
def story(scenes: Scenes, judge: Judge, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Made, drifted and repaired, edited, retained and taken back, contributed, deleted: under one printed policy."""
    scene, sharing = scenes.make(), scenes.make()
    shared = Owner(sharing).gateway()
    main = scene.rich(tags={"team": "images"})
    guest = sharing.example(imageBuilder=None, s3={"mode": "Contribute", "endpointID": shared})
    judge.policy = policy = printed(tmp_path_factory.mktemp("iam"), main, guest)
    scene.apply(main)
    sharing.apply(guest)
    scene.ready()
    sharing.ready()
    drift(scene)
    scene.edit(tags={"team": None, "purpose": "images"})
    scene.settled(lambda it: "team" not in it.tags and "purpose" in it.tags, IMAGE_BUILDER, "tagged anew")
    scene.edit(deletionPolicy="Retain")
    scene.ready()
    before = set(scene.ids)
    scene.delete()
    scene.gone()
    scene.apply(main)
    scene.ready()
    assert {each.id for each in scene.endpoints()} <= before, "what was retained is taken back"
    for each in (scene, sharing):
        each.delete()
        each.gone()
    return Story(policy, tuple(judge.asked), tuple(judge.denied))


def without(policy: Mapping[str, Any], sid: str, element: str, value: str) -> dict[str, Any]:
    """The policy with one action or resource less; the statement goes with its last one."""
    left = deepcopy(dict(policy))
    for statement in left["Statement"]:
        if statement["Sid"] == sid:
            statement[element] = [each for each in several(statement[element]) if each != value]
    left["Statement"] = [each for each in left["Statement"] if several(each["Action"]) and several(each["Resource"])]
    return left


def parts(policy: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every action and every resource of every statement."""
    for statement in policy["Statement"]:
        for element in ("Action", "Resource"):
            for value in several(statement[element]):
                yield statement["Sid"], element, value


def test_nothing_is_denied_in_a_whole_life(story: Story) -> None:
    assert not story.denied
    assert story.asked


def test_no_action_and_no_resource_could_be_left_out(story: Story) -> None:
    needless = [
        part for part in parts(story.policy) if all(allows(without(story.policy, *part), each) for each in story.asked)
    ]
    assert not needless


def asked(action: str, kind: str, **context: tuple[str, ...]) -> Asked:
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/x-0123"
    return Asked(f"ec2:{action}", arn, "Identity", context={"aws:requestedregion": (REGION,), **context})


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(asked("ModifyVpcEndpoint", "vpc-endpoint"), id="modify an endpoint without tags"),
        pytest.param(asked("ModifyVpcEndpoint", "vpc-endpoint", **OTHERS), id="modify another cluster's endpoint"),
        pytest.param(asked("DeleteVpcEndpoints", "vpc-endpoint"), id="delete an endpoint without tags"),
        pytest.param(asked("DeleteVpcEndpoints", "vpc-endpoint", **OTHERS), id="delete another cluster's endpoint"),
        pytest.param(
            asked("CreateVpcEndpoint", "vpc-endpoint", **{"ec2:vpceservicename": (EC2_SERVICE,), **TO_OURS}),
            id="make an endpoint of another service",
        ),
        pytest.param(
            asked("CreateVpcEndpoint", "vpc-endpoint", **{"ec2:vpceservicename": (S3_SERVICE,)}),
            id="make an endpoint without our tag",
        ),
        pytest.param(asked("CreateVpcEndpoint", "vpc"), id="make an endpoint in a VPC of no resource"),
        pytest.param(asked("CreateTags", "vpc-endpoint", **TO_OURS), id="claim an endpoint that was never ours"),
        pytest.param(asked("CreateTags", "vpc-endpoint", **TO_OURS, **OTHERS), id="claim another cluster's endpoint"),
        pytest.param(asked("CreateTags", "vpc", **OURS), id="tag a VPC"),
        pytest.param(asked("DeleteTags", "vpc-endpoint", **OTHERS), id="untag another cluster's endpoint"),
        pytest.param(asked("DeleteSecurityGroup", "security-group", **OURS), id="anything else"),
    ],
)
def test_what_is_not_ours_to_do_is_denied(story: Story, call: Asked) -> None:
    assert not allows(story.policy, call)


def test_without_a_statement_the_resource_says_what_is_denied(scenes: Scenes, judge: Judge, story: Story) -> None:
    scene = scenes.make()
    judge.policy = {
        **story.policy,
        "Statement": [it for it in story.policy["Statement"] if it["Sid"] != "MakeOurEndpoints"],
    }
    scene.apply(scene.rich())
    assert "CreateVpcEndpoint" in scene.stalled("AccessDenied")
    scene.delete()
    eventually(lambda: scene.get() is None, "gone", explain=lambda: condition(scene.get(), "Stalled"))
