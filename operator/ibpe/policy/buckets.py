"""AWS's own S3 buckets that builds read, by Region: their names, as AWS publishes them. Knows no policy.

The names are exact, with the Region in them: a wildcard there would match buckets of strangers (Systems Manager user
guide, "SSM Agent communications with AWS managed S3 buckets"), and so would a name that AWS has not taken.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ibpe.partitions import AWS, partition_of

_PATCH_MANAGER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "af-south-1": "bdd5f65a9",
        "ap-east-1": "632356271",
        "ap-northeast-1": "4849fa78f",
        "ap-northeast-2": "10467995c",
        "ap-northeast-3": "67373598a",
        "ap-south-1": "cb7c62ff9",
        "ap-south-2": "32f4b4128",
        "ap-southeast-1": "7fdfd9ef7",
        "ap-southeast-2": "17283a275",
        "ap-southeast-3": "aa48fc462",
        "ap-southeast-4": "01e2c40d3",
        "ca-central-1": "3148e69e3",
        "ca-west-1": "9e3a4b2f9",
        "eu-central-1": "9163fdaaf",
        "eu-central-2": "184ce43c8",
        "eu-north-1": "795879e9b",
        "eu-south-1": "c52f3f594",
        "eu-south-2": "a4cf248b1",
        "eu-west-1": "5522fb710",
        "eu-west-2": "902a2bc74",
        "eu-west-3": "29bf85721",
        "il-central-1": "e221cb57b",
        "me-central-1": "2932f2f80",
        "me-south-1": "a53fc9dce",
        "sa-east-1": "ddf4b6a09",
        "us-east-1": "1970c647d",
        "us-east-2": "552881074",
        "us-west-1": "8badb4304",
        "us-west-2": "34d7f99f8",
    }
)
"""The suffix of Patch Manager's buckets of modules; Regions that aren't listed have no published name.

Source: Systems Manager user guide, "Reference: Amazon S3 buckets for patching operations".
"""
_SNAPSHOT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "af-south-1": "tbxdb5b9",
        "ap-south-2": "50209442",
        "ap-southeast-3": "be0a3174",
        "ap-southeast-4": "dc6f76ce",
        "eu-south-2": "df2c9d70",
        "me-south-1": "uduvl7q8",
    }
)
"""The suffix of the bucket of patch baseline snapshots, where it has one. Source: the same page."""


def arn(region: str, bucket: str) -> str:
    """`arn:<partition>:s3:::<bucket>`, in the region's partition: the bucket itself, not the objects in it."""
    return f"{partition_of(region).arn_prefix}:s3:::{bucket}"


def toe(region: str, environment: str) -> str:
    """AWSTOE. Source: Image Builder user guide, "Custom policies for S3 bucket access"."""
    return f"ec2imagebuilder-toe-{region}-{environment}"


def managed_resources(region: str, environment: str) -> str:
    """What Image Builder manages, components among it. Source: as for AWSTOE."""
    return f"ec2imagebuilder-managed-resources-{region}-{environment}"


def ssm_agent(region: str) -> str:
    """The Systems Manager agent. Source: as for AWSTOE."""
    return f"amazon-ssm-{region}"


def amazon_linux(region: str) -> tuple[str, ...]:
    """The package repositories of Amazon Linux 2023 and 2.

    Sources: AWS samples, "data-perimeter-policy-examples", AWS owned buckets; the repositories that Amazon Linux names
    for itself (`repo.$awsregion.$awsdomain`), whose domain is the partition's own.
    """
    domain = f"{region}.{partition_of(region).dns_suffix}"
    return (
        f"al2023-repos-{region}-de612dc2",
        f"al2023-{region}",
        f"amazonlinux-2-repos-{region}",
        f"amazonlinux.{domain}",
        f"packages.{domain}",
        f"repo.{domain}",
    )


def windows_downloads(region: str) -> str:
    """What Systems Manager's documents for Windows download. Source: Systems Manager user guide, as above."""
    return f"aws-windows-downloads-{region}"


def patching(region: str) -> tuple[str, ...]:
    """Modules of Systems Manager's documents, and Patch Manager's baselines and modules, those for macOS included.

    Source: Systems Manager user guide, "Reference: Amazon S3 buckets for patching operations".
    """
    snapshot = f"patch-baseline-snapshot-{region}"
    if region in _SNAPSHOT:
        snapshot = f"{snapshot}-{_SNAPSHOT[region]}"
    modules: tuple[str, ...] = ()
    if region in _PATCH_MANAGER:
        suffix = f"{region}-{_PATCH_MANAGER[region]}"
        modules = (f"aws-patch-manager-{suffix}", f"aws-patchmanager-macos-{suffix}")
    return (f"aws-ssm-{region}", snapshot, *modules)


def distributor(region: str) -> tuple[str, ...]:
    """Distributor's packages, their manifests, and what is attached to Systems Manager's documents.

    Sources: Systems Manager user guide, as above; AWS samples, "data-perimeter-policy-examples", AWS owned buckets.
    """
    return (
        f"amazon-ssm-packages-{region}",
        f"{region}-birdwatcher-prod",
        f"aws-ssm-distributor-file-{region}",
        f"aws-ssm-document-attachments-{region}",
    )


def cloud_watch_agent(region: str) -> tuple[str, ...]:
    """The CloudWatch agent's packages: the Region's bucket, and in the partition `aws` the one that names no Region.

    Source: CloudWatch user guide, "Download the CloudWatch agent package"; AWS samples, as above. Bucket names are
    unique in one partition only, and nothing says whose the latter would be in another.
    """
    regional = f"amazoncloudwatch-agent-{region}"
    return (regional, "amazoncloudwatch-agent") if partition_of(region) is AWS else (regional,)


def ecr_layers(region: str) -> str:
    """The layers of images in Amazon ECR. Source: ECR user guide, "Minimum Amazon S3 bucket permissions"."""
    return f"prod-{region}-starport-layer-bucket"
