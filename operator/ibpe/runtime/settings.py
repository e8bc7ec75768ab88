"""What an administrator sets: environment variables with the prefix IBPE_, or flags of `ibpe run` that override them.

AWS's own settings (region, credentials, AWS_ENDPOINT_URL) and KUBECONFIG belong to their libraries and are not here.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ibpe.runtime.logs import LogFormat

PREFIX = "IBPE_"
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Seconds = Annotated[float, Field(gt=0, le=86_400)]

_CLUSTER_NAME = re.compile(r"[A-Za-z0-9._-]{1,63}")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class InvalidSettings(Exception):  # noqa: N818 -- a state of the settings, told to a person
    """One sentence for each setting that is missing or wrong, with the fix."""


class Settings(BaseSettings):
    """Everything that can be set, with its default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=False, use_attribute_docstrings=True
    )

    cluster_name: str
    """The value of the ibpe.dev/cluster tag: what this operator made is told from others' by it."""
    watch_namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    """Namespaces to serve, comma separated; empty: all."""
    workers: int = Field(default=4, ge=1, le=64)
    """Resources that are reconciled at the same time."""
    snapshot_seconds: Seconds = 60.0
    """Seconds between two looks at a region's endpoints."""
    snapshot_fast_seconds: Seconds = 5.0
    """The same while an endpoint of this operator is in transition."""
    prerequisites_seconds: Seconds = 600.0
    """Seconds between two looks at subnets, security groups, route tables and VPC attributes; spread by a tenth."""
    prune_seconds: Seconds = 600.0
    """Seconds between two full lists of the resources, which find what the watch missed."""
    shutdown_seconds: float = Field(default=20.0, ge=0, le=600)
    """Seconds that reconciles under way are given on SIGTERM; keep it below terminationGracePeriodSeconds (30)."""
    health_host: str = "0.0.0.0"  # noqa: S104 -- the kubelet probes the pod's address, not its loopback
    """Address that /healthz and /readyz listen on."""
    health_port: int | None = Field(default=8080, le=65_535)
    """Port of /healthz and /readyz. 0 takes a free one and logs it; negative or empty: off."""
    metrics_host: str = "0.0.0.0"  # noqa: S104 -- Prometheus scrapes the pod's address
    """Address that /metrics listens on."""
    metrics_port: int | None = Field(default=9090, le=65_535)
    """Port of /metrics. 0 takes a free one and logs it; negative or empty: off."""
    log_format: LogFormat = "json"
    """json: one object a line, for machines; text: for people."""
    log_level: LogLevel = "INFO"
    """The least severe lines that are logged."""
    aws_connect_timeout_seconds: Seconds = 5.0
    """Seconds to wait for a connection to AWS; each call is sent once, and retried by the work queue."""
    aws_read_timeout_seconds: Seconds = 15.0
    """Seconds to wait for AWS's answer."""
    aws_write_burst: int = Field(default=4, ge=1, le=1_000_000)
    """CreateVpcEndpoint, ModifyVpcEndpoint, DeleteVpcEndpoints: calls of each at once in a Region of an account."""
    aws_writes_per_second: float = Field(default=0.3, gt=0, le=1_000_000)
    """The same a second, from then on. Raise both only with the limits that AWS gives the account."""
    accounts_file: Path | None = None
    """A YAML file of the accounts, Regions and VPCs that namespaces may use; none: the operator's own account."""
    leader_election: bool = False
    """Of several replicas, only the holder of a Lease works; the others wait, ready to take over."""
    lease_namespace: str = ""
    """Namespace of the Lease; default: the pod's own."""
    lease_name: str = "imagebuilder-private-endpoint-operator"
    """Name of the Lease; all replicas, and releases that serve the same resources, share it."""
    lease_duration_seconds: Seconds = 15.0
    """Seconds that the others leave a Lease alone which its holder no longer renews."""
    lease_renew_deadline_seconds: Seconds = 10.0
    """Seconds without a renewal after which the leader ends."""
    lease_retry_seconds: Seconds = 2.0
    """Seconds between two attempts to renew or to take the Lease."""

    @field_validator("cluster_name")
    @classmethod
    def _cluster_name_is_a_tag_value(cls, value: str) -> str:
        if not _CLUSTER_NAME.fullmatch(value):
            raise ValueError("give 1 to 63 letters, digits, '.', '_' or '-'")
        return value

    @field_validator("accounts_file", mode="before")
    @classmethod
    def _no_file_when_empty(cls, value: object) -> object:
        return value if value != "" else None

    @field_validator("watch_namespaces", mode="before")
    @classmethod
    def _names_between_commas(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))

    @field_validator("watch_namespaces")
    @classmethod
    def _namespaces_are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _NAMESPACE.fullmatch(name):
                raise ValueError(f"{name!r} is not a namespace's name; give names between commas, without patterns")
        return value

    @field_validator("health_port", "metrics_port", mode="before")
    @classmethod
    def _off_when_negative_or_empty(cls, value: object) -> object:
        text = str(value).strip() if value is not None else ""
        return None if not text or text.startswith("-") else value

    @field_validator("log_format", mode="before")
    @classmethod
    def _format_in_lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _level_in_upper_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _a_leader_ends_before_others_begin(self) -> Self:
        if not self.leader_election:
            return self
        if not self.lease_retry_seconds < self.lease_renew_deadline_seconds < self.lease_duration_seconds:
            raise ValueError(
                "IBPE_LEASE_RETRY_SECONDS must be less than IBPE_LEASE_RENEW_DEADLINE_SECONDS, and that less than "
                "IBPE_LEASE_DURATION_SECONDS: a leader must end before others take over"
            )
        attempt = min(
            self.lease_renew_deadline_seconds / 2, self.lease_duration_seconds - self.lease_renew_deadline_seconds
        )
        if 2 * self.lease_retry_seconds + attempt > self.lease_renew_deadline_seconds:
            raise ValueError(
                "IBPE_LEASE_RETRY_SECONDS is too long for IBPE_LEASE_RENEW_DEADLINE_SECONDS: one renewal that "
                "hangs must leave time for another; a fifth of it is usual"
            )
        if self.lease_duration_seconds - self.lease_renew_deadline_seconds < self.aws_connect_timeout_seconds:
            raise ValueError(
                "IBPE_AWS_CONNECT_TIMEOUT_SECONDS must not exceed the time between IBPE_LEASE_RENEW_DEADLINE_SECONDS "
                "and IBPE_LEASE_DURATION_SECONDS: a call that the old leader has begun must be on its way by then"
            )
        return self

    @classmethod
    def load(cls, **flags: Any) -> Self:
        """Flags that are not None, over the environment, over defaults. Raises InvalidSettings."""
        try:
            return cls(**{name: value for name, value in flags.items() if value is not None})
        except ValidationError as invalid:
            raise InvalidSettings(" ".join(_sentence(error) for error in invalid.errors())) from None


def _sentence(error: Any) -> str:
    if not error["loc"]:  # about several settings together; the message names them
        return f"{str(error['msg']).removeprefix('Value error, ')}."
    name = str(error["loc"][0])
    variable = PREFIX + name.upper()
    if error["type"] == "missing":
        return (
            f"{variable} is not set: give this cluster a name that it keeps when it is rebuilt "
            f"(the environment variable, or --{name.replace('_', '-')})."
        )
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{variable}={error['input']!r} is not valid: {message[:1].lower()}{message[1:]}."
