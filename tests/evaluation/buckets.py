"""The buckets that builds use, as AWS's pages name them; written apart from the code under test.

Sources: Image Builder user guide, "EC2 Image Builder and interface VPC endpoints"; Systems Manager user guide, "SSM
Agent communications with AWS managed S3 buckets"; AWS samples, "data-perimeter-policy-examples", AWS owned buckets;
ECR user guide, "Minimum Amazon S3 bucket permissions".
"""

from dataclasses import dataclass

ENVIRONMENTS = ("prod", "preprod", "beta")
LOGS = "acme-build-logs"
ARTIFACTS = "acme-build-artifacts"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a policy is for: names come out of these alone."""

    partition: str
    region: str
    environment: str = "prod"

    @property
    def toe(self) -> str:
        return f"ec2imagebuilder-toe-{self.region}-{self.environment}"

    @property
    def managed(self) -> str:
        return f"ec2imagebuilder-managed-resources-{self.region}-{self.environment}"

    @property
    def agent(self) -> str:
        return f"amazon-ssm-{self.region}"

    @property
    def other_region(self) -> str:
        return "eu-west-1" if self.region != "eu-west-1" else "eu-west-2"

    @property
    def other_partition(self) -> str:
        return "aws-cn" if self.partition != "aws-cn" else "aws"

    def bucket(self, name: str) -> str:
        return f"arn:{self.partition}:s3:::{name}"

    def object(self, bucket: str, key: str) -> str:
        return f"{self.bucket(bucket)}/{key}"

    def builder(self, account: str, resource: str) -> str:
        return f"arn:{self.partition}:imagebuilder:{self.region}:{account}:{resource}"

    def role(self, account: str) -> str:
        return f"arn:{self.partition}:iam::{account}:role/build"


def optional_buckets(place: Place) -> tuple[str, ...]:
    """AWS's buckets that a toggle has to open, the agent's included."""
    region, domain = place.region, "amazonaws.com.cn" if place.partition == "aws-cn" else "amazonaws.com"
    return (
        place.agent,
        f"al2023-repos-{region}-de612dc2",
        f"al2023-{region}",
        f"amazonlinux-2-repos-{region}",
        *(f"{name}.{region}.{domain}" for name in ("packages", "repo", "amazonlinux")),
        f"aws-windows-downloads-{region}",
        f"aws-ssm-{region}",
        f"amazon-ssm-packages-{region}",
        f"{region}-birdwatcher-prod",
        f"aws-ssm-distributor-file-{region}",
        f"aws-ssm-document-attachments-{region}",
        f"amazoncloudwatch-agent-{region}",
        f"prod-{region}-starport-layer-bucket",
    )
