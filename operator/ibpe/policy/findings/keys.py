"""AWS's global condition keys, by what lint has to know of them.

Source: IAM user guide, "AWS global condition context keys".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_OF_THE_CALLER: Final = (
    *("aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalTag"),
    *("aws:PrincipalType", "aws:userid", "aws:username", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"),
    *("aws:TokenIssueTime", "aws:SourceIdentity", "aws:FederatedProvider", "aws:AssumedRoot"),
    *("aws:Ec2InstanceSourceVpc", "aws:Ec2InstanceSourcePrivateIPv4"),
)
_MADE_BY_THE_SYSTEM: Final = (
    *("aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:ResourceAccount", "aws:ResourceOrgID"),
    *("aws:SourceAccount", "aws:SourceOrgID", "aws:SourceVpc", "aws:SourceVpce", "aws:Ec2InstanceSourceVpc"),
    *("aws:VpceAccount", "aws:VpceOrgID"),
)
_OTHERS: Final = (
    *("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:ChatbotSourceArn", "aws:CurrentTime"),
    *("aws:EpochTime", "aws:PrincipalIsAWSService", "aws:PrincipalServiceName"),
    *("aws:PrincipalServiceNamesList", "aws:Referer", "aws:RequestedRegion", "aws:RequestTag", "aws:ResourceOrgPaths"),
    *("aws:ResourceTag", "aws:SecureTransport", "aws:SignInSessionArn", "aws:SourceArn", "aws:SourceIp"),
    *("aws:SourceOrgPaths", "aws:SourceVpcArn", "aws:TagKeys", "aws:UserAgent", "aws:ViaAWSMCPService"),
    *("aws:ViaAWSService", "aws:VpceOrgPaths", "aws:VpcSourceIp"),
)

GLOBAL_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {key.lower(): key for key in (*_OF_THE_CALLER, *_MADE_BY_THE_SYSTEM, *_OTHERS)}
)
"""In lower case, without what follows a slash, and as AWS writes them."""
OF_THE_CALLER: Final = frozenset(key.lower() for key in _OF_THE_CALLER)
"""They tell of whoever signed the call: without a signature they are absent, or say that it is anonymous."""
OF_THE_SYSTEM: Final = frozenset(key.lower() for key in _MADE_BY_THE_SYSTEM)
"""Their values are identifiers that the system makes."""
