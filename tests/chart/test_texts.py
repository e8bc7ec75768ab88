"""Whatever text a user gives arrives as it is, whatever YAML and Go's templates would make of it."""

import string
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sandbox.helm import Helm
from tests.chart.chart import NAME, QUICK, Manifest, manifests, one, rendered

pytestmark = pytest.mark.release

ODD = ["1", "010", "1e3", "0x1f", "1.5", "true", "null", "on", "y", "2001-01-01"]
"""Names that Kubernetes takes (those without a dot for namespaces), and that YAML takes for something else."""
PARTS = st.one_of(
    st.characters(exclude_categories=["Cs", "Cc"]), st.sampled_from([*"\n\t'\"\\{}:#-&*!|>%@` ", "{{ .Values }}"])
)
TEXTS = st.one_of(st.sampled_from(ODD), st.lists(PARTS, max_size=20).map("".join))
PRINTABLE = st.text(string.ascii_letters + string.digits + string.punctuation, min_size=1, max_size=30)


def names(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Everything that is called a name or a namespace, and every label."""
    if isinstance(value, dict):
        for inner_key, inner in value.items():
            labels = key in {"labels", "matchLabels", "annotations"}
            if labels or inner_key in {"name", "namespace", "serviceAccountName", "priorityClassName", "value"}:
                yield inner_key, inner
            yield from names(inner, inner_key)
    elif isinstance(value, list):
        for inner in value:
            yield from names(inner, key)


@pytest.mark.parametrize("odd", [name for name in ODD if "." not in name])
def test_a_name_that_looks_like_something_else_stays_a_name(helm: Helm, odd: str) -> None:
    values = {
        **QUICK,
        "clusterName": odd,
        "watchNamespaces": [odd],
        "nameOverride": odd,
        "fullnameOverride": odd,
        "serviceAccount": {"name": odd, "annotations": {odd: odd}},
        "leaderElection": {"leaseName": odd},
        "image": {"tag": odd},
        "imagePullSecrets": [{"name": odd}],
        "commonLabels": {odd: odd},
        "podLabels": {odd: odd},
        "podAnnotations": {odd: odd},
        "nodeSelector": {odd: odd},
        "priorityClassName": odd,
        "extraEnv": [{"name": "X", "value": odd}],
        "metrics": {"podMonitor": {"enabled": True, "labels": {odd: odd}}, "dashboard": {"enabled": True}},
        "networkPolicy": {"enabled": True},
    }
    found = list(names(manifests(rendered(helm, values, namespace=odd, release=odd))))
    assert [(key, value) for key, value in found if not isinstance(value, str)] == []
    assert ("namespace", odd) in found
    assert ("serviceAccountName", odd) in found


def container(made: list[Manifest]) -> Manifest:
    (found,) = one(made, "Deployment")["spec"]["template"]["spec"]["containers"]
    ours: Manifest = found
    return ours


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(texts=["{{ .Values }}", "a: 'b' # \"c\" \\", "1e3", " ", ""], address="x/{{}}'\"\\: #")
@given(texts=st.lists(TEXTS, min_size=1, max_size=20), address=PRINTABLE)
def test_a_text_arrives_as_it_is(helm: Helm, texts: list[str], address: str) -> None:
    values = {
        **NAME,
        **QUICK,
        "extraEnv": [{"name": f"TEXT_{number}", "value": text} for number, text in enumerate(texts)],
        "podAnnotations": {f"text-{number}": text for number, text in enumerate(texts)},
        "serviceAccount": {"annotations": {f"text-{number}": text for number, text in enumerate(texts)}},
        "aws": {"endpointURL": f"http://{address}"},
        "accounts": {
            "grants": [{"namespaces": ["*"], "accounts": ["own"], "vpcs": {"tags": {"x": tag}}} for tag in tags(texts)]
        },
    }
    made = manifests(rendered(helm, values))
    environment = {each["name"]: each["value"] for each in container(made)["env"]}
    assert environment["AWS_ENDPOINT_URL"] == f"http://{address}"
    assert [environment[f"TEXT_{number}"] for number in range(len(texts))] == texts
    template = one(made, "Deployment")["spec"]["template"]
    for annotations in (
        template["metadata"]["annotations"],
        one(made, "ServiceAccount", "or")["metadata"]["annotations"],
    ):
        assert [annotations[f"text-{number}"] for number in range(len(texts))] == texts
    (file,) = one(made, "ConfigMap", "-accounts")["data"].values()
    assert [each["vpcs"]["tags"]["x"] for each in manifests(file)[0]["grants"]] == tags(texts)


def tags(texts: list[str]) -> list[str]:
    """AWS takes no line breaks in a tag."""
    return [" ".join(text.splitlines()) for text in texts]
