"""Operators that lack one part of the chart's RBAC each: what is missing shows, and nothing is done by halves."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from sandbox.helm import Helm
from sandbox.kube.proxy import ApiProxy
from sandbox.stage import OperatorProcess, Stage
from tests.e2e.scene import Scene, Scenes, eventually
from tests.release.conftest import make_namespace
from tests.release.rbac import Grant, asked, grants, without
from tests.release.release import CHART, Release, apply, recorded

pytestmark = [pytest.mark.e2e, pytest.mark.release]


@dataclass(frozen=True)
class Trial:
    """An operator without one grant, and a resource that it should serve."""

    grant: Grant
    operator: OperatorProcess
    proxy: ApiProxy
    scene: Scene

    def denials(self) -> int:
        """How often what it needs the grant for was asked and refused."""
        forbidden = [asked(record.request) for record in self.proxy.records if record.status == 403]
        assert all(each and self.grant.allows(each) for each in forbidden), "nothing else is refused"
        return len(forbidden)

    def denied(self, times: int) -> None:
        """It has been refused at least so many times."""
        eventually(lambda: self.denials() >= times, f"{self.grant} is tried again", explain=self.operator.log)


def untouched(trial: Trial) -> None:
    trial.denied(2)
    resource = trial.scene.get() or {}
    assert not resource["status"].get("conditions")
    assert trial.scene.endpoints() == ()


def without_events(trial: Trial) -> None:
    trial.scene.ready()
    assert trial.scene.events() == []


def without_edits(trial: Trial) -> None:
    """An edit is not seen, but for looks that were due anyway: these end soon after it is Ready."""
    trial.scene.ready()
    for number in range(5):
        trial.scene.edit(tags={"team": f"other-{number}"})
        trial.denied(trial.denials() + 1)
        resource = trial.scene.get() or {}
        if resource["status"]["observedGeneration"] < resource["metadata"]["generation"]:
            return
    raise AssertionError("without the watch every edit was seen all the same")


RESOURCE = "imagebuilderprivateendpoints"
SIGNS: Mapping[str, Callable[[Trial], None]] = {
    f"get {RESOURCE}": untouched,
    f"list {RESOURCE}": untouched,
    f"watch {RESOURCE}": without_edits,
    f"patch {RESOURCE}": untouched,
    f"patch {RESOURCE}/status": untouched,
    "create events": without_events,
    "get leases": untouched,
    "create leases": untouched,
    "patch leases": untouched,
}


@pytest.fixture(scope="module")
def rendered(helm: Helm) -> Callable[[str], Release]:
    def render(namespace: str) -> Release:
        values = {"clusterName": "sandbox", "watchNamespaces": [namespace]}
        return Release(namespace, helm.template(CHART, values, name="r", namespace=namespace, hooks=False))

    return render


@pytest.fixture(scope="module")
def trials(stage: Stage, rendered: Callable[[str], Release]) -> Iterator[Mapping[str, Trial]]:
    """All at once: each waits more than it computes."""
    with ExitStack() as running:
        begun: dict[str, Trial] = {}
        for number, _ in enumerate(grants(rendered("any").rbac)):
            namespace = make_namespace(stage.plane, f"without-{number}")
            release = rendered(namespace)
            grant = list(grants(release.rbac))[number]
            apply(stage.plane, Release(namespace, without(release.documents, grant)).rbac)
            operator, proxy = running.enter_context(recorded(stage, release.container))
            scene = Scenes(stage, operator, namespace).make()
            scene.apply(scene.rich())
            begun[str(grant)] = Trial(grant, operator, proxy, scene)
        yield begun
        for trial in begun.values():  # all at once, before each is waited for
            trial.operator.terminate()


def test_every_grant_has_a_sign_here(rendered: Callable[[str], Release]) -> None:
    assert {str(grant) for grant in grants(rendered("any").rbac)} == set(SIGNS)


@pytest.mark.parametrize("missing", SIGNS)
def test_what_is_missing_shows(trials: Mapping[str, Trial], missing: str) -> None:
    trial = trials[missing]
    said = f'cannot {trial.grant.verb} resource \\"{trial.grant.resource}\\"'
    eventually(lambda: said in trial.operator.log(), f"the log says: {said}", explain=trial.operator.log)
    SIGNS[missing](trial)
