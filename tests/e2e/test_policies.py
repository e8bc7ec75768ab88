"""Presets, baselines and toggles: what AWS holds means what they say, however one got there; wider is told."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ibpe.policy.canonical import same_policy
from ibpe.policy.document import PolicyDocument, render
from ibpe.policy.imagebuilder import imagebuilder_policy
from ibpe.policy.s3 import S3Use, s3_policy
from ibpe.policy.statements import Organization
from sandbox.aws.messages import EndpointTruth
from sandbox.stage import condition
from tests.e2e.scene import IMAGE_BUILDER, REGION, S3, Scene, Scenes, eventually, parameters

pytestmark = pytest.mark.e2e

SNAPSHOT_SECONDS = 0.4
IDS = {"principalOrgID": "o-a1b2c3d4e5", "resourceOrgID": "o-e5d4c3b2a1"}
ORGANIZATION = Organization("o-a1b2c3d4e5", "o-e5d4c3b2a1")
NO_STARTS = {"Sid": "NoStarts", "Effect": "Deny", "Principal": "*", "Action": "imagebuilder:Start*", "Resource": "*"}
MIRROR = {
    "Sid": "Mirror",
    "Effect": "Allow",
    "Principal": "*",
    "Action": ["s3:GetObject", "s3:ListBucket"],
    "Resource": ["arn:aws:s3:::mirror", "arn:aws:s3:::mirror/*"],
}
CUSTOM = {
    "Version": "2012-10-17",
    "Id": "ours",
    "Statement": [
        {"Sid": "Builds", "Effect": "Allow", "Principal": "*", "Action": ["imagebuilder:Get*"], "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "imagebuilder:list*", "Resource": ["*"]},
    ],
}


@dataclass(frozen=True)
class Choice:
    """What is written in the spec, and the document that it has to come to."""

    name: str
    policy: Mapping[str, Any]
    document: PolicyDocument


def preset(name: str, written: Mapping[str, Any] | None = None, also: Sequence[Any] = (), **given: Any) -> Choice:
    more = {"additionalStatements": list(also)} if also else {}
    document = imagebuilder_policy(name, REGION, additional_statements=also, **given)
    label = " ".join([name, *(key for key in written or {} if key != "organization"), *more])
    return Choice(label, {"preset": name, **(written or {}), **more}, document)


def organization(*toggles: str, also: Sequence[Any] = ()) -> Choice:
    written: dict[str, Any] = {"organization": IDS, **dict.fromkeys(toggles, True)}
    given = {"marketplace": "marketplace" in toggles, "aws_services": "awsServices" in toggles}
    return preset("Organization", written, also, organization=ORGANIZATION, **given)


def custom(document: Any, also: Sequence[Any] = ()) -> Choice:
    return preset("Custom", {"document": document}, also, custom=document)


def baseline(name: str = "ImageBuilderOnly", also: Sequence[Any] = (), **toggles: Any) -> Choice:
    """`toggles` as `s3_policy` takes them."""
    organized = {"organization": IDS} if name == "Organization" else {}
    more = {"additionalStatements": list(also)} if also else {}
    written = {_camel(key): list(value) if isinstance(value, tuple) else value for key, value in toggles.items()}
    document = s3_policy(
        name,
        REGION,
        S3Use(**toggles),
        organization=ORGANIZATION if organized else None,
        additional_statements=also,
    )
    return Choice(" ".join([name, *written, *more]), {"baseline": name, **organized, **written, **more}, document)


def switched_on(*toggles: str, name: str = "ImageBuilderOnly", also: Sequence[Any] = ()) -> Choice:
    given: dict[str, Any] = dict.fromkeys(toggles, True)
    return baseline(name, also, **given)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


PRESETS = (preset("FullAccess"), preset("DenyDeletion"), preset("DenyDestruction"), organization(), custom(CUSTOM))
BASELINES = (baseline(), baseline("Organization"), baseline("FullAccess"))
FURTHER_PRESETS = (
    organization("marketplace"),
    organization("awsServices"),
    organization("marketplace", "awsServices"),
    custom(render(imagebuilder_policy("Custom", REGION, custom=CUSTOM))),
    preset("FullAccess", also=[NO_STARTS]),
    preset("DenyDeletion", also=[NO_STARTS]),
    preset("DenyDestruction", also=[NO_STARTS]),
    organization("marketplace", also=[NO_STARTS]),
    custom(CUSTOM, also=[NO_STARTS]),
)
TOGGLES = ("amazon_linux_repositories", "windows_downloads", "patching", "distributor", "cloud_watch_agent")
FURTHER_BASELINES = (
    baseline(environment="preprod"),
    baseline(environment="beta", all_managed_resources=True),
    baseline(ssm_agent=False),
    *(switched_on(toggle) for toggle in TOGGLES),
    baseline(ecr_layers=True, log_buckets=("logs-b", "logs-a"), artifact_buckets=("artifacts",)),
    baseline(also=[MIRROR]),
    switched_on(*TOGGLES, name="Organization", also=[MIRROR]),
    baseline("FullAccess", also=[MIRROR]),
)


def manifest(scene: Scene, image_builder: Choice, s3: Choice) -> dict[str, Any]:
    resource = scene.example()
    resource["spec"]["imageBuilder"]["policy"] = dict(image_builder.policy)
    resource["spec"]["s3"]["policy"] = dict(s3.policy)
    return resource


def apply(scene: Scene, image_builder: Choice, s3: Choice) -> dict[str, Any]:
    """Apply both, wait until AWS holds what they say, and then until the resource says so: Ready, without drift."""
    scene.apply(manifest(scene, image_builder, s3))
    for role, choice in ((IMAGE_BUILDER, image_builder), (S3, s3)):
        scene.settled(partial(means, choice), role, f"as {choice.name}")
    resource = scene.ready()
    assert not resource["status"].get("drift"), "an edit is no drift"
    return resource


def means(choice: Choice, endpoint: EndpointTruth) -> bool:
    return same_policy(choice.document, endpoint.policy)


def names(choice: Any) -> str | None:
    return choice.name if isinstance(choice, Choice) else None


@pytest.fixture(scope="module")
def made(scenes: Scenes) -> Mapping[tuple[str, str], Scene]:
    """A resource for every choice that is no mere preset or baseline, two in each; all applied at once."""
    found: dict[tuple[str, str], Scene] = {}
    all_made, items = [], []
    for one, other in zip(itertools.cycle(FURTHER_PRESETS), FURTHER_BASELINES, strict=False):
        scene = scenes.make(subnets=1)
        all_made.append(scene)
        items.append(manifest(scene, one, other))
        found[IMAGE_BUILDER, one.name] = found[S3, other.name] = scene
    scenes.stage.apply({"apiVersion": "v1", "kind": "List", "items": items})
    for scene in all_made:
        scene.ready()
    return found


@pytest.mark.parametrize(
    ("role", "choice"),
    [*((IMAGE_BUILDER, each) for each in FURTHER_PRESETS), *((S3, each) for each in FURTHER_BASELINES)],
    ids=names,
)
def test_what_is_made_means_what_was_chosen(made: Mapping[tuple[str, str], Scene], role: str, choice: Choice) -> None:
    held = made[role, choice.name].endpoint(role).policy
    assert same_policy(choice.document, held), held


def tour(count: int) -> Iterator[int]:
    """Numbers below `count`, each coming straight after each other one once."""
    yield 0
    for here in range(count):
        for there in range(here + 2, count):
            yield from (there, here)
        if here + 1 < count:
            yield here + 1
    yield from reversed(range(count - 1))


def test_the_tour_takes_every_way() -> None:
    for count in (len(PRESETS), len(BASELINES)):
        ways = list(itertools.pairwise(tour(count)))
        assert sorted(ways) == sorted(itertools.permutations(range(count), 2))


def test_every_preset_turns_into_every_other_in_one_life(scenes: Scenes) -> None:
    """Of Image Builder's endpoint and, in the same edits, of the baselines of S3's."""
    scene = scenes.make()
    others = itertools.cycle(list(tour(len(BASELINES)))[:-1])
    before, since = None, scene.cursor()
    for number in tour(len(PRESETS)):
        one, other = PRESETS[number], BASELINES[next(others)]
        resource = apply(scene, one, other)
        assert condition(resource, "DriftFree")["status"] == "True"
        ids = {role: endpoint.id for role, endpoint in scene.ours().items()}
        assert before in {None, tuple(ids.values())}, "the same endpoints"
        before = tuple(ids.values())
    modified = [call for call in scene.writes(since) if call.action != "CreateVpcEndpoint"]
    assert {frozenset(parameters(call)) for call in modified} == {frozenset({"VpcEndpointId", "PolicyDocument"})}, (
        "the default is written out too: ResetPolicy is documented for gateway endpoints only"
    )
    ways = len(PRESETS) * (len(PRESETS) - 1)
    assert len(modified) == 2 * ways, "one call for each edit"


# Wider, and narrower


def widened(scene: Scene) -> dict[tuple[str, str], float]:
    """`ibpe_policy_widened_total` by role and cause, as it is scraped."""
    return {
        (sample.labels["role"], sample.labels["cause"]): sample.value
        for family in text_string_to_metric_families(scene.operator.metrics())
        for sample in family.samples
        if sample.name == "ibpe_policy_widened_total"
    }


def told(scene: Scene) -> int:
    """How many events say that a policy was widened."""
    return sum(reason == "PolicyWidened" for reason, _ in scene.events())


def more_told(scene: Scene, than: int) -> bool:
    return told(scene) > than


STEPS = (
    (preset("DenyDeletion"), baseline(), IMAGE_BUILDER),
    (preset("FullAccess"), baseline(), IMAGE_BUILDER),
    (organization(), baseline(), None),
    (organization("marketplace"), baseline(), IMAGE_BUILDER),
    (organization("marketplace", "awsServices"), baseline(), IMAGE_BUILDER),
    (organization("awsServices"), baseline(), None),
    (organization("awsServices", also=[NO_STARTS]), baseline(), None),
    (organization("awsServices"), baseline(), IMAGE_BUILDER),
    (organization("awsServices"), baseline(log_buckets=("logs",)), S3),
    (organization("awsServices"), baseline(ssm_agent=False, log_buckets=("logs",)), None),
    (organization("awsServices"), baseline(ssm_agent=False, log_buckets=("logs", "more-logs")), S3),
    (organization("awsServices"), baseline("Organization", ssm_agent=False, log_buckets=("logs", "more-logs")), S3),
    (organization("awsServices"), baseline("FullAccess"), S3),
    (organization("awsServices"), baseline("FullAccess", also=[MIRROR]), None),
    (organization("awsServices"), baseline(), None),
)


def test_what_allows_more_than_before_is_told_and_counted_and_nothing_else_is(scenes: Scenes) -> None:
    scene = scenes.make()
    scene.apply(manifest(scene, preset("DenyDestruction"), baseline()))
    scene.ready()
    assert told(scene) == 0, "what is new is no widening"
    for one, other, wider in STEPS:
        what, before, count = f"{one.name} and {other.name}", widened(scene), told(scene)
        apply(scene, one, other)
        if wider is not None:
            before[wider, "edit"] = before.get((wider, "edit"), 0) + 1
            eventually(partial(more_told, scene, count), f"{what} is told as wider", explain=scene.events)
            ours = scene.endpoint(wider)
            assert scene.event("PolicyWidened", f"The policy of {ours.id} ({wider}) allows more than before, such as")
        assert widened(scene) == before, what
        assert told(scene) == count + (wider is not None), f"{what}: {scene.events()}"


@pytest.mark.parametrize("role", [IMAGE_BUILDER, S3])
def test_a_policy_that_somebody_widened_is_told_as_such_and_repaired(scenes: Scenes, role: str) -> None:
    scene = scenes.make()
    scene.apply(manifest(scene, preset("DenyDeletion"), baseline()))
    scene.ready()
    chosen = {IMAGE_BUILDER: preset("DenyDeletion").document, S3: baseline().document}[role]
    endpoint, before = scene.endpoint(role), widened(scene)
    wide = PRESETS[0].document if role == IMAGE_BUILDER else BASELINES[2].document
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, PolicyDocument=render(wide))
    note = scene.event("PolicyWidened", endpoint.id, "behind the operator's back")
    assert {IMAGE_BUILDER: "imagebuilder:Delete", S3: "s3:"}[role] in note
    scene.event("DriftDetected", "policy")
    scene.event("DriftRepaired", "policy")
    assert same_policy(chosen, scene.endpoint(role).policy)
    assert widened(scene) == {**before, (role, "drift"): before.get((role, "drift"), 0) + 1}
    scene.ready()
    before, count = widened(scene), told(scene)
    narrow = {"Version": "2012-10-17", "Statement": [{**NO_STARTS, "Effect": "Deny", "Action": "*"}]}
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, PolicyDocument=str(narrow).replace("'", '"'))
    scene.settled(lambda now: same_policy(chosen, now.policy), role, "repaired again")
    scene.ready()
    assert (widened(scene), told(scene)) == (before, count), "narrower, and back: neither is told as wider"


def test_what_was_widened_is_told_though_the_answer_was_lost(scenes: Scenes) -> None:
    scene = scenes.make()
    scene.apply(manifest(scene, preset("DenyDeletion"), baseline()))
    scene.ready()
    endpoint, before = scene.endpoint(IMAGE_BUILDER), widened(scene)
    control = scene.stage.aws.control
    control.lose_answer("ModifyVpcEndpoint", parameters={"VpcEndpointId": endpoint.id}, times=1)
    apply(scene, preset("FullAccess"), baseline())
    assert scene.event("PolicyWidened", endpoint.id, "imagebuilder:Delete")
    key = (IMAGE_BUILDER, "edit")
    assert widened(scene) == {**before, key: before.get(key, 0) + 1}
    assert told(scene) == 1


def test_what_was_narrowed_and_then_widened_behind_our_back_is_told_when_only_reported(scenes: Scenes) -> None:
    scene = scenes.make()
    scene.apply(manifest(scene, preset("DenyDeletion"), baseline()))
    scene.ready()
    scene.edit(driftPolicy="Report")
    scene.ready()
    endpoint = scene.endpoint(IMAGE_BUILDER)
    narrow = {"Version": "2012-10-17", "Statement": [{**NO_STARTS, "Effect": "Allow", "Action": "imagebuilder:Get*"}]}
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, PolicyDocument=json.dumps(narrow))
    scene.event("DriftDetected", "policy")
    assert told(scene) == 0
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, PolicyDocument=render(PRESETS[0].document))
    assert scene.event("PolicyWidened", endpoint.id, "behind the operator's back")
