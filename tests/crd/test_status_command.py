"""`ibpe status` against the real API server: what it finds, and what it says when it can't."""

import json

import pytest
from click.testing import CliRunner, Result

from ibpe.api.names import PLURAL
from ibpe.cli.root import cli
from sandbox.kube import ControlPlane
from tests.crd.cases import GOOD
from tests.crd.conftest import NAMESPACE, Apply

pytestmark = pytest.mark.kube


def status(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["status", *arguments])


@pytest.fixture(autouse=True)
def as_admin(installed: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(installed.kubeconfig))


def test_a_page_about_one(apply: Apply) -> None:
    assert apply(GOOD).returncode == 0
    done = status("images", "-n", NAMESPACE)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(f"{NAMESPACE}/images  Ready: - (NotSeenYet)\n")
    assert "- The operator has not seen it yet" in done.stdout


def test_a_table_of_a_namespace_and_of_all(apply: Apply) -> None:
    assert apply(GOOD).returncode == 0
    assert status("-n", NAMESPACE).stdout.splitlines()[1].split()[:2] == ["images", "us-west-2"]
    assert f"\n{NAMESPACE}" in status("-A").stdout


def test_data_for_programs(apply: Apply) -> None:
    assert apply(GOOD).returncode == 0
    one = json.loads(status("images", "-n", NAMESPACE, "-o", "json").stdout)
    assert (one["name"], one["vpcID"], one["status"]["observedGeneration"]) == ("images", GOOD["vpcID"], -1)
    assert json.loads(status("-n", NAMESPACE, "-o", "json").stdout) == [one]


def test_nothing_there_is_said_and_is_an_empty_list_for_programs(installed: ControlPlane) -> None:
    assert installed
    done = status("-n", "empty")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "No ImageBuilderPrivateEndpoint in namespace empty.\n"
    assert status("-n", "empty", "-o", "json").stdout == "[]\n"


def test_a_name_that_is_nearly_right_is_suggested(apply: Apply) -> None:
    assert apply(GOOD).returncode == 0
    done = status("image", "-n", NAMESPACE)
    assert done.exit_code == 1
    assert done.stderr.endswith(f"image in namespace {NAMESPACE}; did you mean images?\n")
    assert f"there is one in {NAMESPACE}: add -n {NAMESPACE}." in status("images", "-n", "elsewhere").stderr


def test_no_permission(installed: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(installed.user_kubeconfig("nobody-special")))
    done = status("-n", NAMESPACE)
    assert done.exit_code == 1
    assert f"You may not list {PLURAL} in namespace {NAMESPACE}: ask for the verbs get and list" in done.stderr


def test_wrong_credentials(installed: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(installed.kubeconfig_with_token("stale", "no-such-token")))
    done = status("images")
    assert done.exit_code == 1
    assert "does not accept your credentials: log in again" in done.stderr
