"""What can differ between an endpoint as desired and as AWS shows it. Knows only names."""

from enum import StrEnum


class Field(StrEnum):
    """What can differ between an endpoint as desired and as AWS shows it; named as in the spec."""

    ENDPOINT = "endpoint"
    SUBNETS = "subnets"
    SECURITY_GROUPS = "securityGroups"
    ROUTE_TABLES = "routeTables"
    POLICY = "policy"
    PRIVATE_DNS = "privateDNS"
    IP_ADDRESS_TYPE = "ipAddressType"
    TAGS = "tags"
