"""The commands of the README and of docs/how-to.md, run as they are written, against both sandboxes.

One shell runs the blocks marked `sh`, in their order. The person of the README is an administrator of the cluster; the
operator has the rights of docs/permissions/kubernetes.yaml and no others.
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from sandbox.aws import AwsServer, Settings
from sandbox.aws.network import Network, make_network
from sandbox.kube import ControlPlane
from sandbox.kube.kubeconfig import token_user, write
from tests.docs.pages import DOCS, README, REPOSITORY, blocks

pytestmark = pytest.mark.e2e

REGION = "us-west-2"
PERMISSIONS = DOCS / "permissions"
NOT_HERE = {"make venv", "source .venv/bin/activate"}
"""What the environment that runs this test has done already."""
CHANGES_ARE_FINE = "ibpe plan"
"""Exits with 2 when there are changes, which is what the pages say."""
OPERATORS_KEY = "operator"
NEEDS_NO_PERMISSION = {"GetCallerIdentity"}


@dataclass(frozen=True)
class Desk:
    """Where the commands run."""

    plane: ControlPlane
    aws: AwsServer
    namespace: str
    folder: Path
    network: Network

    def environment(self) -> dict[str, str]:
        """Of the person's shell."""
        paths = [Path(sys.executable).parent, self.plane.kubectl_path.parent, *os.get_exec_path()]
        return {
            "PATH": os.pathsep.join(map(str, paths)),
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.kubeconfig("person", self.plane.admin_token)),
            "OPERATOR_KUBECONFIG": str(self.kubeconfig("operator", self._operators_token())),
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_ACCESS_KEY_ID": OPERATORS_KEY,
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_EC2_METADATA_DISABLED": "true",
            "IBPE_WATCH_NAMESPACES": self.namespace,
            "IBPE_SNAPSHOT_SECONDS": "1",
            "IBPE_SNAPSHOT_FAST_SECONDS": "0.3",
            "IBPE_HEALTH_PORT": "",
            "IBPE_METRICS_PORT": "",
        }

    def kubeconfig(self, name: str, token: str) -> Path:
        """A kubeconfig whose current namespace is this one."""
        path = write(self.folder / f"{name}.kubeconfig", self.plane.url, self.plane.ca_file, token_user(token))
        self.plane.kubectl("config", "set-context", "--current", f"--namespace={self.namespace}", kubeconfig=path)
        return path

    def _operators_token(self) -> str:
        self.plane.kubectl("create", "serviceaccount", "operator", "-n", self.namespace)
        self.plane.kubectl("apply", "-f", str(PERMISSIONS / "kubernetes.yaml"))
        role = yaml.safe_load((PERMISSIONS / "kubernetes.yaml").read_text())["metadata"]["name"]
        self.plane.kubectl(
            "create",
            "clusterrolebinding",
            self.namespace,
            f"--clusterrole={role}",
            f"--serviceaccount={self.namespace}:operator",
        )
        return self.plane.service_account_token(self.namespace, "operator")


@pytest.fixture
def desk(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Desk]:
    namespace = f"docs-{uuid.uuid4().hex[:6]}"
    control_plane.kubectl("create", "namespace", namespace)
    (tmp_path / "crds").symlink_to(REPOSITORY / "crds")
    with AwsServer(Settings(pending_seconds=0.3, deleting_seconds=0.3)) as aws:
        yield Desk(control_plane, aws, namespace, tmp_path, make_network(aws.client("ec2", REGION)))
    control_plane.kubectl("delete", "clusterrolebinding", namespace)


def _manifest(network: Network, namespace: str) -> str:
    """The minimal example with ids and a namespace written into it, as the README says."""
    resource = yaml.safe_load((REPOSITORY / "examples" / "minimal.yaml").read_text())
    resource["metadata"]["namespace"] = namespace
    spec = resource["spec"]
    spec.update(region=REGION, vpcID=network.vpc_id)
    spec["builds"]["subnets"]["ids"] = spec["imageBuilder"]["subnets"]["ids"] = list(network.subnet_ids)
    spec["imageBuilder"]["securityGroups"]["ids"] = [network.security_group_id]
    spec["s3"]["routeTables"]["ids"] = [network.route_table_id]
    return yaml.safe_dump(resource)


def _script() -> str:
    lines = [
        line for page in (README, DOCS / "how-to.md") for block in blocks(page, "sh") for line in block.splitlines()
    ]
    assert any(line.startswith("ibpe run") for line in lines)
    assert set(lines) >= NOT_HERE
    written = [_as_run(line) for line in lines if line not in NOT_HERE]
    return "\n".join(
        ["set -euxo pipefail", *written, "kubectl delete ibpe images --timeout=60s", "kill $OPERATOR", "wait"]
    )


def _as_run(line: str) -> str:
    if line.startswith("ibpe run"):
        return f'KUBECONFIG="$OPERATOR_KUBECONFIG" {line} >operator.log 2>&1 & OPERATOR=$!; trap "kill $OPERATOR" ERR'
    return f"{line} || [ $? -eq 2 ]" if line.startswith(CHANGES_ARE_FINE) else line


def test_the_commands_do_what_the_pages_say(desk: Desk) -> None:
    (desk.folder / "cr.yaml").write_text(_manifest(desk.network, desk.namespace))
    done = subprocess.run(
        ["bash", "-c", _script()],
        cwd=desk.folder,
        env=desk.environment(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    log = desk.folder / "operator.log"
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{log.read_text() if log.exists() else ''}"
    events = desk.plane.kubectl("get", "events.events.k8s.io", "-n", desk.namespace, "-o", "jsonpath={..reason}").stdout
    assert {"Created", "Retained", "Deleted"} <= set(events.split()), f"{events}\n{log.read_text()}"
    counts = desk.aws.control.counts(access_key=OPERATORS_KEY)
    assert counts["CreateVpcEndpoint"] == 2, f"endpoints that were retained are taken back, not made again: {counts}"
    assert {each.state for each in desk.aws.control.endpoints()} <= {"deleting", "deleted"}
    _allows(set(counts) - NEEDS_NO_PERMISSION)


def _allows(called: set[str]) -> None:
    """The policy allows each call by name; AWS alone can tell about its conditions."""
    policy = json.loads((PERMISSIONS / "aws.json").read_text())
    allowed = {
        action.removeprefix("ec2:")
        for statement in policy["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert called <= allowed
