"""Trouble in AWS as it meets the operator's process: told in the status, overcome when it ends, nothing made twice."""

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.aws import AwsServer, EndpointEdit, Fault, Settings
from sandbox.aws.messages import EndpointTruth
from sandbox.aws.network import Network
from sandbox.kube import ControlPlane
from sandbox.stage import Stage, condition, endpoint_ids, example

pytestmark = pytest.mark.e2e

REGION = "us-west-2"
QUICK = Settings(pending_seconds=0.3, modify_pending_seconds=0.2, deleting_seconds=0.3)


@pytest.fixture(scope="module")
def namespace() -> str:
    return f"faults-{uuid.uuid4().hex[:6]}"


@pytest.fixture(scope="module")
def stage(control_plane: ControlPlane, namespace: str) -> Iterator[Stage]:
    with AwsServer(QUICK) as aws, Stage(control_plane, aws) as stage:
        stage.plane.kubectl("create", "namespace", namespace)
        operator = stage.operator(
            IBPE_WATCH_NAMESPACES=namespace,
            IBPE_SNAPSHOT_SECONDS="1",
            IBPE_SNAPSHOT_FAST_SECONDS="0.3",
            IBPE_AWS_READ_TIMEOUT_SECONDS="1",
        )
        yield stage
        operator.stop()


@pytest.fixture
def network(stage: Stage) -> Iterator[Network]:
    (made,) = stage.aws.control.make_networks(1, region=REGION)
    yield made
    stage.aws.control.clear_faults()


def told(resource: dict[str, Any] | None, **wanted: str) -> bool:
    """Whether each condition says (status or reason) what is wanted of it."""
    return all(word in condition(resource, type_).values() for type_, word in wanted.items())


def made(stage: Stage, network: Network) -> tuple[EndpointTruth, ...]:
    """Every endpoint of the VPC that AWS holds, or held a moment ago."""
    return tuple(each for each in stage.aws.control.endpoints() if each.vpc_id == network.vpc_id)


def check_one_of_each(stage: Stage, network: Network) -> None:
    services = Counter(each.service_name.rpartition(".")[2] for each in made(stage, network))
    assert services == {"imagebuilder": 1, "s3": 1}, f"AWS holds {services}"


def test_a_burst_of_throttling_is_waited_out_and_bothers_nobody(stage: Stage, network: Network, namespace: str) -> None:
    stage.aws.control.fail("CreateVpcEndpoint", "RequestLimitExceeded", "Request limit exceeded.", status=503)
    stage.apply(example(network, "throttled", namespace))
    busy = stage.wait(
        "throttled",
        lambda resource: told(resource, Reconciling="Throttled", Stalled="False"),
        "Reconciling because of Throttled, and not Stalled",
        namespace=namespace,
    )
    assert "RequestLimitExceeded" in condition(busy, "Reconciling")["message"]

    stage.aws.control.clear_faults()

    stage.wait_ready("throttled", namespace=namespace)
    check_one_of_each(stage, network)


def test_a_proxy_that_answers_everything_with_a_page_is_named_and_outlived(
    stage: Stage, network: Network, namespace: str
) -> None:
    stage.aws.control.fault(Fault(effect="raw", status=502))
    stage.apply(example(network, "proxied", namespace))
    blind = stage.wait(
        "proxied",
        lambda resource: told(resource, Ready="ObservationFailed", Reconciling="True", Stalled="False"),
        "unknown because of ObservationFailed",
        namespace=namespace,
    )
    message = condition(blind, "Ready")["message"]
    assert "HTTP status 502" in message, message
    assert "<html" not in message, message

    stage.aws.control.clear_faults()

    stage.wait_ready("proxied", namespace=namespace)
    check_one_of_each(stage, network)


def test_a_create_that_hangs_after_its_effect_makes_no_second_endpoint(
    stage: Stage, network: Network, namespace: str
) -> None:
    stage.aws.control.fault(Fault(action="CreateVpcEndpoint", effect="hang", phase="after", times=2))
    stage.apply(example(network, "hung", namespace))
    stage.aws.control.wait_for_calls(action="CreateVpcEndpoint", outcome="held")

    ready = stage.wait_ready("hung", namespace=namespace)

    check_one_of_each(stage, network)
    assert set(endpoint_ids(ready).values()) == {each.id for each in made(stage, network)}


def test_a_permission_that_is_revoked_is_asked_for_and_used_again_when_it_is_back(
    stage: Stage, network: Network, namespace: str
) -> None:
    stage.apply(example(network, "revoked", namespace))
    id_ = endpoint_ids(stage.wait_ready("revoked", namespace=namespace))["imagebuilder"]
    stage.aws.control.deny(["ModifyVpcEndpoint"])
    stage.aws.control.edit_endpoint(id_, EndpointEdit(group_ids=(network.default_security_group_id,)))
    stuck = stage.wait(
        "revoked",
        lambda resource: told(resource, Stalled="True", Reconciling="False"),
        "Stalled",
        namespace=namespace,
    )
    stalled = condition(stuck, "Stalled")
    assert stalled["reason"] == "AccessDenied", stalled
    for word in ("ec2:ModifyVpcEndpoint", id_, "securityGroups", "request "):
        assert word in stalled["message"], f"no {word!r} in: {stalled['message']}"

    stage.aws.control.deny([])

    stage.wait_ready("revoked", namespace=namespace)
    (repaired,) = (each for each in made(stage, network) if each.id == id_)
    assert repaired.group_ids == (network.security_group_id,)
