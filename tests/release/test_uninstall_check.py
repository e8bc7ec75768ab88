"""`ibpe uninstall-check` under the hook's own account: what it lets pass, what it refuses, and in which words."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ibpe.api.names import FINALIZER
from sandbox import containers
from sandbox.helm import Helm
from sandbox.stage import REPOSITORY, RESOURCE, Stage
from tests.e2e.scene import eventually
from tests.release.conftest import make_namespace
from tests.release.rbac import grants, without
from tests.release.release import CHART, HOOK, RBAC, apply, values_for

pytestmark = [pytest.mark.kube, pytest.mark.release]

EXAMPLE = REPOSITORY / "examples" / "minimal.yaml"


def resource(namespace: str, name: str = "images", *finalizers: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "finalizers": list(finalizers)}
    return {**yaml.safe_load(EXAMPLE.read_text()), "metadata": metadata}


@pytest.fixture
def home(stage: Stage) -> str:
    return make_namespace(stage.plane, "check")


@pytest.fixture
def check(stage: Stage, helm: Helm, home: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The hook of a release in `home`, run as its Job would be."""
    hooks = [
        each
        for each in helm.template(CHART, values_for(home), name="r", namespace=home)
        if HOOK in each["metadata"].get("annotations", {})
    ]
    rbac = [each for each in hooks if each["kind"] in RBAC]
    (job,) = (each for each in hooks if each["kind"] == "Job")

    def run(*, deprived: bool = False, **variables: str) -> subprocess.CompletedProcess[str]:
        (grant,) = grants(rbac)
        apply(stage.plane, without(rbac, grant) if deprived else rbac)
        container = containers.of(job["spec"]["template"], home, "check-0")
        environment = {**container.process_environment(container.kubeconfig(stage.plane)), **variables}
        return subprocess.run(container.command, env=environment, capture_output=True, text=True, check=False)

    return run


def test_it_passes_where_no_resource_has_the_finalizer(
    stage: Stage, home: str, check: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    elsewhere = make_namespace(stage.plane, "check-elsewhere")
    apply(stage.plane, [resource(home), resource(home, "others", "example.com/theirs")])
    apply(stage.plane, [resource(elsewhere, "images", FINALIZER)])
    done = check()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"No ImageBuilderPrivateEndpoint in namespaces {home} carries the finalizer {FINALIZER}: "
        "the operator may be uninstalled.\n"
    )


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, f"error: 1 {RESOURCE} carries the finalizer {FINALIZER}, which only this operator takes off (NS/n-0):"),
        (2, f"error: 2 {RESOURCE} carry the finalizer {FINALIZER}, which only this operator takes off (NS/n-0, NS/n-1"),
        (12, "NS/n-8, NS/n-9 and 2 more): delete them and wait until they are gone"),
    ],
)
def test_it_refuses_and_names_them(
    stage: Stage, home: str, check: Callable[..., subprocess.CompletedProcess[str]], count: int, said: str
) -> None:
    apply(stage.plane, [resource(home, f"n-{number:x}", FINALIZER) for number in range(count)])
    done = check()
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, "one sentence"
    assert said.replace("NS", home) in done.stderr
    assert f"`helm uninstall r -n {home} --no-hooks`" in done.stderr


def test_without_its_role_it_refuses_and_says_why(
    home: str, check: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = check(deprived=True)
    assert done.returncode == 1
    assert done.stderr == (
        f"error: You may not list imagebuilderprivateendpoints in namespaces {home}: "
        f"ask for the verbs get and list on {RESOURCE}.\n"
    )


def test_it_asks_about_the_namespaces_that_the_operator_serves(
    stage: Stage, home: str, check: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    check()
    done = check(IBPE_WATCH_NAMESPACES="")
    assert "You may not list imagebuilderprivateendpoints in all namespaces" in done.stderr
    apply(stage.plane, [resource(home, "images", FINALIZER)])
    assert check(IBPE_WATCH_NAMESPACES=f" {home},,{home}").stderr.startswith("error: 1 "), "each is asked once"


def test_without_the_crd_there_is_nothing_to_hold(cluster: Stage, tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin", "KUBECONFIG": str(cluster.plane.kubeconfig), "HOME": str(tmp_path)}
    command = [*containers.IMAGE_ENTRY_POINT, "uninstall-check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_reads_more_than_a_page(stage: Stage, home: str, check: Callable[..., Any]) -> None:
    many = [resource(home, f"n-{number:03d}") for number in range(104)]
    apply(stage.plane, [*many, resource(home, "z-last", FINALIZER)])
    shown = stage.plane.kubectl("get", RESOURCE, "-n", home, "-o", "json").stdout
    eventually(lambda: len(json.loads(shown)["items"]) == 105, "all are there")
    assert f"({home}/z-last)" in check().stderr
