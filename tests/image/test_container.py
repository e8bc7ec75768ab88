"""The operator in a locked container: it starts, works, ends, and hands over, with nothing but what a pod has."""

import statistics
from collections.abc import Callable

import pytest

from ibpe import __version__
from sandbox.aws.network import make_network
from sandbox.stage import Stage, condition, endpoint_ids, example
from tests.image.conftest import Pod
from tests.image.container import Container, python, run

pytestmark = pytest.mark.image

REGION = "us-west-2"
STOP_SECONDS = 10.0
READY_SECONDS = 15.0
"""Generous: for a machine that does other things, too."""


def test_the_version_is_told(image: str) -> None:
    assert run(image, "--version").stdout.strip().endswith(f"version {__version__}")


def test_help_lists_the_commands(image: str) -> None:
    said = run(image, "--help")
    assert said.returncode == 0
    assert all(command in said.stdout for command in ("run", "plan", "status", "policy"))


def test_without_arguments_it_runs_the_operator_and_says_what_is_not_set(image: str) -> None:
    said = run(image)
    assert said.returncode == 1
    assert "IBPE_CLUSTER_NAME is not set" in said.stderr


def test_without_a_cluster_it_says_so(image: str) -> None:
    said = run(image, options=["--env=IBPE_CLUSTER_NAME=sandbox"])
    assert said.returncode == 1
    assert "No cluster is configured" in said.stderr + said.stdout


def test_it_is_ready_soon(image: str, pod: Pod, report: Callable[[str], None]) -> None:
    times = []
    for _ in range(3):
        with pod.container(image) as container:
            times.append(container.until_ready())
    timed = python(
        image,
        "import time; t = time.perf_counter(); import ibpe.runtime.main, ibpe.runtime.assembly; "
        "print(time.perf_counter() - t)",
    )
    report(f"start to /readyz: {statistics.median(times):.2f} s; imports: {float(timed.stdout):.2f} s of it")
    assert statistics.median(times) < READY_SECONDS


def test_a_resource_is_made_kept_and_deleted(image: str, pod: Pod, stage: Stage) -> None:
    network = make_network(stage.aws.client("ec2", REGION))
    with pod.container(image):
        stage.apply(example(network, namespace=pod.namespace))
        made = endpoint_ids(stage.wait_ready("images", namespace=pod.namespace))
        assert set(made) == {"imagebuilder", "s3"}
        stage.aws.client("ec2", REGION).delete_vpc_endpoints(VpcEndpointIds=[made["s3"]])
        stage.wait(
            "images",
            lambda resource: endpoint_ids(resource or {"status": {}}).get("s3") not in {None, made["s3"]},
            "repaired",
            namespace=pod.namespace,
        )
        repaired = stage.wait_ready("images", namespace=pod.namespace)
        assert condition(repaired, "DriftFree")["status"] == "True"
        stage.delete("images", pod.namespace)
        stage.wait_gone("images", namespace=pod.namespace)
    left = stage.aws.client("ec2", REGION).describe_vpc_endpoints(
        Filters=[{"Name": "vpc-id", "Values": [network.vpc_id]}]
    )["VpcEndpoints"]
    assert {endpoint["State"] for endpoint in left} <= {"deleting", "deleted"}


def test_it_ends_when_the_kubelet_asks(image: str, pod: Pod, report: Callable[[str], None]) -> None:
    with pod.container(image) as container:
        container.until_ready()
        assert len(container.processes()) == 1, "no shell around it: it is process 1 itself"
        code, seconds = container.stop()
        report(f"SIGTERM to the end: {seconds:.2f} s")
        assert code == 0
        assert seconds < STOP_SECONDS
        container.until_logged("Ended.")


def test_it_ends_when_it_is_asked_before_it_is_ready(image: str, pod: Pod) -> None:
    nowhere = {"KUBERNETES_SERVICE_PORT": "1"}
    with pod.container(image, **nowhere) as container:
        container.until_logged("Probes are served.")
        code, seconds = container.stop()
        assert (code, seconds < STOP_SECONDS) == (0, True)


@pytest.mark.parametrize("user", ["1000660000:0", "1000:1000"])
def test_it_runs_as_any_user(image: str, pod: Pod, user: str) -> None:
    """OpenShift gives each namespace a range of user ids, which no image knows."""
    with pod.container(image, f"--user={user}") as container:
        container.until_ready()
        assert container.stop()[0] == 0


def test_of_two_containers_one_leads_and_the_other_takes_over(image: str, pod: Pod) -> None:
    with (
        pod.container(image, IBPE_LEADER_ELECTION="true", HOSTNAME="first") as first,
        pod.container(image, IBPE_LEADER_ELECTION="true", HOSTNAME="second") as second,
    ):
        first.until_ready()
        second.until_ready()
        first.until(lambda: leads(first) or leads(second), "had a leader")
        leader, standby = (first, second) if leads(first) else (second, first)
        assert not leads(standby)
        assert leader.stop()[0] == 0
        standby.until(lambda: leads(standby), "took over")


def leads(container: Container) -> bool:
    return "ibpe_leader 1.0" in container.metrics()


def test_an_api_server_of_another_authority_is_refused(image: str, pod: Pod) -> None:
    """The certificates that the pod was given decide, not that it is on loopback."""
    (files,) = pod.mounts
    authority = files / "ca.crt"
    trusted = authority.read_bytes()
    authority.write_bytes(python(image, "import certifi; print(certifi.contents())").stdout.encode())
    try:
        with pod.container(image) as container:
            container.until(lambda: "CERTIFICATE_VERIFY_FAILED" in container.log(), "refused the certificate")
    finally:
        authority.write_bytes(trusted)
