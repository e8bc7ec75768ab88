"""A real resource in every state of the table, as Argo CD and kstatus see it; Argo CD's test data are those resources.

`IBPE_WRITE_GOLDEN=1 pytest tests/gitops/test_states.py` writes the test data and health_test.yaml anew.
"""

from collections.abc import Iterator

import pytest

from sandbox.stage import RESOURCE, condition
from tests.e2e.scene import Scene, Scenes
from tests.gitops import recorded
from tests.gitops.argo import health
from tests.gitops.kstatus import kstatus
from tests.gitops.states import STATES, State

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("as_it_was")]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_argo_cd_and_kstatus_say_what_the_table_says(scenes: Scenes, ready: Iterator[Scene], state: State) -> None:
    resource = state.bring(next(ready) if state.from_ready else scenes.make())
    assert {type_: condition(resource, type_).get("status") for type_ in state.conditions} == dict(state.conditions)
    shown = health(resource)
    assert (shown.status, kstatus(resource)) == (state.argo, state.kstatus), shown
    assert [word for word in state.words if word not in shown.message] == [], shown.message
    recorded.check(state.name, state.argo, resource)


def test_kubectl_waits_for_ready_and_for_the_end(scene: Scene) -> None:
    kubectl = scene.stage.plane.kubectl
    scene.apply(scene.rich())
    name, place = f"{RESOURCE}/{scene.name}", ("-n", scene.namespace, "--timeout=45s")
    assert "condition met" in kubectl("wait", "--for=condition=Ready", name, *place).stdout
    scene.ready()
    scene.delete()
    assert "condition met" in kubectl("wait", "--for=delete", name, *place, check=False).stdout or scene.get() is None
    assert scene.get() is None
