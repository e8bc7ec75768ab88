"""Events as kubectl shows them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ibpe.kube.calls import Connection
from ibpe.kube.events import SAME_SECONDS, KubernetesEvents
from ibpe.reconcile.ports import Resource
from sandbox.kube import ControlPlane

pytestmark = pytest.mark.kube
Make = Callable[..., Resource]


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def events(connection: Connection, clock: Clock) -> KubernetesEvents:
    return KubernetesEvents(connection, instance="pod-1", clock=clock)


def shown(control_plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    out = control_plane.kubectl("get", "events.events.k8s.io", "-n", namespace, "-o", "json").stdout
    return list(json.loads(out)["items"])


def test_an_event_is_shown_with_the_resource_it_is_about(
    events: KubernetesEvents, make: Make, with_crd: ControlPlane, namespace: str
) -> None:
    made = make()
    events.publish(made, "Created", "vpce-0a was made", warning=False)
    events.publish(made, "Refused", "é" * 2000, warning=True)
    described = with_crd.kubectl("describe", "ibpe", "-n", namespace, made.key.name).stdout
    assert "vpce-0a was made" in described
    warning = next(event for event in shown(with_crd, namespace) if event["type"] == "Warning")
    assert warning["regarding"]["uid"] == made.uid
    assert len(warning["note"].encode()) <= 1024


def test_the_same_news_within_ten_minutes_is_told_once(
    events: KubernetesEvents, clock: Clock, make: Make, with_crd: ControlPlane, namespace: str
) -> None:
    made = make()
    for _ in range(3):
        events.publish(made, "DriftDetected", "a")
    events.publish(made, "DriftDetected", "b")
    assert len(shown(with_crd, namespace)) == 2
    clock.now += SAME_SECONDS - 1
    events.publish(made, "DriftDetected", "a")
    assert len(shown(with_crd, namespace)) == 2
    clock.now += 1
    events.publish(made, "DriftDetected", "a")
    assert len(shown(with_crd, namespace)) == 3


def test_a_terminating_namespace_takes_no_event_and_nobody_is_hurt(
    events: KubernetesEvents,
    make: Make,
    with_crd: ControlPlane,
    namespace: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = make(finalizers=["example.com/holds"])
    with_crd.kubectl("delete", "namespace", namespace, "--wait=false")
    with caplog.at_level("INFO"):
        events.publish(made, "Deleted", "gone")
    assert "could not be posted" in caplog.text
    assert "being terminated" in caplog.text


def test_a_failed_event_is_tried_again_with_the_next_occasion(
    events: KubernetesEvents, make: Make, with_crd: ControlPlane, namespace: str
) -> None:
    made = make()
    with_crd.pause()
    try:
        events.publish(made, "Created", "once")
    finally:
        with_crd.resume()
    events.publish(made, "Created", "once")
    assert any(event["note"] == "once" for event in shown(with_crd, namespace))
