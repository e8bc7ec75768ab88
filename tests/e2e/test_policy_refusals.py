"""Policies that are refused: `kubectl apply` says so where admission can tell, PolicyValid where it can not."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from sandbox.stage import condition
from tests.docs.pages import DOCS, blocks
from tests.e2e.scene import Scene, Scenes, eventually

pytestmark = pytest.mark.e2e

SNAPSHOT_SECONDS = 0.4
PAGE = DOCS / "policies.md"
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:*", "Resource": "*"}
READ = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::team-data/*"}
TOE = "arn:aws:s3:::ec2imagebuilder-toe-us-west-2-prod/*"


def deny(**more: Any) -> dict[str, Any]:
    return {**ALLOW, "Effect": "Deny", "Action": "imagebuilder:DeleteImage", **more}


def custom(*statements: Mapping[str, Any], as_text: bool = False, **more: Any) -> dict[str, Any]:
    document: Any = {"Version": "2012-10-17", "Statement": list(statements), **more}
    return {"imageBuilder": {"policy": {"preset": "Custom", "document": json.dumps(document) if as_text else document}}}


def further(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"imageBuilder": {"policy": {"preset": "DenyDeletion", "additionalStatements": list(statements)}}}


def on_s3(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"s3": {"policy": {"baseline": "ImageBuilderOnly", "additionalStatements": list(statements)}}}


def without(field: str, statement: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in statement.items() if key != field}


# What `kubectl apply` refuses, and warns of: the page quotes it

QUOTED = {
    "space-in-action": custom(ALLOW, deny(Action="imagebuilder: DeleteImage")),
    "no-principal": custom(without("Principal", ALLOW)),
    "unknown-action": further(deny(Action="imagebuilder:DeleteImages")),
    "principal-at-gateway": on_s3({**READ, "Principal": {"AWS": "arn:aws:iam::123456789012:role/builds"}}),
    "no-document": {"imageBuilder": {"policy": {"preset": "Custom"}}},
    "no-baseline": {"s3": {"policy": {}}},
    "root-user-alone": custom(ALLOW, deny(Principal={"AWS": "123456789012"})),
}
"""File's name -> what its spec says in place of a good one's."""


def manifest(scene: Scene, spec: Mapping[str, Any]) -> dict[str, Any]:
    resource = scene.example()
    for part, fields in spec.items():
        resource["spec"][part] = {**resource["spec"][part], **fields}
    return resource


def applied(scene: Scene, spec: Mapping[str, Any]) -> str:
    """What kubectl prints when a resource is applied (and would be admitted, or not)."""
    resource = manifest(scene, spec)
    resource["metadata"]["name"] = "images"
    done = scene.stage.plane.kubectl("apply", "--dry-run=server", "-f", "-", input=json.dumps(resource), check=False)
    return (done.stderr + done.stdout).replace(" (server dry run)", "").strip()


def is_told(scene: Scene, name: str) -> bool:
    return "ValidatingAdmissionPolicy" in applied(scene, QUOTED[name])


@pytest.fixture(scope="module")
def admitting(scenes: Scenes) -> Scene:
    """A scene, once the API server's admission policies are in force, which takes them a moment."""
    scene = scenes.make()
    for name in ("no-document", "root-user-alone"):
        eventually(partial(is_told, scene, name), f"{name} is told of")
    return scene


def test_the_page_quotes_what_kubectl_prints(admitting: Scene) -> None:
    printed = "".join(f"$ kubectl apply -f {name}.yaml\n{applied(admitting, spec)}\n" for name, spec in QUOTED.items())
    (quoted,) = (block for block in blocks(PAGE, "console") if "kubectl apply" in block)
    assert quoted == printed


# What only the operator can tell


@dataclass(frozen=True)
class Row:
    """A spec that is admitted, and what the resource says of it."""

    name: str
    spec: Mapping[str, Any]
    reason: str
    words: str


def condition_on(key: str, operator: str, value: str) -> dict[str, Any]:
    return deny(Condition={operator: {key: value}})


ROWS = (
    Row(
        "an unknown action in JSON text",
        custom(ALLOW, deny(Action="imagebuilder:DeleteImages"), as_text=True),
        "PolicyInvalid",
        'imageBuilder.policy: Statement[1].Action: "imagebuilder:DeleteImages" is no known action; did you mean '
        '"imagebuilder:DeleteImage"?',
    ),
    Row(
        "an unknown action of S3",
        on_s3({**READ, "Action": "s3:GetObjects"}),
        "PolicyInvalid",
        'Action: "s3:GetObjects" is no known action; did you mean "s3:GetObject',
    ),
    Row(
        "JSON text that is none",
        {"imageBuilder": {"policy": {"preset": "Custom", "document": '{"Statement": [{"Principal": "*",}]}'}}},
        "PolicyInvalid",
        "imageBuilder.policy: line 1 column 34: not JSON",
    ),
    Row(
        "a document that locks builds out",
        custom({**ALLOW, "Action": "imagebuilder:List*"}),
        "PolicyDeniesBuilds",
        "imageBuilder.policy would break builds: imagebuilder:GetComponent on arn:aws:imagebuilder:us-west-2:123456789"
        "012:component/example/1.0.0/1 (a build reads a component of its own account): no statement allows it. "
        "Allow it, or except it from the Deny.",
    ),
    Row(
        "a statement of S3 that locks builds out",
        on_s3({**READ, "Sid": "SignedOnly", "Effect": "Deny", "Resource": TOE}),
        "PolicyDeniesBuilds",
        "s3.policy would break builds: anonymous s3:GetObject on arn:aws:s3:::ec2imagebuilder-toe-us-west-2-prod/",
    ),
    Row(
        "a wildcard in what the system makes",
        further(condition_on("aws:SourceVpc", "StringLike", "vpc-0a1b2c3*")),
        "PolicyInvalid",
        'an endpoint policy takes no wildcard such as "vpc-0a1b2c3*" with aws:SourceVpc',
    ),
    Row(
        "a number in what the system makes",
        further(condition_on("aws:PrincipalAccount", "NumericEquals", "123456789012")),
        "PolicyInvalid",
        "an endpoint policy takes no NumericEquals with aws:PrincipalAccount",
    ),
    Row(
        "a wildcard with too little beside it",
        further(condition_on("aws:PrincipalTag/team", "StringLike", "img*")),
        "PolicyInvalid",
        'a wildcard in "img*" has fewer than 6 characters before or after it',
    ),
    Row(
        "an account that is part wildcard",
        further(deny(Resource="arn:aws:imagebuilder:us-west-2:1234*:image/*")),
        "PolicyInvalid",
        "is part number, part wildcard, which an endpoint policy doesn't take",
    ),
    Row(
        "a statement that reaches nothing",
        on_s3({**READ, "Resource": "arn:aws:s3:::team-data"}),
        "PolicyInvalid",
        '"s3:GetObject" has no effect, since it is never authorized on "arn:aws:s3:::team-data"',
    ),
    Row(
        "resources of another partition",
        on_s3({**READ, "Resource": "arn:aws-cn:s3:::team-data/*"}),
        "PolicyInvalid",
        '"arn:aws-cn:s3:::team-data/*" is in another partition than the endpoint',
    ),
    Row(
        "a principal that matches nobody",
        further(deny(Principal={"AWS": "arn:aws:iam::123456789012:role/*"})),
        "PolicyInvalid",
        "matches nobody: a principal is named in full",
    ),
    Row(
        "variables in a document of the old version",
        custom(
            ALLOW,
            deny(Resource="arn:aws:imagebuilder:us-west-2:*:image/${aws:username}-images/*"),
            Version="2008-10-17",
        ),
        "PolicyInvalid",
        "2012-10-17",
    ),
)


@pytest.fixture(scope="module")
def refused(scenes: Scenes) -> Iterator[Scene]:
    """A resource that is Ready; tests refuse what they edit, and at the end a good spec is taken all the same."""
    scene = scenes.make()
    scene.apply(scene.example())
    scene.ready()
    before, since = scene.ours(), scene.cursor()
    yield scene
    scene.snapshots(2)
    assert scene.writes(since) == (), "nothing of what was refused came to AWS"
    assert scene.ours() == before
    scene.apply(scene.example())
    scene.ready()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_admission_can_not_tell_the_resource_says(refused: Scene, row: Row) -> None:
    refused.apply(manifest(refused, row.spec))
    message = refused.stalled(row.reason)
    assert row.words in message
    assert "?." not in message
    valid = condition(refused.get(), "PolicyValid")
    assert (valid["status"], valid["reason"], valid["message"]) == ("False", row.reason, message)


def test_the_page_quotes_what_a_document_that_locks_builds_out_says() -> None:
    words = next(row.words for row in ROWS if row.name == "a document that locks builds out")
    assert f"{words}\n" in "".join(blocks(PAGE, ""))
