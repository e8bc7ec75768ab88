"""What the chart does about a CRD that a cluster has already, and what it says after an installation."""

import json
import re
from collections.abc import Callable, Iterator

import pytest

from ibpe.api.names import GROUP, PLURAL
from ibpe.api.revision import ANNOTATION, REVISION
from sandbox.helm import Helm, HelmError
from sandbox.kube import ControlPlane
from tests.chart.chart import (
    CHART,
    NAME,
    QUICK,
    RELEASE,
    REPOSITORY,
    Manifest,
    Values,
    manifests,
    one,
    rendered,
    values,
)

pytestmark = [pytest.mark.kube, pytest.mark.release]

CRD = f"{PLURAL}.{GROUP}"
FILE = REPOSITORY / "crds" / f"{GROUP}_{PLURAL}.yaml"
OWNER = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")
Install = Callable[..., tuple[str, str]]
CrdOf = Callable[[int, str], None]


@pytest.fixture
def install(
    control_plane: ControlPlane, namespace: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[str, str]]:
    """A dry run that looks at the cluster: the manifests, and what a person is told."""
    helm = Helm(tmp_path_factory.mktemp("helm"), control_plane.kubeconfig)

    def run(given: Values, *flags: str) -> tuple[str, str]:
        text = helm.install(RELEASE, CHART, given, namespace, "--dry-run=server", *flags)
        made, _, notes = text.partition("\nMANIFEST:\n")[2].partition("\nNOTES:\n")
        return made, notes

    return run


@pytest.fixture
def crd_of(control_plane: ControlPlane, namespace: str) -> Iterator[CrdOf]:
    """Has the cluster's CRD be of a revision and a release; it is as it was afterwards."""
    there = control_plane.kubectl("get", "crd", CRD, "-o", "name", check=False).returncode == 0
    if not there:
        control_plane.kubectl("apply", "--server-side", "-f", str(FILE))

    def change(revision: int, release: str) -> None:
        annotations = {ANNOTATION: str(revision), **dict(zip(OWNER, (release, namespace), strict=True))}
        changes = [f"{name}={value}" for name, value in annotations.items()]
        control_plane.kubectl("annotate", "--overwrite", "crd", CRD, *changes)
        control_plane.kubectl("label", "--overwrite", "crd", CRD, "app.kubernetes.io/managed-by=Helm")

    yield change
    if there:
        control_plane.kubectl("annotate", "--overwrite", "crd", CRD, f"{ANNOTATION}={REVISION}")
        control_plane.kubectl("annotate", "crd", CRD, *(f"{name}-" for name in OWNER))
        control_plane.kubectl("label", "crd", CRD, "app.kubernetes.io/managed-by-")
    else:
        control_plane.kubectl("delete", "crd", CRD)


def deployment_of(made: str) -> Manifest:
    return one(manifests(made), "Deployment")


def crds(text: str) -> list[str]:
    return [each["metadata"]["name"] for each in manifests(text) if each["kind"] == "CustomResourceDefinition"]


@pytest.mark.parametrize(
    ("revision", "release", "told"),
    [
        pytest.param(REVISION - 1, RELEASE, None, id="ours-and-older"),
        pytest.param(REVISION, RELEASE, None, id="ours-and-as-new"),
        pytest.param(
            REVISION + 1,
            RELEASE,
            f"it is newer (schema revision {REVISION + 1}) than this chart's ({REVISION})",
            id="ours-and-newer",
        ),
        pytest.param(
            REVISION + 9, "another", f"it is newer (schema revision {REVISION + 9}) than this", id="theirs-and-newer"
        ),
        pytest.param(
            REVISION, "another", "it is as new as this chart's, and of the release another in namespace", id="theirs"
        ),
    ],
)
def test_a_crd_is_replaced_only_by_a_newer_one(
    install: Install, crd_of: CrdOf, revision: int, release: str, told: str | None
) -> None:
    crd_of(revision, release)
    made, notes = install(NAME)
    if told is None:
        assert crds(made) == [CRD]
        assert "was left as it is" not in notes
    else:
        assert crds(made) == []
        assert f"The CRD of this cluster was left as it is: {told}" in notes


def test_an_older_crd_of_another_release_is_taken_over_only_when_that_is_said(install: Install, crd_of: CrdOf) -> None:
    crd_of(REVISION - 1, "another")
    with pytest.raises(HelmError, match='must equal "ibpe": current value is "another"'):
        install(NAME)
    made, _ = install(NAME, "--take-ownership")
    assert crds(made) == [CRD]


@pytest.fixture
def another(control_plane: ControlPlane, helm: Helm, namespace: str) -> Iterator[Callable[..., None]]:
    """The Deployment of another release, in another namespace."""
    where = f"{namespace}-team-a"

    def deploy(namespaces: list[str], replicas: int = 2) -> None:
        given = {**NAME, **QUICK, "watchNamespaces": namespaces, "replicaCount": replicas}
        made = deployment_of(rendered(helm, given, namespace=where, release="another"))
        control_plane.kubectl("apply", "-f", "-", input=json.dumps(made))

    yield deploy
    control_plane.kubectl("delete", "deployment", "--all", "--namespace", where)


@pytest.mark.parametrize(
    ("theirs", "ours", "shared"),
    [
        ([], [], "all namespaces"),
        (["a"], [], "a"),
        ([], ["a", "b"], "a, b"),
        (["a", "b"], ["b", "c"], "b"),
    ],
    ids=["all-and-all", "one-and-all", "all-and-some", "some-and-some"],
)
def test_two_releases_never_serve_the_same(
    install: Install, another: Callable[..., None], namespace: str, theirs: list[str], ours: list[str], shared: str
) -> None:
    another(theirs)
    with pytest.raises(HelmError) as refused:
        install({**NAME, "watchNamespaces": ours})
    name = "another-imagebuilder-private-endpoint-operator"
    told = f"the Deployment {name} in namespace {namespace}-team-a serves {shared} already, and two operators"
    assert told in str(refused.value)


def test_releases_that_share_nothing_may_be_side_by_side(install: Install, another: Callable[..., None]) -> None:
    another(["a", "b"])
    install({**NAME, "watchNamespaces": ["c"], "rbac": {"create": False}})
    another([], replicas=0)
    install(NAME)


def test_a_release_may_be_upgraded_under_another_name_of_its_objects(
    control_plane: ControlPlane, install: Install, helm: Helm, namespace: str
) -> None:
    own = deployment_of(rendered(helm, {**NAME, **QUICK, "fullnameOverride": "before"}, namespace=namespace))
    control_plane.kubectl("apply", "-f", "-", input=json.dumps(own))
    try:
        install(NAME)
    finally:
        control_plane.kubectl("delete", "deployment", "before", "--namespace", namespace)


def test_who_may_install_in_a_namespace_alone_can_do_so(
    control_plane: ControlPlane, namespace: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    role = ("role", "installer", "--verb=*", "--resource=*.*", "--namespace", namespace)
    control_plane.kubectl("create", *role)
    binding = ("rolebinding", "installer", "--role=installer", "--user=installer", "--namespace", namespace)
    control_plane.kubectl("create", *binding)
    helm = Helm(tmp_path_factory.mktemp("helm"), control_plane.user_kubeconfig("installer"))
    given = {**NAME, **QUICK, "watchNamespaces": [namespace], "rbac": {"aggregate": False}}
    assert "is installed as release" in helm.install(RELEASE, CHART, given, namespace, "--dry-run=server")
    with pytest.raises(HelmError, match="forbidden"):
        helm.install(RELEASE, CHART, NAME, namespace, "--dry-run=server")


def test_the_notes_name_what_is_made(install: Install, namespace: str) -> None:
    made, notes = install({**values("other names"), "crds": {"enabled": False}})
    deployment = deployment_of(made)["metadata"]
    assert f"kubectl -n {namespace} rollout status deployment/{deployment['name']}" in notes
    assert deployment["namespace"] == namespace
    container = deployment_of(made)["spec"]["template"]["spec"]["containers"][0]
    (lease,) = (each["value"] for each in container["env"] if each["name"] == "IBPE_LEASE_NAME")
    assert f"kubectl -n {namespace} get lease {lease}\n" in notes


@pytest.mark.parametrize(
    ("given", "remarks"),
    [
        ({}, ["Nothing scrapes the metrics yet"]),
        ({"crds": {"enabled": False}}, ["crds.enabled is false: install the CRD", "Nothing"]),
        ({"admissionPolicies": {"enabled": False}}, ["admissionPolicies.enabled is false: a wrong policy", "Nothing"]),
        ({"rbac": {"create": False}}, ["rbac.create is false: bind the roles", "Nothing"]),
        ({"uninstallCheck": {"enabled": False}}, ["uninstallCheck.enabled is false: before you", "Nothing"]),
        ({"metrics": {"enabled": False}}, ["metrics.enabled is false: nothing can tell you"]),
        (
            {"replicaCount": 1, "leaderElection": {"enabled": False}},
            ["leaderElection.enabled is false: nobody takes over", "Nothing"],
        ),
    ],
    ids=lambda given: "-".join(given) if isinstance(given, dict) else "",
)
def test_the_notes_say_what_is_off_and_only_that(
    install: Install, crd_of: CrdOf, given: Values, remarks: list[str]
) -> None:
    crd_of(REVISION, RELEASE)
    _, notes = install({**NAME, **given})
    said = re.findall(r"^ - (.+)$", notes, re.MULTILINE)
    assert len(said) == len(remarks)
    assert [(each, begins) for each, begins in zip(said, remarks, strict=True) if not each.startswith(begins)] == []


def test_files_that_notes_and_messages_name_exist() -> None:
    texts = [path.read_text() for path in (*sorted((CHART / "templates").iterdir()), CHART / "README.md")]
    named = {name for text in texts for name in re.findall(r"\b(?:docs|examples|crds)/[\w./-]*\w", text)}
    assert {"docs/install-aws.md", "examples/minimal.yaml"} <= named
    assert [name for name in sorted(named) if not (REPOSITORY / name).exists()] == []
