"""Every example: admitted by the real API server, reconciled on the sandbox to what it is for, and then in sync."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ibpe.policy.s3 import S3Use, s3_policy
from sandbox.stage import condition
from tests.e2e.owners import FOREIGN, Owner, document
from tests.e2e.scene import IMAGE_BUILDER, REGION, S3, Scene, Scenes, sids
from tests.gitops.argo import health
from tests.gitops.kstatus import kstatus
from tests.gitops.syncing import added_metadata, differences, sync

pytestmark = pytest.mark.e2e

EXAMPLES = Path(__file__).parents[2] / "examples"
_ID = re.compile(r"\b(vpc|subnet|sg|rtb|vpce)-[0-9a-f]{17}\b")
OURS = {"finalizers": ["ibpe.dev/aws-resources"]}


def no_endpoints(_owner: Owner) -> Sequence[str]:
    return ()


def a_gateway(owner: Owner) -> Sequence[str]:
    return (owner.gateway(document(*FOREIGN)),)


def both_endpoints(owner: Owner) -> Sequence[str]:
    """Whose policy allows what the example says that builds use."""
    use = S3Use(log_buckets=("example-build-logs",))
    return owner.interface(), owner.gateway(s3_policy("ImageBuilderOnly", REGION, use))


@dataclass(frozen=True)
class Expectation:
    """What an example comes to: the services whose endpoints it makes, and what stands in its status."""

    makes: frozenset[str] = frozenset({IMAGE_BUILDER, S3})
    given: Callable[[Owner], Sequence[str]] = no_endpoints
    """Somebody else's endpoints that it names, in its order."""
    others: int = 0
    """How many subnets of other workloads share the builds' route table."""
    reason: str = "Ready"
    finalizer: bool = True


EXPECTED = {
    "contribute": Expectation(frozenset({IMAGE_BUILDER}), a_gateway),
    "custom-policy": Expectation(),
    "existing": Expectation(frozenset(), both_endpoints, finalizer=False),
    "gitops": Expectation(),
    "image-builder-only": Expectation(frozenset({IMAGE_BUILDER})),
    "minimal": Expectation(),
    "organization": Expectation(),
    "report-only": Expectation(),
    "shared-route-table": Expectation(frozenset(), others=1, reason="Suspended", finalizer=False),
}


def test_every_example_has_an_expectation() -> None:
    others = {path.name for path in EXAMPLES.iterdir()} - {f"{name}.yaml" for name in EXPECTED}
    assert others == {"configuration", "multi-account.yaml"}, "which are tried in tests/e2e/test_accounts.py"


def surroundings(scenes: Scenes, name: str) -> Scene:
    """A VPC with the subnets that the example names, and others where it is about those."""
    named = {match[0] for match in _ID.finditer((EXAMPLES / f"{name}.yaml").read_text()) if match[1] == "subnet"}
    return scenes.make(subnets=len(named) + EXPECTED[name].others)


def manifest(name: str, scene: Scene, endpoints: Sequence[str]) -> dict[str, Any]:
    """The example about the scene's network: its ids, kind by kind, in their order."""
    network = scene.network
    real = {
        "vpc": (network.vpc_id,),
        "subnet": network.subnet_ids,
        "sg": (network.security_group_id,),
        "rtb": (network.route_table_id,),
        "vpce": tuple(endpoints),
    }
    seen: dict[str, list[str]] = {kind: [] for kind in real}

    def ours(match: re.Match[str]) -> str:
        known = seen[match[1]]
        if match[0] not in known:
            known.append(match[0])
        return real[match[1]][known.index(match[0])]

    found: dict[str, Any] = yaml.safe_load(_ID.sub(ours, (EXAMPLES / f"{name}.yaml").read_text()))
    found["metadata"].update(name=scene.name, namespace=scene.namespace)
    return found


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_comes_to_what_it_is_for_and_is_in_sync(scenes: Scenes, name: str) -> None:
    expectation, scene = EXPECTED[name], surroundings(scenes, name)
    given = expectation.given(Owner(scene))
    desired = manifest(name, scene, given)
    assert "Warning" not in sync(scene.stage.plane, desired, server_side=False)
    resource = scene.until(
        lambda found: (
            condition(found, "Ready").get("reason") == expectation.reason
            and condition(found, "Reconciling").get("status") == "False"
        ),
        expectation.reason,
    )
    assert health(resource).status == "Healthy"
    suspended = expectation.reason == "Suspended"
    assert kstatus(resource) == ("InProgress" if suspended else "Current")
    assert {role for role, each in scene.ours().items() if each.id not in given} == expectation.makes
    assert differences(scene.stage.plane, desired, resource) == []
    assert added_metadata(desired, resource) == (OURS if expectation.finalizer else {})


def test_a_contribution_leaves_what_was_there(scenes: Scenes) -> None:
    scene = surroundings(scenes, "contribute")
    desired = manifest("contribute", scene, a_gateway(Owner(scene)))
    sync(scene.stage.plane, desired, server_side=True)
    scene.ready()
    now = scene.endpoint(S3)
    assert "TeamData" in sids(now)
    assert any(sid.startswith("IBPE") for sid in sids(now))


def test_the_suspended_example_begins_when_it_is_told_to(scenes: Scenes) -> None:
    scene = surroundings(scenes, "shared-route-table")
    desired = manifest("shared-route-table", scene, ())
    sync(scene.stage.plane, {**desired, "spec": {**desired["spec"], "suspend": False}}, server_side=True)
    scene.ready()
    assert set(scene.ours()) == {IMAGE_BUILDER, S3}
