"""Why each statement of the presets is there, by its Sid, and where AWS says so. Facts for people; decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

USER_GUIDE: Final = 'EC2 Image Builder user guide, "EC2 Image Builder and interface VPC endpoints (AWS PrivateLink)"'
AUTHORIZATION: Final = 'Service Authorization Reference, "Actions, resources, and condition keys for EC2 Image Builder"'
PERIMETER: Final = 'AWS samples, "data-perimeter-policy-examples", service-owned resources of EC2 Image Builder'


@dataclass(frozen=True, slots=True)
class Source:
    """Why a statement is there, in a sentence, and the page that it follows."""

    why: str
    source: str


SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "AllowImageBuilder": Source("All Image Builder calls may pass, but for what is denied.", USER_GUIDE),
        "DenyDeletion": Source("Images and components can't be deleted through this endpoint.", USER_GUIDE),
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
        "AllowImageBuilderAccessToAppAndComponentBuckets": Source(
            "A build downloads AWSTOE and its components from these buckets, anonymously too: no condition on the "
            "principal may stand here.",
            USER_GUIDE,
        ),
        "AllowSSMAgentDownload": Source(
            "Without user data in the recipe, Image Builder installs the Systems Manager agent from this bucket.",
            USER_GUIDE,
        ),
    }
)
