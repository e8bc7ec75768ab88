"""Why each statement of the presets is there, by its Sid, and where AWS says so. Facts for people; decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

USER_GUIDE: Final = 'EC2 Image Builder user guide, "EC2 Image Builder and interface VPC endpoints (AWS PrivateLink)"'
AUTHORIZATION: Final = 'Service Authorization Reference, "Actions, resources, and condition keys for EC2 Image Builder"'
PERIMETER: Final = 'AWS samples, "data-perimeter-policy-examples", service-owned resources of EC2 Image Builder'

SAMPLES: Final = 'AWS samples, "data-perimeter-policy-examples", VPC endpoint policy examples'
PERIMETER_PAGE: Final = 'EC2 Image Builder user guide, "Manage data perimeters for S3 bucket download access"'
MARKETPLACE: Final = 'EC2 Image Builder user guide, "Use AWS Marketplace components to customize your image"'
STATE_UPDATE: Final = 'EC2 Image Builder API reference, "StartResourceStateUpdate" and "CreateLifecyclePolicy"'
SSM_BUCKETS: Final = 'Systems Manager user guide, "SSM Agent communications with AWS managed S3 buckets"'
PATCH_BUCKETS: Final = 'Systems Manager user guide, "Reference: Amazon S3 buckets for patching operations"'
CLOUD_WATCH: Final = 'CloudWatch user guide, "Download the CloudWatch agent package"'
ECR: Final = 'ECR user guide, "Amazon ECR interface VPC endpoints", minimum Amazon S3 bucket permissions'
PROFILE: Final = 'EC2 Image Builder user guide, "Create an infrastructure configuration" (S3 logs)'
S3_AUTHORIZATION: Final = 'Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3"'


@dataclass(frozen=True, slots=True)
class Source:
    """Why a statement is there, in a sentence, and the page that it follows."""

    why: str
    source: str


SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "AllowImageBuilder": Source("All Image Builder calls may pass, but for what is denied.", USER_GUIDE),
        "DenyDeletion": Source("Images and components can't be deleted through this endpoint.", USER_GUIDE),
        "DenyDestruction": Source(
            "Nothing else can be deleted through this endpoint either: StartResourceStateUpdate can delete the AMIs, "
            "snapshots and container images of an image, and a lifecycle policy deletes by itself. Lifecycle policies "
            "that exist, and calls that take another way such as ec2:DeregisterImage, are not bound by it.",
            STATE_UPDATE,
        ),
        "AllowRequestsByOrgsIdentitiesToOrgsResources": Source(
            "Identities of the organization reach resources of the organization, and nobody else's.", USER_GUIDE
        ),
        "AllowAccessToEC2ImageBuilderComponents": Source(
            "A build downloads the components that AWS owns; they belong to no organization.", USER_GUIDE
        ),
        "AllowOrgsIdentitiesToReadAWSOwnedResources": Source(
            "Recipes name images, components and workflows that AWS owns; reading them takes these calls, and "
            "aws:ResourceOrgID is absent for them.",
            PERIMETER,
        ),
        "AllowOrgsIdentitiesToList": Source(
            "These List calls have no resource, so aws:ResourceOrgID is absent and can't be asked for.", AUTHORIZATION
        ),
        "AllowOrgsIdentitiesToReadMarketplaceComponents": Source(
            "Components of AWS Marketplace belong to it or to their makers, not to the organization; their data and "
            "the addresses of their artifacts come by GetMarketplaceResource.",
            MARKETPLACE,
        ),
        "AllowRequestsByAWSServicePrincipals": Source(
            "An AWS service that calls as itself belongs to no organization.", SAMPLES
        ),
        "AllowImageBuilderAccessToAppAndComponentBuckets": Source(
            "A build downloads AWSTOE and its components from these buckets, anonymously too: no condition on the "
            "principal may stand here.",
            USER_GUIDE,
        ),
        "AllowImageBuilderAccessToAppAndManagedResourcesBuckets": Source(
            "As the narrower statement, but with the whole bucket of managed resources: by this page the scripts that "
            "set AWSTOE up lie there. Read anonymously too: no condition on the principal may stand here.",
            PERIMETER_PAGE,
        ),
        "AllowSSMAgentDownload": Source(
            "Without user data in the recipe, Image Builder installs the Systems Manager agent from this bucket.",
            USER_GUIDE,
        ),
        "AllowAmazonLinuxRepositories": Source(
            "Amazon Linux 2023 and 2 install and update packages from these buckets, anonymously.", SAMPLES
        ),
        "AllowWindowsDownloads": Source(
            "Systems Manager's documents for Windows, and some for all systems such as AWSEC2-ConfigureSTIG, download "
            "from this bucket.",
            SSM_BUCKETS,
        ),
        "AllowPatching": Source(
            "Systems Manager's documents take their modules, and Patch Manager its baselines, from these buckets.",
            PATCH_BUCKETS,
        ),
        "AllowDistributor": Source(
            "Distributor's packages and their manifests, and documents' attachments, come from these buckets.",
            SSM_BUCKETS,
        ),
        "AllowCloudWatchAgentDownload": Source(
            "The CloudWatch agent is downloaded from these buckets, anonymously.", CLOUD_WATCH
        ),
        "AllowECRLayerDownload": Source(
            "Image layers come from this bucket by an address that Amazon ECR has signed as its own, so the caller is "
            "nobody of yours.",
            ECR,
        ),
        "AllowLogUpload": Source("Builds write their logs to these buckets of yours, and read nothing there.", PROFILE),
        "AllowArtifactDownload": Source("Builds read components' artifacts from these buckets of yours.", USER_GUIDE),
        "AllowArtifactListing": Source(
            "Reading a folder of these buckets of yours takes listing it, which is allowed on the bucket, not on its "
            "objects.",
            S3_AUTHORIZATION,
        ),
    }
)
