"""A role in another account, as the operator is told of it. Knows no SDK."""

from dataclasses import dataclass, field

from ibpe.aws.gateway import AccountID


@dataclass(frozen=True)
class Role:
    """A role to act as, and the account in which that has to be. The external id is shown to nobody."""

    account: AccountID
    arn: str
    session_name: str
    external_id: str | None = field(default=None, repr=False)
