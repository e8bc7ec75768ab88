"""What the Image Builder and the S3 presets share: the organization, AWS's default, additional statements."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ibpe.policy.document import (
    ANYONE,
    ANYTHING,
    CURRENT_VERSION,
    Condition,
    Match,
    PolicyDocument,
    PolicyError,
    Statement,
)
from ibpe.policy.parse import parse_statements
from ibpe.policy.values import quoted

_ORGANIZATION_ID: Final = re.compile(r"o-[a-z0-9]{10,32}")
_ADDITIONAL: Final = "additionalStatements"

ALLOW_ALL: Final = Statement(effect="Allow", principals=ANYONE, actions=ANYTHING, resources=ANYTHING)
"""The one statement of the policy that AWS attaches when none is given (as DescribeVpcEndpoints shows it)."""


@dataclass(frozen=True, slots=True)
class Organization:
    """Whose identities may call, and whose resources may be reached: two ids of AWS Organizations, often the same.

    Raises PolicyError for an id that AWS Organizations can't have given (API reference: `o-` and 10 to 32 letters or
    digits).
    """

    principal_org_id: str
    resource_org_id: str

    def __post_init__(self) -> None:
        for name, value in (("principalOrgID", self.principal_org_id), ("resourceOrgID", self.resource_org_id)):
            if not _ORGANIZATION_ID.fullmatch(value):
                raise PolicyError(
                    f"organization.{name}",
                    f"{quoted(value)} is not an organization's id",
                    "write o- and 10 to 32 lower-case letters or digits",
                )

    @property
    def principals(self) -> Condition:
        """The caller belongs to the organization (absent, and so not met, for anonymous calls)."""
        return Condition("StringEquals", "aws:PrincipalOrgID", (self.principal_org_id,))

    @property
    def resources(self) -> Condition:
        """The resource belongs to the organization (absent, and so not met, for what AWS owns)."""
        return Condition("StringEquals", "aws:ResourceOrgID", (self.resource_org_id,))


def required(organization: Organization | None, choice: str) -> Organization:
    """The organization, or PolicyError where the choice (a preset, a baseline) can't do without it."""
    if organization is None:
        raise PolicyError(
            "organization", f"{choice} needs principalOrgID and resourceOrgID", f"add organization, or leave {choice}"
        )
    return organization


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Sequence[Condition] = ()
) -> Statement:
    """A statement that allows anyone these actions on these resources, under these conditions."""
    return Statement(
        sid=sid,
        effect="Allow",
        principals=ANYONE,
        actions=Match(tuple(actions)),
        resources=Match(tuple(resources)),
        conditions=tuple(conditions),
    )


def requests_within(organization: Organization) -> Statement:
    """The organization's identities to the organization's resources.

    Source: EC2 Image Builder user guide, "EC2 Image Builder and interface VPC endpoints (AWS PrivateLink)", example
    "Restrict access by organization, allow managed component access".
    """
    return allow(
        "AllowRequestsByOrgsIdentitiesToOrgsResources",
        ["*"],
        ["*"],
        [organization.principals, organization.resources],
    )


def additional(sources: Sequence[Mapping[str, object]]) -> tuple[Statement, ...]:
    """Additional statements as a user writes them. Raises PolicyError with the path `additionalStatements[index]`."""
    return parse_statements(sources, _ADDITIONAL)


def extended(document: PolicyDocument, statements: Sequence[Statement]) -> PolicyDocument:
    """The document with further statements, which are written for the current version of the policy language.

    Raises PolicyError for a Sid that is taken, and where both use `${…}` but the document has the old version, in which
    that is plain text.
    """
    if not statements:
        return document
    refuse_taken_sids(document.statements, statements)
    added = replace(document, statements=(*document.statements, *statements))
    if not document.uses_variables:
        return replace(added, version=CURRENT_VERSION)
    if document.effective_version != CURRENT_VERSION and any(statement.uses_variables for statement in statements):
        raise PolicyError(
            "document.Version",
            "additional statements use ${…}, which is plain text in this version",
            f'write "Version": "{CURRENT_VERSION}"',
        )
    return added


def refuse_taken_sids(statements: Sequence[Statement], further: Sequence[Statement]) -> None:
    """Raise PolicyError for an additional statement under the Sid of one that the policy has without it."""
    taken = {statement.sid for statement in statements if statement.sid}
    for index, statement in enumerate(further):
        if statement.sid in taken:
            raise PolicyError(
                f"{_ADDITIONAL}[{index}].Sid",
                f"{quoted(statement.sid)} is the Sid of a statement that the policy has already",
                "give it another Sid, or none",
            )
