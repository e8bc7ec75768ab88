"""Principals that an endpoint policy doesn't take, or that mean less or more than they seem to."""

import re
from collections.abc import Iterator
from typing import Final

from ibpe.partitions import partition_of
from ibpe.policy.canonical import canonical_principal
from ibpe.policy.document import ANYONE, Principal, Statement
from ibpe.policy.problem import EndpointRole, Problem
from ibpe.policy.values import quoted

_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_ARN: Final = re.compile(r"arn:(?P<partition>[a-z-]+):(iam|sts)::[0-9]{12}:.+")
_UNIQUE_ID: Final = re.compile(r"A[A-Z0-9]{15,}")
"""Of a user or role, as IAM writes it in place of one that was deleted."""


def principal_problems(statement: Statement, path: str, role: EndpointRole, region: str) -> Iterator[Problem]:
    """Findings about Principal or NotPrincipal.

    Sources: PrivateLink guide, "Control access to VPC endpoints using endpoint policies"; IAM user guide, "AWS JSON
    policy elements: Principal" and "NotPrincipal".
    """
    excluded = statement.principals.excluded
    path = f"{path}.{'NotPrincipal' if excluded else 'Principal'}"
    if statement.principals == ANYONE:
        return
    if role == "s3":
        yield Problem(
            path, 'a gateway endpoint takes "Principal": "*" alone', "write that, and a Condition on aws:PrincipalArn"
        )
        return
    if excluded and statement.principals.values == ANYONE.values:
        yield Problem(path, "it leaves out everybody, so the statement has no effect", "write Principal")
        return
    if excluded and statement.effect == "Allow":
        yield Problem(path, "it allows everybody else, anonymous callers too", "name in Principal who may", "warning")
    for principal in statement.principals.values:
        yield from _principal_problems(principal, path, region)


def _principal_problems(principal: Principal, path: str, region: str) -> Iterator[Problem]:
    if principal.kind != "AWS" or principal.value == "*":
        return
    value = principal.value
    if "*" in value or "?" in value:
        yield Problem(
            path,
            f"{quoted(value)} matches nobody: a principal is named in full",
            'write "*", and a Condition with ArnLike on aws:PrincipalArn',
        )
    elif _ACCOUNT.fullmatch(canonical_principal(principal)[1]):
        yield Problem(
            path,
            f"{quoted(value)} means the account's root user alone, not its roles and users",
            'write "*", and a Condition with StringEquals on aws:PrincipalAccount',
            "warning",
        )
    elif found := _ARN.fullmatch(value):
        if found["partition"] != partition_of(region).name:
            prefix = partition_of(region).arn_prefix
            yield Problem(path, f"{quoted(value)} is in another partition than the endpoint", f'write "{prefix}:…"')
    elif not _UNIQUE_ID.fullmatch(value):
        yield Problem(path, f"{quoted(value)} names nobody", "write the ARN of a role or user, or 12 digits")
