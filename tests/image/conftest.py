"""The image, built once for the run, what is in it, and a stage that containers of it work on."""

import os
import shutil
import tarfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from image import build, programs, stand_in
from sandbox.aws import AwsServer, Settings
from sandbox.kube import ControlPlane
from sandbox.kube.progress import to_stderr
from sandbox.stage import Stage
from tests.image.container import ACCOUNT_FILES, Container, podman


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Dockerfile copies, as it was when the run began: somebody may go on editing."""
    folder = tmp_path_factory.mktemp("sources") / "sources"
    for name in ("image", "operator", "requirements"):
        shutil.copytree(build.REPOSITORY / name, folder / name)
    for name in (".dockerignore", "Dockerfile", "LICENSE", "README.md", "pyproject.toml"):
        shutil.copy2(build.REPOSITORY / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def image(sources: Path) -> str:
    """The image of IBPE_TEST_IMAGE, else one that is built here on the stand-in base."""
    programs.ensure(["buildah", "podman", "runc"], to_stderr)
    given = os.environ.get("IBPE_TEST_IMAGE")
    if given:
        return given
    return build.build(stand_in.ensure(to_stderr), f"{build.NAME}:test", to_stderr, folder=sources).reference


@dataclass(frozen=True)
class Root:
    """The image's root file system."""

    archive: tarfile.TarFile
    members: dict[str, tarfile.TarInfo]
    """By path without a slash in front."""

    def read(self, path: str) -> bytes:
        """A file; symbolic links in its folders are followed, as far as they are the merged /usr's."""
        content = self.archive.extractfile(self.members[path])
        assert content is not None, path
        return content.read()

    def find(self, start: str) -> list[str]:
        return [path for path in self.members if path.startswith(start)]

    @property
    def packages(self) -> str:
        """Where the operator and its dependencies are."""
        (found,) = {path for path in self.find("opt/ibpe/lib/") if path.endswith("/site-packages")}
        return found


@pytest.fixture(scope="session")
def root(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    exported = tmp_path_factory.mktemp("image") / "root.tar"
    container = podman("create", "--pull=never", image).stdout.strip()
    try:
        podman("export", f"--output={exported}", container)
    finally:
        podman("rm", container)
    with tarfile.open(exported) as archive:
        yield Root(archive, {member.name.removeprefix("./"): member for member in archive.getmembers()})


@pytest.fixture(scope="session")
def stage(control_plane: ControlPlane) -> Iterator[Stage]:
    quick = Settings(pending_seconds=0.3, modify_pending_seconds=0.2, deleting_seconds=0.3, deleted_listed_seconds=5.0)
    with AwsServer(quick) as aws, Stage(control_plane, aws) as stage:
        yield stage


@dataclass(frozen=True)
class Pod:
    """What a pod of the operator has in one namespace: its service account, and settings for the sandbox."""

    namespace: str
    environment: dict[str, str]
    mounts: dict[Path, str]

    def container(self, image: str, *options: str, **environment: str) -> Container:
        """`environment` over its own; an empty value leaves a variable out."""
        chosen = {name: value for name, value in {**self.environment, **environment}.items() if value}
        return Container(image, chosen, self.mounts, options)


@pytest.fixture(scope="module")
def pod(stage: Stage, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Pod:
    """A namespace of the module's own. The operator finds the cluster as in a pod: by its service account's files."""
    plane = stage.plane
    module = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    namespace = f"image-{module}-{uuid.uuid4().hex[:6]}"
    plane.kubectl("create", "namespace", namespace)
    plane.kubectl("create", "serviceaccount", "ibpe", "--namespace", namespace)
    account = f"--serviceaccount={namespace}:ibpe"  # what it may do at the least is tried elsewhere
    plane.kubectl("create", "clusterrolebinding", namespace, "--clusterrole=cluster-admin", account)
    files = tmp_path_factory.mktemp("account")
    files.chmod(0o755)  # the container's user is another than the tests'
    (files / "token").write_text(plane.service_account_token(namespace, "ibpe"))
    (files / "ca.crt").write_bytes(plane.ca_file.read_bytes())
    (files / "namespace").write_text(namespace)
    host, port = plane.url.removeprefix("https://").split(":")
    environment = {
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": port,
        "AWS_ENDPOINT_URL": stage.aws.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "IBPE_CLUSTER_NAME": "sandbox",
        "IBPE_WATCH_NAMESPACES": namespace,
        "IBPE_HEALTH_HOST": "127.0.0.1",
        "IBPE_METRICS_HOST": "127.0.0.1",
        "IBPE_HEALTH_PORT": "0",
        "IBPE_METRICS_PORT": "0",
        "IBPE_SNAPSHOT_SECONDS": "1",
        "IBPE_SNAPSHOT_FAST_SECONDS": "0.3",
        "IBPE_PREREQUISITES_SECONDS": "2",
    }
    return Pod(namespace, environment, {files: ACCOUNT_FILES})


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Tells the person who runs the tests a figure."""

    def tell(line: str) -> None:
        with capsys.disabled():
            print(f"\n  {line}", flush=True)  # noqa: T201 -- for that person

    return tell
