"""The accounts file: what the platform team writes of accounts, roles and who may use them. Decides nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ibpe.api.fields import EACH_ONCE, AccountName, RegionName, VpcRef, not_empty
from ibpe.api.model import wire_name
from ibpe.api.names import OWN_ACCOUNT
from ibpe.api.problems import sentence
from ibpe.api.rules import matches
from ibpe.api.strict_yaml import NotYaml, documents
from ibpe.aws.gateway import AccountID, VpcID
from ibpe.aws.role import Role
from ibpe.partitions import partition_of
from ibpe.policy.values import ended
from ibpe.reconcile.grants import EVERY_NAMESPACE, OWN_FOR_ALL, Account, Grant, Grants, Vpcs

SESSION_NAME_LIMIT: Final = 64
"""Characters (STS API reference, "AssumeRole"), as are the patterns below."""


class InvalidAccounts(Exception):  # noqa: N818 -- a state of the file, told to a person
    """What is wrong with the accounts file, in one sentence with the fix."""


class _Part(BaseModel):
    """Unknown keys are refused, and keys are written in one way only."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", alias_generator=wire_name, use_attribute_docstrings=True
    )


class AccountEntry(_Part):
    """An account and the role by which it is reached."""

    name: AccountName
    """What `accountRef.name` of a resource names."""
    account_id: Annotated[str, matches("[0-9]{12}", 'write the 12 digits of the account, such as "123456789012"')]
    """The account. A role that turns out to act in another one is not used."""
    role_arn: Annotated[
        str,
        Field(alias="roleARN"),
        matches(
            r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}",
            "write the ARN of an IAM role, such as arn:aws:iam::123456789012:role/ibpe",
        ),
    ]
    """The role that the operator assumes there."""
    external_id: Annotated[
        str | None, matches(r"[\w+=,.@:/-]{2,1224}", "write 2 to 1,224 letters, digits and +=,.@:/-")
    ] = None
    """Sent with AssumeRole, for a trust policy that asks for it. Default: none."""
    session_name: Annotated[str | None, matches(r"[\w+=,.@-]{2,64}", "write 2 to 64 letters, digits and +=,.@-")] = None
    """What CloudTrail calls the session. Default: `ibpe-` and the cluster's name."""
    regions: Annotated[tuple[RegionName, ...], EACH_ONCE, not_empty("Region, or leave regions out")] | None = None
    """Where the account may be used. Default: everywhere."""


class VpcsEntry(_Part):
    """Some VPCs: those with one of the ids, and those that carry all of the tags."""

    ids: Annotated[tuple[VpcRef, ...], EACH_ONCE, not_empty("VPC, or leave ids out")] | None = None
    """VPCs by id."""
    tags: Annotated[dict[str, str], not_empty("tag, or leave tags out")] | None = None
    """VPCs by tags, as they are in AWS: whoever may tag a VPC there decides then."""


Namespace = Annotated[
    str,
    matches(r"[*]|[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", f'write a namespace\'s name, or "{EVERY_NAMESPACE}" for all'),
]


class GrantEntry(_Part):
    """What some namespaces may use. Grants add up."""

    namespaces: Annotated[tuple[Namespace, ...], EACH_ONCE, not_empty("namespace")]
    """Names of namespaces, or `"*"` for all; no patterns."""
    accounts: Annotated[tuple[str, ...], EACH_ONCE, not_empty("account")]
    """Names of accounts above; `own` is the operator's own, for resources without accountRef."""
    vpcs: VpcsEntry | None = None
    """Which VPCs of these accounts. Default: every one."""


class AccountsFile(_Part):
    """The whole file."""

    accounts: tuple[AccountEntry, ...] = ()
    """Accounts that are reached through a role."""
    grants: Annotated[tuple[GrantEntry, ...], not_empty("grant, else nobody may use anything")]
    """Who may use which of them. What is not granted is not allowed, the operator's own account included."""


@dataclass(frozen=True)
class Configured:
    """What the file comes to."""

    grants: Grants
    roles: Mapping[str, Role]
    """By the account's name."""


WITHOUT_A_FILE: Final = Configured(OWN_FOR_ALL, {})


def load(path: Path | None, cluster: str) -> Configured:
    """What the accounts file says; without one, anybody may use the operator's own account. Raises InvalidAccounts."""
    if path is None:
        return WITHOUT_A_FILE
    try:
        return read(path.read_text(encoding="utf-8"), cluster)
    except InvalidAccounts as invalid:
        raise InvalidAccounts(f"The accounts file {path} is not valid: {invalid}") from None
    except FileNotFoundError:
        raise InvalidAccounts(f"There is no accounts file {path}: put it there, or unset IBPE_ACCOUNTS_FILE.") from None
    except (OSError, UnicodeDecodeError) as failure:
        raise InvalidAccounts(f"The accounts file {path} can't be read: {failure}.") from None


def read(text: str, cluster: str) -> Configured:
    """What such a text says. Raises InvalidAccounts, with the place and the fix."""
    file = _parsed(text)
    for contradiction in (*_about_accounts(file.accounts), *_about_grants(file)):
        raise InvalidAccounts(contradiction)
    return _configured(file, cluster)


def _parsed(text: str) -> AccountsFile:
    try:
        found = [document for document in documents(text) if document is not None]
    except NotYaml as problem:
        raise InvalidAccounts(str(problem)) from None
    if len(found) != 1:
        raise InvalidAccounts("write one document with accounts and grants.")
    for empty in _nothing_there(found[0], ""):
        raise InvalidAccounts(empty)
    try:
        return AccountsFile.model_validate(found[0])
    except ValidationError as error:  # from None: it holds what was written, external ids too
        raise InvalidAccounts(ended(sentence(AccountsFile, error, root="").removeprefix(": "))) from None


def _nothing_there(written: object, place: str) -> Iterator[str]:
    """A key without a value is a slip, and would widen what is granted where a default means everything."""
    if written is None:
        yield f"{place}: there is nothing here; write a value, or take the key out."
    elif isinstance(written, Mapping):
        for key, value in written.items():
            yield from _nothing_there(value, f"{place}.{key}".lstrip("."))
    elif isinstance(written, list):
        for number, value in enumerate(written):
            yield from _nothing_there(value, f"{place}[{number}]")


def _about_accounts(accounts: Sequence[AccountEntry]) -> Iterator[str]:
    names = [entry.name for entry in accounts]
    for number, entry in enumerate(accounts):
        place = f"accounts[{number}]"
        _, partition, _, _, account, _ = entry.role_arn.split(":", 5)
        if entry.name in names[:number]:
            yield f"{place}.name: there is an account {entry.name} already; give each its own name."
        if account != entry.account_id:
            yield f"{place}.roleARN: the role is not in account {entry.account_id}; correct it, or accountID."
        for region in entry.regions or ():
            if partition_of(region).name != partition:
                yield f"{place}.regions: {region} is not in the partition of {entry.role_arn}; take it out."


def _about_grants(file: AccountsFile) -> Iterator[str]:
    names = {OWN_ACCOUNT, *(entry.name for entry in file.accounts)}
    for number, grant in enumerate(file.grants):
        place = f"grants[{number}]"
        for name in grant.accounts:
            if name not in names:
                yield f"{place}.accounts: there is no account {name}; name one of {', '.join(sorted(names))}."
        if EVERY_NAMESPACE in grant.namespaces and len(grant.namespaces) > 1:
            yield f'{place}.namespaces: "{EVERY_NAMESPACE}" stands for all; take the other names out.'
        if grant.vpcs is not None and not (grant.vpcs.ids or grant.vpcs.tags):
            yield f"{place}.vpcs: name VPCs by ids or by tags, or leave vpcs out for all of them."


def _configured(file: AccountsFile, cluster: str) -> Configured:
    accounts = {
        entry.name: Account(entry.name, AccountID(entry.account_id), frozenset(entry.regions or ()))
        for entry in file.accounts
    }
    roles = {
        entry.name: Role(
            account=AccountID(entry.account_id),
            arn=entry.role_arn,
            session_name=entry.session_name or f"ibpe-{cluster}"[:SESSION_NAME_LIMIT],
            external_id=entry.external_id,
        )
        for entry in file.accounts
    }
    grants = tuple(
        Grant(frozenset(entry.namespaces), frozenset(entry.accounts), _vpcs(entry.vpcs)) for entry in file.grants
    )
    return Configured(Grants(accounts, grants), roles)


def _vpcs(entry: VpcsEntry | None) -> Vpcs | None:
    return None if entry is None else Vpcs(frozenset(map(VpcID, entry.ids or ())), dict(entry.tags or {}))
