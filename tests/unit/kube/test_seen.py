"""What wakes a reconcile and what does not."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibpe.api.names import ConditionType
from ibpe.kube.seen import Noted, Seen, Standing, Wakers, sighting_from, sighting_of, standing_of
from ibpe.kube.translate import resource_of
from ibpe.reconcile.ports import Key

KEY = Key("team", "one")
FIRST = Wakers(key=KEY, generation=1, deleting=False, requested=None, abandon=None)


def seen(*uids: str) -> Seen:
    memory = Seen()
    for uid in uids:
        memory.note(uid, FIRST._replace(key=Key("team", uid)))
    return memory


def test_the_first_sight_of_a_uid_wakes_and_the_second_does_not() -> None:
    memory = Seen()
    assert memory.note("u1", FIRST) == Noted(wake=True)
    assert memory.note("u1", FIRST) == Noted(wake=False)


@pytest.mark.parametrize(
    "change",
    [{"generation": 2}, {"deleting": True}, {"requested": "now"}, {"abandon": "123456789012"}],
    ids=lambda change: next(iter(change)),
)
def test_what_a_reconcile_depends_on_wakes(change: dict[str, Any]) -> None:
    memory = Seen()
    memory.note("u1", FIRST)
    assert memory.note("u1", FIRST._replace(**change)).wake


def test_a_namesake_with_generation_1_again_is_seen_and_ends_its_predecessor() -> None:
    memory = Seen()
    memory.note("old", FIRST)
    assert memory.note("new", FIRST) == Noted(wake=True, replaced="old")
    assert not memory.knows("old")
    assert memory.ended("old") is None, "its late end says nothing about the namesake"
    assert memory.knows("new")


def test_the_end_of_the_last_of_a_name_frees_the_name() -> None:
    memory = Seen()
    memory.note("u1", FIRST)
    assert memory.ended("u1") == KEY
    assert memory.ended("u1") is None
    assert memory.note("u1", FIRST).wake


def test_an_older_generation_from_a_slow_list_wakes_nobody() -> None:
    memory = Seen()
    memory.note("u1", FIRST._replace(generation=2))
    assert not memory.note("u1", FIRST, listed=True).wake
    assert not memory.note("u1", FIRST._replace(generation=2)).wake, "and is not remembered"


def test_a_list_that_does_not_know_of_the_deletion_yet_does_not_undo_it() -> None:
    memory = Seen()
    memory.note("u1", FIRST._replace(deleting=True))
    assert not memory.note("u1", FIRST, listed=True).wake
    assert not memory.note("u1", FIRST._replace(deleting=True)).wake


def test_a_name_is_known_for_as_long_as_anything_bears_it() -> None:
    memory = Seen()
    assert not memory.knows_key(FIRST.key)
    memory.note("u1", FIRST)
    memory.note("u2", FIRST)
    memory.ended("u1")
    assert memory.knows_key(FIRST.key)
    memory.ended("u2")
    assert not memory.knows_key(FIRST.key)


def test_what_ended_while_a_list_was_read_is_not_raised_again() -> None:
    memory = seen("u1")
    memory.begin_listing()
    memory.ended("u1")
    assert not memory.note("u1", FIRST, listed=True).wake
    assert not memory.knows("u1")
    memory.end_listing()
    assert memory.note("u1", FIRST, listed=True).wake


def test_a_list_speaks_only_of_what_was_known_before_it() -> None:
    memory = seen("u1")
    before = memory.begin_listing()
    memory.note("u2", FIRST)
    assert before == {"u1": Key("team", "u1")}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["u1", "u2", "u3"]),
            st.one_of(st.none(), st.integers(min_value=1, max_value=4)),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_every_change_wakes_once_and_repeats_never(events: list[tuple[str, int | None, bool]]) -> None:
    """None stands for an end; the boolean for one of two values of the requested annotation."""
    memory = Seen()
    known: dict[str, Wakers] = {}
    for uid, generation, requested in events:
        wakers = FIRST._replace(key=Key("team", uid), generation=generation or 1, requested="x" if requested else None)
        if generation is None:
            assert (memory.ended(uid) is not None) == (uid in known)
            known.pop(uid, None)
            continue
        before = known.get(uid)
        fresh = before is None or (wakers != before and wakers.generation >= before.generation)
        assert memory.note(uid, wakers).wake == fresh
        if fresh:
            known[uid] = wakers
        assert len(memory) == len(known)


def raw(**metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "uid": "u1",
            "namespace": "team",
            "name": "one",
            "generation": 3,
            "resourceVersion": "9",
            "creationTimestamp": "2026-01-02T03:04:05Z",
            **metadata,
        },
        "spec": {"region": "us-west-2"},
        "status": {
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "Fine",
                    "message": "",
                    "lastTransitionTime": "2026-01-02T03:04:05Z",
                    "observedGeneration": 3,
                }
            ]
        },
    }


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"deletionTimestamp": "2026-01-03T00:00:00Z"},
        {"annotations": {"ibpe.dev/reconcile-requested-at": "x", "ibpe.dev/abandon": "y", "other": "z"}},
    ],
    ids=["plain", "deleting", "annotated"],
)
def test_the_watch_and_the_list_see_the_same(metadata: dict[str, Any]) -> None:
    assert sighting_of(raw(**metadata)) == sighting_from(resource_of(raw(**metadata)))


def test_labels_and_other_annotations_are_not_seen() -> None:
    plain = sighting_of(raw())
    touched = sighting_of(
        raw(labels={"a": "b"}, annotations={"argocd.argoproj.io/tracking-id": "x"}, resourceVersion="10")
    )
    assert touched.wakers == plain.wakers
    assert plain.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert plain == replace(touched, wakers=plain.wakers)


@pytest.mark.parametrize("status", [None, "text", {"conditions": "text"}, {"conditions": ["text", {"type": "Ready"}]}])
def test_a_damaged_status_is_merely_not_ready(status: object) -> None:
    sighting = sighting_of({**raw(), "status": status})
    assert sighting.standing == Standing()


READY, STALLED, DRIFT_FREE = ConditionType.READY, ConditionType.STALLED, ConditionType.DRIFT_FREE


@pytest.mark.parametrize(
    ("conditions", "standing"),
    [
        ({}, Standing()),
        ({READY: ("True", "Ready"), STALLED: ("False", "Ready")}, Standing(ready=True, reason="Ready")),
        ({READY: ("False", "Pending"), STALLED: ("False", "Progressing")}, Standing(reason="Pending")),
        (
            {READY: ("Unknown", "ObservationFailed"), STALLED: ("True", "AccessDenied")},
            Standing(stalled=True, reason="AccessDenied"),
        ),
        ({DRIFT_FREE: ("False", "Contended")}, Standing(contended=True)),
        ({DRIFT_FREE: ("False", "Repairing")}, Standing()),
    ],
    ids=["none", "ready", "waiting", "access withdrawn", "contended", "being repaired"],
)
def test_the_reason_that_counts_is_that_of_who_must_act(
    conditions: dict[ConditionType, tuple[str, str]], standing: Standing
) -> None:
    assert standing_of(conditions, None) == standing


def test_the_time_of_a_deletion_is_read() -> None:
    deleted_at = sighting_of(raw(deletionTimestamp="2026-01-03T00:00:00Z")).standing.deleted_at
    assert deleted_at == datetime(2026, 1, 3, tzinfo=UTC)
