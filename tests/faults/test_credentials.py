"""Credentials that are missing, that run out, or that suddenly belong to somebody else."""

from collections.abc import Callable

import pytest

from ibpe.aws import session
from ibpe.aws.ec2 import BotoCloud
from ibpe.aws.session import SessionSettings
from sandbox.aws import AwsServer, Fault
from tests.faults.trial import CLUSTER, KEY, Trial

OURS, THEIRS = "123456789012", "999999999999"
KEY_ID = "AKIAOPERATOR"


@pytest.fixture
def fresh_cloud(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> BotoCloud:
    """An SDK that reads the environment anew as often as it must."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setattr(session, "RENEW_SECONDS", 0.0)
    assert aws.url
    return BotoCloud(SessionSettings(cluster=CLUSTER, connections=4))


def test_missing_credentials_are_asked_for_and_found_when_they_come(
    trial: Callable[..., Trial], fresh_cloud: BotoCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    life = trial(fresh_cloud)

    life.rounds(2)

    stalled = life.truth.stalled
    assert (stalled.status, stalled.reason) == ("True", "NoCredentials"), str(life.truth)
    for word in ("GetCallerIdentity", "Give the operator AWS credentials", "service account"):
        assert word in stalled.message, f"no {word!r} in: {stalled.message}"
    assert life.aws.control.counts() == {}, "without credentials nothing is sent"

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    life.until_ready()


def test_an_expired_token_that_was_renewed_meanwhile_bothers_nobody(
    trial: Callable[..., Trial], fresh_cloud: BotoCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = trial(fresh_cloud).until_ready()
    life.aws.control.fault(Fault(effect="error", code="ExpiredToken", message="expired", access_key=KEY_ID))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIARENEWED")
    life.aws.control.set_account("AKIARENEWED", OURS)
    life.edit(tags={"team": "images"})

    life.reconciler.reconcile(KEY, life.clock.now)  # without a look of the AWS watch, which would have met it first

    truth = life.truth
    assert (truth.reconciling.status, truth.stalled.status) == ("True", "False"), f"a renewal cures it:\n{truth}"
    assert "ExpiredToken" in truth.ready.message
    life.until_ready()
    assert "Refused" not in life.events.reasons()


def test_an_expired_token_that_nobody_renews_is_asked_for(trial: Callable[..., Trial], fresh_cloud: BotoCloud) -> None:
    life = trial(fresh_cloud)
    life.aws.control.fail("GetCallerIdentity", "ExpiredToken", "The security token included in the request is expired")

    life.rounds(2)

    stalled = life.truth.stalled
    assert (stalled.status, stalled.reason) == ("True", "CredentialsExpired"), str(life.truth)
    assert "fresh AWS credentials" in stalled.message


def test_credentials_of_another_account_are_used_for_nothing(trial: Callable[..., Trial]) -> None:
    life = trial().until_ready()
    before = life.endpoints()
    life.aws.control.set_account(KEY_ID, THEIRS)
    life.edit(tags={"team": "images"})
    since = life.aws.control.cursor()

    life.rounds(3)

    stalled = life.truth.stalled
    assert (stalled.status, stalled.reason) == ("True", "AccountMismatch"), str(life.truth)
    assert THEIRS in stalled.message, stalled.message
    assert OURS in stalled.message, stalled.message
    called = set(life.aws.control.counts(since=since))
    assert called <= {"GetCallerIdentity", "DescribeVpcEndpoints"}, f"{called}: the shared look is all there may be"
    assert life.endpoints() == before

    life.aws.control.set_account(KEY_ID, OURS)
    life.until_ready()
    assert all(each.tags.get("team") == "images" for each in life.endpoints())


def test_credentials_of_another_account_hold_a_deletion(trial: Callable[..., Trial]) -> None:
    life = trial().until_ready()
    before = life.endpoints()
    life.aws.control.set_account(KEY_ID, THEIRS)
    life.delete()

    life.rounds(3)

    assert KEY in life.resources, "the finalizer went although nothing was deleted"
    stalled = life.truth.stalled
    assert (stalled.status, stalled.reason) == ("True", "AccountMismatch"), str(life.truth)
    assert f'ibpe.dev/abandon: "{OURS}"' in stalled.message, stalled.message
    assert life.endpoints() == before

    life.aws.control.set_account(KEY_ID, OURS)
    life.until_gone()
    assert life.endpoints() == ()
