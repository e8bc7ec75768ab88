"""Roles in other accounts, over HTTP: assumed once, renewed in time, checked, and refused in words that help."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from ibpe.aws import accounts, session
from ibpe.aws.accounts import SESSION_SECONDS
from ibpe.aws.ec2 import BotoCloud
from ibpe.aws.errors import AwsError, ErrorClass
from ibpe.aws.gateway import AccountID, VpcID
from ibpe.aws.role import Role
from ibpe.aws.session import SessionSettings
from sandbox.aws import AwsServer
from tests.aws_seam.conftest import REGION
from tests.aws_seam.noted import Noted

OWN, OTHER = "123456789012", AccountID("111122223333")
ARN = f"arn:aws:iam::{OTHER}:role/network/ibpe"
CANARY = "external-id-canary"
ROLE = Role(OTHER, ARN, "ibpe-blue", CANARY)
SETTINGS = SessionSettings(cluster="blue", connections=8)
Look = Callable[[], object]


@pytest.fixture
def role(aws: AwsServer, cloud: BotoCloud, noted: Noted, monkeypatch: pytest.MonkeyPatch) -> BotoCloud:
    """The other account, trusted and reached."""
    monkeypatch.setattr(accounts, "REST_SECONDS", 0.0)
    monkeypatch.setattr(session, "RENEW_SECONDS", 0.0)
    aws.control.put_role(ARN, OWN, CANARY)
    return BotoCloud(SETTINGS, noted, role=ROLE, own=cloud)


def failure_of(call: Look) -> AwsError:
    with pytest.raises(AwsError) as raised:
        call()
    return raised.value


def look(role: BotoCloud) -> object:
    return role.gateway(REGION).list_endpoints()


def assumed(aws: AwsServer) -> int:
    return len(aws.control.calls(action="AssumeRole"))


def test_many_threads_open_one_session_and_act_in_the_roles_account(
    aws: AwsServer, role: BotoCloud, noted: Noted
) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(look, [role] * 16))
    assert role.caller_account() == OTHER
    (call,) = aws.control.calls(action="AssumeRole")
    assert (call.account, call.region) == (OWN, REGION), "in one's own name, in the region's own STS"
    assert call.parameters == {
        "RoleArn": ARN,
        "RoleSessionName": "ibpe-blue",
        "ExternalId": CANARY,
        "DurationSeconds": str(SESSION_SECONDS),
    }
    described = aws.control.calls(action="DescribeVpcEndpoints")
    assert {each.account for each in described} == {OTHER}
    assert "cluster/blue" in call.user_agent
    labels = {(each.operation, each.account) for each in noted.calls}
    assert labels == {("AssumeRole", OTHER), ("DescribeVpcEndpoints", OTHER), ("GetCallerIdentity", OTHER)}


def test_nothing_is_called_before_it_is_needed(aws: AwsServer, role: BotoCloud) -> None:
    role.gateway(REGION)
    assert role.account == OTHER
    assert aws.control.calls() == ()


def test_without_an_external_id_none_is_sent(aws: AwsServer, cloud: BotoCloud) -> None:
    aws.control.put_role(ARN, OWN)
    look(BotoCloud(SETTINGS, role=Role(OTHER, ARN, "ibpe-blue"), own=cloud))
    (call,) = aws.control.calls(action="AssumeRole")
    assert "ExternalId" not in call.parameters


def test_a_session_is_renewed_before_it_ends(aws: AwsServer, role: BotoCloud) -> None:
    aws.control.put_role(ARN, OWN, CANARY, lasts=120)
    look(role)
    look(role)
    keys = [call.access_key for call in aws.control.calls(action="DescribeVpcEndpoints")]
    assert len(set(keys)) == 2, "two minutes are too few to begin a call with"
    assert not [call for call in aws.control.calls() if call.error_code]


@pytest.mark.parametrize("call", [look, BotoCloud.caller_account], ids=["EC2 says RequestExpired", "STS ExpiredToken"])
def test_a_session_that_ended_all_the_same_is_renewed_and_the_call_passes_at_the_next_try(
    aws: AwsServer, role: BotoCloud, call: Callable[[BotoCloud], object]
) -> None:
    call(role)
    aws.control.advance_clock(SESSION_SECONDS + 1)
    error = failure_of(lambda: call(role))
    assert error.error_class is ErrorClass.RETRY, str(error)
    call(role)
    assert assumed(aws) == 2


@pytest.mark.parametrize("trusted", [None, "999999999999", OWN], ids=["no role", "other account", "external id"])
def test_a_role_that_is_denied_is_named_with_what_to_check(
    aws: AwsServer, role: BotoCloud, noted: Noted, trusted: str | None
) -> None:
    aws.control.remove_role(ARN)
    if trusted is not None:
        aws.control.put_role(ARN, trusted, "another")
    error = failure_of(lambda: look(role))
    assert (error.operation, error.error_class, error.reason) == ("AssumeRole", ErrorClass.USER, "AccessDenied")
    for words in (f"Check that {ARN} exists", "trust policy", "external id of the accounts file", "sts:AssumeRole"):
        assert words in error.fix
    assert aws.control.calls(account=OTHER) == ()
    (told,) = noted.calls
    assert (told.operation, told.account, told.code) == ("AssumeRole", OTHER, "AccessDenied"), (
        "by the role's account; and what was never sent is not counted"
    )


def test_a_role_that_is_asked_for_too_often_is_counted_by_its_account(
    aws: AwsServer, role: BotoCloud, noted: Noted
) -> None:
    aws.control.fail("AssumeRole", "Throttling", "Rate exceeded", times=1)
    assert failure_of(lambda: look(role)).throttled
    assert noted.throttles == [f"sts AssumeRole {OTHER} {REGION}"]
    assert {each.account for each in noted.calls} == {OTHER}


def test_a_denial_stands_for_a_while_and_then_the_role_is_asked_for_again(
    aws: AwsServer, role: BotoCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.control.put_role(ARN, OWN, "another")
    monkeypatch.setattr(accounts, "REST_SECONDS", 60.0)
    with ThreadPoolExecutor(4) as threads:
        errors = list(threads.map(lambda _: failure_of(lambda: look(role)), range(8)))
    assert assumed(aws) == 1, "one asks, and all are told"
    assert len({id(error) for error in errors}) == 8, (
        "an error of its own for each thread: a traceback is written into it"
    )
    aws.control.put_role(ARN, OWN, CANARY)
    failure_of(lambda: look(role))
    assert assumed(aws) == 1
    monkeypatch.setattr(accounts, "REST_SECONDS", 0.0)
    fresh = BotoCloud(SETTINGS, role=ROLE, own=BotoCloud(SETTINGS))
    look(fresh)


def test_a_role_that_denies_the_renewal_says_so_and_not_that_a_token_expired(aws: AwsServer, role: BotoCloud) -> None:
    look(role)
    aws.control.put_role(ARN, OWN, "another")
    aws.control.advance_clock(SESSION_SECONDS + 1)
    for _ in range(3):
        assert failure_of(lambda: look(role)).reason == "AccessDenied"
    aws.control.put_role(ARN, OWN, CANARY)
    look(role)


def test_a_session_of_another_account_is_used_for_nothing(aws: AwsServer, role: BotoCloud) -> None:
    aws.control.put_role(ARN, OWN, CANARY, acts_in="666677778888")
    error = failure_of(lambda: look(role))
    assert (error.reason, error.error_class) == ("AccountMismatch", ErrorClass.USER)
    assert "666677778888" in error.message
    assert OTHER in error.message
    assert "accountID or roleARN" in error.fix
    assert {call.action for call in aws.control.calls()} == {"AssumeRole"}


def test_a_clock_that_is_ahead_is_told(aws: AwsServer, role: BotoCloud) -> None:
    aws.control.put_role(ARN, OWN, CANARY, lasts=-5)
    error = failure_of(lambda: look(role))
    assert (error.operation, error.reason) == ("AssumeRole", "ClockSkew")


def test_own_credentials_that_expired_are_renewed_for_the_role_too(
    aws: AwsServer, role: BotoCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.control.fail("AssumeRole", "ExpiredToken", "expired", times=1)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIARENEWED")
    failure_of(lambda: look(role))
    look(role)
    assert aws.control.calls(action="AssumeRole")[-1].access_key == "AKIARENEWED"


def test_one_account_that_is_denied_leaves_the_others_alone(aws: AwsServer, cloud: BotoCloud, role: BotoCloud) -> None:
    aws.control.remove_role(ARN)
    failure_of(lambda: look(role))
    assert look(cloud) == ()


def test_the_tags_of_a_vpc_are_asked_for_alone(aws: AwsServer, role: BotoCloud) -> None:
    aws.control.set_account("hands", OTHER)
    ec2 = aws.client("ec2", REGION, access_key="hands")
    vpc = VpcID(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "team", "Value": "images"}])
    since = aws.control.cursor()
    assert role.gateway(REGION).vpc_tags(vpc) == {"team": "images"}
    assert role.gateway(REGION).vpc_tags(VpcID("vpc-00000000000000000")) is None
    assert aws.control.counts(since=since, account=OTHER) == {"DescribeVpcs": 2}


def test_nothing_secret_is_logged(aws: AwsServer, role: BotoCloud, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="ibpe")
    look(role)
    aws.control.put_role(ARN, OWN, "another")
    aws.control.advance_clock(SESSION_SECONDS + 1)
    failure_of(lambda: look(role))
    assert ARN in caplog.text
    assert CANARY not in caplog.text
    assert "sandbox-secret-" not in caplog.text
