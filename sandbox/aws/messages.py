"""What goes over the control API, in both directions: the shapes that the server and its client share."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from sandbox.aws.faults import Fault
from sandbox.aws.settings import LastError


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FaultState(_Message):
    """An arranged fault: how many calls it met, and on how many it had its effect."""

    id: int
    fault: Fault
    met: int
    hits: int


class EndpointEdit(_Message):
    """Fields of an endpoint to set as they are, without any check: None leaves a field alone.

    The network follows (interfaces, routes). A state that is set stays until it is set again, or Modify or Delete
    change it; `policy` sets the text that was "given", which reads back as the settings say.
    """

    state: str | None = None
    last_error: LastError | None = None
    policy: str | None = None
    private_dns: bool | None = None
    ip_address_type: str | None = None
    subnet_ids: tuple[str, ...] | None = None
    group_ids: tuple[str, ...] | None = None
    route_table_ids: tuple[str, ...] | None = None
    tags: Mapping[str, str] | None = None
    vpc_id: str | None = None
    service_name: str | None = None
    account: str | None = None


class EndpointTruth(_Message):
    """An endpoint as it is, whatever Describe shows at the moment."""

    id: str
    account: str
    region: str
    vpc_id: str
    service_name: str
    type: str
    state: str
    policy: str
    private_dns: bool
    ip_address_type: str
    subnet_ids: tuple[str, ...]
    group_ids: tuple[str, ...]
    route_table_ids: tuple[str, ...]
    network_interface_ids: tuple[str, ...]
    tags: Mapping[str, str]
    last_error: LastError | None


class ClockState(_Message):
    """The double's clock: its time, and whether it is held."""

    now: float
    held: bool


class ClockChange(_Message):
    """Hold the clock (or let it go on), then push it ahead."""

    held: bool | None = None
    advance_seconds: float = Field(0.0, ge=0)


class ServiceChange(_Message):
    """Zones that a service supports in a region (None: all), or its removal."""

    region: str
    name: str
    zones: frozenset[str] | None = None
    removed: bool = False


class NetworksOrder(_Message):
    """So many VPCs, made straight in moto: for benches, where a call each would take too long."""

    account: str
    region: str
    count: int = Field(ge=1, le=5000)
    subnets: int = Field(2, ge=1, le=6)
