"""The operator under exactly the chart's RBAC: it suffices for a whole life, and no part of it can be left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from kubernetes.client import AuthorizationV1Api

from sandbox.helm import Helm
from sandbox.kube.hooks import Request
from sandbox.stage import Stage
from tests.e2e.scene import IMAGE_BUILDER, Scene, Scenes, eventually
from tests.release.conftest import make_namespace
from tests.release.rbac import Asked, asked, bound_to, grants, without
from tests.release.release import CHART, Release, apply, recorded

pytestmark = [pytest.mark.e2e, pytest.mark.release]


@dataclass(frozen=True)
class Lived:
    """A life that ended well under the chart's RBAC, and what was asked of the API server meanwhile."""

    release: Release
    asked: frozenset[Asked]
    refused: Sequence[Request]
    events: frozenset[str]


@pytest.fixture(scope="module", params=["all namespaces", "one namespace"])
def lived(stage: Stage, helm: Helm, request: pytest.FixtureRequest) -> Lived:
    home, served = (make_namespace(stage.plane, f"rbac-{what}") for what in ("home", "served"))
    chosen = {"watchNamespaces": [served]} if request.param == "one namespace" else {}
    values = {"clusterName": "sandbox", **chosen}
    release = Release(home, helm.template(CHART, values, name=f"r-{home}", namespace=home, hooks=False))
    apply(stage.plane, release.rbac)
    with recorded(stage, release.container) as (operator, proxy):
        scenes = Scenes(stage, operator, served)
        events = _life(scenes.make(), _refused(scenes))
    refused = [record.request for record in proxy.records if record.status in {401, 403}]
    every = (asked(record.request) for record in proxy.records)
    return Lived(release, frozenset(each for each in every if each), refused, events)


def _refused(scenes: Scenes) -> Scene:
    """A resource that the operator refuses: its VPC has no private DNS."""
    scene = scenes.make()
    scene.ec2.modify_vpc_attribute(VpcId=scene.network.vpc_id, EnableDnsHostnames={"Value": False})
    return scene


def _life(scene: Scene, refused: Scene) -> frozenset[str]:
    """Made, drifted, repaired, edited, refused, deleted; returns the reasons of all events."""
    scene.apply(scene.rich())
    refused.apply(refused.rich())
    scene.ready()
    refused.until(lambda it: any(c["type"] == "Stalled" and c["status"] == "True" for c in _conditions(it)), "Stalled")
    scene.ec2.modify_vpc_endpoint(
        VpcEndpointId=scene.endpoint(IMAGE_BUILDER).id, RemoveSubnetIds=[scene.network.subnet_ids[0]]
    )
    scene.event("DriftRepaired")
    scene.edit(tags={"team": "other"})
    scene.settled(lambda it: it.tags.get("team") == "other", IMAGE_BUILDER, "tagged anew")
    scene.ready()
    for each in (scene, refused):
        each.delete()
        each.gone()
    return frozenset(reason for each in (scene, refused) for reason, _ in each.events())


def _conditions(resource: dict[str, Any] | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ((resource or {}).get("status") or {}).get("conditions") or []
    return found


def test_a_whole_life_needs_nothing_that_the_chart_does_not_grant(lived: Lived) -> None:
    assert lived.refused == []
    assert {"Created", "Refused", "DriftDetected", "DriftRepaired", "Deleted"} <= lived.events


def test_no_part_of_any_rule_can_be_left_out(stage: Stage, lived: Lived) -> None:
    reviews = AuthorizationV1Api(stage.plane.client())
    cases = []
    for number, grant in enumerate(grants(lived.release.rbac)):
        user = f"{lived.release.namespace}-without-{number}"
        left = without(lived.release.rbac, grant)
        denied = {each for each in lived.asked if not any(other.allows(each) for other in grants(left))}
        assert denied, f"needless: {grant}"
        cases.append((user, grant, denied))
        apply(stage.plane, bound_to(left, user, f"-{number}"))
    assert cases
    for user, grant, denied in cases:
        _eventually_denied(reviews, user, lived.asked, denied, f"the API server denies what needs {grant}")


def _eventually_denied(
    reviews: AuthorizationV1Api, user: str, requests: frozenset[Asked], denied: set[Asked], what: str
) -> None:
    """The API server itself denies those requests to a user and allows the rest, once it has seen the bindings."""

    def allowed(request: Asked) -> bool:
        review: Any = {"spec": {"user": user, "resourceAttributes": request.attributes()}}
        answer: Any = reviews.create_subject_access_review(review)
        return bool(answer.status.allowed)

    eventually(lambda: {each for each in requests if not allowed(each)} == denied, what)
