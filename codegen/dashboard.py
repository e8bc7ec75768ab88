"""Prints deploy/grafana/dashboard.json: what a person asks at night, in that order, and what answers it.

Knows queries and where they stand; how Grafana wants it written is in `codegen.grafana`.
"""

from codegen.grafana import Dashboard, Row, Step, duration_panel, rendered, series, stat, table

CLUSTER = 'cluster=~"$cluster"'
RESOURCE = f'{CLUSTER},namespace=~"$namespace"'
OURS = f"and on (job, instance) ibpe_build_info{{{CLUSTER}}}"
"""Of what every process exports, only what is the operator's."""


def resources(metric: str) -> str:
    """One value a resource, however many processes show it."""
    return f"max by (cluster, namespace, name) ({metric}{{{RESOURCE}}})"


def rates(metric: str, *labels: str) -> str:
    """Events a second, by these labels."""
    return f"sum by ({', '.join(labels)}) (rate({metric}{{{CLUSTER}}}[$__rate_interval]))"


def events(metric: str, *labels: str, only: str = "") -> str:
    """Events in each interval, by these labels."""
    return f"sum by ({', '.join(labels)}) (increase({metric}{{{CLUSTER}{only}}}[$__rate_interval]))"


def quantile(share: float, histogram: str, *labels: str) -> str:
    """A quantile of a histogram, in seconds."""
    return f"histogram_quantile({share}, {rates(f'{histogram}_bucket', *labels, 'le')})"


NONE_IS_GOOD = (Step("green"), Step("red", 1))
ONE_IS_GOOD = (Step("red"), Step("green", 1), Step("red", 2))
SHOWN = (Step("blue"),)

UP = Row(
    "Is it up, and who leads?",
    stat(
        "Leaders",
        f"sum by (cluster, namespace) (ibpe_leader{{{CLUSTER}}})",
        ONE_IS_GOOD,
        "Exactly one for each release.",
        legend="{{cluster}} {{namespace}}",
    ),
    stat("Replicas", f"count(ibpe_build_info{{{CLUSTER}}}) or vector(0)", (Step("red"), Step("green", 1))),
    series("Leader", {"{{instance}}": f"ibpe_leader{{{CLUSTER}}}"}, width=8, description="1 where it works."),
    table(
        "Alerts that fire",
        f'ALERTS{{{CLUSTER},alertname=~"IBPE.+",alertstate="firing"}}',
        ("alertname", "severity", "namespace", "name", "account", "region"),
        width=10,
    ),
)

READY = Row(
    "Is anything not ready, or waiting for a person?",
    stat("Resources", f"count({resources('ibpe_resource_ready')}) or vector(0)", SHOWN),
    stat(
        "Not ready",
        f"count({resources('ibpe_resource_ready')} == 0) or vector(0)",
        NONE_IS_GOOD,
        "Being made, edited or deleted counts too, for a while.",
    ),
    stat("Stalled", f"sum({resources('ibpe_resource_stalled')}) or vector(0)", NONE_IS_GOOD, "They wait for a person."),
    stat(
        "Longest deletion",
        f"time() - min({resources('ibpe_resource_deletion_timestamp_seconds')}) or vector(0)",
        (Step("green"), Step("red", 1800)),
        unit="s",
    ),
    table(
        "Why",
        f"max by (cluster, namespace, name, reason) (ibpe_resource_unready_reason{{{RESOURCE}}})",
        ("cluster", "namespace", "name", "reason"),
        width=12,
    ),
    series(
        "Ready and not",
        {
            "ready": f"count({resources('ibpe_resource_ready')} == 1) or vector(0)",
            "not ready": f"count({resources('ibpe_resource_ready')} == 0) or vector(0)",
            "stalled": f"sum({resources('ibpe_resource_stalled')}) or vector(0)",
        },
        width=24,
    ),
)

DRIFT = Row(
    "What do others change?",
    series("Drift found", {"{{role}} {{field}}": events("ibpe_drift_detected_total", "role", "field")}, width=12),
    duration_panel(
        "From finding to repair",
        {
            "half within": quantile(0.5, "ibpe_drift_repair_seconds"),
            "95 % within": quantile(0.95, "ibpe_drift_repair_seconds"),
        },
        width=12,
    ),
    table("Contended", f"{resources('ibpe_contended')} == 1", ("cluster", "namespace", "name"), width=8),
    series(
        "Endpoints made again, policies opened",
        {
            "made again: {{role}}": events("ibpe_endpoint_recreated_total", "role"),
            "opened behind our back: {{role}}": events("ibpe_policy_widened_total", "role", only=',cause="drift"'),
            "opened by an edit: {{role}}": events("ibpe_policy_widened_total", "role", only=',cause="edit"'),
        },
        width=10,
    ),
    stat(
        "Orphan endpoints",
        f"sum(max by (cluster, account, region) (ibpe_orphan_endpoints{{{CLUSTER}}})) or vector(0)",
        NONE_IS_GOOD,
        "Ours by their tags, of resources that are no more.",
        width=6,
    ),
)

AWS = Row(
    "What does AWS answer?",
    series(
        "Errors by code",
        {
            "{{code}} {{operation}}": (
                "sum by (operation, code) "
                f'(rate(ibpe_aws_api_calls_total{{{CLUSTER},code!="ok"}}[$__rate_interval])) > 0'
            )
        },
        width=12,
        unit="reqps",
    ),
    series(
        "Throttled",
        {"{{operation}} {{account}} {{region}}": rates("ibpe_aws_throttled_total", "operation", "account", "region")},
        width=12,
        unit="reqps",
    ),
    series("Calls", {"{{operation}}": rates("ibpe_aws_api_calls_total", "operation")}, width=12, unit="reqps"),
    series(
        "Writes that AWS takes now",
        {
            "{{operation}} {{account}} {{region}}": (
                f"min by (operation, account, region) (ibpe_aws_token_bucket_level{{{CLUSTER}}})"
            )
        },
        width=12,
        description="Below 1, the next one waits for its turn.",
    ),
    duration_panel(
        "95 % of calls within",
        {"{{operation}}": quantile(0.95, "ibpe_aws_api_call_duration_seconds", "operation")},
        width=12,
    ),
)

SIGHT = Row(
    "Does it see its regions?",
    duration_panel(
        "Age of the snapshot",
        {"{{account}} {{region}}": f"max by (account, region) (ibpe_snapshot_age_seconds{{{CLUSTER}}})"},
        width=12,
        description="Past 300 s, Ready is Unknown.",
    ),
    series(
        "Looks that fail, and the brake",
        {
            "fails: {{account}} {{region}}": f"max by (account, region) (ibpe_observation_failed{{{CLUSTER}}})",
            "brake: {{account}} {{region}}": f"max by (account, region) (ibpe_brake_engaged{{{CLUSTER}}})",
        },
        width=12,
    ),
)

WORK = Row(
    "Does it keep up?",
    series("Waiting for a worker", {"{{instance}}": f"ibpe_workqueue_depth{{{CLUSTER}}}"}, width=8),
    duration_panel(
        "Time in the queue, time at work",
        {
            "95 % wait less than": quantile(0.95, "ibpe_workqueue_queue_duration_seconds"),
            "95 % take less than": quantile(0.95, "ibpe_reconcile_duration_seconds"),
        },
        width=8,
    ),
    series("Reconciles by how they end", {"{{result}}": rates("ibpe_reconcile_total", "result")}, width=8, unit="ops"),
    series(
        "Put into the queue",
        {
            "for the first time or anew": f"sum(rate(ibpe_workqueue_adds_total{{{CLUSTER}}}[$__rate_interval]))",
            "again, with backoff": f"sum(rate(ibpe_workqueue_retries_total{{{CLUSTER}}}[$__rate_interval]))",
        },
        width=12,
        unit="ops",
    ),
    series(
        "Writes that the API server refused",
        {"{{problem}}": events("ibpe_kubernetes_write_problems_total", "problem")},
        width=12,
    ),
)

PROCESS = Row(
    "What does the process use?",
    series("Memory", {"{{instance}}": f"process_resident_memory_bytes {OURS}"}, width=8, unit="bytes"),
    series(
        "Processors",
        {"{{instance}}": f"rate(process_cpu_seconds_total[$__rate_interval]) {OURS}"},
        width=8,
        unit="short",
    ),
    series("Open files", {"{{instance}}": f"process_open_fds {OURS}"}, width=4),
    series("Uptime", {"{{instance}}": f"time() - process_start_time_seconds {OURS}"}, width=4, unit="s"),
)

DASHBOARD = Dashboard(
    uid="ibpe-operator",
    title="Image Builder private endpoints",
    variables={
        "cluster": "label_values(ibpe_build_info, cluster)",
        "namespace": f"label_values(ibpe_resource_ready{{{CLUSTER}}}, namespace)",
    },
    rows=(UP, READY, DRIFT, AWS, SIGHT, WORK, PROCESS),
)


if __name__ == "__main__":
    print(rendered(DASHBOARD), end="")  # noqa: T201 -- what it prints is the file
