import pytest

from ibpe.runtime.leadership import NoNamespace, leadership
from ibpe.runtime.settings import InvalidSettings, Settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os  # noqa: PLC0415 -- only here

    for name in [name for name in os.environ if name.startswith("IBPE_")]:
        monkeypatch.delenv(name)


def test_the_defaults_need_only_a_cluster_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBPE_CLUSTER_NAME", "prod.eu-1")
    settings = Settings.load()
    assert settings.cluster_name == "prod.eu-1"
    assert (settings.workers, settings.snapshot_seconds, settings.snapshot_fast_seconds) == (4, 60, 5)
    assert (settings.prerequisites_seconds, settings.shutdown_seconds) == (600, 20)
    assert settings.watch_namespaces == ()


def test_a_missing_cluster_name_says_what_to_do() -> None:
    with pytest.raises(InvalidSettings, match=r"IBPE_CLUSTER_NAME is not set: .*--cluster-name"):
        Settings.load()


@pytest.mark.parametrize("name", ["", "a" * 64, "with space", "ü"])
def test_a_cluster_name_that_no_tag_may_hold_is_refused(name: str) -> None:
    with pytest.raises(InvalidSettings, match=r"IBPE_CLUSTER_NAME=.* 1 to 63 letters"):
        Settings.load(cluster_name=name)


def test_flags_override_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBPE_CLUSTER_NAME", "from-environment")
    monkeypatch.setenv("IBPE_WORKERS", "9")
    settings = Settings.load(cluster_name="from-flag", workers=None)
    assert (settings.cluster_name, settings.workers) == ("from-flag", 9)


@pytest.mark.parametrize(
    ("text", "names"),
    [("", ()), ("a", ("a",)), (" a , b-2,, a", ("a", "b-2"))],
    ids=["empty is all", "one", "spaces and repeats"],
)
def test_namespaces_between_commas(monkeypatch: pytest.MonkeyPatch, text: str, names: tuple[str, ...]) -> None:
    monkeypatch.setenv("IBPE_WATCH_NAMESPACES", text)
    assert Settings.load(cluster_name="c").watch_namespaces == names


def test_a_namespace_pattern_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="'team-\\*' is not a namespace's name"):
        Settings.load(cluster_name="c", watch_namespaces="team-*")


@pytest.mark.parametrize(("given", "port"), [("", None), ("-1", None), ("0", 0), ("8081", 8081)])
def test_ports_can_be_off_or_free(monkeypatch: pytest.MonkeyPatch, given: str, port: int | None) -> None:
    monkeypatch.setenv("IBPE_HEALTH_PORT", given)
    monkeypatch.setenv("IBPE_METRICS_PORT", given)
    settings = Settings.load(cluster_name="c")
    assert (settings.health_port, settings.metrics_port) == (port, port)


def test_every_wrong_setting_has_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBPE_WORKERS", "0")
    monkeypatch.setenv("IBPE_LOG_LEVEL", "loud")
    with pytest.raises(InvalidSettings) as refused:
        Settings.load(cluster_name="c")
    assert "IBPE_WORKERS='0'" in str(refused.value)
    assert "IBPE_LOG_LEVEL='LOUD'" in str(refused.value) or "IBPE_LOG_LEVEL='loud'" in str(refused.value)


def test_there_is_no_election_unless_asked_for() -> None:
    settings = Settings.load(cluster_name="c", lease_retry_seconds="30")  # not looked at either
    assert not settings.leader_election


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ((15, 10, 10), "IBPE_LEASE_RETRY_SECONDS must be less than IBPE_LEASE_RENEW_DEADLINE_SECONDS"),
        ((15, 15, 2), "that less than IBPE_LEASE_DURATION_SECONDS: a leader must end before others take over"),
        ((15, 10, 3), "IBPE_LEASE_RETRY_SECONDS is too long for IBPE_LEASE_RENEW_DEADLINE_SECONDS"),
        ((15, 11, 2), "IBPE_AWS_CONNECT_TIMEOUT_SECONDS must not exceed the time between"),
    ],
    ids=[
        "no second attempt",
        "no time to end",
        "no time for a second renewal",
        "no time for a call that is on its way",
    ],
)
def test_terms_that_let_two_lead_are_refused(terms: tuple[int, int, int], says: str) -> None:
    duration, deadline, retry = terms
    with pytest.raises(InvalidSettings, match=says):
        Settings.load(
            cluster_name="c",
            leader_election=True,
            lease_duration_seconds=duration,
            lease_renew_deadline_seconds=deadline,
            lease_retry_seconds=retry,
        )


def test_outside_of_a_pod_the_namespace_of_the_lease_must_be_said() -> None:
    settings = Settings.load(cluster_name="c", leader_election=True)
    with pytest.raises(NoNamespace, match="IBPE_LEASE_NAMESPACE is not set"):
        leadership(settings, lambda _: None)
