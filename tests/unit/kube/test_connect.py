"""Where the API server is, or one sentence on why nobody knows."""

from pathlib import Path

import pytest
import yaml

from ibpe.kube.connect import NoCluster, configuration
from ibpe.kube.watch import connection_info

CONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "here",
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443"}}],
    "users": [{"name": "u", "user": {"token": "secret"}}],
    "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
}


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("ibpe.kube.connect.TOKEN", tmp_path / "no token")


def test_a_kubeconfig_serves_both_the_client_and_kopf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(CONFIG))
    monkeypatch.setenv("KUBECONFIG", str(file))
    found = configuration()
    assert (found.host, found.retries) == ("https://127.0.0.1:6443", False)
    info = connection_info(found)
    assert (info.server, info.scheme, info.token) == ("https://127.0.0.1:6443", "Bearer", "secret")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "does not exist: correct it or unset it"),
        ("{", "can't be used"),
        ("", "can't be used"),
        ("[]", "can't be used"),
        (yaml.safe_dump({**CONFIG, "current-context": "elsewhere"}), "elsewhere"),
    ],
    ids=["missing", "no YAML", "empty", "no mapping", "no such context"],
)
def test_a_kubeconfig_that_is_of_no_use_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, says: str
) -> None:
    file = tmp_path / "config"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("KUBECONFIG", str(file))
    with pytest.raises(NoCluster, match=says) as nowhere:
        configuration()
    assert str(file) in str(nowhere.value)


def test_a_context_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(CONFIG))
    monkeypatch.setenv("KUBECONFIG", str(file))
    with pytest.raises(NoCluster, match="no usable context 'other'"):
        configuration("other")


def test_no_configuration_at_all_says_the_three_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", "~/.kube/config")
    with pytest.raises(NoCluster, match=r"set KUBECONFIG, create ~/\.kube/config, or run in a pod"):
        configuration()
