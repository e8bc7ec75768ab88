"""health.lua without a cluster: Argo CD's own kind of tests, and what it answers to whatever it is given."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.argocd import FOLDER
from tests.gitops.argo import health
from tests.gitops.kstatus import statuses
from tests.gitops.recorded import expected, load
from tests.gitops.states import STATES

ARGO_OF = {"InProgress": "Progressing", "Current": "Healthy", "Failed": "Degraded"}
"""What Argo CD says for what kstatus says, of a resource that is neither suspended nor being deleted."""


@pytest.mark.parametrize("test", load(), ids=lambda test: test["inputPath"])
def test_argo_cds_own_tests_pass(test: dict[str, Any]) -> None:
    assert health(yaml.safe_load((FOLDER / test["inputPath"]).read_text())) == expected(test)


def test_every_state_of_the_table_is_among_argo_cds_tests() -> None:
    tested = {test["inputPath"]: test["healthStatus"]["status"] for test in load()}
    assert tested == {f"testdata/{state.name}.yaml": state.argo for state in STATES}
    assert {path.name for path in (FOLDER / "testdata").iterdir()} == {f"{state.name}.yaml" for state in STATES}


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly a value; sometimes another kind of value, or (as None is left out) nothing."""
    return st.one_of(values, values, values, st.none(), st.sampled_from(["", 0, True, [], {}, [None], {"status": []}]))


CONDITION = st.fixed_dictionaries(
    {},
    optional={
        "type": some(st.sampled_from(["Ready", "Reconciling", "Stalled", "DriftFree"])),
        "status": some(st.sampled_from(["True", "False", "Unknown"])),
        "reason": some(st.just("Suspended")),
        "message": some(st.text()),
    },
)
GENERATION = st.integers(-1, 3)
ANYTHING = st.fixed_dictionaries(
    {},
    optional={
        "metadata": some(
            st.fixed_dictionaries(
                {},
                optional={"generation": some(GENERATION), "deletionTimestamp": some(st.just("2026-01-01T00:00:00Z"))},
            )
        ),
        "spec": some(st.fixed_dictionaries({}, optional={"suspend": some(st.booleans())})),
        "status": some(
            st.fixed_dictionaries(
                {},
                optional={
                    "observedGeneration": some(GENERATION),
                    "conditions": some(st.lists(some(CONDITION), max_size=4)),
                },
            )
        ),
    },
)


@settings(max_examples=1000)
@given(ANYTHING)
def test_whatever_it_is_given_it_answers_with_a_known_status_and_a_message(resource: dict[str, Any]) -> None:
    shown = health(resource)
    assert shown.status in {"Healthy", "Progressing", "Degraded"}
    assert shown.message


STATUS = st.sampled_from(["True", "False", "Unknown"])
WHOLE = st.builds(
    lambda generation, observed, ready, busy, drift_free: {
        "apiVersion": "ibpe.dev/v1beta1",
        "kind": "ImageBuilderPrivateEndpoint",
        "metadata": {"name": "images", "namespace": "builds", "generation": generation},
        "spec": {"suspend": False},
        "status": {
            "observedGeneration": observed,
            "conditions": [
                {"type": "Ready", "status": ready, "reason": "Any", "message": "Ready, or not."},
                {"type": "Reconciling", "status": busy[0], "reason": "Any", "message": "At work, or not."},
                {"type": "Stalled", "status": busy[1], "reason": "Any", "message": "Stalled, or not."},
                {"type": "DriftFree", "status": drift_free, "reason": "Any", "message": "Drift, or none."},
            ],
        },
    },
    st.integers(1, 3),
    st.integers(-1, 3),
    STATUS,
    st.sampled_from([("True", "False"), ("False", "True"), ("False", "False")]),
    STATUS,
)


@settings(deadline=None)  # a process is started for each
@given(st.lists(WHOLE, min_size=1, max_size=50))
def test_argo_cd_and_kstatus_agree_about_whatever_the_operator_may_write(resources: list[dict[str, Any]]) -> None:
    assert [health(each).status for each in resources] == [ARGO_OF[status] for status in statuses(resources)]
