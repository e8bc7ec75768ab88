"""An endpoint as the double keeps it: a frozen value, and the entry that moves it from value to value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

PENDING: Final = "pending"
AVAILABLE: Final = "available"
DELETING: Final = "deleting"
DELETED: Final = "deleted"
FAILED: Final = "failed"
VANISHED: Final = "vanished"
"""Not a state of AWS: the moment when a deleted endpoint leaves the list."""


@dataclass(frozen=True)
class DnsOptions:
    """DnsOptions as they read back."""

    record_ip_type: str
    only_for_inbound_resolver: bool | None = None
    preference: str | None = None
    specified_domains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Endpoint:
    """A VPC endpoint; zones, interfaces and (chosen, IPv4) addresses are by subnet id, `name_suffix` is random."""

    id: str
    account: str
    region: str
    vpc_id: str
    service_name: str
    type: str
    state: str
    created_at: datetime
    name_suffix: str
    dns_base: str
    private_dns_names: tuple[str, ...]
    policy: str
    policy_is_default: bool
    ip_address_type: str
    dns_options: DnsOptions
    service_region: str
    private_dns: bool = False
    subnet_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    route_table_ids: tuple[str, ...] = ()
    zones: Mapping[str, str] = field(default_factory=dict)
    network_interfaces: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    last_error: tuple[str, str] | None = None

    @property
    def holds_claims(self) -> bool:
        """Whether its private DNS name and its routes are still taken."""
        return self.state != DELETED


@dataclass
class Lag:
    """Read-after-write lag: over after so many looks and so many seconds."""

    looks: int
    until: float

    def hides(self, now: float) -> bool:
        """Whether it is still lagging; each question counts as a look."""
        if self.looks > 0:
            self.looks -= 1
            return True
        return now < self.until


@dataclass(frozen=True)
class Due:
    """The next change of state, and when."""

    at: float
    state: str


@dataclass
class Entry:
    """An endpoint over time. `before` is what Describe shows while `change_lag` lasts."""

    sequence: int
    endpoint: Endpoint
    due: Due | None = None
    new_lag: Lag | None = None
    change_lag: Lag | None = None
    before: Endpoint | None = None

    def seen(self, now: float) -> Endpoint | None:
        """What one Describe call is shown: the endpoint, an older view of it, or nothing."""
        if self.new_lag is not None:
            if self.new_lag.hides(now):
                return None
            self.new_lag = None
        if self.change_lag is not None and self.before is not None:
            if self.change_lag.hides(now):
                return self.before
            self.change_lag, self.before = None, None
        return self.endpoint
