"""What can't work is refused before anything is installed, with a message that says the fix."""

from typing import NamedTuple

import pytest
import yaml

from ibpe.runtime.accounts_file import InvalidAccounts, read
from sandbox.helm import Helm, HelmError
from tests.chart.chart import NAME, ROLE, Values, rendered, values

pytestmark = pytest.mark.release


class Case(NamedTuple):
    """Values, and what Helm then says."""

    given: Values
    told: str


OWN = {"namespaces": ["*"], "accounts": ["own"]}
NETWORK = {"name": "network", "accountID": "111122223333", "roleARN": ROLE}

SCHEMA = {
    "an unknown key": Case({"replicas": 3}, "additional properties 'replicas' not allowed"),
    "an unknown key inside": Case({"image": {"tagg": "1"}}, "at '/image': additional properties 'tagg' not allowed"),
    "an unknown key far inside": Case(
        {"metrics": {"podMonitor": {"enable": True}}},
        "at '/metrics/podMonitor': additional properties 'enable' not allowed",
    ),
    "text for a number": Case({"replicaCount": "two"}, "at '/replicaCount': got string, want integer"),
    "text for a switch": Case({"crds": {"enabled": "false"}}, "at '/crds/enabled': got string, want boolean"),
    "a name for a list": Case({"watchNamespaces": "a"}, "at '/watchNamespaces': got string, want array"),
    "a pattern for a namespace": Case(
        {"watchNamespaces": ["team-*"]}, "at '/watchNamespaces/0': 'team-*' does not match"
    ),
    "a namespace twice": Case({"watchNamespaces": ["a", "a"]}, "at '/watchNamespaces': items at 0 and 1 are equal"),
    "a number for a label": Case({"podLabels": {"cost": 42}}, "at '/podLabels/cost': got number, want string"),
    "a switch set to nothing": Case({"rbac": {"create": None}}, "at '/rbac': missing property 'create'"),
    "a bad cluster name": Case({"clusterName": "a b"}, "at '/clusterName': 'a b' does not match pattern"),
    "a short digest": Case({"image": {"digest": "sha256:1"}}, "at '/image/digest': 'sha256:1' does not match pattern"),
    "no image": Case({"image": {"repository": ""}}, "at '/image/repository': minLength: got 0, want 1"),
    "an unheard-of level": Case({"logLevel": "LOUD"}, "at '/logLevel': value must be one of 'DEBUG', 'INFO'"),
    "a Region's name": Case({"aws": {"region": "Ireland"}}, "at '/aws/region': 'Ireland' does not match pattern"),
    "no way out": Case(
        {"networkPolicy": {"egressPorts": []}}, "at '/networkPolicy/egressPorts': minItems: got 0, want 1"
    ),
    "an address that YAML takes for a map": Case(
        {"metrics": {"prometheusRule": {"runbookBaseURL": "https://x/y: z"}}},
        "at '/metrics/prometheusRule/runbookBaseURL': 'https://x/y: z' does not match pattern",
    ),
    "a variable without a name": Case({"extraEnv": [{"value": "1"}]}, "at '/extraEnv/0': missing property 'name'"),
    "an account without its id": Case(
        {"accounts": {"accounts": [{"name": "network", "roleARN": ROLE}], "grants": [OWN]}},
        "at '/accounts/accounts/0': missing property 'accountID'",
    ),
    "an account's id as a number": Case(
        {"accounts": {"accounts": [{**NETWORK, "accountID": 111122223333}], "grants": [OWN]}},
        "at '/accounts/accounts/0/accountID': got number, want string",
    ),
    "a grant to no namespace": Case(
        {"accounts": {"grants": [{"namespaces": [], "accounts": ["own"]}]}},
        "at '/accounts/grants/0/namespaces': minItems: got 0, want 1",
    ),
}

SENTENCES = {
    "no cluster name": Case(
        {"clusterName": ""},
        "clusterName is required: give this cluster a name that it keeps when it is rebuilt, such as --set "
        "clusterName=prod-eu; it goes into a tag on everything that is made",
    ),
    "two that both work": Case(
        {"leaderElection": {"enabled": False}},
        "replicaCount is 2 with leaderElection.enabled false: all would work at once; turn leaderElection on, or set "
        "replicaCount to 1",
    ),
    "a deadline too near to the lease's end": Case(
        {"leaderElection": {"renewDeadlineSeconds": 11}},
        "leaderElection: retrySeconds must be less than renewDeadlineSeconds, and that less than leaseDurationSeconds "
        "by 5 or more: a leader must have ended before another begins",
    ),
    "no time for a second renewal": Case(
        {"leaderElection": {"retrySeconds": 3}},
        "leaderElection.retrySeconds is too long for renewDeadlineSeconds: one renewal that hangs must leave time for "
        "another; a fifth of it is usual",
    ),
    "a retry after the deadline": Case(
        {"leaderElection": {"retrySeconds": 10}},
        "leaderElection: retrySeconds must be less than renewDeadlineSeconds",
    ),
    "an end that is cut off": Case(
        {"shutdownSeconds": 30},
        "shutdownSeconds must be less than terminationGracePeriodSeconds: the kubelet would kill the pod in the midst "
        "of its work",
    ),
    "two monitors": Case(
        {"metrics": {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}},
        "metrics.serviceMonitor.enabled and metrics.podMonitor.enabled are both true: everything would be counted "
        "twice; choose one",
    ),
    "a monitor of nothing": Case(
        {"metrics": {"enabled": False, "podMonitor": {"enabled": True}}},
        "metrics.enabled is false, and there is nothing to scrape: set it to true, or turn the ServiceMonitor and the "
        "PodMonitor off",
    ),
    "alerts about nothing": Case(
        {"metrics": {"enabled": False, "prometheusRule": {"enabled": True, "runbookBaseURL": "https://x"}}},
        "metrics.enabled is false, and the alerts of metrics.prometheusRule would say that the operator is absent",
    ),
    "alerts without runbooks": Case(
        {"metrics": {"prometheusRule": {"enabled": True}}},
        "metrics.prometheusRule.runbookBaseURL is required with metrics.prometheusRule.enabled: say where docs/runbooks"
        " is published",
    ),
    "nobody to run as": Case(
        {"serviceAccount": {"create": False}},
        "serviceAccount.name is required when serviceAccount.create is false: name the ServiceAccount that the "
        "operator runs as",
    ),
    "a role for nobody": Case(
        {"serviceAccount": {"create": False, "name": "theirs", "annotations": {"a": "b"}}},
        "serviceAccount.annotations are for a ServiceAccount that the chart makes: annotate yours yourself",
    ),
    "a variable that is the chart's": Case(
        {"extraEnv": [{"name": "IBPE_LOG_LEVEL", "value": "DEBUG"}]},
        "extraEnv names IBPE_LOG_LEVEL, which the chart sets from logLevel: set that, and take the variable out",
    ),
    "accounts for nobody": Case(
        {"accounts": {"accounts": [NETWORK]}},
        "accounts.grants is empty, so no namespace may use any account: grant some",
    ),
    "an account that nobody described": Case(
        {"accounts": {"grants": [{"namespaces": ["a"], "accounts": ["network"]}]}},
        "accounts.grants[0] names the account network, which is not in accounts.accounts: add it there, or name one of "
        "own",
    ),
    "an account called own": Case(
        {"accounts": {"accounts": [{**NETWORK, "name": "own"}], "grants": [OWN]}},
        "accounts.accounts names own twice, or as the operator's own account: give each account another name",
    ),
    "one account twice": Case(
        {"accounts": {"accounts": [NETWORK, {**NETWORK, "regions": ["us-west-2"]}], "grants": [OWN]}},
        "accounts.accounts names network twice, or as the operator's own account: give each account another name",
    ),
}


@pytest.mark.parametrize(("given", "told"), [*SCHEMA.values(), *SENTENCES.values()], ids=[*SCHEMA, *SENTENCES])
def test_what_can_not_work_is_refused_with_a_message(helm: Helm, given: Values, told: str) -> None:
    with pytest.raises(HelmError) as refused:
        rendered(helm, {**NAME, **given})
    assert told in " ".join(str(refused.value).split())


def test_nothing_is_installed_without_a_cluster_name(helm: Helm) -> None:
    with pytest.raises(HelmError, match="clusterName is required"):
        rendered(helm, {})


OF_ACCOUNTS = {name: case for name, case in {**SCHEMA, **SENTENCES}.items() if "accounts" in case.given}


@pytest.mark.parametrize("given", OF_ACCOUNTS.values(), ids=OF_ACCOUNTS)
def test_the_operator_itself_refuses_such_accounts(given: Case) -> None:
    with pytest.raises(InvalidAccounts):
        read(yaml.safe_dump(given.given["accounts"]), "prod-eu")


def test_the_operator_reads_the_accounts_that_the_chart_takes() -> None:
    given = values("several accounts")["accounts"]
    assert list(read(yaml.safe_dump(given), "prod-eu").roles) == ["network"]
