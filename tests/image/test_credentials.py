"""The AWS credentials that a pod is given on EKS work in the image: service account roles (IRSA) and pod identities."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs

import pytest

from sandbox.aws.network import make_network
from sandbox.stage import Stage, example
from tests.image.conftest import Pod

pytestmark = pytest.mark.image

REGION = "us-west-2"
TOKEN = "token-of-the-service-account"  # noqa: S105 -- stands for one
SECRETS = "/var/run/secrets/eks"
NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


CREDENTIALS = (
    "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>"
)
CALLER = "<Account>123456789012</Account><UserId>u</UserId><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn>"


class Lender(BaseHTTPRequestHandler):
    """The pod identity agent, which answers GET, and STS, which answers POST."""

    key: ClassVar[str]
    asked: ClassVar[list[str]]

    def do_GET(self) -> None:
        self.asked.append(self.headers["Authorization"])
        lent = {"AccessKeyId": self.key, "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
        self._answer(json.dumps(lent))

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        action = parse_qs(asked)["Action"][0]
        self.asked.append(asked)
        if action == "AssumeRoleWithWebIdentity":
            content = f"<Credentials><AccessKeyId>{self.key}</AccessKeyId>{CREDENTIALS}</Credentials>"
        else:
            content = CALLER
        self._answer(
            f"<{action}Response xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><{action}Result>{content}"
            f"</{action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{action}Response>"
        )

    def _answer(self, text: str) -> None:
        content = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as in the parent
        """Say nothing."""


@contextmanager
def lender(key: str) -> Iterator[tuple[str, list[str]]]:
    """Its address, and what it was asked for credentials with; it lends `key`."""
    asked: list[str] = []
    server = HTTPServer(("127.0.0.1", 0), type("Lending", (Lender,), {"key": key, "asked": asked}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def eks(pod: Pod, tmp_path: Path) -> Pod:
    """The pod with a projected token, as EKS mounts it."""
    tmp_path.chmod(0o755)
    (tmp_path / "token").write_text(TOKEN)
    return replace(pod, mounts={**pod.mounts, tmp_path: SECRETS})


def reconcile(stage: Stage, namespace: str, name: str, key: str) -> None:
    """A resource becomes Ready, by calls with that access key."""
    network = make_network(stage.aws.client("ec2", REGION))
    stage.apply(example(network, name, namespace))
    stage.wait_ready(name, namespace=namespace)
    created = stage.aws.control.calls(action="CreateVpcEndpoint", access_key=key)
    assert {call.parameters["VpcId"] for call in created} == {network.vpc_id}


def test_a_role_for_the_service_account(image: str, eks: Pod, stage: Stage) -> None:
    with lender("ASIAWEBIDENTITY00000") as (url, asked):
        given = {
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/ibpe",
            "AWS_WEB_IDENTITY_TOKEN_FILE": f"{SECRETS}/token",
            "AWS_ENDPOINT_URL": "",
            "AWS_ENDPOINT_URL_EC2": stage.aws.url,
            "AWS_ENDPOINT_URL_STS": url,
        }
        with eks.container(image, **NO_KEYS, **given):
            reconcile(stage, eks.namespace, "web-identity", "ASIAWEBIDENTITY00000")
    assert any(f"WebIdentityToken={TOKEN}" in each for each in asked)


def test_a_pod_identity(image: str, eks: Pod, stage: Stage) -> None:
    with lender("ASIAPODIDENTITY00000") as (url, asked):
        given = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{SECRETS}/token",
        }
        with eks.container(image, **NO_KEYS, **given):
            reconcile(stage, eks.namespace, "pod-identity", "ASIAPODIDENTITY00000")
    assert set(asked) == {TOKEN}
