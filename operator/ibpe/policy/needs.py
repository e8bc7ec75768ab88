"""What a build and the user of a pipeline ask of the endpoints: the requests that a policy has to let through.

Source of the actions: AWS managed policies EC2InstanceProfileForImageBuilder and
EC2InstanceProfileForImageBuilderECRContainerBuilds; Image Builder user guide; Service Authorization Reference.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from ibpe.partitions import object_arn, regional_arn
from ibpe.policy import buckets, context, samples
from ibpe.policy.access import Decision, Request, Verdict, decide
from ibpe.policy.context import STRANGERS, Callers, Keys, Signature
from ibpe.policy.document import PolicyDocument
from ibpe.policy.s3 import USUAL, S3Use

__all__ = ["STRANGERS", "USUAL", "Asker", "Callers", "Need", "first_denied", "imagebuilder_needs", "s3_needs"]

Asker = Literal["build", "pipeline"]

EXAMPLE_ACCOUNT: Final = "123456789012"
"""Stands in ARNs where the account isn't known."""
OTHER_ACCOUNT: Final = "210987654321"
"""Stands for an account of the organization that shares its components."""

OWN_RESOURCES: Final = {
    "component/example/1.0.0/1": ("CreateComponent", "GetComponent", "GetComponentPolicy"),
    "component/example/1.0.0/*": ("ListComponentBuildVersions",),
    "container-recipe/example/1.0.0": ("CreateContainerRecipe", "GetContainerRecipe", "GetContainerRecipePolicy"),
    "distribution-configuration/example": ("CreateDistributionConfiguration", "GetDistributionConfiguration"),
    "image/example/1.0.0/1": (
        *("CreateImage", "GetImage", "GetImagePolicy", "ListImagePackages", "ListImageScanFindingAggregations"),
        *("ListImageScanFindings", "ListTagsForResource", "ListWorkflowExecutions"),
    ),
    "image/example/1.0.0/*": ("ListImageBuildVersions",),
    "image-pipeline/example": (
        *("CreateImagePipeline", "GetImagePipeline", "ListImagePipelineImages", "StartImagePipelineExecution"),
    ),
    "image-recipe/example/1.0.0": ("CreateImageRecipe", "GetImageRecipe", "GetImageRecipePolicy"),
    "infrastructure-configuration/example": ("CreateInfrastructureConfiguration", "GetInfrastructureConfiguration"),
    "workflow/build/example/1.0.0/1": ("CreateWorkflow", "GetWorkflow"),
    "workflow/build/example/1.0.0/*": ("ListWorkflowBuildVersions",),
    "workflow-execution/wf-00000000-0000-0000-0000-000000000000": (
        *("GetWorkflowExecution", "ListWorkflowStepExecutions"),
    ),
    "workflow-step-execution/step-00000000-0000-0000-0000-000000000000": ("GetWorkflowStepExecution",),
}
"""What a pipeline's user calls on resources of the account, by the resource.

Every Create, Start, Get and List call of the API but for lifecycle policies and StartResourceStateUpdate, which a
lifecycle's user makes, and GetMarketplaceResource. Resource types and the shapes of their ARNs: Service Authorization
Reference, "Actions, resources, and condition keys for EC2 Image Builder".
"""
WITHOUT_RESOURCE: Final = (
    *("ListComponents", "ListContainerRecipes", "ListDistributionConfigurations", "ListImagePipelines"),
    *("ListImageRecipes", "ListImageScanFindingAggregations", "ListImageScanFindings", "ListImages"),
    *("ListInfrastructureConfigurations", "ListWaitingWorkflowSteps", "ListWorkflows"),
)
"""The List calls of the same that have no resource type, or are made without one: IAM sees `*` as their resource."""
FILTERED: Final = frozenset({"ListImageScanFindingAggregations", "ListImageScanFindings"})
"""Those of WITHOUT_RESOURCE that can be asked of one image too."""
AWS_RESOURCES: Final = {
    "component/update-linux/1.0.2/1": ("GetComponent",),
    "component/update-linux/1.0.2/*": ("ListComponentBuildVersions",),
    "image/amazon-linux-2023-x86/2024.1.1/1": ("GetImage",),
    "image/amazon-linux-2023-x86/2024.1.1/*": ("ListImageBuildVersions",),
    "workflow/build/build-image/1.0.2/1": ("GetWorkflow",),
    "workflow/build/build-image/1.0.2/*": ("ListWorkflowBuildVersions",),
}
"""What a pipeline's user calls on resources that AWS owns, to put them into recipes and images."""

_VERBS: Final = {"Create": "creates", "Get": "reads", "List": "lists", "Start": "starts"}


@dataclass(frozen=True, slots=True)
class Need:
    """A request that somebody will make."""

    request: Request
    asker: Asker
    """`build`: the build or test instance itself; `pipeline`: whoever works with pipelines from inside the VPC."""
    words: str
    """What it is for, to follow "it", without parentheses: `downloads AWSTOE from its-bucket, anonymously`."""
    essential: bool = True
    """Whether no build passes without it, as far as can be told: shared components are not everybody's."""
    kind: str = ""
    """How ARNs begin that are as good as the request's own, which is an example; empty: it is just this one."""


def imagebuilder_needs(region: str, callers: Callers = STRANGERS, *, marketplace: bool = False) -> tuple[Need, ...]:
    """What is asked of the Image Builder endpoint; `marketplace`: recipes use components of AWS Marketplace.

    A policy that names accounts in ARNs is judged well only where `callers.account` is known.
    """
    calls = _ImageBuilderCalls(region, callers)
    return (*calls.of_builds(marketplace=marketplace), *calls.of_pipelines(marketplace=marketplace))


def s3_needs(region: str, use: S3Use = USUAL, callers: Callers = STRANGERS) -> tuple[Need, ...]:
    """What is asked of the S3 endpoint, for the buckets that are in use.

    AWS's own buckets are read without a signature and with the instance role's; only the former is certain to meet no
    condition on a principal. Source: AWS samples, "data-perimeter-policy-examples" (unauthenticated calls).
    """
    calls = _S3Calls(region, callers)
    return (*calls.on_image_builder(use), *calls.on_aws(use), *calls.on_own(use))


def first_denied(document: PolicyDocument, needs: Iterable[Need]) -> tuple[Need, Decision] | None:
    """The first need that the document denies, whatever the values that aren't known; DEPENDS is no denial."""
    for need in needs:
        decision = decide(document, need.request)
        if decision.verdict is Verdict.DENIED:
            return need, decision
    return None


def first_barred(document: PolicyDocument, needs: Iterable[Need]) -> tuple[Need, Decision] | None:
    """The first need without which no build passes, and which the document denies for everything of its kind.

    A document that allows certain components alone is no lock-out: the request's own component is but an example.
    """
    for need in needs:
        if need.asker == "build" and need.essential:
            decision = decide(document, need.request)
            if decision.verdict is Verdict.DENIED and not _another_passes(document, need):
                return need, decision
    return None


def _another_passes(document: PolicyDocument, need: Need) -> bool:
    """Whether something else of the need's kind, such as the document's own statements name, is not denied."""
    if not need.kind:
        return False
    named = (name for each in document.statements if each.effect == "Allow" for name in samples.resources(each))
    others = (replace(need.request, resource=name) for name in named if name.startswith(need.kind))
    return any(decide(document, other).verdict is not Verdict.DENIED for other in others)


@dataclass(frozen=True, slots=True)
class _ImageBuilderCalls:
    region: str
    callers: Callers

    def of_builds(self, *, marketplace: bool) -> Iterator[Need]:
        """The instance's own calls; container builds read their recipe too."""
        mine, shared, aws = context.own(self.callers), context.shared(self.callers), context.owned_by_aws()
        component = "component/example/1.0.0/1"
        yield self._build("GetComponent", self._own(component), mine, "reads a component of its own account")
        others = self._arn(OTHER_ACCOUNT, component)
        words = "reads a component that another account shares"
        yield replace(self._build("GetComponent", others, shared, words), essential=False)
        managed = self._arn("aws", "component/update-linux/1.0.2/1")
        yield self._build("GetComponent", managed, aws, "reads a component that AWS owns")
        recipe = self._own("container-recipe/example/1.0.0")
        yield replace(self._build("GetContainerRecipe", recipe, mine, "reads its container recipe"), essential=False)
        if marketplace:
            bought = self._arn("aws-marketplace", component)
            yield self._build("GetComponent", bought, aws, "reads a component of AWS Marketplace")
            yield self._build("GetMarketplaceResource", bought, aws, "reads what a Marketplace component downloads")

    def of_pipelines(self, *, marketplace: bool) -> Iterator[Need]:
        """The calls of whoever works with pipelines."""
        for resource, actions in OWN_RESOURCES.items():
            for action in actions:
                yield self._pipeline(action, self._own(resource), context.own(self.callers), _in_words(action))
        for action in WITHOUT_RESOURCE:
            unfiltered = ", unfiltered" if action in FILTERED else ""
            yield self._pipeline(action, "*", context.without_resource(), f"{_in_words(action)}{unfiltered}")
        for resource, actions in AWS_RESOURCES.items():
            for action in actions:
                words = f"{_in_words(action)} that AWS owns"
                yield self._pipeline(action, self._arn("aws", resource), context.owned_by_aws(), words)
        if marketplace:
            bought = self._arn("aws-marketplace", "component/example/1.0.0/1")
            words = "reads a component of AWS Marketplace"
            yield self._pipeline("GetComponent", bought, context.owned_by_aws(), words)

    def _build(self, action: str, resource: str, owner: Keys, words: str) -> Need:
        request = self._request(action, resource, context.instance_role(self.callers), owner)
        return Need(request, "build", words, kind=f"{resource.partition('/')[0]}/")

    def _pipeline(self, action: str, resource: str, owner: Keys, words: str) -> Need:
        return Need(self._request(action, resource, context.person(self.callers), owner), "pipeline", words)

    def _request(self, action: str, resource: str, signature: Signature, owner: Keys) -> Request:
        return context.request(self.region, f"imagebuilder:{action}", resource, signature, owner, self.callers)

    def _own(self, resource: str) -> str:
        return self._arn(self.callers.account or EXAMPLE_ACCOUNT, resource)

    def _arn(self, account: str, resource: str) -> str:
        return regional_arn(self.region, "imagebuilder", account, resource)


@dataclass(frozen=True, slots=True)
class _S3Calls:
    region: str
    callers: Callers

    def on_image_builder(self, use: S3Use) -> Iterator[Need]:
        """AWSTOE and components; Image Builder's script for containers is read from the former, unsigned."""
        toe = buckets.toe(self.region, use.environment)
        yield from self._read(toe, "bootstrap_scripts/bootstrap.sh", "downloads AWSTOE")
        managed = buckets.managed_resources(self.region, use.environment)
        yield from self._read(managed, "components/update-linux/1.0.2/1/component.yml", "downloads a managed component")
        if use.all_managed_resources:
            yield from self._read(managed, "bootstrap_scripts/bootstrap.sh", "downloads a bootstrapping script")

    def on_aws(self, use: S3Use) -> Iterator[Need]:
        """AWS's other buckets, as the toggles say."""
        region = self.region
        toggles: Sequence[tuple[bool, Sequence[str], str]] = (
            (use.ssm_agent, (buckets.ssm_agent(region),), "downloads the Systems Manager agent"),
            (use.amazon_linux_repositories, buckets.amazon_linux(region), "downloads packages of Amazon Linux"),
            (use.windows_downloads, (buckets.windows_downloads(region),), "downloads what Windows documents need"),
            (use.patching, buckets.patching(region), "downloads what Patch Manager needs"),
            (use.distributor, buckets.distributor(region), "downloads a package of Distributor"),
            (use.cloud_watch_agent, buckets.cloud_watch_agent(region), "downloads the CloudWatch agent"),
        )
        for on, names, words in toggles:
            for bucket in names if on else ():
                yield from self._read(bucket, _KEYS.get(words, "example"), words)
        if use.ecr_layers:
            layer, words = object_arn(region, buckets.ecr_layers(region), "example"), "downloads an image's layer"
            presigned = f"{words} from an address that Amazon ECR signed"
            # No identity of one's own signs these addresses (ECR user guide, "Minimum Amazon S3 bucket permissions").
            yield self._call("s3:GetObject", layer, context.outsider(), context.owned_by_aws(), presigned)

    def on_own(self, use: S3Use) -> Iterator[Need]:
        """The user's own buckets, of whatever account of the organization."""
        role, owner = context.instance_role(self.callers), context.shared(self.callers)
        for bucket in use.log_buckets:
            log = object_arn(self.region, bucket, "example/console.log")
            yield self._in(bucket, self._call("s3:PutObject", log, role, owner, f"writes its logs to {bucket}"))
        for bucket in use.artifact_buckets:
            artifact = object_arn(self.region, bucket, "example")
            yield self._in(bucket, self._call("s3:GetObject", artifact, role, owner, f"reads from {bucket}"))
            yield self._call("s3:ListBucket", buckets.arn(self.region, bucket), role, owner, f"lists {bucket}")

    def _in(self, bucket: str, need: Need) -> Need:
        """The need for one object of a bucket of the user's own, any other of which would do as well."""
        return replace(need, kind=object_arn(self.region, bucket, ""))

    def _read(self, bucket: str, key: str, words: str) -> Iterator[Need]:
        """The same download twice: without a signature, and with the instance role's."""
        resource, owner = object_arn(self.region, bucket, key), context.owned_by_aws()
        role = context.instance_role(self.callers)
        yield self._call("s3:GetObject", resource, context.nobody(), owner, f"{words} from {bucket}, anonymously")
        yield self._call("s3:GetObject", resource, role, owner, f"{words} from {bucket}, signed")

    def _call(self, action: str, resource: str, signature: Signature, owner: Keys, words: str) -> Need:
        return Need(context.request(self.region, action, resource, signature, owner, self.callers), "build", words)


_KEYS: Final = {"downloads the Systems Manager agent": "latest/linux_amd64/amazon-ssm-agent.rpm"}


def _in_words(action: str) -> str:
    """`reads an image recipe` for GetImageRecipe."""
    verb, *nouns = re.findall("[A-Z][a-z]+", action)
    noun = " ".join(nouns).lower()
    if verb == "List":
        return f"{_VERBS[verb]} {noun}"
    return f"{_VERBS[verb]} {'an' if noun[0] in 'aeiou' else 'a'} {noun}"
