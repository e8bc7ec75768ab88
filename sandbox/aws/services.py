"""The PrivateLink services that the double offers in a region: names, types, zones, private DNS names.

Naming by partition follows AWS CDK's table; China's Image Builder name is the one CDK has (the user guide has another).
"""

import re
from dataclasses import dataclass, field, replace
from typing import Final

INTERFACE: Final = "Interface"
GATEWAY: Final = "Gateway"


@dataclass(frozen=True)
class Service:
    """One service of one type. The names with both types, S3's, are two entries, as in AWS's own list."""

    name: str
    type: str
    dns_base: str
    """`imagebuilder.us-east-1`: what stands before `.vpce.amazonaws.com` and `.amazonaws.com`."""
    private_dns_names: tuple[str, ...] = ()
    zones: frozenset[str] | None = None
    """None: every zone of the region."""
    policy_supported: bool = True
    ip_address_types: tuple[str, ...] = ("ipv4", "ipv6")


@dataclass(frozen=True)
class _Partition:
    region: re.Pattern[str]
    dns_suffix: str
    own_prefix: str = "com.amazonaws"
    own_services: frozenset[str] = field(default=frozenset())


_GENERAL: Final = "com.amazonaws"
_REGISTRY: Final = frozenset({"ecr.api", "ecr.dkr"})
_PARTITIONS: Final = (
    _Partition(
        re.compile(r"cn-.+"),
        "amazonaws.com.cn",
        "cn.com.amazonaws",
        _REGISTRY | {"imagebuilder", "ec2", "sts", "s3-interface"},
    ),
    _Partition(re.compile(r"us-iso-.+"), "c2s.ic.gov", "gov.ic.c2s", _REGISTRY),
    _Partition(re.compile(r"us-isob-.+"), "sc2s.sgov.gov", "gov.sgov.sc2s", _REGISTRY),
    _Partition(re.compile(r"us-isof-.+"), "csp.hci.ic.gov", "gov.ic.hci.csp", _REGISTRY),
    _Partition(re.compile(r"eu-isoe-.+"), "cloud.adc-e.uk", "uk.adc-e.cloud", _REGISTRY),
    _Partition(re.compile(r"eusc-.+"), "amazonaws.eu", "eu.amazonaws", _REGISTRY),
    _Partition(re.compile(r".+"), "amazonaws.com"),
)
_PLAIN_INTERFACES: Final = ("imagebuilder", "ssm", "ssmmessages", "ec2messages", "logs", "kms", "ec2", "sts")


def dns_suffix(region: str) -> str:
    """`amazonaws.com`, or the partition's own."""
    return _partition(region).dns_suffix


def _partition(region: str) -> _Partition:
    return next(partition for partition in _PARTITIONS if partition.region.fullmatch(region))


def default_services(region: str) -> tuple[Service, ...]:
    """Every service that the double has in a region before a test changes it."""
    partition = _partition(region)
    suffix = partition.dns_suffix

    def name(short: str, key: str = "") -> str:
        prefix = partition.own_prefix if (key or short) in partition.own_services else _GENERAL
        return f"{prefix}.{region}.{short}"

    plain = [
        Service(name(short), INTERFACE, f"{short}.{region}", (f"{short}.{region}.{suffix}",))
        for short in _PLAIN_INTERFACES
    ]
    return (
        *plain,
        Service(name("ecr.api"), INTERFACE, f"api.ecr.{region}", (f"api.ecr.{region}.{suffix}",)),
        Service(name("ecr.dkr"), INTERFACE, f"dkr.ecr.{region}", (f"*.dkr.ecr.{region}.{suffix}",)),
        Service(name("s3"), GATEWAY, f"s3.{region}"),
        Service(name("dynamodb"), GATEWAY, f"dynamodb.{region}"),
        Service(name("s3", "s3-interface"), INTERFACE, f"s3.{region}", (f"s3.{region}.{suffix}",)),
    )


class ServiceTable:
    """The services by region; a test may add, change and remove them."""

    def __init__(self) -> None:
        self._by_region: dict[str, dict[tuple[str, str], Service]] = {}

    def of(self, region: str) -> dict[tuple[str, str], Service]:
        """Services of a region by name and type; the dictionary itself, so that a change stays."""
        if region not in self._by_region:
            self._by_region[region] = {(service.name, service.type): service for service in default_services(region)}
        return self._by_region[region]

    def named(self, region: str, name: str) -> tuple[Service, ...]:
        """The entries of a name: none, one, or one a type."""
        return tuple(service for service in self.of(region).values() if service.name == name)

    def limit_zones(self, region: str, name: str, zones: frozenset[str] | None) -> None:
        """Let a service support these zones alone (None: all)."""
        for service in self.named(region, name):
            self.of(region)[service.name, service.type] = replace(service, zones=zones)

    def remove(self, region: str, name: str) -> None:
        """Take a service out of a region."""
        for service in self.named(region, name):
            del self.of(region)[service.name, service.type]
