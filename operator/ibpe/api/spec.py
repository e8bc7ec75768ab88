"""What a user writes: the spec. Every field is described and bounded; a field exists only when it works."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from ibpe.api.model import ApiModel
from ibpe.api.names import GROUP


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


SubnetRef = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$", max_length=24)]
SecurityGroupRef = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$", max_length=20)]
RouteTableRef = Annotated[str, Field(pattern=r"^rtb-[0-9a-f]{8,17}$", max_length=21)]
OrganizationID = Annotated[str, Field(pattern=r"^o-[a-z0-9]{10,32}$", max_length=34)]
TagKey = Annotated[str, Field(min_length=1, max_length=127)]
TagValue = Annotated[str, Field(max_length=256)]
Statement = dict[str, Any]
"""An IAM policy statement, checked by `ibpe.policy`."""


class SubnetIDs(ApiModel):
    """Subnets, by id."""

    ids: Annotated[frozenset[SubnetRef], Field(description="Subnet ids.", min_length=1, max_length=16)]


class SecurityGroupIDs(ApiModel):
    """Security groups, by id."""

    ids: Annotated[frozenset[SecurityGroupRef], Field(description="Security group ids.", min_length=1, max_length=16)]


class RouteTableIDs(ApiModel):
    """Route tables, by id."""

    ids: Annotated[frozenset[RouteTableRef], Field(description="Route table ids.", min_length=1, max_length=64)]


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
        dict[str, Any] | str | None,
        Field(description="Required for, and only for, the preset Custom: an IAM policy as YAML, or as a JSON string."),
    ] = None
    additional_statements: Annotated[
        tuple[Statement, ...], Field(description="IAM statements added to the preset's.", max_length=32)
    ] = ()


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


class Builds(ApiModel):
    """Where build instances run."""

    subnets: Annotated[SubnetIDs, Field(description="Subnets of the build instances.")]


class Spec(ApiModel):
    """The desired state."""

    region: Annotated[
        str,
        Field(
            description="AWS Region of the VPC. Immutable.", pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$", max_length=32
        ),
    ]
    vpc_id: Annotated[str, Field(description="The VPC. Immutable.", pattern=r"^vpc-[0-9a-f]{8,17}$", max_length=21)]
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
    tags: Annotated[
        dict[TagKey, TagValue], Field(description="Tags put on everything that is made.", max_length=40)
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> "Spec":
        for problem in _problems(self):
            raise ValueError(problem)
        return self


def _problems(spec: Spec) -> tuple[str, ...]:
    """What the schema's CEL rules refuse too, for specs that reached us without admission (`ibpe plan -f`)."""
    found: list[str] = []
    managed_s3 = spec.s3 is not None and spec.s3.mode is S3Mode.MANAGED
    if spec.image_builder is None and not managed_s3:
        found.append("set imageBuilder, s3 with mode Managed, or both: this resource would make nothing")
    if spec.s3 is not None and managed_s3:
        if spec.s3.route_tables is None:
            found.append(
                "s3.routeTables is required when s3.mode is Managed: name the route tables of the build subnets"
            )
        if spec.s3.policy is None:
            found.append("s3.policy is required when s3.mode is Managed: choose policy.baseline")
    if spec.image_builder is not None:
        found.extend(_policy_problems(spec.image_builder.policy))
    if spec.s3 is not None and spec.s3.policy is not None:
        wants = spec.s3.policy.baseline is S3Baseline.ORGANIZATION
        if wants != (spec.s3.policy.organization is not None):
            found.append("s3.policy.organization goes with, and only with, the baseline Organization")
    reserved = sorted(key for key in spec.tags if key.lower().startswith(("aws:", f"{GROUP}/")))
    if reserved:
        found.append(f"tags: {', '.join(reserved)} can't be set: the prefixes aws: and {GROUP}/ are reserved")
    return tuple(found)


def _policy_problems(policy: ImageBuilderPolicy) -> tuple[str, ...]:
    found: list[str] = []
    if (policy.preset is ImageBuilderPreset.ORGANIZATION) != (policy.organization is not None):
        found.append("imageBuilder.policy.organization goes with, and only with, the preset Organization")
    if (policy.preset is ImageBuilderPreset.CUSTOM) != (policy.document is not None):
        found.append("imageBuilder.policy.document goes with, and only with, the preset Custom")
    return tuple(found)


class InvalidSpec(Exception):  # noqa: N818 -- named for what it says of the spec
    """A spec that can't be understood; str() is one sentence that names the field and the fix."""


def parse_spec(raw: Mapping[str, object]) -> Spec:
    """The typed spec of a raw one; raises InvalidSpec with the first problem in one sentence."""
    try:
        return Spec.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise InvalidSpec(f"spec.{where}: {message}{more}" if where else f"{message}{more}") from None
