"""Commands as people run them: exit codes, standard error, pipes, and what they must not load."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
import yaml
from click.testing import CliRunner

from ibpe import __version__
from ibpe.cli.root import cli
from tests.crd.cases import GOOD, changed

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
T = TypeVar("T")
IBPE = [sys.executable, "-m", "ibpe.cli"]


def manifest(changes: dict[str, object] | None = None, name: str = "images") -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "ibpe.dev/v1beta1",
            "kind": "ImageBuilderPrivateEndpoint",
            "metadata": {"name": name},
            "spec": changed(GOOD, changes or {}),
        }
    )


def test_help_is_quick_because_nothing_heavy_is_loaded() -> None:
    code = "import sys, ibpe.cli; print(sorted({'kubernetes', 'boto3', 'kopf', 'pydantic', 'yaml'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", ["check", "diff", "explain"])
def test_a_policy_is_looked_at_without_loading_cluster_or_cloud(name: str) -> None:
    heavy = "{'kubernetes', 'boto3', 'botocore', 'kopf', 'rich'}"
    code = f"import sys, ibpe.cli.policy.{name}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", ["render", "check", "diff", "explain"])
def test_every_command_about_policies_is_listed_and_has_help(name: str) -> None:
    assert f"\n  {name}" in CliRunner().invoke(cli, ["policy", "--help"]).output
    assert CliRunner().invoke(cli, ["policy", name, "--help"]).output.startswith(f"Usage: cli policy {name}")


@pytest.mark.parametrize("name", ["status", "plan", "policy", "run"])
def test_every_command_is_listed_and_has_help(name: str) -> None:
    assert f"\n  {name}" in CliRunner().invoke(cli, ["--help"]).output
    done = CliRunner().invoke(cli, [name, "--help"])
    assert done.exit_code == 0
    assert done.output.startswith(f"Usage: cli {name}")


def test_the_version() -> None:
    assert CliRunner().invoke(cli, ["--version"]).output == f"ibpe, version {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["status", "--nonsense"], ["plan"], ["status", "-A", "images"]], ids=" ".join
)
def test_misuse_ends_with_1_since_2_means_changes(arguments: list[str]) -> None:
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 1
    assert done.stderr
    assert not done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_policies_of_every_example_can_be_rendered(example: Path) -> None:
    done = CliRunner().invoke(cli, ["policy", "render", "-f", str(example), "-o", "json"])
    assert done.exit_code == 0, done.stderr
    documents = json.loads(done.stdout)
    assert set(documents) <= {"imagebuilder", "s3"}
    assert all(document["Statement"] for document in documents.values())


def test_the_rendered_yaml_holds_the_same_as_the_json() -> None:
    as_json = CliRunner().invoke(cli, ["policy", "render", "-f", "-", "-o", "json"], input=manifest()).stdout
    as_yaml = CliRunner().invoke(cli, ["policy", "render", "-f", "-"], input=manifest()).stdout
    assert yaml.safe_load(as_yaml) == json.loads(as_json)
    assert " of 20480 characters\n" in as_yaml


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        (manifest({"vpcID": "x"}), [], "error: images: spec.vpcID: write the id of the VPC"),
        (
            manifest({"imageBuilder.policy": {"preset": "Custom", "document": "{"}}),
            [],
            "error: images: ",
        ),
        (manifest() + "---\n" + manifest(name="more"), [], "several resources (images, more); choose one with --name."),
        (manifest(), ["--name", "other"], "holds no resource other; it holds images."),
    ],
    ids=["bad-spec", "bad-document", "several", "no-such-name"],
)
def test_what_is_wrong_with_a_file_is_one_sentence(text: str, arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(cli, ["policy", "render", "-f", "-", *arguments], input=text)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not done.stdout


def test_one_of_several_is_chosen_by_name() -> None:
    text = manifest({"s3": {"mode": "None"}}) + "---\n" + manifest(name="more")
    done = CliRunner().invoke(cli, ["policy", "render", "-f", "-", "--name", "images", "-o", "json"], input=text)
    assert set(json.loads(done.stdout)) == {"imagebuilder"}


def test_run_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IBPE_CLUSTER_NAME", raising=False)
    done = CliRunner().invoke(cli, ["run"])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: IBPE_CLUSTER_NAME is not set: ")


def test_a_flag_of_run_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBPE_CLUSTER_NAME", "by environment")
    assert "IBPE_CLUSTER_NAME='by environment' is not valid" in CliRunner().invoke(cli, ["run"]).stderr
    assert "'by flag'" in CliRunner().invoke(cli, ["run", "--cluster-name", "by flag"]).stderr


@pytest.mark.parametrize(
    ("kubeconfig", "message"),
    [
        ("/nonexistent/kubeconfig", "error: KUBECONFIG names /nonexistent/kubeconfig, which does not exist"),
        ("closed", "error: The API server can't be reached: check the network and the kubeconfig ("),
    ],
    ids=["no-kubeconfig", "nobody-listens"],
)
def test_status_without_a_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kubeconfig: str, message: str
) -> None:
    if kubeconfig == "closed":
        kubeconfig = str(tmp_path / "kubeconfig")
        Path(kubeconfig).write_text(
            yaml.safe_dump(
                {
                    "current-context": "c",
                    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}],
                    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                    "users": [{"name": "u", "user": {}}],
                }
            )
        )
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    done = CliRunner().invoke(cli, ["status"])
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_closed_pipe_is_nobodys_fault() -> None:
    command = [*IBPE, "policy", "render", "-f", str(ROOT / "examples" / "minimal.yaml")]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 1


def test_ctrl_c_ends_with_130_and_without_a_traceback(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command = [*IBPE, "policy", "render", "-f", str(fifo)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            writing = _eventually(lambda: _opened_for_writing(fifo))
            os.write(writing, b"kind: ")
            _eventually(lambda: _unread(writing) == 0 or None)  # now it waits for the rest
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
            os.close(writing)
        finally:
            process.kill()
    assert process.returncode == 130
    assert (out, err.strip()) == (b"", b"")


def _opened_for_writing(fifo: Path) -> int | None:
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nobody reads yet
            return None
        raise


def _unread(pipe: int) -> int:
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def _eventually(look: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + 20
    while (found := look()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found
