"""The policies of the S3 gateway endpoint, baseline by baseline: what Image Builder reads, and what else may pass."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

from ibpe.partitions import object_arn
from ibpe.policy.document import ANYONE, DEFAULT_VERSION, PolicyDocument, PolicyError, Statement
from ibpe.policy.statements import ALLOW_ALL, Organization, additional, allow, extended, requests_within, required
from ibpe.policy.values import nearest, quoted

Baseline = Literal["ImageBuilderOnly", "Organization", "FullAccess"]
BASELINES: Final[tuple[str, ...]] = get_args(Baseline)
Environment = Literal["prod", "preprod", "beta"]
ENVIRONMENTS: Final[tuple[str, ...]] = get_args(Environment)


def s3_policy(
    baseline: str,
    region: str,
    *,
    environment: str = "prod",
    ssm_agent: bool = True,
    organization: Organization | None = None,
    additional_statements: Sequence[Mapping[str, object]] = (),
) -> PolicyDocument:
    """The policy for a baseline in a region. `ssm_agent`: builds may download the Systems Manager agent.

    FullAccess is the service's default document, which allows what the other arguments would. Raises PolicyError, with
    a path below the spec's `policy`, for what is unknown, left out, invalid, or impossible on a gateway endpoint.
    """
    if environment not in ENVIRONMENTS:
        raise PolicyError(
            "environment", f"{quoted(environment)} is not an environment", nearest(environment, ENVIRONMENTS)
        )
    further = additional(additional_statements)
    _refuse_principals(further)
    if baseline == "FullAccess":
        return extended(full_access(), further)
    reads = image_builder_reads(region, environment, ssm_agent=ssm_agent)
    match baseline:
        case "ImageBuilderOnly":
            statements = reads
        case "Organization":
            statements = (requests_within(required(organization, "baseline Organization")), *reads)
        case _:
            raise PolicyError("baseline", f"{quoted(baseline)} is not a baseline", nearest(baseline, BASELINES))
    return extended(PolicyDocument(statements), further)


def full_access() -> PolicyDocument:
    """The policy that AWS gives a gateway endpoint by default, written out, Version and all.

    Source: read back from DescribeVpcEndpoints; PrivateLink guide, "Gateway endpoints for Amazon S3".
    """
    return PolicyDocument((ALLOW_ALL,), version=DEFAULT_VERSION)


def image_builder_reads(region: str, environment: str, *, ssm_agent: bool) -> tuple[Statement, ...]:
    """What a build reads from AWS's own buckets, for any principal.

    The calls come anonymously as well as signed: a condition on the principal would deny them. Sources: the Image
    Builder user guide's page on interface VPC endpoints, "Custom policies for S3 bucket access"; AWS samples,
    "data-perimeter-policy-examples" (unauthenticated calls).
    """
    statements = (_allow_image_builder_buckets(region, environment),)
    return (*statements, _allow_ssm_agent(region)) if ssm_agent else statements


def _allow_image_builder_buckets(region: str, environment: str) -> Statement:
    """AWSTOE, and the components that Image Builder manages.

    Source: user guide, "VPC endpoint policy for Amazon S3 bucket access".
    """
    return allow(
        "AllowImageBuilderAccessToAppAndComponentBuckets",
        ["s3:GetObject"],
        [
            object_arn(region, f"ec2imagebuilder-toe-{region}-{environment}", "*"),
            object_arn(region, f"ec2imagebuilder-managed-resources-{region}-{environment}", "components/*"),
        ],
    )


def _allow_ssm_agent(region: str) -> Statement:
    """The Systems Manager agent, which Image Builder installs where the recipe has no user data.

    Source: user guide, "VPC endpoint policy for Amazon S3 bucket access", the additional resource for Linux images.
    """
    return allow("AllowSSMAgentDownload", ["s3:GetObject"], [object_arn(region, f"amazon-ssm-{region}", "*")])


def _refuse_principals(statements: Sequence[Statement]) -> None:
    """A gateway endpoint's policy takes only `"*"` (PrivateLink guide, "Control access to VPC endpoints …")."""
    for index, statement in enumerate(statements):
        if statement.principals != ANYONE:
            raise PolicyError(
                f"additionalStatements[{index}].Principal",
                'the policy of a gateway endpoint takes no principal but "*"',
                'write "Principal": "*" and a Condition on aws:PrincipalArn',
            )
