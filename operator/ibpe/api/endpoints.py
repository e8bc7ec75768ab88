"""What a user writes of endpoints: whose they are, and where. A field exists only when it works."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ibpe.api.fields import EACH_ONCE, EndpointRef, RouteTableRef, SecurityGroupRef, SubnetRef, not_empty
from ibpe.api.model import ApiModel
from ibpe.api.policies import ImageBuilderPolicy, S3Policy
from ibpe.api.rules import Rule


class ImageBuilderMode(StrEnum):
    """Whose the interface endpoint for Image Builder is."""

    MANAGED = "Managed"
    EXISTING = "Existing"
    NONE = "None"


class S3Mode(StrEnum):
    """Whose the S3 endpoint is, and what the operator does to it."""

    MANAGED = "Managed"
    CONTRIBUTE = "Contribute"
    EXISTING = "Existing"
    NONE = "None"


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


class ImageBuilder(ApiModel):
    """The interface endpoint for Image Builder."""

    mode: Annotated[
        ImageBuilderMode,
        Field(
            description=(
                "Managed: the operator makes the endpoint. Existing: somebody else's, named by endpointID, is checked "
                "and reported, never written. None: there is none to look after."
            )
        ),
    ] = ImageBuilderMode.MANAGED
    endpoint_id: Annotated[EndpointRef | None, Field(description="The endpoint to check. Existing only.")] = None
    subnets: Annotated[
        SubnetIDs | None,
        Field(description="Subnets that get a network interface each, one in a zone. Required when Managed."),
    ] = None
    security_groups: Annotated[
        SecurityGroupIDs | None,
        Field(
            description=(
                "Security groups of the interfaces; they must let 443 in from the builds. Required when Managed."
            )
        ),
    ] = None
    private_dns: Annotated[
        bool, Field(description="Answer Image Builder's public name in the VPC with the endpoint's addresses.")
    ] = True
    ip_address_type: Annotated[
        Literal["ipv4", "dualstack", "ipv6"], Field(description="Address families of the interfaces.")
    ] = "ipv4"
    policy: Annotated[
        ImageBuilderPolicy | None,
        Field(description="Who may do what through the endpoint. Required when Managed."),
    ] = None

    rules: ClassVar[tuple[Rule[Any], ...]] = (
        Rule["ImageBuilder"](
            "mode Managed needs subnets: name the subnets that get a network interface, one in a zone",
            "self.mode != 'Managed' || has(self.subnets)",
            lambda it: it.mode is not ImageBuilderMode.MANAGED or it.subnets is not None,
        ),
        Rule["ImageBuilder"](
            "mode Managed needs securityGroups: name those that let 443 in from the builds",
            "self.mode != 'Managed' || has(self.securityGroups)",
            lambda it: it.mode is not ImageBuilderMode.MANAGED or it.security_groups is not None,
        ),
        Rule["ImageBuilder"](
            "mode Managed needs policy: choose its preset, which says who may do what",
            "self.mode != 'Managed' || has(self.policy)",
            lambda it: it.mode is not ImageBuilderMode.MANAGED or it.policy is not None,
        ),
        Rule["ImageBuilder"](
            "mode Existing needs endpointID: name the endpoint to check (vpce-…)",
            "self.mode != 'Existing' || has(self.endpointID)",
            lambda it: it.mode is not ImageBuilderMode.EXISTING or it.endpoint_id is not None,
        ),
        Rule["ImageBuilder"](
            "mode Managed makes an endpoint of its own: remove endpointID, or choose the mode Existing",
            "self.mode != 'Managed' || !has(self.endpointID)",
            lambda it: it.mode is not ImageBuilderMode.MANAGED or it.endpoint_id is None,
        ),
        Rule["ImageBuilder"](
            "subnets, securityGroups and policy go with the mode Managed only: an Existing endpoint is never written, "
            "so remove them",
            "self.mode != 'Existing' || !(has(self.subnets) || has(self.securityGroups) || has(self.policy))",
            lambda it: it.mode is not ImageBuilderMode.EXISTING or not (it.subnets or it.security_groups or it.policy),
        ),
    )


class S3(ApiModel):
    """S3 access for builds."""

    mode: Annotated[
        S3Mode,
        Field(
            description=(
                "Managed: the operator makes the endpoint. Contribute: it keeps its statements in the policy of "
                "somebody else's endpoint, named by endpointID, and changes nothing else of it. Existing: that "
                "endpoint is checked and reported, never written. None: there is none to look after."
            )
        ),
    ] = S3Mode.MANAGED
    type: Annotated[Literal["Gateway"], Field(description="The kind of endpoint.")] = "Gateway"
    endpoint_id: Annotated[
        EndpointRef | None,
        Field(description="The endpoint to contribute to, or to check. Contribute and Existing only."),
    ] = None
    route_tables: Annotated[
        RouteTableIDs | None, Field(description="Route tables that get the route to S3. Required when Managed.")
    ] = None
    policy: Annotated[
        S3Policy | None,
        Field(
            description=(
                "Who may read what. Required when Managed; with Contribute, what is contributed; with Existing, what "
                "the endpoint must allow."
            )
        ),
    ] = None

    rules: ClassVar[tuple[Rule[Any], ...]] = (
        Rule["S3"](
            "mode Managed needs routeTables: name the route tables of the build subnets",
            "self.mode != 'Managed' || has(self.routeTables)",
            lambda s3: s3.mode is not S3Mode.MANAGED or s3.route_tables is not None,
        ),
        Rule["S3"](
            "mode Managed needs policy.baseline: choose what else may use the endpoint",
            "self.mode != 'Managed' || (has(self.policy) && has(self.policy.baseline))",
            lambda s3: s3.mode is not S3Mode.MANAGED or (s3.policy is not None and s3.policy.baseline is not None),
        ),
        Rule["S3"](
            "modes Contribute and Existing need endpointID: name the endpoint (vpce-…)",
            "!(self.mode in ['Contribute', 'Existing']) || has(self.endpointID)",
            lambda s3: s3.mode not in {S3Mode.CONTRIBUTE, S3Mode.EXISTING} or s3.endpoint_id is not None,
        ),
        Rule["S3"](
            "mode Managed makes an endpoint of its own: remove endpointID, or choose the mode Contribute or Existing",
            "self.mode != 'Managed' || !has(self.endpointID)",
            lambda s3: s3.mode is not S3Mode.MANAGED or s3.endpoint_id is None,
        ),
        Rule["S3"](
            "routeTables and policy.baseline go with the mode Managed only: they are for the endpoint's owner to "
            "decide, so remove them",
            "!(self.mode in ['Contribute', 'Existing']) || "
            "!(has(self.routeTables) || (has(self.policy) && has(self.policy.baseline)))",
            lambda s3: (
                s3.mode not in {S3Mode.CONTRIBUTE, S3Mode.EXISTING}
                or not (s3.route_tables or (s3.policy and s3.policy.baseline))
            ),
        ),
        Rule["S3"](
            "policy.additionalStatements go with the modes Managed and Contribute only: an Existing endpoint is never "
            "written, so remove them",
            "self.mode != 'Existing' || !has(self.policy) || !has(self.policy.additionalStatements)"
            " || size(self.policy.additionalStatements) == 0",
            lambda s3: s3.mode is not S3Mode.EXISTING or not (s3.policy and s3.policy.additional_statements),
        ),
    )
