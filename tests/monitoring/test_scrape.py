"""A scrape of the running operator, to which everything has happened, against all that is written about its metrics."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codegen.metrics_page import SECTIONS
from sandbox.aws import AwsServer, Settings
from sandbox.aws.network import make_network
from sandbox.kube import ControlPlane
from sandbox.stage import OperatorProcess, Stage
from tests.docs.pages import PAGES
from tests.e2e.scene import IMAGE_BUILDER, REGION, S3, Scene, Scenes, eventually
from tests.monitoring.promql import Scrape, without_variables
from tests.monitoring.rules import REPOSITORY, alerts

pytestmark = pytest.mark.e2e

QUICK = Settings(pending_seconds=0.2, modify_pending_seconds=0.1, deleting_seconds=0.2, deleted_listed_seconds=1.0)
OPEN = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]})
DASHBOARD: dict[str, Any] = json.loads((REPOSITORY / "deploy" / "grafana" / "dashboard.json").read_text())


@pytest.fixture(scope="module")
def scenes(control_plane: ControlPlane) -> Iterator[Scenes]:
    namespace = f"monitoring-{uuid.uuid4().hex[:6]}"
    with AwsServer(QUICK) as aws, Stage(control_plane, aws) as stage:
        stage.plane.kubectl("create", "namespace", namespace)
        operator = stage.operator(
            IBPE_WATCH_NAMESPACES=namespace,
            IBPE_SNAPSHOT_SECONDS="0.5",
            IBPE_SNAPSHOT_FAST_SECONDS="0.3",
            IBPE_PREREQUISITES_SECONDS="2",
        )
        yield Scenes(stage, operator, namespace)


def value(operator: OperatorProcess, line: str) -> float:
    """The value of one series, written as it is scraped; -1 when there is none."""
    found = re.search(rf"^{re.escape(line)} (\S+)$", operator.metrics(), re.MULTILINE)
    return float(found[1]) if found else -1.0


def about(scene: Scene) -> str:
    return f'name="{scene.name}",namespace="{scene.namespace}"'


@pytest.fixture(scope="module")
def repaired(scenes: Scenes) -> Scene:
    """A resource whose endpoint was deleted and whose policy was opened, while AWS throttled and denied."""
    scene = scenes.make()
    scene.apply(scene.rich())
    scene.ready()
    ids = {role: endpoint.id for role, endpoint in scene.ours().items()}
    control = scenes.stage.aws.control
    control.fail("CreateVpcEndpoint", "RequestLimitExceeded", times=1, status=503)
    control.fail("DescribeVpcAttribute", "UnauthorizedOperation", times=1, status=403)
    scene.ec2.delete_vpc_endpoints(VpcEndpointIds=[ids[IMAGE_BUILDER]])
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=ids[S3], PolicyDocument=OPEN)
    scene.settled(lambda now: now.id != ids[IMAGE_BUILDER], IMAGE_BUILDER, "made again")
    scene.event("PolicyWidened")
    scene.settled(lambda now: now.policy != OPEN, S3, "as it was")
    scene.ready()
    eventually(lambda: all(each.hits for each in control.faults()), "throttled and denied", explain=control.faults)
    return scene


@pytest.fixture(scope="module")
def refused(scenes: Scenes) -> Scene:
    scene = scenes.make()
    scene.ec2.modify_vpc_attribute(VpcId=scene.network.vpc_id, EnableDnsHostnames={"Value": False})
    scene.apply(scene.rich())
    scene.stalled("VpcDnsDisabled")
    return scene


@pytest.fixture(scope="module")
def held(scenes: Scenes) -> Scene:
    """A resource that is suspended, and whose deletion waits for that."""
    scene = scenes.make()
    scene.apply(scene.rich())
    scene.ready()
    scene.edit(suspend=True)
    scene.delete()
    scene.event("DeletionBlocked")
    return scene


@pytest.fixture(scope="module")
def orphan(scenes: Scenes, repaired: Scene) -> Scene:
    """An endpoint of a resource that is no more, in a VPC of nobody's."""
    ec2 = repaired.ec2
    network = make_network(ec2)
    tags = {"ibpe.dev/cluster": "sandbox", "ibpe.dev/owner": f"{scenes.namespace}/gone", "ibpe.dev/role": "s3"}
    ec2.create_vpc_endpoint(
        VpcId=network.vpc_id,
        ServiceName=f"com.amazonaws.{REGION}.s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[network.route_table_id],
        TagSpecifications=[
            {"ResourceType": "vpc-endpoint", "Tags": [{"Key": key, "Value": text} for key, text in tags.items()]}
        ],
    )
    return repaired


@pytest.fixture(scope="module")
def scrape(scenes: Scenes, repaired: Scene, refused: Scene, held: Scene, orphan: Scene) -> Scrape:
    assert repaired is orphan
    assert refused.namespace == held.namespace
    return Scrape.of(scenes.operator.metrics())


def test_what_was_deleted_and_made_again_is_counted_once(repaired: Scene) -> None:
    assert value(repaired.operator, 'ibpe_endpoint_recreated_total{role="imagebuilder"}') == 1
    assert value(repaired.operator, 'ibpe_endpoint_recreated_total{role="s3"}') == 0
    assert value(repaired.operator, 'ibpe_policy_widened_total{cause="drift",role="s3"}') == 1
    assert value(repaired.operator, 'ibpe_drift_detected_total{field="endpoint",role="imagebuilder"}') == 1
    assert value(repaired.operator, "ibpe_leader") == 1


def test_the_namespaces_that_are_served_are_told(repaired: Scene) -> None:
    assert value(repaired.operator, f'ibpe_watched_namespace{{watched="{repaired.namespace}"}}') == 1
    assert value(repaired.operator, 'ibpe_watched_namespace{watched="*"}') == -1


def test_why_a_resource_is_stalled_is_a_label(refused: Scene) -> None:
    eventually(lambda: value(refused.operator, f"ibpe_resource_stalled{{{about(refused)}}}") == 1, "scraped as stalled")
    reason = f'ibpe_resource_unready_reason{{{about(refused)},reason="VpcDnsDisabled"}}'
    assert value(refused.operator, reason) == 1


def test_since_when_a_deletion_goes_on_is_what_kubernetes_says(held: Scene) -> None:
    line = f"ibpe_resource_deletion_timestamp_seconds{{{about(held)}}}"
    eventually(lambda: value(held.operator, line) > 0, "scraped as being deleted")
    assert 0 <= time.time() - value(held.operator, line) < 600
    reason = f'ibpe_resource_unready_reason{{{about(held)},reason="Suspended"}}'
    eventually(lambda: value(held.operator, reason) == 1, "scraped with its reason")


def test_an_orphan_is_counted_until_it_is_gone(orphan: Scene) -> None:
    operator = orphan.operator
    line = f'ibpe_orphan_endpoints{{account="123456789012",region="{REGION}"}}'
    eventually(lambda: value(operator, line) == 1, "one orphan", explain=operator.metrics)
    found = orphan.ec2.describe_vpc_endpoints(
        Filters=[{"Name": "tag:ibpe.dev/owner", "Values": [f"{orphan.namespace}/gone"]}]
    )
    orphan.ec2.delete_vpc_endpoints(VpcEndpointIds=[each["VpcEndpointId"] for each in found["VpcEndpoints"]])
    eventually(lambda: value(operator, line) == 0, "no orphan", explain=operator.metrics)


def test_every_metric_of_the_page_has_a_series(scrape: Scrape) -> None:
    names = {name for section in SECTIONS for name in section.uses}
    assert {name for name in names if name not in scrape.series and f"{name}_count" not in scrape.series} == set()


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_an_alert_asks_for_what_there_is(scrape: Scrape, alert: Any) -> None:
    texts = (alert.expr, alert.annotations["summary"], alert.annotations["description"])
    assert [fault for text in texts for fault in scrape.faults(text)] == []


QUERIES = [(panel["title"], target) for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]


@pytest.mark.parametrize(
    ("title", "target"), QUERIES, ids=lambda each: each if isinstance(each, str) else each["refId"]
)
def test_a_panel_asks_for_what_there_is(scrape: Scrape, title: str, target: dict[str, Any]) -> None:
    query = target["expr"]
    assert list(scrape.faults(without_variables(query))) == [], title
    for label in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")):
        grouped = {label for found in re.findall(r"\bby \(([^)]*)\)", query) for label in found.split(", ")}
        assert label in grouped or (label == "instance" and not grouped), f"{title}: the query has no {label} left"


def test_every_metric_that_a_page_names_is_scraped(scrape: Scrape) -> None:
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in scrape.series}
    for page in (*PAGES, *Path(REPOSITORY / "charts").rglob("*.md")):
        for name in re.findall(r"\bibpe_[a-z_]*[a-z]\b(?![*(])", page.read_text()):
            assert re.sub(r"_(bucket|sum|count)$", "", name) in families, f"{page.name} names {name}"
