"""Writes docs/metrics.md: every metric that the operator exports, from its registry, and every alert of the rules."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

import yaml
from prometheus_client.core import Metric

from ibpe.aws.limits import CREATE, Level
from ibpe.kube.seen import Standing
from ibpe.reconcile.ports import Key
from ibpe.runtime.metrics import Metrics, RegionState

RULES: Final = Path(__file__).parent.parent / "deploy" / "prometheus" / "rules.yaml"
PREFIX: Final = "ibpe_"

OPENING: Final = """# Metrics, alerts, dashboard

The operator serves Prometheus metrics at `/metrics` on port 9090 ([settings](settings.md): `IBPE_METRICS_PORT`). All \
replicas serve it; of several, only the leader has series about resources, Regions and AWS.

Made from the code and the alert rules by `make crds`; not written by hand.

## Have it scraped

With the chart and the Prometheus Operator: `metrics.serviceMonitor.enabled` (or `metrics.podMonitor.enabled`), \
`metrics.prometheusRule.enabled` and, for Grafana's sidecar, `metrics.dashboard.enabled`.

With Prometheus alone, scrape the pods, and keep the labels that they send: `namespace` in our series is the \
resource's, not the pod's, and Prometheus would rename it without `honor_labels`.

```yaml
scrape_configs:
  - job_name: imagebuilder-private-endpoint-operator
    honor_labels: true
    kubernetes_sd_configs:
      - role: pod
        namespaces: {names: [ibpe-system]}
    relabel_configs:
      - source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_name, __meta_kubernetes_pod_container_port_name]
        regex: imagebuilder-private-endpoint-operator;metrics
        action: keep
      - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
      - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
```

Take [rules.yaml](../deploy/prometheus/rules.yaml) as a rule file, with the address of your copy of the runbooks in it:

```sh
sed 's#RUNBOOK_BASE#https://docs.example.com/ibpe/runbooks#' deploy/prometheus/rules.yaml > ibpe-rules.yaml
```

Import [dashboard.json](../deploy/grafana/dashboard.json) into Grafana (10 or later). Its panels are in the order of \
the questions that a person has at night: is it up and who leads, is anything not ready, what do others change, \
what does AWS answer, does it see its Regions, does it keep up, what does the process use.

## Alerts

`critical`: look now. `warning`: look today. Each has a page that says what to do. `make test-rules` runs promtool on \
every rule, just before and just after it is due, across a restart and a change of leader, and makes sure that a test \
fails for every small change of a rule.

| Alert | Severity | For | What it says |
|---|---|---|---|
"""

AFTER_ALERTS: Final = """
Two thresholds go with settings: `IBPESnapshotStale` fires at 300 s, so `IBPE_SNAPSHOT_SECONDS` must stay well below; \
`IBPEStuckDeleting` fires after half an hour, which AWS rarely needs.

An operator that is blind to a Region because no resource names it any more does not count orphans there.

## Metrics
"""

CLOSING: Final = """
Beside these: Python's `process_*` (memory, processor time, open files, start) and `python_info`. Counters whose \
labels are known begin at 0 in each process, so that their first event is an increase; histograms have `_bucket`, \
`_sum` and `_count`.
"""


@dataclass(frozen=True)
class Section:
    """Metrics under one heading, each with what to do with it."""

    title: str
    uses: Mapping[str, str]


SECTIONS: Final = (
    Section(
        "The operator",
        {
            "ibpe_build_info": "Which versions run; absent: nothing runs.",
            "ibpe_leader": "The sum over a release's replicas is 1. 0: nobody works; 2: see IBPETwoLeaders.",
            "ibpe_watched_namespace": "Of two that lead, none may be the same: IBPETwoLeaders.",
            "ibpe_reconcile_total": (
                "`error` that goes on is IBPEReconcileErrors. `refused` waits for a person, `waiting` for AWS, "
                "`conflict` passes by itself."
            ),
            "ibpe_reconcile_duration_seconds": "Beyond some seconds AWS or the API server is slow.",
            "ibpe_workqueue_depth": "0 at rest. If it stays up, workers are too few or AWS hangs.",
            "ibpe_workqueue_adds_total": "How much there is to do.",
            "ibpe_workqueue_retries_total": "How much of that is done again after a failure.",
            "ibpe_workqueue_queue_duration_seconds": "What a repair waits for before it begins.",
            "ibpe_kubernetes_write_problems_total": (
                "`refused`: the CRD is older than the operator. `leftover`: an older version's conditions were removed."
            ),
        },
    ),
    Section(
        "Resources",
        {
            "ibpe_resource_ready": "Count the zeros; which ones, and why, is in ibpe_resource_unready_reason.",
            "ibpe_resource_stalled": "Read the resource's Stalled condition.",
            "ibpe_resource_unready_reason": "Look the reason up in [troubleshooting](troubleshooting.md).",
            "ibpe_resource_deletion_timestamp_seconds": "`time() - x` is how long a deletion has taken.",
            "ibpe_contended": "Find out who else changes it: CloudTrail, by the endpoint's id.",
        },
    ),
    Section(
        "What others change",
        {
            "ibpe_drift_detected_total": "Rare is normal. Often: somebody else manages the same field.",
            "ibpe_drift_repair_seconds": "How long builds had to live with it.",
            "ibpe_endpoint_recreated_total": "Anything but 0 was somebody's deletion, or an endpoint that failed.",
            "ibpe_policy_widened_total": "`drift` is for whoever looks after security; `edit` was in the spec.",
            "ibpe_orphan_endpoints": "Delete them, or make the resource again.",
        },
    ),
    Section(
        "AWS",
        {
            "ibpe_aws_api_calls_total": "Errors by code; [troubleshooting](troubleshooting.md) says what each asks.",
            "ibpe_aws_api_call_duration_seconds": "15 s and more are timeouts.",
            "ibpe_aws_throttled_total": "The account's limits are shared: others may be the cause.",
            "ibpe_aws_token_bucket_level": (
                "Below 1 for long: more is to be written than AWS takes; resources say AwaitingTurn."
            ),
            "ibpe_snapshot_age_seconds": "Saws between 0 and IBPE_SNAPSHOT_SECONDS. From 300 on, Ready is Unknown.",
            "ibpe_observation_failed": "The operator's log names the call and AWS's answer.",
            "ibpe_brake_engaged": "Ask who deleted endpoints, or what changed in the account.",
        },
    ),
)


def metrics_page() -> str:
    """The page's text."""
    metrics = busy_metrics()
    found = {name: each for each in metrics.registry.collect() if (name := _name(each)).startswith(PREFIX)}
    untold = found.keys() ^ {name for section in SECTIONS for name in section.uses}
    if untold:
        raise ValueError(f"metrics that are exported and not told of, or the other way round: {sorted(untold)}")
    return OPENING + "\n".join([*_alerts(), AFTER_ALERTS, *_sections(found)]) + CLOSING


def busy_metrics() -> Metrics:
    """The metrics of a process to which everything has happened once: every family has a series."""
    metrics = Metrics()
    metrics.watches([])
    key, at = Key("team", "images"), datetime(2026, 1, 1, tzinfo=UTC)
    metrics.resources.put("uid", key, Standing(stalled=True, contended=True, reason="Contended", deleted_at=at))
    metrics.show_regions(lambda: [RegionState("", "us-west-2", 0.0, braked=False, failing=False, orphans=0)])
    metrics.show_levels(lambda: [Level("", "us-west-2", CREATE, 4.0)])
    metrics.called(service="ec2", operation="DescribeVpcEndpoints", code="ok", account="", region="", seconds=0.1)
    metrics.throttled(service="ec2", operation="DescribeVpcEndpoints", account="", region="")
    return metrics


def labels_of(family: Metric) -> tuple[str, ...]:
    """The labels of a family, but for those that its type brings."""
    found = {label: None for sample in family.samples for label in sample.labels if label not in {"le", "quantile"}}
    return tuple(found)


def _name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else str(family.name)


def _alerts() -> Iterator[str]:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            name, severity, lasts = rule["alert"], rule["labels"]["severity"], rule.get("for", "")
            says = _without_templates(" ".join(rule["annotations"]["summary"].split()))
            yield f"| [{name}](runbooks/{name}.md) | {severity} | {lasts} | {says} |"


PLACEHOLDERS: Final = MappingProxyType(
    {
        "{{ $labels.namespace }}/{{ $labels.name }}": "*namespace/name*",
        "{{ $value }}": "*n*",
        "{{ $value | humanizeDuration }}": "*so long*",
    }
)


def _without_templates(text: str) -> str:
    for template, word in PLACEHOLDERS.items():
        text = text.replace(template, word)
    return text.replace("{{ $labels.", "*").replace(" }}", "*")


def _sections(found: Mapping[str, Metric]) -> Iterator[str]:
    for section in SECTIONS:
        yield from (
            f"### {section.title}",
            "",
            "| Metric | Type | Labels | Meaning | What to do with it |",
            "|---|---|---|---|---|",
        )
        yield from _rows(section, found)
        yield ""


def _rows(section: Section, found: Mapping[str, Metric]) -> Iterable[str]:
    for name, use in section.uses.items():
        family = found[name]
        labels = ", ".join(f"`{label}`" for label in labels_of(family))
        yield f"| `{name}` | {family.type} | {labels} | {family.documentation} | {use} |"
