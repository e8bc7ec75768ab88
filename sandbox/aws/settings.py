"""What a test may set about the double's behaviour, with AWS's own values (or its usual ones) as defaults."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LastError(BaseModel):
    """Why an endpoint is `failed`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = "InternalError"
    message: str = "The endpoint could not be created."


class Settings(BaseModel):
    """Times are seconds of the double's clock. Quotas: VPC quotas page. `lag_*`: read-after-write lag of Describe."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pending_seconds: float = Field(2.0, ge=0)
    """From Create to `available`, for an interface endpoint; a gateway endpoint is available at once."""
    modify_pending_seconds: float = Field(0.5, ge=0)
    """How long a change of subnets returns an interface endpoint to `pending`."""
    deleting_seconds: float = Field(2.0, ge=0)
    deleted_listed_seconds: float = Field(60.0, ge=0)
    """How long a `deleted` endpoint stays listed (AWS: "for a period")."""
    creations_fail_with: LastError | None = None
    """New interface endpoints end in `failed` with this."""

    interface_endpoints_per_vpc: int = Field(50, ge=0)
    gateway_endpoints_per_region: int = Field(20, ge=0)
    groups_per_endpoint: int = Field(5, ge=0)
    policy_characters: int = Field(20_480, ge=0)
    tags_per_resource: int = Field(50, ge=0)
    page_size: int = Field(1000, ge=1, le=1000)

    same_zone_swap: Literal["refuse", "allow"] = "refuse"
    """Whether one Modify may remove a subnet and add another in its zone. Unknown for AWS, so refused."""
    modify_while_pending: Literal["refuse", "allow"] = "refuse"
    state_case: Literal["lower", "varied"] = "lower"
    """`varied`: Terraform's provider has seen states in other case."""
    policy_format: Literal["pretty", "verbatim", "harsh"] = "pretty"
    """How a policy reads back; `harsh`: single-element lists collapsed, sorted, empty Sid, the other form of `*`."""

    lag_new_calls: int = Field(0, ge=0)
    """A new endpoint stays out of the next so many Describe calls of its account and region."""
    lag_new_seconds: float = Field(0.0, ge=0)
    lag_change_calls: int = Field(0, ge=0)
    """After Modify, CreateTags or DeleteTags so many Describe calls still show the endpoint as it was."""
    lag_change_seconds: float = Field(0.0, ge=0)
