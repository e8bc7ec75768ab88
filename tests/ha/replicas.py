"""Two replicas on one Lease: each has an access key of its own, so that AWS's call log tells who wrote."""

import contextlib
import json
import threading
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from types import TracebackType
from typing import Any, Final, Self, cast

import urllib3
from kubernetes.client import ApiException, CoordinationV1Api, CustomObjectsApi
from kubernetes.client.models import V1Lease, V1LeaseSpec, V1ObjectMeta

from ibpe.runtime.election import Terms
from sandbox.aws.call_log import CallRecord
from sandbox.aws.messages import EndpointTruth
from sandbox.aws.network import make_network
from sandbox.kube.proxy import ApiProxy
from sandbox.kubelet import Kubelet
from sandbox.stage import API_GROUP, API_VERSION, PLURAL, OperatorProcess, Stage, endpoint_ids, example, is_ready
from tests.e2e.scene import IMAGE_BUILDER, REGION, S3, SERVICES, WRITES, eventually

LEASE: Final = "imagebuilder-private-endpoint-operator"
NAME: Final = "images"
TRUE_TERMS: Final = Terms()
SHORT_TERMS: Final = Terms(duration=6, renew_deadline=4, retry=0.8)
"""The same ratios in less time, and still enough for a busy machine."""
NO_LOOK: Final = "[CMD][roe][edl]*"
"""The actions that begin with Cre, Mod or Del: most calls are looks, and need not be read each time."""
EDIT_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 90.0


def now() -> datetime:
    """By the clock that the call log shows too."""
    return datetime.now(UTC)


def _probe(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Replica:
    """One operator under its kubelet; `key` is its access key, and its pod's name."""

    def __init__(self, key: str, stage: Stage, namespace: str, terms: Terms, *, proxied: bool) -> None:
        self.key = key
        self.proxy = ApiProxy(stage.plane) if proxied else None
        self._operator = OperatorProcess(
            self.proxy.kubeconfig if self.proxy else stage.plane.kubeconfig,
            stage.aws.url,
            {
                "HOSTNAME": key,
                "AWS_ACCESS_KEY_ID": key,
                "IBPE_CLUSTER_NAME": namespace,
                "IBPE_WATCH_NAMESPACES": namespace,
                "IBPE_SNAPSHOT_SECONDS": "1",
                "IBPE_SNAPSHOT_FAST_SECONDS": "0.5",
                "IBPE_AWS_CONNECT_TIMEOUT_SECONDS": str(terms.attempt),
                "IBPE_LEADER_ELECTION": "true",
                "IBPE_LEASE_NAMESPACE": namespace,
                "IBPE_LEASE_NAME": LEASE,
                "IBPE_LEASE_DURATION_SECONDS": str(terms.duration),
                "IBPE_LEASE_RENEW_DEADLINE_SECONDS": str(terms.renew_deadline),
                "IBPE_LEASE_RETRY_SECONDS": str(terms.retry),
            },
        )
        self.kubelet = Kubelet(self._operator)

    def __enter__(self) -> Self:
        if self.proxy:
            self.proxy.__enter__()
        self.kubelet.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._operator.kill()
        self.kubelet.__exit__(kind, error, trace)
        self._operator.close()
        if self.proxy:
            self.proxy.__exit__(kind, error, trace)

    @property
    def log(self) -> str:
        """All that its processes have printed."""
        return self._operator.log()

    @property
    def ready(self) -> bool:
        """Whether its pod would be ready, and left alone by its liveness probe."""
        ports = [json.loads(line)["port"] for line in self.log.splitlines() if '"Probes are served."' in line]
        return bool(ports) and all(_probe(ports[-1], path) for path in ("/healthz", "/readyz"))

    @property
    def leads(self) -> float | None:
        """Its gauge ibpe_leader."""
        try:
            lines = self._operator.metrics().splitlines()
        except (OSError, RuntimeError):
            return None
        return next((float(line.split()[1]) for line in lines if line.startswith("ibpe_leader ")), None)

    @property
    def exits(self) -> list[int]:
        """How its processes ended so far."""
        return [each.code for each in self.kubelet.exits]


class Pair:
    """Two replicas, a resource that they serve, and a user who keeps editing it: each edit is a write to AWS."""

    def __init__(self, stage: Stage, terms: Terms, *, proxied: bool = False, free: bool = True) -> None:
        self.stage = stage
        self.terms = terms
        self.control = stage.aws.control
        self.namespace = f"ha-{uuid.uuid4().hex[:6]}"
        self.network = make_network(stage.aws.client("ec2", REGION))
        self._free = free
        self._client = stage.plane.client()
        self._leases = CoordinationV1Api(self._client)
        self._objects = CustomObjectsApi(self._client)
        self._open = contextlib.ExitStack()
        self._done = threading.Event()
        self._step = 0
        self._user = threading.Thread(target=self._keep_editing, name=f"user-of-{self.namespace}")
        self.replicas = [
            Replica(f"{self.namespace}-{name}", stage, self.namespace, terms, proxied=proxied) for name in ("a", "b")
        ]
        self.ids: dict[str, str] = {}

    def __enter__(self) -> Self:
        with self._open:
            self._open.callback(self._client.rest_client.close)
            self.stage.plane.kubectl("create", "namespace", self.namespace)
            if self._free:
                self._leases.create_namespaced_lease(
                    self.namespace,
                    V1Lease(
                        metadata=V1ObjectMeta(name=LEASE),
                        spec=V1LeaseSpec(holder_identity="", lease_duration_seconds=1, lease_transitions=0),
                    ),
                )
            for replica in self.replicas:
                self._open.enter_context(replica)
            resource = example(self.network, NAME, self.namespace, tags={"step": "0"})
            self._objects.create_namespaced_custom_object(*self._where, resource)
            self.ids = endpoint_ids(self.until(is_ready, "Ready"))
            self._user.start()
            self._open.callback(self._end_editing)
            self._open = self._open.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    # Who leads

    def lease(self) -> V1LeaseSpec | None:
        """The Lease as it is; None: there is none."""
        try:
            return cast("V1LeaseSpec", self._leases.read_namespaced_lease(LEASE, self.namespace).spec)
        except ApiException as error:
            if error.status == 404:
                return None
            raise

    def leader(self) -> Replica | None:
        """Who holds the Lease."""
        spec = self.lease()
        holder = ((spec.holder_identity if spec else None) or "").rpartition("_")[0]
        return next((each for each in self.replicas if each.key == holder), None)

    def roles(self) -> tuple[Replica, Replica]:
        """Who leads, and who waits: as the Lease, their metrics and their probes say."""
        found = eventually(self.leader, "somebody leads", timeout=PATIENCE_SECONDS, explain=self.explain)
        assert found is not None
        other = next(each for each in self.replicas if each is not found)
        for each, leads in ((found, 1.0), (other, 0.0)):
            eventually(
                lambda each=each, leads=leads: each.leads == leads and each.ready,  # type: ignore[misc] # mypy can't infer a lambda's defaults
                f"{each.key} ready, with ibpe_leader {leads}",
                timeout=PATIENCE_SECONDS,
                explain=self.explain,
            )
        return found, other

    def taken_over(self, by: Replica) -> datetime:
        """Wait until the Lease changes hands; when it had ended, had it not been let go."""
        last = {"renewed": now()}

        def look() -> bool:
            if self.leader() is by:
                return True
            spec = self.lease()
            if spec and spec.holder_identity and spec.renew_time:
                last["renewed"] = spec.renew_time
            return False

        eventually(look, f"{by.key} holds the Lease", timeout=PATIENCE_SECONDS, explain=self.explain)
        return last["renewed"] + timedelta(seconds=self.terms.duration)

    # What is done

    def edit(self, **spec: Any) -> None:
        """A merge patch of the spec, as soon as the API server takes it."""

        def sent() -> bool:
            try:
                self._objects.patch_namespaced_custom_object(
                    *self._where, NAME, {"spec": spec}, _content_type="application/merge-patch+json"
                )
            except (ApiException, urllib3.exceptions.HTTPError):
                return False
            return True

        eventually(sent, f"an edit of {spec}", timeout=PATIENCE_SECONDS)

    def intrude(self) -> datetime:
        """Somebody takes our owner tag off the interface endpoint."""
        self.stage.aws.client("ec2", REGION).delete_tags(
            Resources=[self.ids[IMAGE_BUILDER]], Tags=[{"Key": "ibpe.dev/owner"}]
        )
        return now()

    def _keep_editing(self) -> None:
        while not self._done.wait(EDIT_SECONDS):
            self.edit(tags={"step": str(self._step + 1)})
            self._step += 1

    def _end_editing(self) -> None:
        self._done.set()
        self._user.join()

    # What became of it

    def until(self, right: Callable[[dict[str, Any] | None], object], what: str) -> dict[str, Any]:
        """The resource once it is so (an empty one when it is gone)."""
        found: list[dict[str, Any] | None] = []

        def look() -> bool:
            found[:] = [self.stage.get(NAME, self.namespace)]
            return bool(right(found[0]))

        eventually(look, what, timeout=PATIENCE_SECONDS, explain=self.explain)
        return found[0] or {}

    def endpoints(self) -> dict[str, EndpointTruth]:
        """Role -> the one endpoint of that service in the VPC that isn't deleted."""
        found = [
            each
            for each in self.control.endpoints()
            if each.vpc_id == self.network.vpc_id and each.state.lower() != "deleted"
        ]
        by_role = {SERVICES[each.service_name]: each for each in found}
        assert len(by_role) == len(found), f"more than one endpoint of a role: {found}"
        return by_role

    def writes(self, by: Replica | None = None, *, after: datetime | None = None) -> list[CallRecord]:
        """What came to AWS to change this VPC's endpoints, in order, of one replica or of both."""
        about = {self.network.vpc_id, *self.ids.values()}
        return [
            call
            for call in self.control.calls(access_key=by.key if by else f"{self.namespace}-?", action=NO_LOOK)
            if call.action in WRITES
            and not about.isdisjoint(call.parameters.values())
            and (after is None or call.wall > after)
        ]

    def first_write(self, by: Replica | None = None, *, after: datetime) -> datetime:
        """When the first of them came, once it has."""
        found = eventually(
            lambda: self.writes(by, after=after),
            f"a write of {by.key if by else 'either'}",
            timeout=PATIENCE_SECONDS,
            explain=self.explain,
        )
        return found[0].wall

    def repaired(self) -> datetime:
        """When the owner tag was put back, once it was."""

        def look() -> list[CallRecord]:
            calls = [call for call in self.writes() if call.action == "CreateTags" and call.executed]
            return [call for call in calls if "ibpe.dev/owner" in call.parameters.values()]

        found = eventually(look, "the owner tag put back", timeout=PATIENCE_SECONDS, explain=self.explain)
        return found[-1].wall

    def conclude(self, *writers: Replica) -> None:
        """Every edit is carried out; who wrote, one after the other; nothing was made twice, and nothing is left."""
        self._end_editing()
        step = str(self._step)

        def carried_out(resource: Mapping[str, Any] | None) -> bool:
            steps = {each.tags.get("step") for each in self.endpoints().values()}
            return is_ready(resource) and steps == {step}

        assert endpoint_ids(self.until(carried_out, f"Ready with step {step}")) == self.ids, "never made again"
        assert {role: each.id for role, each in self.endpoints().items()} == self.ids
        assert set(self.ids) == {IMAGE_BUILDER, S3}
        order = [key for key, _ in groupby(call.access_key for call in self.writes())]
        assert order == [each.key for each in writers], f"who wrote, in turn\n{self.explain()}"
        made = [call for call in self.writes() if call.action == "CreateVpcEndpoint" and call.error_code is None]
        assert len(made) == 2
        self.stage.delete(NAME, self.namespace)
        self.until(lambda resource: resource is None, "gone")
        assert self.endpoints() == {}

    def explain(self) -> str:
        """What a reader of a failure wants."""
        lines = [f"Lease: {self.lease()}"]
        lines += [f"{call.wall.time()} {call.access_key} {call.action} {call.outcome}" for call in self.writes()[-40:]]
        for each in self.replicas:
            lines += [f"{each.key}: exits {each.kubelet.exits}", each.log[-3000:]]
        return "\n".join(lines)

    @property
    def _where(self) -> tuple[str, str, str, str]:
        return API_GROUP, API_VERSION, self.namespace, PLURAL
