"""The Image Builder actions that presets name, against the service's own API model."""

from fnmatch import fnmatchcase

import botocore.session

from ibpe.policy.document import ANYTHING, PolicyDocument
from ibpe.policy.imagebuilder import LISTS_WITHOUT_RESOURCE, imagebuilder_policy
from ibpe.policy.statements import Organization

MODEL = botocore.session.get_session().get_service_model("imagebuilder")


def preset(name: str) -> PolicyDocument:
    return imagebuilder_policy(name, "us-west-2")


def test_deny_destruction_is_deny_deletion_and_more() -> None:
    less, more = map(preset, ("DenyDeletion", "DenyDestruction"))
    assert more.statements[: len(less.statements)] == less.statements
    denied = more.statements[-1]
    assert (denied.effect, denied.resources, denied.conditions) == ("Deny", ANYTHING, ())


def actions(*beginnings: str) -> set[str]:
    return {name for name in MODEL.operation_names if name.startswith(beginnings)}


def needs_an_argument(operation: str) -> bool:
    shape = MODEL.operation_model(operation).input_shape
    return shape is not None and bool(shape.required_members)


def test_deny_destruction_denies_every_call_that_deletes_and_no_other() -> None:
    denied = preset("DenyDestruction").statements[-1].actions.values
    patterns = [action.removeprefix("imagebuilder:") for action in denied]
    assert {name for name in actions("") if any(fnmatchcase(name, pattern) for pattern in patterns)} == {
        *actions("Delete"),
        "StartResourceStateUpdate",
        "CreateLifecyclePolicy",
        "UpdateLifecyclePolicy",
    }
    assert len(actions("Delete")) == 9


def test_every_action_that_a_preset_names_is_one_of_image_builder() -> None:
    ids = Organization(principal_org_id="o-principal01", resource_org_id="o-resource001")
    organization = imagebuilder_policy(
        "Organization", "us-west-2", organization=ids, marketplace=True, aws_services=True
    )
    named = {
        action.removeprefix("imagebuilder:")
        for document in (*map(preset, ("DenyDeletion", "DenyDestruction")), organization)
        for statement in document.statements
        for action in statement.actions.values
        if action.startswith("imagebuilder:")
    }
    assert {action for action in named if "*" not in action} <= actions("")


def test_the_lists_without_a_resource_are_those_whose_call_needs_no_arn() -> None:
    """The Service Authorization Reference gives a resource type to the build-version lists too, which take the ARN as a
    filter; what AWS owns of these has a statement of its own."""
    without_arn = {name for name in actions("List") if not needs_an_argument(name)}
    filtered = {"ListComponentBuildVersions", "ListImageBuildVersions", "ListWorkflowBuildVersions"}
    assert {f"imagebuilder:{name}" for name in without_arn - filtered} == set(LISTS_WITHOUT_RESOURCE)
