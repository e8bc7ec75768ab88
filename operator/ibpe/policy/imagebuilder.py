"""The policies of the Image Builder endpoint, preset by preset. What each statement is for: `sources`."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

from ibpe.partitions import regional_arn
from ibpe.policy.document import ANYONE, ANYTHING, Match, PolicyDocument, PolicyError, Statement
from ibpe.policy.parse import parse
from ibpe.policy.statements import ALLOW_ALL, Organization, additional, allow, extended, requests_within, required
from ibpe.policy.values import nearest, quoted

Preset = Literal["FullAccess", "DenyDeletion", "Organization", "Custom"]
PRESETS: Final[tuple[str, ...]] = get_args(Preset)

LISTS_WITHOUT_RESOURCE: Final = (
    "imagebuilder:ListComponents",
    "imagebuilder:ListContainerRecipes",
    "imagebuilder:ListDistributionConfigurations",
    "imagebuilder:ListImagePipelines",
    "imagebuilder:ListImageRecipes",
    "imagebuilder:ListImages",
    "imagebuilder:ListInfrastructureConfigurations",
    "imagebuilder:ListLifecyclePolicies",
    "imagebuilder:ListWaitingWorkflowSteps",
    "imagebuilder:ListWorkflows",
)
"""Service Authorization Reference, "Actions, resources, and condition keys for EC2 Image Builder"."""


def imagebuilder_policy(
    preset: str,
    region: str,
    *,
    organization: Organization | None = None,
    custom: str | Mapping[str, object] | None = None,
    additional_statements: Sequence[Mapping[str, object]] = (),
) -> PolicyDocument:
    """The policy for a preset in a region; `custom` is the document of Custom, `organization` of Organization.

    Raises PolicyError, with a path below the spec's `policy`, for what is unknown, left out or invalid.
    """
    return extended(_preset(preset, region, organization, custom), additional(additional_statements))


def _preset(
    preset: str, region: str, organization: Organization | None, custom: str | Mapping[str, object] | None
) -> PolicyDocument:
    match preset:
        case "FullAccess":
            return full_access()
        case "DenyDeletion":
            return deny_deletion()
        case "Organization":
            return within_organization(region, required(organization, "preset Organization"))
        case "Custom":
            return _custom(custom)
    raise PolicyError("preset", f"{quoted(preset)} is not a preset", nearest(preset, PRESETS))


def full_access() -> PolicyDocument:
    """The policy that AWS gives an interface endpoint by default, written out; it has no Version.

    Source: read back from DescribeVpcEndpoints; PrivateLink guide, "Control access to VPC endpoints using endpoint
    policies", "Default endpoint policy".
    """
    return PolicyDocument((ALLOW_ALL,), version=None)


def deny_deletion() -> PolicyDocument:
    """All of Image Builder but deleting images and components.

    Source: the Image Builder user guide's page on interface VPC endpoints, "General VPC endpoint policy for Image
    Builder actions". Its example is no valid endpoint policy as printed: it has no Principal, which the PrivateLink
    guide requires, and a space in an action.
    """
    return PolicyDocument((_allow_image_builder(), _deny_deletion()))


def within_organization(region: str, organization: Organization) -> PolicyDocument:
    """The organization's identities: to its resources, to what AWS owns, and to List calls that have no resource."""
    return PolicyDocument(
        (
            requests_within(organization),
            _allow_aws_components(region),
            _allow_reading_what_aws_owns(region, organization),
            _allow_lists(organization),
        )
    )


def _custom(source: str | Mapping[str, object] | None) -> PolicyDocument:
    if source is None:
        raise PolicyError("document", "preset Custom needs a policy", "add document, or take another preset")
    return parse(source)


def _allow_image_builder() -> Statement:
    """Source: user guide, "General VPC endpoint policy for Image Builder actions"."""
    return allow("AllowImageBuilder", ["imagebuilder:*"], ["*"])


def _deny_deletion() -> Statement:
    """Source: user guide, "General VPC endpoint policy for Image Builder actions"."""
    return Statement(
        sid="DenyDeletion",
        effect="Deny",
        principals=ANYONE,
        actions=Match(("imagebuilder:DeleteImage", "imagebuilder:DeleteComponent")),
        resources=ANYTHING,
    )


def _allow_aws_components(region: str) -> Statement:
    """Components that AWS owns, for any principal, as the page has it.

    Source: user guide, "Restrict access by organization, allow managed component access".
    """
    return allow(
        "AllowAccessToEC2ImageBuilderComponents",
        ["imagebuilder:GetComponent"],
        [regional_arn(region, "imagebuilder", "aws", "component/*")],
    )


def _allow_reading_what_aws_owns(region: str, organization: Organization) -> Statement:
    """Reading AWS's images and workflows, and the versions of its components, for the organization's identities.

    aws:ResourceOrgID is absent for what AWS owns, so it is not asked for. Source: AWS samples,
    "data-perimeter-policy-examples", service-owned resources; action names from the Service Authorization Reference.
    """
    return allow(
        "AllowOrgsIdentitiesToReadAWSOwnedResources",
        [
            "imagebuilder:GetImage",
            "imagebuilder:GetWorkflow",
            "imagebuilder:ListComponentBuildVersions",
            "imagebuilder:ListImageBuildVersions",
            "imagebuilder:ListWorkflowBuildVersions",
        ],
        [regional_arn(region, "imagebuilder", "aws", f"{kind}/*") for kind in ("component", "image", "workflow")],
        [organization.principals],
    )


def _allow_lists(organization: Organization) -> Statement:
    """List calls without a resource: aws:ResourceOrgID is absent there.

    Source: Service Authorization Reference, "Actions, resources, and condition keys for EC2 Image Builder".
    """
    return allow("AllowOrgsIdentitiesToList", LISTS_WITHOUT_RESOURCE, ["*"], [organization.principals])
