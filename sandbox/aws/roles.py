"""IAM roles that STS lends out: who may act as them, and the sessions that were given. Knows no HTTP.

Sources: STS API reference, "AssumeRole"; IAM user guide, "Access to AWS accounts owned by third parties".
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from sandbox.aws import errors
from sandbox.aws.accounts import Accounts
from sandbox.aws.call import Call
from sandbox.aws.errors import AwsFault
from sandbox.aws.xml import element, sts_answer

LEAST_SECONDS: Final = 900
SECRET: Final = "sandbox-secret-"  # noqa: S105 -- a mark, no password
"""What secret keys and tokens begin with, so that a test finds them where they must not be."""


class Role(BaseModel):
    """A role and its trust policy, as far as the double has one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arn: str = Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")
    trusted_account: str = Field(pattern=r"^\d{12}$")
    """Whoever calls from this account may act as the role."""
    external_id: str | None = None
    """What the caller must send; None: the trust policy asks for none."""
    acts_in: str | None = None
    """Another account than the one in the ARN, which AWS never has: for a caller that checks it."""

    lasts: int | None = None
    """Seconds that a session lasts, whatever was asked for: for a caller that looks ahead, or whose clock is wrong."""

    @property
    def account(self) -> str:
        """The account that a session acts in."""
        return self.acts_in or self.arn.split(":")[4]

    def session_arn(self, name: str) -> str:
        """The ARN of a session of this name."""
        prefix, _, role = self.arn.partition(":iam:")
        return f"{prefix}:sts::{self.account}:assumed-role/{role.rsplit('/', 1)[-1]}/{name}"


@dataclass(frozen=True)
class Session:
    """Credentials that were given out; `expires_at` is by the double's clock."""

    arn: str
    account: str
    expires_at: float


class Roles:
    """Every role that a test made, and every session of one."""

    def __init__(self, accounts: Accounts, now: Callable[[], float]) -> None:
        self._accounts = accounts
        self._now = now
        self._roles: dict[str, Role] = {}
        self._sessions: dict[str, Session] = {}

    def put(self, role: Role) -> None:
        """Make a role, or change who may act as it. Sessions that were given out go on, as in AWS."""
        self._roles[role.arn] = role

    def remove(self, arn: str) -> bool:
        """Delete a role; returns whether it was there. Its sessions go on."""
        return self._roles.pop(arn, None) is not None

    def clear(self) -> None:
        """Forget every role and session."""
        self._roles.clear()
        self._sessions.clear()

    def check(self, call: Call) -> None:
        """Refuse a call with credentials that have run out: EC2 has a code of its own for that (aws-sdk-ruby#143)."""
        session = self._sessions.get(call.access_key)
        if session is not None and self._now() >= session.expires_at:
            if call.service == "ec2":
                raise AwsFault("RequestExpired", "Request has expired.")
            raise AwsFault("ExpiredToken", "The security token included in the request is expired", errors.FORBIDDEN)

    def assume(self, call: Call) -> str:
        """AssumeRole: new credentials, or AccessDenied, whatever it is that does not fit."""
        arn, name = call.parameters.text("RoleArn") or "", call.parameters.text("RoleSessionName") or ""
        role = self._roles.get(arn)
        if role is None or not _trusts(role, call):
            raise AwsFault(
                "AccessDenied",
                f"User: {self._caller(call)} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                errors.FORBIDDEN,
            )
        seconds = int(call.parameters.text("DurationSeconds") or 3600)
        if seconds < LEAST_SECONDS:
            raise AwsFault("ValidationError", f"durationSeconds must be at least {LEAST_SECONDS}")
        seconds = seconds if role.lasts is None else role.lasts
        key = f"ASIA{secrets.token_hex(8).upper()}"
        session = Session(role.session_arn(name), role.account, self._now() + seconds)
        self._sessions[key] = session
        self._accounts.put(key, session.account)
        return sts_answer(call.action, call.request_id, _granted(key, session, seconds))

    def identity(self, call: Call) -> str | None:
        """GetCallerIdentity of a session; None for other credentials."""
        session = self._sessions.get(call.access_key)
        if session is None:
            return None
        content = element("Arn", session.arn) + element("UserId", "AROA:session") + element("Account", call.account)
        return sts_answer(call.action, call.request_id, content)

    def _caller(self, call: Call) -> str:
        session = self._sessions.get(call.access_key)
        return session.arn if session else f"arn:aws:sts::{call.account}:assumed-role/operator/{call.access_key}"


def _trusts(role: Role, call: Call) -> bool:
    sent = call.parameters.text("ExternalId")
    return role.trusted_account == call.account and role.external_id in {None, sent}


def _granted(key: str, session: Session, seconds: int) -> str:
    expiration = datetime.now(UTC) + timedelta(seconds=seconds)
    secret, token = f"{SECRET}{secrets.token_urlsafe(30)}", f"{SECRET}{secrets.token_urlsafe(60)}"
    credentials = (
        element("AccessKeyId", key)
        + element("SecretAccessKey", secret)
        + element("SessionToken", token)
        + element("Expiration", expiration.isoformat(timespec="seconds").replace("+00:00", "Z"))
    )
    user = element("Arn", session.arn) + element("AssumedRoleId", f"AROA:{session.arn.rsplit('/', 1)[-1]}")
    return f"<Credentials>{credentials}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"
