"""The operator as a process among many resources, each in its own VPC, with every call that it makes on record."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import psutil
from kubernetes.client import CustomObjectsApi

from sandbox.aws import AwsServer, Settings
from sandbox.aws.call_log import CallRecord
from sandbox.aws.network import Network
from sandbox.kube import ControlPlane
from sandbox.kube.hooks import Record
from sandbox.kube.progress import to_stderr
from sandbox.kube.proxy import ApiProxy
from sandbox.stage import API_GROUP, API_VERSION, PLURAL, OperatorProcess, Stage, example, is_ready

REGION: Final = "us-west-2"
NAMESPACE: Final = "default"
PERIOD: Final = 5.0
"""Seconds between two looks at AWS, so that a minute holds a dozen; the product's default is 60."""
PREREQUISITES_PERIOD: Final = 50.0
"""Short enough for a whole pass in the minute that is measured; the product's default is 600."""
WRITES: Final = frozenset({"CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints", "CreateTags", "DeleteTags"})
OPERATORS_KEY: Final = "testing"
QUICK: Final = Settings(
    pending_seconds=0.5,
    modify_pending_seconds=0.0,
    deleting_seconds=0.5,
    deleted_listed_seconds=1.0,
    gateway_endpoints_per_region=10_000,
)
"""AWS's own times are left out as far as may be: the operator's are what is measured."""
PATIENCE: Final = 900.0
POLL: Final = 0.5
QUIET_SECONDS: Final = 2 * PERIOD + 1


class NeverCameTrue(Exception):  # noqa: N818 -- how a wait ended
    """What was waited for did not come about; the operator's log is part of it."""


@dataclass
class Fleet:
    """One operator, and the resources that exist now."""

    stage: Stage
    operator: OperatorProcess
    proxy: ApiProxy
    objects: CustomObjectsApi
    members: dict[str, Network] = field(default_factory=dict)

    def grow(self, total: int) -> float:
        """Make resources until there are so many; the seconds from then until all are Ready."""
        networks = self.stage.aws.control.make_networks(total - len(self.members), region=REGION)
        new = {f"images-{len(self.members) + number:04}": network for number, network in enumerate(networks)}
        self.members |= new
        began = time.monotonic()
        _in_parallel(self._create, list(new.items()))
        self.until(f"{total} Ready", lambda: sum(map(is_ready, self.listed())) == total)
        return time.monotonic() - began

    def shrink(self) -> None:
        """Delete every resource, and wait until Kubernetes shows none."""
        _in_parallel(self._delete, list(self.members))
        self.until("all gone", lambda: not self.listed())
        self.members.clear()

    def settle(self) -> None:
        """Wait until nothing is written for the time of two looks at AWS."""

        def quiet() -> bool:
            cursor, began = self.cursor(), time.monotonic()
            time.sleep(QUIET_SECONDS)
            return not (self.aws_writes(cursor) or self.kubernetes_writes(began))

        self.until("quiet", quiet)

    def rss(self) -> float:
        """The operator's resident memory now, in MiB."""
        return float(psutil.Process(self.operator.pid).memory_info().rss) / 2**20

    def cursor(self) -> int:
        """Now, in AWS's call log."""
        return self.stage.aws.control.cursor()

    def calls(self, since: int) -> tuple[CallRecord, ...]:
        """The operator's calls to AWS since a cursor, in order."""
        return self.stage.aws.control.calls(since=since, access_key=OPERATORS_KEY)

    def aws_writes(self, since: int) -> list[CallRecord]:
        """Those of its calls that change something."""
        return [call for call in self.calls(since) if call.action in WRITES]

    def kubernetes_writes(self, since: float) -> list[Record]:
        """The operator's writes to the API server since a reading of the monotonic clock."""
        return [record for record in self.proxy.writes if record.request.time > since]

    def listed(self) -> list[dict[str, Any]]:
        """Every resource, as the API server has it."""
        found = cast(
            "dict[str, list[dict[str, Any]]]",
            self.objects.list_namespaced_custom_object(API_GROUP, API_VERSION, NAMESPACE, PLURAL),
        )
        return found["items"]

    def until(self, what: str, true: Callable[[], bool]) -> None:
        """Poll until it is true; raises NeverCameTrue."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            if not self.operator.running or time.monotonic() > deadline:
                raise NeverCameTrue(f"not {what}; the operator's log ends:\n{self.operator.log()[-3000:]}")
            time.sleep(POLL)

    def _create(self, member: tuple[str, Network]) -> None:
        name, network = member
        body = example(network, name, NAMESPACE, tags={"team": "images"})
        self.objects.create_namespaced_custom_object(API_GROUP, API_VERSION, NAMESPACE, PLURAL, body)

    def _delete(self, name: str) -> None:
        self.objects.delete_namespaced_custom_object(API_GROUP, API_VERSION, NAMESPACE, PLURAL, name)


@contextmanager
def booted() -> Iterator[Fleet]:
    """Both sandboxes and an operator without a resource; all of it gone afterwards."""
    with ExitStack() as stack:
        plane = stack.enter_context(ControlPlane(report=to_stderr))
        aws = stack.enter_context(AwsServer(QUICK))
        proxy = stack.enter_context(ApiProxy(plane))
        stage = stack.enter_context(Stage(plane, aws))
        client = stack.enter_context(plane.client())
        operator = stage.operator(
            proxy.kubeconfig,
            IBPE_SNAPSHOT_SECONDS=str(PERIOD),
            IBPE_SNAPSHOT_FAST_SECONDS=str(PERIOD),
            IBPE_PREREQUISITES_SECONDS=str(PREREQUISITES_PERIOD),
        )
        stack.callback(operator.stop)
        fleet = Fleet(stage, operator, proxy, CustomObjectsApi(client))
        fleet.until("watching", lambda: "Watching" in operator.log())
        yield fleet


def _in_parallel(act: Callable[[Any], None], items: Sequence[Any]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, items))
