"""What the operator writes: the status. Pure values; deciding them is `reconcile.status`."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, WithJsonSchema

from ibpe.api.model import ApiModel, map_keyed_by
from ibpe.api.names import ConditionStatus, ConditionType, Role

MESSAGE_LIMIT = 4096
"""Longest condition message that we write (metav1.Condition permits 32,768)."""


Name = Annotated[str, Field(max_length=255)]
"""A DNS name; other names and ids are shorter."""


def _open_to_new_words(description: str) -> WithJsonSchema:
    """The schema of a word that later versions of the operator may add to: an older schema must not refuse it."""
    return WithJsonSchema({"type": "string", "description": description, "maxLength": 63})


class Condition(ApiModel):
    """metav1.Condition"""

    type: Annotated[ConditionType, _open_to_new_words("What the condition is about.")]
    status: Annotated[ConditionStatus, Field(description="True, False or Unknown.")]
    reason: Annotated[
        str,
        Field(
            description="One word in CamelCase that programs may match.",
            min_length=1,
            max_length=1024,
            pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
        ),
    ]
    message: Annotated[str, Field(description="What a person should know and do.", max_length=32768)]
    last_transition_time: Annotated[datetime, Field(description="When status last changed from one value to another.")]
    observed_generation: Annotated[
        int, Field(description="The generation of the spec that this condition is about.", ge=0)
    ]


class Ownership(StrEnum):
    """Whose an endpoint is."""

    MANAGED = "Managed"
    CONTRIBUTED = "Contributed"
    EXISTING = "Existing"


class PendingWidening(ApiModel):
    """A change of a policy that is being made and will allow more than before."""

    to: Annotated[str, Field(description="Digest of what the policy, or our part of it, is to be.", max_length=64)]
    note: Annotated[str, Field(description="What will be allowed, for a person; an event once it is.", max_length=1024)]


class EndpointStatus(ApiModel):
    """One VPC endpoint that this resource is about, or the intent to make it."""

    role: Annotated[Role, _open_to_new_words("What the endpoint is for.")]
    ownership: Annotated[
        Ownership,
        _open_to_new_words(
            "Managed: made by the operator. Contributed: somebody else's, with our statements in its policy. Existing: "
            "somebody else's, only looked at."
        ),
    ] = Ownership.MANAGED
    id: Annotated[
        str | None, Field(description="The endpoint's id. Absent while AWS has not answered yet.", max_length=64)
    ] = None
    state: Annotated[
        str,
        Field(
            description=(
                "AWS's state in lower case. `creating`: the intent to create is recorded and AWS has not shown the "
                "endpoint yet. `absent`: AWS has none."
            ),
            max_length=32,
        ),
    ] = "absent"
    service_name: Annotated[str | None, Field(description="The PrivateLink service name.", max_length=256)] = None
    dns_names: Annotated[
        tuple[Name, ...], Field(description="DNS names of the endpoint, regional first.", max_length=64)
    ] = ()
    network_interface_ids: Annotated[
        tuple[Name, ...], Field(description="Ids of the endpoint's network interfaces.", max_length=64)
    ] = ()
    policy_digest: Annotated[
        str | None, Field(description="Digest of the policy in effect, in canonical form.", max_length=64)
    ] = None
    applied: Annotated[
        dict[str, Name],
        Field(
            description="Digest of each field as it was last applied: a difference from it is drift, not an edit.",
            max_length=16,
        ),
    ] = Field(default_factory=dict)
    tag_keys: Annotated[
        tuple[Name, ...],
        Field(
            description="Keys of the spec's tags that were applied, so that removed ones are taken off.", max_length=200
        ),
    ] = ()
    attempt: Annotated[
        int, Field(description="How many endpoints were begun for this role; part of the ClientToken.", ge=0)
    ] = 0
    previous_ids: Annotated[
        tuple[Name, ...],
        Field(
            description="Earlier endpoints of this role, the latest last, kept until AWS shows them gone.",
            max_length=16,
        ),
    ] = ()
    contributed_ids: Annotated[
        tuple[Name, ...],
        Field(
            description="Endpoints of others whose policy holds, or may hold, our statements, until AWS shows none.",
            max_length=16,
        ),
    ] = ()
    unshown_ids: Annotated[
        tuple[Name, ...],
        Field(
            description="Those of contributedIDs whose policy has not shown our statements since they were put in.",
            max_length=16,
        ),
    ] = ()
    widening: Annotated[
        PendingWidening | None,
        Field(description="What the change that is being made will allow; absent once that was told."),
    ] = None

    @property
    def intent_open(self) -> bool:
        """Whether a Create may have reached AWS without its answer having reached us."""
        return self.state == "creating" and self.id is None

    @property
    def made_ids(self) -> tuple[str, ...]:
        """Every endpoint that was made for the role and isn't proved gone, the latest last."""
        current = (self.id,) if self.id and self.ownership is Ownership.MANAGED else ()
        return (*self.previous_ids, *current)


class DriftEntry(ApiModel):
    """A difference between what was applied and what AWS shows."""

    role: Annotated[Role, _open_to_new_words("The endpoint that differs.")]
    field: Annotated[str, Field(description="The field that differs.", max_length=64)]
    desired: Annotated[str, Field(description="What was applied.", max_length=2048)]
    observed: Annotated[str, Field(description="What AWS shows.", max_length=2048)]
    detected_at: Annotated[datetime, Field(description="When the operator first saw it.")]
    action: Annotated[str, Field(description="Repairing, Reported, Blocked or Contended.", max_length=32)]


class PlannedAction(ApiModel):
    """What the operator would do, were it free to."""

    role: Annotated[Role, _open_to_new_words("The endpoint concerned.")]
    action: Annotated[str, Field(description="Create, Modify, Tag, Delete.", max_length=32)]
    detail: Annotated[str, Field(description="What exactly, for a person.", max_length=2048)]


class Status(ApiModel):
    """The observed state. No clock but transitions and drift times: a reconcile that changes nothing writes nothing."""

    observed_generation: Annotated[
        int, Field(description="The generation of the spec that the operator has acted on; -1 before the first look.")
    ] = -1
    account_id: Annotated[
        str | None,
        Field(
            alias="accountID",
            description="The AWS account that holds the endpoints, written once. Other credentials are refused.",
            pattern=r"^[0-9]{12}$",
        ),
    ] = None
    conditions: Annotated[
        tuple[Condition, ...],
        Field(description="Ready and what it is made of.", max_length=16, json_schema_extra=map_keyed_by("type")),
    ] = ()
    endpoints: Annotated[
        tuple[EndpointStatus, ...],
        Field(
            description="The VPC endpoints, one for each role.", max_length=16, json_schema_extra=map_keyed_by("role")
        ),
    ] = ()
    drift: Annotated[tuple[DriftEntry, ...], Field(description="Differences not repaired yet.", max_length=32)] = ()
    plan: Annotated[
        tuple[PlannedAction, ...],
        Field(description="What would be done, while suspended, in Report mode or refused.", max_length=32),
    ] = ()

    def endpoint(self, role: Role) -> EndpointStatus:
        """The entry of a role; an empty one where there is none yet."""
        return next((entry for entry in self.endpoints if entry.role is role), EndpointStatus(role=role))

    def condition(self, type_: ConditionType) -> Condition | None:
        """The condition of a type, if it was ever written."""
        return next((condition for condition in self.conditions if condition.type is type_), None)
