"""What a user writes: the spec. Every field is described and bounded; a field exists only when it works."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError

from ibpe.api.fields import (
    EACH_ONCE,
    Document,
    OrganizationID,
    RegionName,
    RouteTableRef,
    SecurityGroupRef,
    Statement,
    SubnetRef,
    Tags,
    VpcRef,
    not_empty,
)
from ibpe.api.model import ApiModel
from ibpe.api.problems import sentence
from ibpe.api.rules import Rule


class ImageBuilderPreset(StrEnum):
    """Ready-made endpoint policies for Image Builder."""

    FULL_ACCESS = "FullAccess"
    DENY_DELETION = "DenyDeletion"
    ORGANIZATION = "Organization"
    CUSTOM = "Custom"


class S3Baseline(StrEnum):
    """What else may use the S3 endpoint, besides what Image Builder needs."""

    IMAGE_BUILDER_ONLY = "ImageBuilderOnly"
    ORGANIZATION = "Organization"
    FULL_ACCESS = "FullAccess"


class S3Mode(StrEnum):
    """Whether the operator makes an S3 endpoint."""

    MANAGED = "Managed"
    NONE = "None"


class DriftPolicy(StrEnum):
    """What to do about changes made behind the operator's back."""

    REPAIR = "Repair"
    REPORT = "Report"


class DeletionPolicy(StrEnum):
    """What becomes of the endpoints when the resource is deleted."""

    DELETE = "Delete"
    RETAIN = "Retain"


class SubnetIDs(ApiModel):
    """Subnets, by id."""

    ids: Annotated[
        frozenset[SubnetRef], Field(description="Subnet ids.", max_length=16), not_empty("subnet (subnet-…)"), EACH_ONCE
    ]


class SecurityGroupIDs(ApiModel):
    """Security groups, by id."""

    ids: Annotated[
        frozenset[SecurityGroupRef],
        Field(description="Security group ids.", max_length=16),
        not_empty("security group (sg-…)"),
        EACH_ONCE,
    ]


class RouteTableIDs(ApiModel):
    """Route tables, by id."""

    ids: Annotated[
        frozenset[RouteTableRef],
        Field(description="Route table ids.", max_length=64),
        not_empty("route table (rtb-…)"),
        EACH_ONCE,
    ]


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
                "FullAccess: AWS's default. DenyDeletion: all but DeleteImage and DeleteComponent. Organization: "
                "only your organization, plus Amazon-managed components. Custom: the document."
            )
        ),
    ]
    organization: Annotated[
        Organization | None, Field(description="Required for, and only for, the preset Organization.")
    ] = None
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
        S3Baseline,
        Field(
            description=(
                "What else may use the endpoint, which carries all S3 traffic of every subnet on its route tables. "
                "ImageBuilderOnly: nothing else. Organization: your organization. FullAccess: AWS's default."
            )
        ),
    ]
    environment: Annotated[
        Literal["prod", "preprod", "beta"],
        Field(description="The Image Builder environment whose buckets are allowed."),
    ] = "prod"
    ssm_agent: Annotated[
        bool,
        Field(
            alias="ssmAgent",
            description="Allow the bucket that Linux builds without recipe user data install the SSM agent from.",
        ),
    ] = True
    organization: Annotated[
        Organization | None, Field(description="Required for, and only for, the baseline Organization.")
    ] = None
    additional_statements: Annotated[
        tuple[Statement, ...], Field(description="IAM statements added to the baseline's.", max_length=32)
    ] = ()

    rules: ClassVar[tuple[Rule[Any], ...]] = (
        Rule["S3Policy"](
            "baseline Organization needs organization: add its principalOrgID and resourceOrgID",
            "self.baseline != 'Organization' || has(self.organization)",
            lambda policy: policy.baseline is not S3Baseline.ORGANIZATION or policy.organization is not None,
        ),
        Rule["S3Policy"](
            "organization goes with the baseline Organization only: choose that baseline, or remove organization",
            "self.baseline == 'Organization' || !has(self.organization)",
            lambda policy: policy.baseline is S3Baseline.ORGANIZATION or policy.organization is None,
        ),
    )


class ImageBuilder(ApiModel):
    """The interface endpoint for Image Builder."""

    subnets: Annotated[SubnetIDs, Field(description="Subnets that get a network interface each, one in a zone.")]
    security_groups: Annotated[
        SecurityGroupIDs, Field(description="Security groups of the interfaces; they must let 443 in from the builds.")
    ]
    private_dns: Annotated[
        bool, Field(description="Answer Image Builder's public name in the VPC with the endpoint's addresses.")
    ] = True
    ip_address_type: Annotated[
        Literal["ipv4", "dualstack", "ipv6"], Field(description="Address families of the interfaces.")
    ] = "ipv4"
    policy: Annotated[ImageBuilderPolicy, Field(description="Who may do what through the endpoint.")]


class S3(ApiModel):
    """S3 access for builds."""

    mode: Annotated[S3Mode, Field(description="Managed: the operator makes the endpoint. None: it makes none.")] = (
        S3Mode.MANAGED
    )
    type: Annotated[Literal["Gateway"], Field(description="The kind of endpoint.")] = "Gateway"
    route_tables: Annotated[
        RouteTableIDs | None, Field(description="Route tables that get the route to S3. Required when Managed.")
    ] = None
    policy: Annotated[S3Policy | None, Field(description="Who may read what. Required when Managed.")] = None

    rules: ClassVar[tuple[Rule[Any], ...]] = (
        Rule["S3"](
            "mode Managed needs routeTables: name the route tables of the build subnets",
            "self.mode != 'Managed' || has(self.routeTables)",
            lambda s3: s3.mode is not S3Mode.MANAGED or s3.route_tables is not None,
        ),
        Rule["S3"](
            "mode Managed needs policy: choose its baseline, which says what else may use the endpoint",
            "self.mode != 'Managed' || has(self.policy)",
            lambda s3: s3.mode is not S3Mode.MANAGED or s3.policy is not None,
        ),
    )


class Builds(ApiModel):
    """Where build instances run."""

    subnets: Annotated[SubnetIDs, Field(description="Subnets of the build instances.")]


class Spec(ApiModel):
    """The desired state."""

    region: Annotated[RegionName, Field(description="AWS Region of the VPC. Immutable.")]
    vpc_id: Annotated[VpcRef, Field(description="The VPC. Immutable.")]
    builds: Annotated[
        Builds | None, Field(description="Where build instances run; used for safety and reachability checks.")
    ] = None
    image_builder: Annotated[ImageBuilder | None, Field(description="The interface endpoint for Image Builder.")] = None
    s3: Annotated[S3 | None, Field(description="S3 access for builds.")] = None
    drift_policy: Annotated[
        DriftPolicy, Field(description="Repair changes made behind the operator's back, or only Report them.")
    ] = DriftPolicy.REPAIR
    deletion_policy: Annotated[
        DeletionPolicy,
        Field(description="Delete the endpoints with the resource, or Retain them (our tags are taken off)."),
    ] = DeletionPolicy.DELETE
    suspend: Annotated[
        bool, Field(description="Write nothing to AWS, deletion included; status.plan shows what would be done.")
    ] = False
    tags: Annotated[Tags, Field(description="Tags put on everything that is made.")] = Field(default_factory=dict)

    rules: ClassVar[tuple[Rule[Any], ...]] = (
        Rule["Spec"](
            "set imageBuilder, s3 with mode Managed, or both: this resource would make nothing",
            "has(self.imageBuilder) || (has(self.s3) && self.s3.mode == 'Managed')",
            lambda spec: spec.image_builder is not None or (spec.s3 is not None and spec.s3.mode is S3Mode.MANAGED),
        ),
        Rule("region is immutable: make another resource for another Region", "self.region == oldSelf.region"),
        Rule("vpcID is immutable: make another resource for another VPC", "self.vpcID == oldSelf.vpcID"),
    )


class InvalidSpec(Exception):  # noqa: N818 -- named for what it says of the spec
    """A spec that can't be understood; str() is one sentence that names the field and the fix."""


def parse_spec(raw: Mapping[str, object]) -> Spec:
    """The typed spec of a raw one; raises InvalidSpec with the first problem in one sentence."""
    try:
        return Spec.model_validate(raw)
    except ValidationError as error:
        raise InvalidSpec(sentence(Spec, error)) from None
