"""The accounts file: what it comes to, and one clear sentence for each mistake, without what is secret in it."""

import traceback
from pathlib import Path
from typing import Any

import pytest
import yaml

from ibpe.aws.gateway import AccountID, VpcID
from ibpe.aws.role import Role
from ibpe.reconcile.grants import OWN_FOR_ALL, Account, Grant, Vpcs
from ibpe.runtime.accounts_file import Configured, InvalidAccounts, load, read

CANARY = "canary-7f3c-secret"
NETWORK: dict[str, Any] = {
    "name": "network",
    "accountID": "111122223333",
    "roleARN": "arn:aws:iam::111122223333:role/team/ibpe",
    "externalID": CANARY,
    "sessionName": "ibpe-prod",
    "regions": ["us-west-2"],
}
LAB = {"name": "lab", "accountID": "444455556666", "roleARN": "arn:aws:iam::444455556666:role/ibpe"}
VPC = VpcID("vpc-0123456789abcdef0")
GRANT: dict[str, Any] = {"namespaces": ["team-a"], "accounts": ["network", "own"]}


def file(*accounts: Any, grants: Any = (GRANT,)) -> str:
    return yaml.safe_dump({"accounts": list(accounts or (NETWORK, LAB)), "grants": list(grants)})


def without(entry: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != key}


def test_what_a_whole_file_comes_to() -> None:
    by_vpc = {"namespaces": ["*"], "accounts": ["lab"], "vpcs": {"ids": [VPC], "tags": {"team": "images"}}}
    found = read(file(grants=[GRANT, by_vpc]), "blue")
    assert found.grants.accounts == {
        "network": Account("network", AccountID("111122223333"), frozenset({"us-west-2"})),
        "lab": Account("lab", AccountID("444455556666")),
    }
    assert found.grants.grants == (
        Grant(frozenset({"team-a"}), frozenset({"network", "own"})),
        Grant(frozenset({"*"}), frozenset({"lab"}), Vpcs(frozenset({VPC}), {"team": "images"})),
    )
    assert found.roles == {
        "network": Role(AccountID("111122223333"), NETWORK["roleARN"], "ibpe-prod", CANARY),
        "lab": Role(AccountID("444455556666"), LAB["roleARN"], "ibpe-blue"),
    }


def test_without_a_file_anybody_may_use_the_own_account() -> None:
    assert load(None, "blue") == Configured(OWN_FOR_ALL, {})


def test_a_session_name_fits_whatever_the_cluster_is_called() -> None:
    assert read(file(), "c" * 63).roles["lab"].session_name == "ibpe-" + "c" * 59


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "write one document with accounts and grants."),
        ("a: 1\n---\nb: 2\n", "write one document with accounts and grants."),
        ("accounts: [", "line 1, column 12: not valid YAML"),
        ("grants: []\ngrants: []\n", "line 2, column 1: not valid YAML: the key grants stands twice."),
        ("- network\n", "write an object here"),
        (yaml.safe_dump({"accounts": [LAB]}), "grants: this field is required, add it."),
        (file(grants=[]), "grants: name at least one grant, else nobody may use anything."),
        (file({**NETWORK, "role": "x"}), "accounts[0].role: there is no such field, did you mean roleARN?"),
        (
            file({**NETWORK, "external_id": "x"}),
            "accounts[0].external_id: there is no such field, did you mean externalID",
        ),
        (file(without(NETWORK, "roleARN")), "accounts[0].roleARN: this field is required, add it."),
        (file(NETWORK, {**LAB, "name": "network"}), "accounts[1].name: there is an account network already; give each"),
        (file({**NETWORK, "name": "own"}), "accounts[0].name: name an account: 1 to 63 lower-case letters"),
        (file({**NETWORK, "name": "Network"}), "accounts[0].name: name an account: 1 to 63 lower-case letters"),
        (file({**NETWORK, "accountID": 111122223333}), "accounts[0].accountID: write a string here, in quotes where"),
        (file({**NETWORK, "accountID": "1111"}), "accounts[0].accountID: write the 12 digits of the account, such as"),
        (
            file({**NETWORK, "roleARN": "ibpe"}),
            "accounts[0].roleARN: write the ARN of an IAM role, such as arn:aws:iam",
        ),
        (
            file({**NETWORK, "roleARN": "arn:aws:iam::111122223333:user/ibpe"}),
            "accounts[0].roleARN: write the ARN of an IAM role",
        ),
        (
            file({**NETWORK, "accountID": "999999999999"}),
            "accounts[0].roleARN: the role is not in account 999999999999",
        ),
        (file({**NETWORK, "externalID": "x"}), "accounts[0].externalID: write 2 to 1,224 letters, digits and"),
        (file({**NETWORK, "sessionName": "a b"}), "accounts[0].sessionName: write 2 to 64 letters, digits and"),
        (
            file({**NETWORK, "regions": ["Oregon"]}),
            "accounts[0].regions[0]: write the Region's code, such as us-west-2.",
        ),
        (file({**NETWORK, "regions": []}), "accounts[0].regions: name at least one Region, or leave regions out."),
        (
            file({**NETWORK, "regions": None}),
            "accounts[0].regions: there is nothing here; write a value, or take the key",
        ),
        (
            file({**NETWORK, "externalID": None}),
            "accounts[0].externalID: there is nothing here; write a value, or take",
        ),
        (file({**NETWORK, "regions": ["us-west-2"] * 2}), 'accounts[0].regions: Duplicate value: "us-west-2"'),
        (file({**NETWORK, "regions": ["cn-north-1"]}), "accounts[0].regions: cn-north-1 is not in the partition of"),
        (
            file(grants=[{**GRANT, "accounts": ["netwrok"]}]),
            "grants[0].accounts: there is no account netwrok; name one of",
        ),
        (file(grants=[{**GRANT, "accounts": []}]), "grants[0].accounts: name at least one account."),
        (
            file(grants=[{**GRANT, "namespaces": ["team-*"]}]),
            'grants[0].namespaces[0]: write a namespace\'s name, or "*"',
        ),
        (file(grants=[{**GRANT, "namespaces": ["*", "team-a"]}]), 'grants[0].namespaces: "*" stands for all; take the'),
        (
            file(grants=[{**GRANT, "vpcs": None}]),
            "grants[0].vpcs: there is nothing here; write a value, or take the key",
        ),
        (
            file(grants=[{**GRANT, "vpcs": {}}]),
            "grants[0].vpcs: name VPCs by ids or by tags, or leave vpcs out for all",
        ),
        (file(grants=[{**GRANT, "vpcs": {"ids": []}}]), "grants[0].vpcs.ids: name at least one VPC, or leave ids out."),
        (
            file(grants=[{**GRANT, "vpcs": {"ids": ["vpc-x"]}}]),
            "grants[0].vpcs.ids[0]: write the id of the VPC: vpc- and",
        ),
        (file(grants=[{**GRANT, "vpcs": {"tags": {"n": 1}}}]), "grants[0].vpcs.tags.n: write a string here, in quotes"),
        (file(grants=[{**GRANT, "vpc": {"ids": [VPC]}}]), "grants[0].vpc: there is no such field, did you mean vpcs?"),
    ],
)
def test_each_mistake_is_told_in_one_sentence_without_what_is_secret(text: str, sentence: str) -> None:
    with pytest.raises(InvalidAccounts) as told:
        read(text, "blue")
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)
    assert CANARY not in "".join(traceback.format_exception(told.value)), "pydantic would show what was written"


def test_a_role_shows_its_external_id_to_nobody() -> None:
    assert CANARY not in repr(read(file(), "blue"))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing.yaml", None, "put it there, or unset IBPE_ACCOUNTS_FILE."),
        ("bad.yaml", b"grants: []", "bad.yaml is not valid: grants: name at least one grant"),
        ("binary.yaml", b"\xff\xfe\x00", "binary.yaml can't be read"),
        ("", None, "can't be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, name: str, content: bytes | None, sentence: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidAccounts) as told:
        load(path, "blue")
    assert str(path) in str(told.value)
    assert sentence in str(told.value)
