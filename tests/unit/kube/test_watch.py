"""What the sink is told, event by event and list by list."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

import kopf
import pytest

from ibpe.kube.resources import KubernetesResources
from ibpe.kube.seen import Sighting
from ibpe.kube.translate import resource_of
from ibpe.kube.watch import EndlessJitter, Watch, tune
from ibpe.reconcile.ports import Key, KubernetesUnavailable, Resource


@dataclass
class Sink:
    woken: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    ends: list[tuple[str, Key | None]] = field(default_factory=list)

    def seen(self, sighting: Sighting, *, wake: bool) -> None:
        (self.woken if wake else self.shown).append(sighting.uid)

    def ended(self, uid: str, key: Key | None) -> None:
        self.ends.append((uid, key))


def raw(uid: str, name: str | None = None, **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "uid": uid,
            "namespace": "team",
            "name": name or uid,
            "generation": 1,
            "resourceVersion": "1",
            "creationTimestamp": "2026-01-02T03:04:05Z",
            **metadata,
        },
        "spec": {},
    }


class Listed:
    """A list that yields, and may do something between two objects or break."""

    def __init__(self, *uids: str, midway: Any = None) -> None:
        self._uids = uids
        self._midway = midway

    def list_all(self, namespaces: tuple[str, ...] = (), *, chunk: int = 0) -> Iterator[Resource]:
        assert (namespaces, chunk) == (("team",), 100)
        for uid in self._uids:
            yield resource_of(raw(uid))
        if self._midway is not None:
            self._midway()


def prune(watch: Watch, *uids: str, midway: Any = None) -> None:
    watch.prune(cast("KubernetesResources", Listed(*uids, midway=midway)), ("team",))


def test_events_wake_once_and_show_always() -> None:
    sink = Sink()
    watch = Watch(sink)
    watch.event(None, raw("a"))
    watch.event("MODIFIED", raw("a", resourceVersion="2"))
    watch.event("DELETED", raw("a"))
    assert (sink.woken, sink.shown, sink.ends) == (["a"], ["a"], [("a", Key("team", "a"))])


def test_a_namesake_ends_its_predecessor_without_freeing_the_name() -> None:
    sink = Sink()
    watch = Watch(sink)
    watch.event(None, raw("a", "one"))
    watch.event("ADDED", raw("b", "one"))
    assert (sink.woken, sink.ends) == (["a", "b"], [("a", None)])


def test_a_damaged_event_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    sink = Sink()
    watch = Watch(sink)
    watch.event("ADDED", {"metadata": {"name": "no uid"}})
    watch.event("DELETED", {})
    watch.event("ADDED", raw("a"))
    assert sink.woken == ["a"]
    assert caplog.text.count("could not be understood") == 2


def test_pruning_finds_both_what_the_watch_missed_and_what_it_kept() -> None:
    sink = Sink()
    watch = Watch(sink)
    watch.event(None, raw("kept"))
    watch.event(None, raw("gone"))
    prune(watch, "kept", "missed")
    assert sink.woken == ["kept", "gone", "missed"]
    assert sink.ends == [("gone", Key("team", "gone"))]
    prune(watch, "kept", "missed")
    assert sink.woken == ["kept", "gone", "missed"], "nothing is new the second time"


def test_a_list_that_breaks_ends_nobody() -> None:
    sink = Sink()
    watch = Watch(sink)
    watch.event(None, raw("a"))
    watch.event(None, raw("b"))

    def breaks() -> None:
        raise KubernetesUnavailable("midway")

    with pytest.raises(KubernetesUnavailable):
        prune(watch, "a", midway=breaks)
    assert sink.ends == []
    prune(watch, "a")
    assert sink.ends == [("b", Key("team", "b"))]


def test_what_is_made_or_ends_during_a_list_stays_as_the_watch_saw_it() -> None:
    sink = Sink()
    watch = Watch(sink)
    watch.event(None, raw("old"))

    def meanwhile() -> None:
        watch.event("ADDED", raw("new"))

    watch.event("DELETED", raw("old"))
    prune(watch, midway=meanwhile)
    assert sink.ends == [("old", Key("team", "old"))], "made after the list began: not ended by its silence"
    assert sink.woken == ["old", "new"]


def test_kopf_retries_for_ever_and_never_in_step() -> None:
    pauses = list(islice(iter(EndlessJitter()), 200))
    assert all(0.5 <= pause <= 30 for pause in pauses)
    assert min(pauses[10:]) >= 15
    assert len(set(pauses)) > 150


def test_kopf_is_kept_to_watching() -> None:
    settings = kopf.OperatorSettings()
    tune(settings)
    assert settings.scanning.disabled
    assert not settings.posting.enabled
    assert not settings.watching.initial_streaming
    assert settings.watching.chunk_size == 100
    assert settings.queueing.idle_timeout == 0.5
    assert iter(cast("EndlessJitter", settings.networking.error_backoffs)) is not iter(
        cast("EndlessJitter", settings.networking.error_backoffs)
    )
