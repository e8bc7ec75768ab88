"""A status is read for what can be relied on, whoever wrote it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibpe.api.names import ConditionType, Role
from ibpe.api.status import Condition, EndpointStatus, Status
from ibpe.kube.calls import Forbidden, KindNotInstalled, NotFound, Unauthenticated, WriteRefused, refusal
from ibpe.kube.events import clamped, micro_time
from ibpe.kube.translate import resource_of, status_of, wire_status
from ibpe.reconcile.ports import Key, KubernetesUnavailable, WriteConflict

KEY = Key("team", "one")
ENDPOINT = {"role": "s3", "id": "vpce-0a", "state": "available", "attempt": 3}


def test_a_status_survives_the_wire_but_for_fractions_of_a_second() -> None:
    meant = Status(
        observed_generation=4,
        conditions=(
            Condition(
                type=ConditionType.READY,
                status="True",
                reason="Fine",
                message="",
                last_transition_time=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
                observed_generation=4,
            ),
        ),
        endpoints=(EndpointStatus(role=Role.IMAGE_BUILDER, id="vpce-0b", dns_names=("a", "b")),),
    )
    wire = wire_status(meant)
    assert wire["conditions"][0]["lastTransitionTime"] == "2026-01-02T03:04:05Z"
    assert wire["endpoints"][0]["dnsNames"] == ["a", "b"]
    assert wire_status(status_of(wire, KEY)) == wire


@pytest.mark.parametrize(
    "damage",
    [
        {"fromTheFuture": {"deep": 1}},
        {"accountID": "none"},
        {"observedGeneration": "many"},
        {"conditions": [{"type": "Unheard", "status": "True"}]},
        {"conditions": "text"},
        {"drift": [{"role": "s3"}]},
        {"endpoints": [{**ENDPOINT, "newField": True}]},
        {"endpoints": [ENDPOINT, {"role": "ssm", "id": "vpce-0c"}]},
        {"endpoints": [ENDPOINT, {"id": "no role"}]},
    ],
    ids=lambda damage: next(iter(damage)),
)
def test_what_cannot_be_read_is_dropped_and_the_ids_stay(damage: dict[str, Any]) -> None:
    status = status_of({"endpoints": [ENDPOINT], **damage}, KEY)
    assert (status.endpoint(Role.S3).id, status.endpoint(Role.S3).attempt) == ("vpce-0a", 3)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["endpoints", "conditions", "drift", "plan", "accountID", "observedGeneration", "other"]), JSON
    )
)
def test_no_status_is_a_reason_to_stop(raw: dict[str, Any]) -> None:
    assert isinstance(status_of(raw, KEY), Status)


@pytest.mark.parametrize("spec", [None, "text", ["list"]])
def test_a_spec_that_is_no_object_is_empty(spec: object) -> None:
    metadata = {
        "namespace": "team",
        "name": "one",
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": "2026-01-02T03:04:05Z",
    }
    assert resource_of({"metadata": metadata, "spec": spec}).spec == {}


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (404, b'{"message": "x", "details": {"name": "one"}}', NotFound),
        (404, b"404 page not found", KindNotInstalled),
        (404, b'{"message": "namespaces not found", "details": {}}', KindNotInstalled),
        (409, b'{"message": "x"}', WriteConflict),
        (401, b'{"message": "Unauthorized"}', Unauthenticated),
        (403, b'{"message": "no"}', Forbidden),
        (422, b'{"message": "no"}', WriteRefused),
        (400, b"[]", WriteRefused),
        (500, b"<html>", KubernetesUnavailable),
        (503, b"\xff\xfe", KubernetesUnavailable),
        (429, b"null", KubernetesUnavailable),
    ],
)
def test_each_refusal_has_its_kind_and_keeps_its_text(status: int, content: bytes, kind: type[Exception]) -> None:
    raised = refusal(status, content, "GET /x")
    assert type(raised) is kind
    assert str(raised).startswith(f"GET /x was answered with {status}")


def test_event_times_have_six_digits_in_utc() -> None:
    assert micro_time(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000000Z"


@given(st.text(max_size=3000))
def test_a_note_fits_and_keeps_its_beginning(note: str) -> None:
    short = clamped(note)
    assert len(short.encode()) <= 1024
    assert short == note or note.startswith(short.removesuffix("…"))
