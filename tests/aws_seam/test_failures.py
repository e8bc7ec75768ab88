"""Every way in which a call can fail on the wire, through the real SDK: each an AwsError, after one attempt."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ibpe.aws.ec2 import BotoCloud
from ibpe.aws.errors import AwsError, ErrorClass
from ibpe.aws.gateway import EndpointID, ModifyEndpoint
from ibpe.aws.session import SessionSettings
from tests.aws_seam.answers import Answer, answering, error_body

REGION = "us-west-2"
SETTINGS = SessionSettings(cluster="blue", connections=4, connect_timeout=1, read_timeout=0.5)
CHANGE = ModifyEndpoint(EndpointID("vpce-0a1b2c3d"), private_dns=True)
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials, and nothing of the machine's own configuration."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], None]]:
    """Serve an answer as AWS, through the SDK's own AWS_ENDPOINT_URL."""
    running = []

    def serve(answer: Answer) -> None:
        running.append(answering(answer))
        monkeypatch.setenv("AWS_ENDPOINT_URL", running[-1].__enter__())

    yield serve
    for server in running:
        server.__exit__(None, None, None)


def failure_of(call: Callable[[BotoCloud], object]) -> AwsError:
    with pytest.raises(AwsError) as caught:
        call(BotoCloud(SETTINGS))
    return caught.value


def read(cloud: BotoCloud) -> object:
    return cloud.gateway(REGION).list_endpoints()


def write(cloud: BotoCloud) -> None:
    cloud.gateway(REGION).modify_endpoint(CHANGE)


def who(cloud: BotoCloud) -> object:
    return cloud.caller_account()


CASES = {
    "an HTML 502": (Answer(status=502, body=HTML, content_type="text/html"), "NotAnAwsAnswer", False),
    "an HTML 502 in other words": (
        Answer(status=502, body=b"<!DOCTYPE html><p>Bad <br> gateway", content_type="text/html"),
        "NotAnAwsAnswer",
        False,
    ),
    "an empty 503": (Answer(status=503), "NotAnAwsAnswer", False),
    "a proxy's 407 page": (Answer(status=407, body=b"<!DOCTYPE html><p>Log in", content_type="text/html"), "", False),
    "a login page with 200": (Answer(body=HTML, content_type="text/html"), "NotAnAwsAnswer", False),
    "no XML with 200": (Answer(body=b"hello", content_type="text/plain"), "NotAnAwsAnswer", False),
    "XML with 200 that is not AWS's": (
        Answer(body=b"<r><vpcEndpointSet><item/></vpcEndpointSet><ResponseMetadata/></r>"),
        "NotAnAwsAnswer",
        False,
    ),
    "XML with 500 that is not AWS's": (Answer(status=500, body=b"<r><Error/>text</r>"), "NotAnAwsAnswer", False),
    "JSON with 200": (Answer(body=b'{"ok": true}', content_type="application/json"), "NotAnAwsAnswer", False),
    "throttling": (
        Answer(status=503, body=error_body("RequestLimitExceeded", "Request limit exceeded.")),
        "RequestLimitExceeded",
        True,
    ),
    "an internal error": (Answer(status=500, body=error_body("InternalError", "oh")), "InternalError", False),
    "an unknown code": (Answer(status=400, body=error_body("NobodyKnows", "oh")), "NobodyKnows", True),
    "a connection that closes": (Answer(close=True), "ConnectionLost", False),
    "an answer cut short": (Answer(body=error_body("A", "b"), cut_after=20), "", False),
}


@pytest.mark.parametrize(("answer", "code", "known"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("call", [read, write, who], ids=["read", "write", "identity"])
def test_each_is_tried_again_and_was_tried_once(
    served: Callable[[Answer], None], call: Callable[[BotoCloud], object], answer: Answer, code: str, *, known: bool
) -> None:
    answer.requests.clear()
    served(answer)
    error = failure_of(call)
    assert error.error_class is ErrorClass.RETRY
    assert error.code == (code or error.code)
    assert error.outcome_known is known
    assert len(answer.requests) == 1


@pytest.mark.parametrize("call", [read, write, who], ids=["read", "write", "identity"])
def test_a_call_that_hangs_ends_at_the_read_timeout(
    served: Callable[[Answer], None], call: Callable[[BotoCloud], object]
) -> None:
    served(Answer(hang=threading.Event()))
    started = time.monotonic()
    error = failure_of(call)
    assert (error.code, error.outcome_known, error.error_class) == ("Timeout", False, ErrorClass.RETRY)
    assert time.monotonic() - started < 5


def test_what_never_left_had_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        error = failure_of(write)
    assert (error.code, error.outcome_known, error.error_class) == ("ConnectionFailed", True, ErrorClass.RETRY)


def test_a_name_that_does_not_resolve_is_a_failed_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://nowhere.invalid")
    assert failure_of(write).code == "ConnectionFailed"


def test_a_server_that_speaks_no_tls_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(Answer()) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url.replace("http:", "https:"))
        error = failure_of(write)
    assert (error.code, error.error_class, error.reason) == ("ConnectionLost", ErrorClass.RETRY, "AwsUnreachable")


def test_an_error_message_is_the_same_on_every_try(served: Callable[[Answer], None]) -> None:
    served(Answer(close=True))
    assert failure_of(write).message == failure_of(write).message
    assert "0x" not in failure_of(write).message


def test_no_credentials_wait_for_someone_and_are_found_when_they_come(
    served: Callable[[Answer], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    served(Answer(status=400, body=error_body("NobodyKnows", "but the call went out")))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    cloud = BotoCloud(SETTINGS)
    cloud._session._clock = iter(range(0, 10_000, 20)).__next__  # noqa: SLF001 -- 20 s a look at the clock
    with pytest.raises(AwsError) as caught:
        read(cloud)
    assert (caught.value.code, caught.value.error_class) == ("NoCredentials", ErrorClass.USER)
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = AKIANEW\naws_secret_access_key = s\n")
    found = []
    for _ in range(4):
        with pytest.raises(AwsError) as caught:
            read(cloud)
        found.append((caught.value.code, caught.value.error_class))
    assert ("NoCredentials", ErrorClass.RETRY) in found
    assert found[-1] == ("NobodyKnows", ErrorClass.RETRY)


@pytest.mark.parametrize("renewed", [True, False])
def test_an_expired_token_is_tried_again_only_when_loading_gives_another(
    served: Callable[[Answer], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, renewed: bool
) -> None:
    answer = Answer(
        status=400, body=error_body("ExpiredToken", "The security token included in the request is expired")
    )
    served(answer)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    kept = tmp_path / "credentials"
    kept.write_text("[default]\naws_access_key_id = AKIAOLD\naws_secret_access_key = s\naws_session_token = t1\n")
    cloud = BotoCloud(SETTINGS)
    cloud._session.ec2(REGION)  # noqa: SLF001 -- the old token is loaded here
    if renewed:
        kept.write_text("[default]\naws_access_key_id = AKIANEW\naws_secret_access_key = s\naws_session_token = t2\n")
    with pytest.raises(AwsError) as caught:
        read(cloud)
    assert caught.value.error_class is (ErrorClass.RETRY if renewed else ErrorClass.USER)
    assert caught.value.reason == "CredentialsExpired"


def test_half_of_the_credentials_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    error = failure_of(read)
    assert (error.code, error.error_class) == ("NoCredentials", ErrorClass.USER)


def test_a_profile_that_does_not_exist_gives_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    error = failure_of(read)
    assert (error.code, error.error_class) == ("NoCredentials", ErrorClass.USER)


def test_a_refused_role_is_an_error_of_sts(
    served: Callable[[Answer], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    body = (
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
        "<Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error>"
        "<RequestId>req-sts</RequestId></ErrorResponse>"
    )
    served(Answer(status=403, body=body.encode()))
    token = tmp_path / "token"
    token.write_text("not-a-real-token")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ibpe")
    error = failure_of(write)
    assert (error.operation, error.code) == ("AssumeRoleWithWebIdentity", "AccessDenied")
    assert (error.error_class, error.request_id) == (ErrorClass.USER, "req-sts")
    assert "sts:AssumeRoleWithWebIdentity" in error.fix


def test_a_source_of_credentials_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\ncredential_process = /bin/false\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    error = failure_of(read)
    assert (error.code, error.error_class) == ("CredentialRetrieval", ErrorClass.RETRY)


def test_a_region_that_is_no_name_waits_for_the_spec() -> None:
    error = failure_of(lambda cloud: cloud.gateway("no region!").list_endpoints())
    assert (error.code, error.error_class) == ("InvalidRegion", ErrorClass.SPEC)


def test_the_user_agent_tells_the_version_and_the_cluster(served: Callable[[Answer], None]) -> None:
    answer = Answer(close=True)
    served(answer)
    failure_of(read)
    agent, _ = answer.requests[0]
    assert "ibpe/" in agent
    assert "cluster/blue" in agent
