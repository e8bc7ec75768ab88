"""What a user writes: the spec. Every field is described and bounded; a field exists only when it works."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationError

from ibpe.api.endpoints import S3, ImageBuilder, ImageBuilderMode, S3Mode, SubnetIDs
from ibpe.api.fields import AccountName, RegionName, Tags, VpcRef
from ibpe.api.model import ApiModel
from ibpe.api.problems import sentence
from ibpe.api.rules import Rule


class DriftPolicy(StrEnum):
    """What to do about changes made behind the operator's back."""

    REPAIR = "Repair"
    REPORT = "Report"


class DeletionPolicy(StrEnum):
    """What becomes of the endpoints when the resource is deleted."""

    DELETE = "Delete"
    RETAIN = "Retain"


class Builds(ApiModel):
    """Where build instances run."""

    subnets: Annotated[SubnetIDs, Field(description="Subnets of the build instances.")]


class AccountRef(ApiModel):
    """An AWS account that the operator reaches through a role."""

    name: Annotated[AccountName, Field(description="The name that the platform team gave the account.")]


class Spec(ApiModel):
    """The desired state."""

    region: Annotated[RegionName, Field(description="AWS Region of the VPC. Immutable.")]
    vpc_id: Annotated[VpcRef, Field(description="The VPC. Immutable.")]
    account_ref: Annotated[
        AccountRef | None,
        Field(
            description=(
                "The AWS account that owns the VPC, one that the platform team allowed this namespace to use. Left "
                "out: the operator's own account. Immutable: not to be added, changed or removed."
            )
        ),
    ] = None
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
            "set imageBuilder, s3, or both, with a mode other than None: this resource would do nothing",
            "(has(self.imageBuilder) && self.imageBuilder.mode != 'None') || (has(self.s3) && self.s3.mode != 'None')",
            lambda spec: (
                (spec.image_builder is not None and spec.image_builder.mode is not ImageBuilderMode.NONE)
                or (spec.s3 is not None and spec.s3.mode is not S3Mode.NONE)
            ),
        ),
        Rule("region is immutable: make another resource for another Region", "self.region == oldSelf.region"),
        Rule("vpcID is immutable: make another resource for another VPC", "self.vpcID == oldSelf.vpcID"),
        # On the parent: a rule on an optional field is not asked when the field is added or taken away.
        Rule(
            "accountRef is immutable, adding and removing it too: make another resource for another account",
            "has(self.accountRef) == has(oldSelf.accountRef)"
            " && (!has(self.accountRef) || self.accountRef == oldSelf.accountRef)",
        ),
    )


class InvalidSpec(Exception):  # noqa: N818 -- named for what it says of the spec
    """A spec that can't be understood; str() is one sentence that names the field and the fix."""


def parse_spec(raw: Mapping[str, object]) -> Spec:
    """The typed spec of a raw one; raises InvalidSpec with the first problem in one sentence."""
    try:
        return Spec.model_validate(raw)
    except ValidationError as error:
        raise InvalidSpec(sentence(Spec, error)) from None
