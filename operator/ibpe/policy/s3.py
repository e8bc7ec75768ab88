"""The policies of the S3 gateway endpoint, baseline by baseline: what Image Builder reads, and what else may pass."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from ibpe.partitions import object_arn
from ibpe.policy import buckets
from ibpe.policy.document import ANYONE, DEFAULT_VERSION, PolicyDocument, PolicyError, Statement
from ibpe.policy.problem import Problem
from ibpe.policy.statements import (
    ALLOW_ALL,
    Organization,
    additional,
    allow,
    extended,
    refuse_taken_sids,
    requests_within,
    required,
)
from ibpe.policy.values import nearest, quoted

Baseline = Literal["ImageBuilderOnly", "Organization", "FullAccess"]
BASELINES: Final[tuple[str, ...]] = get_args(Baseline)
Environment = Literal["prod", "preprod", "beta"]
ENVIRONMENTS: Final[tuple[str, ...]] = get_args(Environment)

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""S3 user guide, "General purpose bucket naming rules": the shape; no wildcard and no ARN passes for a name."""


@dataclass(frozen=True, slots=True)
class S3Use:
    """What builds read and write through the S3 endpoint; each is a statement of its own. Fields as in `s3.policy`."""

    environment: str = "prod"
    all_managed_resources: bool = False
    ssm_agent: bool = True
    amazon_linux_repositories: bool = False
    windows_downloads: bool = False
    patching: bool = False
    distributor: bool = False
    cloud_watch_agent: bool = False
    ecr_layers: bool = False
    log_buckets: tuple[str, ...] = ()
    artifact_buckets: tuple[str, ...] = ()


USUAL: Final = S3Use()
"""What a build of a Linux AMI in the production environment reads."""


def s3_policy(
    baseline: str,
    region: str,
    use: S3Use = USUAL,
    *,
    organization: Organization | None = None,
    additional_statements: Sequence[Mapping[str, object]] = (),
) -> PolicyDocument:
    """The policy for a baseline in a region, with what builds use; `organization` is that of the baseline Organization.

    FullAccess is the service's default document, which allows what the other arguments would. Raises PolicyError, with
    a path below the spec's `policy`, for what is unknown, left out, invalid, or impossible on a gateway endpoint.
    """
    statements = build_statements(region, use)
    further = _additional(additional_statements)
    match baseline:
        case "FullAccess":
            return extended(full_access(), further)
        case "ImageBuilderOnly":
            pass
        case "Organization":
            statements = (requests_within(required(organization, "baseline Organization")), *statements)
        case _:
            raise PolicyError("baseline", f"{quoted(baseline)} is not a baseline", nearest(baseline, BASELINES))
    return extended(PolicyDocument(statements), further)


def contributed_statements(
    region: str, use: S3Use = USUAL, additional_statements: Sequence[Mapping[str, object]] = ()
) -> tuple[Statement, ...]:
    """What is contributed to somebody else's gateway endpoint: what builds use, then the user's own statements.

    Their Sids are as written; `contribution.marked` makes them ours. Raises PolicyError as `s3_policy` does.
    """
    statements = build_statements(region, use)
    further = _additional(additional_statements)
    refuse_taken_sids(statements, further)
    return (*statements, *further)


def environment_warning(environment: str) -> Problem | None:
    """What to say of an environment's buckets; None for the one whose buckets are AWS's in every Region.

    The user guide's page on interface VPC endpoints names them all, and nothing says that AWS took every name. The
    finding's path is the field in the spec's `s3.policy`.
    """
    if environment == USUAL.environment:
        return None
    return Problem(
        "environment",
        f"bucket names of {environment} may not belong to AWS in every Region, and builds would run what lies there",
        f"use {USUAL.environment}, or be sure who owns them",
        "warning",
    )


def full_access() -> PolicyDocument:
    """The policy that AWS gives a gateway endpoint by default, written out, Version and all.

    Source: read back from DescribeVpcEndpoints; PrivateLink guide, "Gateway endpoints for Amazon S3".
    """
    return PolicyDocument((ALLOW_ALL,), version=DEFAULT_VERSION)


def build_statements(region: str, use: S3Use) -> tuple[Statement, ...]:
    """What a build reads and writes, in the order of S3Use, for any principal.

    AWS's own buckets are read anonymously as well as signed: a condition on the principal would deny the former.
    Sources: the Image Builder user guide's page on interface VPC endpoints, "Custom policies for S3 bucket access"; AWS
    samples, "data-perimeter-policy-examples" (unauthenticated calls). Raises PolicyError for an unknown environment and
    for what can't be a bucket's name.
    """
    _refuse_unknown_environment(use.environment)
    return (_image_builder_buckets(region, use), *_aws_buckets(region, use), *_own_buckets(region, use))


def _image_builder_buckets(region: str, use: S3Use) -> Statement:
    """AWSTOE, and what Image Builder manages: its components, or the whole bucket.

    Sources: user guide, "VPC endpoint policy for Amazon S3 bucket access"; for the whole bucket "Manage data perimeters
    for S3 bucket download access", by which bootstrapping scripts lie in it.
    """
    sid, keys = (
        ("AllowImageBuilderAccessToAppAndManagedResourcesBuckets", "*")
        if use.all_managed_resources
        else ("AllowImageBuilderAccessToAppAndComponentBuckets", "components/*")
    )
    resources = [
        object_arn(region, buckets.toe(region, use.environment), "*"),
        object_arn(region, buckets.managed_resources(region, use.environment), keys),
    ]
    return allow(sid, ["s3:GetObject"], resources)


def _aws_buckets(region: str, use: S3Use) -> tuple[Statement, ...]:
    """The buckets of AWS that are read, a statement a toggle. What each is for: `sources`."""
    toggles = (
        (use.ssm_agent, "AllowSSMAgentDownload", (buckets.ssm_agent(region),)),
        (use.amazon_linux_repositories, "AllowAmazonLinuxRepositories", buckets.amazon_linux(region)),
        (use.windows_downloads, "AllowWindowsDownloads", (buckets.windows_downloads(region),)),
        (use.patching, "AllowPatching", buckets.patching(region)),
        (use.distributor, "AllowDistributor", buckets.distributor(region)),
        (use.cloud_watch_agent, "AllowCloudWatchAgentDownload", buckets.cloud_watch_agent(region)),
        (use.ecr_layers, "AllowECRLayerDownload", (buckets.ecr_layers(region),)),
    )
    return tuple(_allow_objects(region, sid, "s3:GetObject", names) for on, sid, names in toggles if on)


def _own_buckets(region: str, use: S3Use) -> tuple[Statement, ...]:
    """The user's buckets: logs are written only, artifacts are read and listed only; ListBucket is on the bucket.

    Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
    """
    logs = _bucket_names(use.log_buckets, "logBuckets")
    artifacts = _bucket_names(use.artifact_buckets, "artifactBuckets")
    statements: tuple[Statement, ...] = ()
    if logs:
        statements += (_allow_objects(region, "AllowLogUpload", "s3:PutObject", logs),)
    if artifacts:
        statements += (
            _allow_objects(region, "AllowArtifactDownload", "s3:GetObject", artifacts),
            allow("AllowArtifactListing", ["s3:ListBucket"], [buckets.arn(region, bucket) for bucket in artifacts]),
        )
    return statements


def _allow_objects(region: str, sid: str, action: str, names: Sequence[str]) -> Statement:
    return allow(sid, [action], [object_arn(region, bucket, "*") for bucket in names])


def _bucket_names(names: Sequence[str], field: str) -> tuple[str, ...]:
    """The names sorted, each once: a set in the spec has no order, and the document must not change with it."""
    for index, name in enumerate(names):
        if not _BUCKET.fullmatch(name):
            raise PolicyError(
                f"{field}[{index}]",
                f"{quoted(name)} is not a bucket's name",
                "write 3 to 63 lower-case letters, digits, dots and hyphens, without arn: or s3://",
            )
    return tuple(sorted(set(names)))


def _refuse_unknown_environment(environment: str) -> None:
    if environment not in ENVIRONMENTS:
        raise PolicyError(
            "environment", f"{quoted(environment)} is not an environment", nearest(environment, ENVIRONMENTS)
        )


def _additional(sources: Sequence[Mapping[str, object]]) -> tuple[Statement, ...]:
    """A gateway endpoint's policy takes only `"*"` (PrivateLink guide, "Control access to VPC endpoints …")."""
    statements = additional(sources)
    for index, statement in enumerate(statements):
        if statement.principals != ANYONE:
            raise PolicyError(
                f"additionalStatements[{index}].Principal",
                'the policy of a gateway endpoint takes no principal but "*"',
                'write "Principal": "*" and a Condition on aws:PrincipalArn',
            )
    return statements
