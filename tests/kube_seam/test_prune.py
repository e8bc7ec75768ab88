"""The list finds what the watch missed, on a real API server."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from ibpe.kube.resources import KubernetesResources
from ibpe.kube.seen import Sighting
from ibpe.kube.watch import Watch
from ibpe.reconcile.ports import Key, Resource
from sandbox.kube import ControlPlane

pytestmark = pytest.mark.kube


@dataclass
class Sink:
    woken: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)

    def seen(self, sighting: Sighting, *, wake: bool) -> None:
        if wake:
            self.woken.append(sighting.uid)

    def ended(self, uid: str, key: Key | None) -> None:
        assert key is None or key.namespace
        self.ends.append(uid)


def test_a_namesake_made_in_a_gap_and_a_silent_end_are_found(
    make: Callable[..., Resource], resources: KubernetesResources, with_crd: ControlPlane, namespace: str
) -> None:
    sink = Sink()
    watch = Watch(sink)
    first, gone = make("one"), make("gone")
    watch.prune(resources, (namespace,))
    assert sorted(sink.woken) == sorted([first.uid, gone.uid])
    with_crd.kubectl("delete", "ibpe", "-n", namespace, "one", "gone")
    second = make("one")
    assert not watch.has_seen_all(resources, (namespace,))
    watch.prune(resources, (namespace,))
    assert sink.woken[2:] == [second.uid]
    assert sorted(sink.ends) == sorted([first.uid, gone.uid])
    assert watch.has_seen_all(resources, (namespace,))
