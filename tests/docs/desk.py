"""Where the commands of a page run: a namespace, a VPC, an operator, and a person's shell."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.aws import AwsServer
from sandbox.aws.network import Network
from sandbox.desk import environment, lay_out
from sandbox.kube import ControlPlane
from sandbox.kube.kubeconfig import token_user, write
from tests.docs.pages import DOCS, REPOSITORY

REGION = "us-west-2"
PERMISSIONS = DOCS / "permissions" / "kubernetes.yaml"
IN_REACH = ("charts", "crds", "deploy", "examples")
"""Folders of the repository that pages name."""


@dataclass(frozen=True)
class Desk:
    """The person is an administrator of the cluster; the operator has the documented rights and no others."""

    plane: ControlPlane
    aws: AwsServer
    namespace: str
    folder: Path
    network: Network

    def lay_out(self) -> None:
        """The files that pages name: cr.yaml, and .sandbox as `make sandbox` writes it."""
        for name in IN_REACH:
            if (REPOSITORY / name).exists():
                (self.folder / name).symlink_to(REPOSITORY / name)
        (self.folder / "cr.yaml").write_text(yaml.safe_dump(self._resource()))
        lay_out(self.folder / ".sandbox", self._persons_variables(), self._resource())

    def run(self, script: str, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """A script in the person's shell."""
        return subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment(self._persons_variables()),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    @contextmanager
    def operator(self, command: str) -> Iterator[Path]:
        """An operator, started by a page's command; gives its log."""
        log = self.folder / "operator.log"
        variables = {
            **self._persons_variables(),
            "KUBECONFIG": str(self._kubeconfig("operator", self._operators_token())),
            "AWS_ACCESS_KEY_ID": "operator",
            "IBPE_WATCH_NAMESPACES": self.namespace,
            "IBPE_SNAPSHOT_SECONDS": "1",
            "IBPE_SNAPSHOT_FAST_SECONDS": "0.3",
            "IBPE_HEALTH_PORT": "",
            "IBPE_METRICS_PORT": "",
        }
        with log.open("w") as written:
            process = subprocess.Popen(
                command.split(), cwd=self.folder, env=self._environment(variables), stdout=written, stderr=written
            )
            try:
                yield log
            finally:
                process.terminate()
                process.wait(30)

    def made(self) -> int:
        """How many endpoints the operator has made so far."""
        return self.aws.control.counts(access_key="operator").get("CreateVpcEndpoint", 0)

    def _resource(self) -> dict[str, Any]:
        resource: dict[str, Any] = yaml.safe_load((REPOSITORY / "examples" / "minimal.yaml").read_text())
        resource["metadata"]["namespace"] = self.namespace
        spec = resource["spec"]
        spec.update(region=REGION, vpcID=self.network.vpc_id)
        spec["builds"]["subnets"]["ids"] = spec["imageBuilder"]["subnets"]["ids"] = list(self.network.subnet_ids)
        spec["imageBuilder"]["securityGroups"]["ids"] = [self.network.security_group_id]
        spec["s3"]["routeTables"]["ids"] = [self.network.route_table_id]
        return resource

    def _persons_variables(self) -> dict[str, str]:
        return environment(self.plane, self.aws.url, self._kubeconfig("person", self.plane.admin_token))

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        path = os.pathsep.join([variables["PATH"], *os.get_exec_path()])
        own = {"HOME": str(self.folder), "PYTHONPATH": str(REPOSITORY), "AWS_EC2_METADATA_DISABLED": "true"}
        return {**variables, **own, "PATH": path}

    def _kubeconfig(self, name: str, token: str) -> Path:
        """A kubeconfig whose current namespace is this one."""
        path = self.folder / f"{name}.kubeconfig"
        if not path.exists():
            write(path, self.plane.url, self.plane.ca_file, token_user(token))
            self.plane.kubectl("config", "set-context", "--current", f"--namespace={self.namespace}", kubeconfig=path)
        return path

    def _operators_token(self) -> str:
        account = f"{self.namespace}:operator"
        self.plane.kubectl("create", "serviceaccount", "operator", "-n", self.namespace)
        self.plane.kubectl("apply", "-f", str(PERMISSIONS))
        role = yaml.safe_load(PERMISSIONS.read_text())["metadata"]["name"]
        binding = [f"--clusterrole={role}", f"--serviceaccount={account}"]
        self.plane.kubectl("create", "clusterrolebinding", self.namespace, *binding)
        return self.plane.service_account_token(self.namespace, "operator")

    def events(self) -> list[str]:
        """Reasons of all events."""
        shown = self.plane.kubectl("get", "events.events.k8s.io", "-n", self.namespace, "-o", "json").stdout
        return [event["reason"] for event in json.loads(shown)["items"]]
