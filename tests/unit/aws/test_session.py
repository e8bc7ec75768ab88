"""In which region STS is asked: the configured one, else one that fits where the operator works."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import botocore.exceptions as sdk
import pytest

from ibpe.aws.ec2 import BotoCloud
from ibpe.aws.errors import AwsError
from ibpe.aws.session import Session, SessionSettings
from tests.unit.aws.fake_cloud import Clock

SETTINGS = SessionSettings(cluster="blue", connections=1)


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def ask_sts(session: Session, *, fails: bool) -> str:
    region = session.default_region()

    def call() -> Mapping[str, object]:
        if fails:
            raise sdk.EndpointConnectionError(endpoint_url=region)
        return {"ResponseMetadata": {"RequestId": "1"}}

    with suppress(AwsError):
        session.ask("sts", "GetCallerIdentity", region, call)
    return region


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_sts_is_asked_where_a_gateway_leads_before_any_call(region: str) -> None:
    cloud = BotoCloud(SETTINGS)
    cloud.gateway(region)
    assert cloud._session.default_region() == region  # noqa: SLF001 -- the alternative is a server in China


def test_a_region_that_is_configured_goes_first(monkeypatch: pytest.MonkeyPatch, no_configuration: Path) -> None:
    session = Session(SETTINGS)
    assert session.default_region() == "us-east-1"
    session.work_in("ap-south-1")
    (no_configuration / "config").write_text("[default]\nregion = eu-west-1\n[profile cn]\nregion = cn-northwest-1\n")
    assert session.default_region() == "eu-west-1"
    monkeypatch.setenv("AWS_PROFILE", "cn")
    assert session.default_region() == "cn-northwest-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert session.default_region() == "eu-west-2"
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert session.default_region() == "eu-west-3"


def test_a_profile_that_does_not_exist_is_told_by_the_call_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    session = Session(SETTINGS)
    session.work_in("cn-north-1")
    assert session.default_region() == "cn-north-1"


def test_a_region_that_does_not_exist_keeps_nobody_from_the_others() -> None:
    clock = Clock()
    session = Session(SETTINGS, clock=clock)
    for region in ("af-nowhere-1", "eu-west-1"):
        session.work_in(region)
    asked = []
    for fails in (True, True, True, False, False):
        asked.append(ask_sts(session, fails=fails))
        clock.advance(1)
    assert asked == ["af-nowhere-1", "eu-west-1", "af-nowhere-1", "eu-west-1", "eu-west-1"]
