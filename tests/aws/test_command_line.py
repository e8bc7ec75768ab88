import signal
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_alone_says_when_it_is_ready_and_ends_cleanly(ending: signal.Signals) -> None:
    command = [sys.executable, "-m", "sandbox.aws", "--port", "0", "--pending-seconds", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            word, url = process.stdout.readline().split()
            assert word == "ready"
            client = boto3.client(
                "ec2",
                endpoint_url=url,
                region_name="eu-west-1",
                aws_access_key_id="x",
                aws_secret_access_key="y",  # noqa: S106 - signatures are not verified
            )
            assert client.describe_vpcs()["Vpcs"]
            process.send_signal(ending)
            _, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0
    assert errors == ""


def test_a_taken_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "sandbox.aws", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode != 0
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr
