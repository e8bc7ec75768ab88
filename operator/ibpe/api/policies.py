"""What a user writes of endpoint policies: presets, baselines and toggles. `ibpe.policy` makes documents of them."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ibpe.api.fields import EACH_ONCE, BucketName, Document, OrganizationID, Statement
from ibpe.api.model import ApiModel
from ibpe.api.rules import Rule


class ImageBuilderPreset(StrEnum):
    """Ready-made endpoint policies for Image Builder."""

    FULL_ACCESS = "FullAccess"
    DENY_DELETION = "DenyDeletion"
    DENY_DESTRUCTION = "DenyDestruction"
    ORGANIZATION = "Organization"
    CUSTOM = "Custom"


class S3Baseline(StrEnum):
    """What else may use the S3 endpoint, besides what Image Builder needs."""

    IMAGE_BUILDER_ONLY = "ImageBuilderOnly"
    ORGANIZATION = "Organization"
    FULL_ACCESS = "FullAccess"


class Organization(ApiModel):
    """The AWS Organizations ids that a policy is restricted to."""

    principal_org_id: Annotated[OrganizationID, Field(description="Organization of the callers (aws:PrincipalOrgID).")]
    resource_org_id: Annotated[OrganizationID, Field(description="Organization of the resources (aws:ResourceOrgID).")]


class ImageBuilderPolicy(ApiModel):
    """The endpoint policy of the Image Builder endpoint."""

    preset: Annotated[
        ImageBuilderPreset,
        Field(
            description=(
                "FullAccess: AWS's default. DenyDeletion: all but DeleteImage and DeleteComponent. DenyDestruction: "
                "also no other Delete call, no StartResourceStateUpdate, no new or changed lifecycle policy. "
                "Organization: only your organization, plus Amazon-managed components. Custom: the document."
            )
        ),
    ]
    organization: Annotated[
        Organization | None, Field(description="Required for, and only for, the preset Organization.")
    ] = None
    marketplace: Annotated[
        bool,
        Field(description="Preset Organization: allow components and resources of AWS Marketplace too."),
    ] = False
    aws_services: Annotated[
        bool,
        Field(description="Preset Organization: allow AWS services that call Image Builder on their own behalf too."),
    ] = False
    document: Annotated[
        Document,
        Field(description="Required for, and only for, the preset Custom: an IAM policy as YAML, or as a JSON string."),
    ] = None
    additional_statements: Annotated[
        tuple[Statement, ...], Field(description="IAM statements added to the preset's.", max_length=32)
    ] = ()

    rules: ClassVar[tuple[Rule[Any], ...]] = (
        Rule["ImageBuilderPolicy"](
            "preset Organization needs organization: add its principalOrgID and resourceOrgID",
            "self.preset != 'Organization' || has(self.organization)",
            lambda policy: policy.preset is not ImageBuilderPreset.ORGANIZATION or policy.organization is not None,
        ),
        Rule["ImageBuilderPolicy"](
            "organization goes with the preset Organization only: choose that preset, or remove organization",
            "self.preset == 'Organization' || !has(self.organization)",
            lambda policy: policy.preset is ImageBuilderPreset.ORGANIZATION or policy.organization is None,
        ),
        Rule["ImageBuilderPolicy"](
            "marketplace and awsServices go with the preset Organization only, the others allow them already: choose "
            "that preset, or remove them",
            "self.preset == 'Organization' || !(self.marketplace || self.awsServices)",
            lambda policy: (
                policy.preset is ImageBuilderPreset.ORGANIZATION or not (policy.marketplace or policy.aws_services)
            ),
        ),
    )
    untyped_rules: ClassVar[tuple[Rule[Any], ...]] = (
        Rule["ImageBuilderPolicy"](
            "preset Custom needs document: add an IAM policy as YAML, or as a JSON string",
            "self.preset != 'Custom' || has(self.document)",
            lambda policy: policy.preset is not ImageBuilderPreset.CUSTOM or policy.document is not None,
        ),
        Rule["ImageBuilderPolicy"](
            "document goes with the preset Custom only: choose that preset, or remove document",
            "self.preset == 'Custom' || !has(self.document)",
            lambda policy: policy.preset is ImageBuilderPreset.CUSTOM or policy.document is None,
        ),
    )


class S3Policy(ApiModel):
    """The endpoint policy of the S3 endpoint."""

    baseline: Annotated[
        S3Baseline | None,
        Field(
            description=(
                "What else may use the endpoint, which carries all S3 traffic of every subnet on its route tables. "
                "ImageBuilderOnly: nothing else. Organization: your organization. FullAccess: AWS's default. Required "
                "when, and only when, the mode is Managed."
            )
        ),
    ] = None
    environment: Annotated[
        Literal["prod", "preprod", "beta"],
        Field(
            description=(
                "The Image Builder environment whose buckets are allowed. Outside prod, be sure that the buckets' "
                "names belong to AWS in your Region."
            )
        ),
    ] = "prod"
    all_managed_resources: Annotated[
        bool,
        Field(
            description=(
                "Allow the whole bucket of Image Builder's managed resources, not its components/ alone: AWS's page on "
                "data perimeters says that bootstrapping scripts lie in it."
            )
        ),
    ] = False
    ssm_agent: Annotated[
        bool,
        Field(
            alias="ssmAgent",
            description="Allow the bucket that Linux builds without recipe user data install the SSM agent from.",
        ),
    ] = True
    amazon_linux_repositories: Annotated[
        bool, Field(description="Allow the package repositories of Amazon Linux 2 and 2023.")
    ] = False
    windows_downloads: Annotated[
        bool, Field(description="Allow the bucket that Systems Manager's Windows documents download from.")
    ] = False
    patching: Annotated[
        bool, Field(description="Allow the buckets that Patch Manager's documents and baselines come from.")
    ] = False
    distributor: Annotated[
        bool, Field(description="Allow the buckets that Distributor and document attachments come from.")
    ] = False
    cloud_watch_agent: Annotated[
        bool, Field(description="Allow the buckets that the CloudWatch agent is downloaded from.")
    ] = False
    ecr_layers: Annotated[
        bool, Field(description="Allow the bucket that holds the image layers of Amazon ECR, for container builds.")
    ] = False
    log_buckets: Annotated[
        frozenset[BucketName],
        Field(
            description="Your buckets that builds write their logs to (the infrastructure configuration's s3Logs).",
            max_length=16,
        ),
        EACH_ONCE,
    ] = frozenset()
    artifact_buckets: Annotated[
        frozenset[BucketName],
        Field(description="Your buckets that builds read from: components' artifacts, installers.", max_length=16),
        EACH_ONCE,
    ] = frozenset()
    organization: Annotated[
        Organization | None, Field(description="Required for, and only for, the baseline Organization.")
    ] = None
    additional_statements: Annotated[
        tuple[Statement, ...], Field(description="IAM statements added to these.", max_length=32)
    ] = ()

    rules: ClassVar[tuple[Rule[Any], ...]] = (
        Rule["S3Policy"](
            "baseline Organization needs organization: add its principalOrgID and resourceOrgID",
            "!has(self.baseline) || self.baseline != 'Organization' || has(self.organization)",
            lambda policy: policy.baseline is not S3Baseline.ORGANIZATION or policy.organization is not None,
        ),
        Rule["S3Policy"](
            "organization goes with the baseline Organization only: choose that baseline, or remove organization",
            "(has(self.baseline) && self.baseline == 'Organization') || !has(self.organization)",
            lambda policy: policy.baseline is S3Baseline.ORGANIZATION or policy.organization is None,
        ),
    )
