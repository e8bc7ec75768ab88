"""The policies of the Image Builder endpoint, preset by preset. What each statement is for: `sources`."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

from ibpe.partitions import regional_arn
from ibpe.policy.document import ANYONE, ANYTHING, Condition, Match, PolicyDocument, PolicyError, Statement
from ibpe.policy.parse import parse
from ibpe.policy.statements import ALLOW_ALL, Organization, additional, allow, extended, requests_within, required
from ibpe.policy.values import nearest, quoted

Preset = Literal["FullAccess", "DenyDeletion", "DenyDestruction", "Organization", "Custom"]
PRESETS: Final[tuple[str, ...]] = get_args(Preset)

LISTS_WITHOUT_RESOURCE: Final = (
    "imagebuilder:ListComponents",
    "imagebuilder:ListContainerRecipes",
    "imagebuilder:ListDistributionConfigurations",
    "imagebuilder:ListImagePipelines",
    "imagebuilder:ListImageRecipes",
    "imagebuilder:ListImageScanFindingAggregations",
    "imagebuilder:ListImageScanFindings",
    "imagebuilder:ListImages",
    "imagebuilder:ListInfrastructureConfigurations",
    "imagebuilder:ListLifecyclePolicies",
    "imagebuilder:ListWaitingWorkflowSteps",
    "imagebuilder:ListWorkflows",
)
"""Service Authorization Reference, "Actions, resources, and condition keys for EC2 Image Builder".

Those of scan findings have a resource type that is optional: without a filter, they are calls without a resource.
"""


def imagebuilder_policy(
    preset: str,
    region: str,
    *,
    organization: Organization | None = None,
    marketplace: bool = False,
    aws_services: bool = False,
    custom: str | Mapping[str, object] | None = None,
    additional_statements: Sequence[Mapping[str, object]] = (),
) -> PolicyDocument:
    """The policy for a preset in a region, and the additional statements after it.

    `organization`, `marketplace` and `aws_services` are read for Organization alone, `custom` for Custom alone. Raises
    PolicyError, with a path below the spec's `policy`, for what is unknown, left out or invalid.
    """
    match preset:
        case "FullAccess":
            document = full_access()
        case "DenyDeletion":
            document = deny_deletion()
        case "DenyDestruction":
            document = deny_destruction()
        case "Organization":
            inside = required(organization, "preset Organization")
            document = within_organization(region, inside, marketplace=marketplace, aws_services=aws_services)
        case "Custom":
            document = _custom(custom)
        case _:
            raise PolicyError("preset", f"{quoted(preset)} is not a preset", nearest(preset, PRESETS))
    return extended(document, additional(additional_statements))


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


def deny_destruction() -> PolicyDocument:
    """DenyDeletion, and no other way to delete through this endpoint, at once or by a lifecycle policy's rules.

    It binds calls through the endpoint only: lifecycle policies that exist go on, and so does ec2:DeregisterImage.
    """
    return PolicyDocument((*deny_deletion().statements, _deny_destruction()))


def within_organization(
    region: str, organization: Organization, *, marketplace: bool = False, aws_services: bool = False
) -> PolicyDocument:
    """The organization's identities: to its resources, to what AWS owns, and to List calls that have no resource.

    `marketplace` adds AWS Marketplace's components, `aws_services` AWS services that call on their own behalf.
    """
    statements = [
        requests_within(organization),
        _allow_aws_components(region),
        _allow_reading_what_aws_owns(region, organization),
        _allow_lists(organization),
    ]
    if marketplace:
        statements.append(_allow_marketplace(region, organization))
    if aws_services:
        statements.append(_allow_aws_services())
    return PolicyDocument(tuple(statements))


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


def _deny_destruction() -> Statement:
    """StartResourceStateUpdate deletes AMIs, snapshots and container images that it includes; lifecycle policies do so
    by themselves.

    Sources: API reference, "StartResourceStateUpdate" (`includeResources`) and "CreateLifecyclePolicy"; action names
    from the Service Authorization Reference.
    """
    actions = ("Delete*", "StartResourceStateUpdate", "CreateLifecyclePolicy", "UpdateLifecyclePolicy")
    return Statement(
        sid="DenyDestruction",
        effect="Deny",
        principals=ANYONE,
        actions=Match(tuple(f"imagebuilder:{action}" for action in actions)),
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


def _allow_marketplace(region: str, organization: Organization) -> Statement:
    """Components of AWS Marketplace, their data and their artifacts' addresses, for the organization's identities.

    The components belong to AWS Marketplace, or as CIS's to a third party, so aws:ResourceOrgID is not asked for.
    Sources: user guide, "Use AWS Marketplace components to customize your image"; Service Authorization Reference; the
    owners that the API takes in a component's ARN (API reference, "GetMarketplaceResource", `resourceArn`).
    """
    return allow(
        "AllowOrgsIdentitiesToReadMarketplaceComponents",
        [
            "imagebuilder:GetComponent",
            "imagebuilder:GetMarketplaceResource",
            "imagebuilder:ListComponentBuildVersions",
        ],
        [regional_arn(region, "imagebuilder", owner, "component/*") for owner in ("aws-marketplace", "third-party")],
        [organization.principals],
    )


def _allow_aws_services() -> Statement:
    """Calls that an AWS service makes as itself, which belong to no organization.

    Source: AWS samples, "data-perimeter-policy-examples", "AllowRequestsByAWSServicePrincipals"; IAM user guide,
    "aws:PrincipalIsAWSService".
    """
    return allow(
        "AllowRequestsByAWSServicePrincipals",
        ["imagebuilder:*"],
        ["*"],
        [Condition("Bool", "aws:PrincipalIsAWSService", ("true",))],
    )
