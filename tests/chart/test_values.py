"""Values: what is refused and in which words, and that each of them does something."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from codegen.chart_page import values as documented
from ibpe import __version__
from sandbox.helm import Helm, HelmError
from tests.chart.chart import CHART, MATRIX, NAME, ROLE, RUNBOOKS, Values, defaults, values

MONITORED = {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}


def render(helm: Helm, given: Values) -> list[dict[str, Any]]:
    return helm.template(CHART, given, name="ibpe", namespace="ibpe-system")


def test_lint_has_nothing_to_say(helm: Helm) -> None:
    answer = helm.run("lint", "--strict", CHART, "--set", "clusterName=prod-eu")
    assert "1 chart(s) linted, 0 chart(s) failed" in answer.stdout
    assert "WARNING" not in answer.stdout + answer.stderr


def test_the_charts_operator_is_this_one() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == __version__


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({}, "clusterName is required: give this cluster a name that it keeps", id="no cluster name"),
        pytest.param({"clusterName": "a b"}, "at '/clusterName': 'a b' does not match pattern", id="a bad name"),
        pytest.param({**NAME, "replicas": 3}, "additional properties 'replicas' not allowed", id="an unknown key"),
        pytest.param(
            {**NAME, "image": {"tagg": "1"}},
            "at '/image': additional properties 'tagg' not allowed",
            id="an unknown key inside",
        ),
        pytest.param(
            {**NAME, "replicaCount": "two"}, "at '/replicaCount': got string, want integer", id="a wrong type"
        ),
        pytest.param({**NAME, "watchNamespaces": "a"}, "got string, want array", id="a name for a list"),
        pytest.param(
            {**NAME, "image": {"digest": "sha256:1"}},
            "at '/image/digest': 'sha256:1' does not match",
            id="a bad digest",
        ),
        pytest.param({**NAME, "logLevel": "LOUD"}, "at '/logLevel': value must be one of", id="a bad word"),
        pytest.param(
            {**NAME, "leaderElection": {"enabled": False}},
            "replicaCount is 2 with leaderElection.enabled false: both would work at once",
            id="two that both work",
        ),
        pytest.param(
            {**NAME, "leaderElection": {"renewDeadlineSeconds": 14}},
            "a leader must have ended before another begins",
            id="a lease that is too short",
        ),
        pytest.param(
            {**NAME, "shutdownSeconds": 30},
            "shutdownSeconds must be less than terminationGracePeriodSeconds",
            id="an end that is cut off",
        ),
        pytest.param({**NAME, "metrics": MONITORED}, "counted twice; choose one", id="two monitors"),
        pytest.param(
            {**NAME, "metrics": {"enabled": False, "podMonitor": {"enabled": True}}},
            "there is nothing to scrape",
            id="a monitor of nothing",
        ),
        pytest.param(
            {**NAME, "metrics": {"prometheusRule": {"enabled": True}}},
            "runbookBaseURL is required with metrics.prometheusRule.enabled",
            id="alerts without runbooks",
        ),
        pytest.param(
            {**NAME, "serviceAccount": {"create": False}},
            "serviceAccount.name is required when serviceAccount.create is false",
            id="nobody to run as",
        ),
        pytest.param(
            {**NAME, "accounts": {"accounts": [{"name": "network", "roleARN": ROLE}]}},
            "at '/accounts/accounts/0': missing property 'accountID'",
            id="an account without its id",
        ),
    ],
)
def test_what_can_not_work_is_refused_in_a_sentence(helm: Helm, given: Values, told: str) -> None:
    with pytest.raises(HelmError) as refused:
        render(helm, given)
    assert told in str(refused.value)


def leaves(given: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in given.items():
        if isinstance(value, Mapping) and value and name != "resources":
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name)


MORE: dict[str, Values] = {
    "accounts": values("several accounts", "x"),
    "crds.enabled": {"crds": {"enabled": False}},
    "serviceAccount.create": values("a service account that exists", "x"),
    "uninstallCheck.enabled": {"uninstallCheck": {"enabled": False}},
    "admissionPolicies.enabled": {"admissionPolicies": {"enabled": False}},
    "podDisruptionBudget.enabled": {"podDisruptionBudget": {"enabled": False}},
    "hostNetwork": {"hostNetwork": True},
    "rbac.aggregate": {"rbac": {"aggregate": False}},
    "metrics.dashboard.labels.grafana_dashboard": {"metrics": {"dashboard": {"labels": {"grafana_dashboard": "2"}}}},
    "metrics.podMonitor.labels": {"metrics": {"podMonitor": {"labels": {"x": "z"}}}},
    "metrics.prometheusRule.runbookBaseURL": {"metrics": {"prometheusRule": {"runbookBaseURL": f"{RUNBOOKS}/2"}}},
    "leaderElection.renewDeadlineSeconds": {"leaderElection": {"renewDeadlineSeconds": 8}},
    "shutdownSeconds": {"shutdownSeconds": 5},
    "metrics.podMonitor.interval": {"metrics": {"podMonitor": {"interval": "7s"}}},
}
"""Changes of values that no set of the matrix makes."""
ON = {
    "metrics": {
        "podMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True, "runbookBaseURL": RUNBOOKS},
        "dashboard": {"enabled": True},
    },
    "networkPolicy": {"enabled": True},
}
"""What must be on for the values below it to have an effect."""


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> Values:
    both = {**one}
    for name, value in other.items():
        both[name] = (
            merged(both[name], value) if isinstance(both.get(name), Mapping) and isinstance(value, Mapping) else value
        )
    return both


def at(given: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(given, Mapping) or name not in given:
            return None
        given = given[name]
    return given


def nested(path: tuple[str, ...], value: Any) -> Values:
    for name in reversed(path):
        value = {name: value}
    found: Values = value
    return found


@pytest.mark.parametrize("path", list(leaves(defaults())), ids=".".join)
def test_each_value_has_an_effect(helm: Helm, path: tuple[str, ...]) -> None:
    sources = [MORE[".".join(path)]] if ".".join(path) in MORE else [values(each, "x") for each in MATRIX]
    given = next(
        (each for each in sources if at(each, path) is not None and at(each, path) != at(defaults(), path)), None
    )
    assert given is not None, f"no value set changes {'.'.join(path)}: add one"
    base = merged(NAME, ON if path[0] in ON else {})
    if "serviceMonitor" in path:
        base = merged(base, {"metrics": {"podMonitor": {"enabled": False}, "serviceMonitor": {"enabled": True}}})
    if path[-1] == "enabled" or path in {("clusterName",), ("serviceAccount", "create")}:
        base = {**NAME, "clusterName": "other"} if path == ("clusterName",) else NAME
        changed = given
    else:
        changed = merged(base, nested(path, at(given, path)))
    assert json.dumps(render(helm, base)) != json.dumps(render(helm, merged(base, changed)))


def test_each_value_is_documented_and_in_the_schema() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    told = {value.path for value in documented()}
    for path in leaves(defaults()):
        named = {".".join(path[:length]) for length in range(1, len(path) + 1)}
        assert named & told, f"{'.'.join(path)} has no comment in values.yaml"
        part = schema
        for name in path:
            if "properties" not in part:
                break
            assert part["additionalProperties"] is False, f"the schema takes any key beside {'.'.join(path)}"
            part = part["properties"][name]
