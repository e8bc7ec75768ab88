"""Roles in other accounts: assumed in the operator's own name, renewed by the SDK before they run out, and checked.

Knows STS; knows no namespace, and nothing of who may use which account.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.credentials import Credentials, DeferredRefreshableCredentials

from ibpe.aws.errors import AwsError, classify
from ibpe.aws.listings import read_all
from ibpe.aws.role import Role
from ibpe.aws.session import Session, Source

if TYPE_CHECKING:
    # Types only: the stubs are no dependency of the product.
    from mypy_boto3_sts.type_defs import AssumeRoleRequestTypeDef

SESSION_SECONDS: Final = 3600
"""All that AWS gives to one who acts in a role already (IAM user guide, "Role chaining")."""
REST_SECONDS: Final = 10.0
"""How long a refusal stands before STS is asked again: no worker waits for what another has just been refused."""

_OPERATION: Final = "AssumeRole"
_SESSION_ARN: Final = re.compile(r"arn:[a-z-]+:sts::(?P<account>\d{12}):assumed-role/.+")

log: Final = logging.getLogger(__name__)


class AssumedRole(Source):
    """The credentials of one role. Thread-safe. `own` is who assumes it, and through whom STS is asked."""

    def __init__(self, role: Role, own: Session, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._role = role
        self._own = own
        self._clock = clock
        self._lock = threading.Lock()
        self._refused: AwsError | None = None
        self._refused_until = float("-inf")

    def credentials(self) -> Credentials:
        """Those of a session that is opened when they are first used, and anew before it ends."""
        return DeferredRefreshableCredentials(self._assume, "assume-role")

    def work_in(self, region: str) -> None:
        """The role works in a region: the partition's own STS is to be asked."""
        self._own.work_in(region)

    def _assume(self) -> dict[str, str]:
        """A session, as the SDK wants to be told of it. Raises AwsError."""
        with self._lock:
            if self._refused is not None and self._clock() < self._refused_until:
                raise replace(self._refused)  # one for each thread: raising writes its traceback into it
            try:
                granted = self._granted()
            except AwsError as error:
                self._note(error)
                raise
            self._refused = None
            return granted

    def _granted(self) -> dict[str, str]:
        region = self._own.default_region()
        answer = self._own.ask(
            "sts",
            _OPERATION,
            region,
            lambda: self._own.sts(region).assume_role(**_parameters(self._role)),
            about=self._role.account,  # whoever reads of a denial looks for the role there, not at us
        )
        (arn,) = read_all(_OPERATION, [answer], lambda given: given["AssumedRoleUser"]["Arn"])
        found = _SESSION_ARN.fullmatch(arn)
        if found is None or found["account"] != self._role.account:
            raise classify(_OPERATION, "AccountMismatch", f"{arn} is not in account {self._role.account}.")
        (granted,) = read_all(_OPERATION, [answer], _as_metadata)
        return granted

    def _note(self, error: AwsError) -> None:
        """Keep the refusal for a while, and tell of it once."""
        if self._refused is None or self._refused.code != error.code:
            log.warning("The account %s can't be reached as %s: %s", self._role.account, self._role.arn, error)
        self._refused, self._refused_until = error, self._clock() + REST_SECONDS


def _parameters(role: Role) -> "AssumeRoleRequestTypeDef":
    parameters: AssumeRoleRequestTypeDef = {
        "RoleArn": role.arn,
        "RoleSessionName": role.session_name,
        "DurationSeconds": SESSION_SECONDS,
    }
    if role.external_id is not None:
        parameters["ExternalId"] = role.external_id
    return parameters


def _as_metadata(answer: Mapping[str, Any]) -> dict[str, str]:
    """The border to the SDK, in both directions. A session that has ended already tells of a clock that is wrong."""
    given = answer["Credentials"]
    if given["Expiration"] <= datetime.now(UTC):
        raise classify(_OPERATION, "RequestTimeTooSkewed", "The session ended before it began, by this node's clock.")
    return {
        "access_key": given["AccessKeyId"],
        "secret_key": given["SecretAccessKey"],
        "token": given["SessionToken"],
        "expiry_time": given["Expiration"].isoformat(),
    }
