"""AWS partitions: which one a region lies in, its ARN prefix, DNS suffix and PrivateLink service names.

The only place that knows these facts; it knows nothing of endpoints, policies or Kubernetes.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Partition:
    """One AWS partition.

    `private_link_prefix` is the partition's own first part of an endpoint service's name; most services of most
    partitions keep the general one, `com.amazonaws`. Regions, DNS suffixes: botocore's `partitions.json`.
    """

    name: str
    dns_suffix: str
    region_pattern: re.Pattern[str]
    private_link_prefix: str
    own_prefix_services: frozenset[str] = frozenset()
    """Services that are named with the partition's own prefix (AWS CDK, `vpc-endpoint.ts`)."""

    @property
    def arn_prefix(self) -> str:
        """`arn:aws`, `arn:aws-cn`, …"""
        return f"arn:{self.name}"

    def has(self, region: str) -> bool:
        """Whether the region's name has this partition's shape; regions that open later are covered too."""
        return self.region_pattern.fullmatch(region) is not None


GENERAL_PREFIX: Final = "com.amazonaws"
_REGISTRY: Final = frozenset({"ecr.api", "ecr.dkr"})

AWS: Final = Partition(
    name="aws",
    dns_suffix="amazonaws.com",
    region_pattern=re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+"),
    private_link_prefix=GENERAL_PREFIX,
)
CHINA: Final = Partition(
    name="aws-cn",
    dns_suffix="amazonaws.com.cn",
    region_pattern=re.compile(r"cn-\w+-\d+"),
    private_link_prefix="cn.com.amazonaws",
    own_prefix_services=_REGISTRY | {"imagebuilder", "ec2", "sts"},
)
GOV_CLOUD: Final = Partition(
    name="aws-us-gov",
    dns_suffix="amazonaws.com",
    region_pattern=re.compile(r"us-gov-\w+-\d+"),
    private_link_prefix=GENERAL_PREFIX,
)
PARTITIONS: Final = (
    AWS,
    CHINA,
    GOV_CLOUD,
    Partition("aws-iso", "c2s.ic.gov", re.compile(r"us-iso-\w+-\d+"), "gov.ic.c2s", _REGISTRY),
    Partition("aws-iso-b", "sc2s.sgov.gov", re.compile(r"us-isob-\w+-\d+"), "gov.sgov.sc2s", _REGISTRY),
    Partition("aws-iso-e", "cloud.adc-e.uk", re.compile(r"eu-isoe-\w+-\d+"), "uk.adc-e.cloud", _REGISTRY),
    Partition("aws-iso-f", "csp.hci.ic.gov", re.compile(r"us-isof-\w+-\d+"), "gov.ic.hci.csp", _REGISTRY),
    Partition("aws-eusc", "amazonaws.eu", re.compile(r"eusc-\w+-\w+-\d+"), "eu.amazonaws", _REGISTRY),
)


def partition_of(region: str) -> Partition:
    """The partition that a region's name belongs to; a shape that no partition has counts as `aws`."""
    return next((partition for partition in PARTITIONS if partition.has(region)), AWS)


def regional_arn(region: str, service: str, account: str, resource: str) -> str:
    """`arn:<partition>:<service>:<region>:<account>:<resource>`, in the region's partition."""
    return f"{partition_of(region).arn_prefix}:{service}:{region}:{account}:{resource}"


def object_arn(region: str, bucket: str, key: str) -> str:
    """`arn:<partition>:s3:::<bucket>/<key>`, in the region's partition; S3's ARNs name neither region nor account."""
    return f"{partition_of(region).arn_prefix}:s3:::{bucket}/{key}"


def service_names(region: str, service: str) -> tuple[str, ...]:
    """Names that the service's endpoint may have in the region, the likeliest first; ask AWS which of them exists.

    `service` as in the last part of the name: `imagebuilder`, or `s3` for the gateway. Where sources conflict, both
    names are given: for China's Image Builder, AWS CDK has `cn.com.amazonaws`, the user guide `com.amazonaws`. The S3
    gateway has the general prefix in every partition.
    """
    partition = partition_of(region)
    prefixes = [GENERAL_PREFIX]
    if service != "s3" and partition.private_link_prefix != GENERAL_PREFIX:
        own_first = service in partition.own_prefix_services
        prefixes.insert(0 if own_first else 1, partition.private_link_prefix)
    return tuple(f"{prefix}.{region}.{service}" for prefix in prefixes)
