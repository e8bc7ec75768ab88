"""Roles that STS lends out: to whom, for how long, and what their sessions see."""

from datetime import UTC, datetime
from typing import Any

from sandbox.aws import AwsServer, Control
from tests.aws.given import refusal

OURS, OTHER = "123456789012", "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/network/builds"


def assume(aws: AwsServer, **parameters: Any) -> dict[str, Any]:
    """What AssumeRole grants."""
    wanted: Any = {"RoleArn": ROLE, "RoleSessionName": "session", **parameters}  # boto's stubs know no spread mapping
    return dict(aws.client("sts").assume_role(**wanted)["Credentials"])


def test_a_session_acts_in_the_roles_account(aws: AwsServer, control: Control) -> None:
    control.put_role(ROLE, OURS)
    key = assume(aws)["AccessKeyId"]
    identity = aws.client("sts", access_key=key).get_caller_identity()
    assert identity["Account"] == OTHER
    assert identity["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/builds/session"
    assert aws.client("ec2", access_key=key).describe_vpcs()["Vpcs"][0]["OwnerId"] == OTHER
    assert control.calls(account=OTHER, action="DescribeVpcs")[0].access_key == key


def test_a_role_that_is_not_there_is_denied_as_one_that_does_not_trust(aws: AwsServer, control: Control) -> None:
    unknown = refusal(lambda: assume(aws))
    control.put_role(ROLE, "999999999999")
    assert refusal(lambda: assume(aws)) == unknown, "AWS does not tell which it is"
    code, message = unknown
    assert code == "AccessDenied"
    assert f"is not authorized to perform: sts:AssumeRole on resource: {ROLE}" in message


def test_the_external_id_has_to_fit(aws: AwsServer, control: Control) -> None:
    control.put_role(ROLE, OURS, "secret")
    assert refusal(lambda: assume(aws))[0] == "AccessDenied"
    assert refusal(lambda: assume(aws, ExternalId="other"))[0] == "AccessDenied"
    assert assume(aws, ExternalId="secret")["AccessKeyId"].startswith("ASIA")
    control.put_role(ROLE, OURS)
    assert assume(aws, ExternalId="anything"), "one that is not asked for does no harm"


def test_a_session_runs_out_by_the_clock_and_outlives_its_role(aws: AwsServer, control: Control) -> None:
    control.put_role(ROLE, OURS)
    granted = assume(aws, DurationSeconds=900)
    assert 890 < (granted["Expiration"] - datetime.now(UTC)).total_seconds() <= 900
    ec2 = aws.client("ec2", access_key=granted["AccessKeyId"])
    sts = aws.client("sts", access_key=granted["AccessKeyId"])
    control.remove_role(ROLE)
    control.advance_clock(899)
    assert ec2.describe_vpcs()["Vpcs"]
    control.advance_clock(1)
    assert refusal(ec2.describe_vpcs)[0] == "RequestExpired"
    assert refusal(sts.get_caller_identity)[0] == "ExpiredToken"
    assert refusal(lambda: assume(aws))[0] == "AccessDenied"
