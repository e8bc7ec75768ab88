from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from codegen.actions import reference
from ibpe.api import advice
from ibpe.api.admission import admission_policy, binding
from ibpe.api.crd import custom_resource_definition
from ibpe.api.manifest import as_yaml
from ibpe.api.schema import NotStructural, structural_schema

ROOT = Path(__file__).parents[3]
CRDS = ROOT / "crds"
SCHEMA = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def test_the_committed_crd_is_fresh() -> None:
    committed = (CRDS / "ibpe.dev_imagebuilderprivateendpoints.yaml").read_text()
    assert committed == as_yaml(custom_resource_definition()), "run `make crds` and commit it"


def test_the_committed_admission_policy_is_fresh() -> None:
    committed = (CRDS / "policies.ibpe.dev_admission.yaml").read_text()
    assert committed == as_yaml(admission_policy(), binding()), "run `make crds` and commit it"


def test_the_committed_advice_is_fresh() -> None:
    committed = (CRDS / "advice.ibpe.dev_admission.yaml").read_text()
    assert committed == as_yaml(advice.advice(), advice.binding()), "run `make crds` and commit it"


def test_the_committed_actions_are_fresh() -> None:
    committed = (ROOT / "operator" / "ibpe" / "actions" / "reference.py").read_text()
    assert committed == reference(), "run `make crds` and commit it"


def test_what_is_printed_is_what_is_meant() -> None:
    (read,) = yaml.safe_load_all(as_yaml(custom_resource_definition()))
    assert read == custom_resource_definition()


def _nodes(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Every node with its path, and whether it lies in a list."""
    yield path, schema, "[]" in path
    for name, node in schema.get("properties", {}).items():
        yield from _nodes(node, f"{path}.{name}")
    for word, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(word), dict):
            yield from _nodes(schema[word], path + mark)


NODES = [
    (path, node, in_list)
    for part in ("spec", "status")
    for path, node, in_list in _nodes(SCHEMA["properties"][part], part)
]


@pytest.mark.parametrize(("path", "node", "in_list"), NODES, ids=[path for path, _, _ in NODES])
def test_every_field_is_described_bounded_and_structural(path: str, node: dict[str, Any], in_list: bool) -> None:  # noqa: FBT001 -- a row
    if not path.endswith(("[]", "{}")):
        assert node.get("description", "").strip()
    if node.get("type") == "array":
        assert "maxItems" in node
        assert node["x-kubernetes-list-type"] in {"set", "map", "atomic"}
    if isinstance(node.get("additionalProperties"), dict):
        assert "maxProperties" in node
    if node.get("type") == "string" and "enum" not in node:
        assert "maxLength" in node or "pattern" in node or node.get("format") == "date-time"
    if in_list:
        assert "default" not in node
    assert "type" in node or node.get("x-kubernetes-preserve-unknown-fields") is True
    assert not {"title", "$ref", "anyOf", "const", "uniqueItems"} & set(node)


def test_every_rule_tells_what_to_do_in_one_sentence() -> None:
    rules = [rule for _, node, _ in NODES for rule in node.get("x-kubernetes-validations", ())]
    rules += SCHEMA["x-kubernetes-validations"]
    rules += admission_policy()["spec"]["validations"] + advice.advice()["spec"]["validations"]
    assert len(rules) > 60
    for rule in rules:
        message = rule["message"]
        assert message.strip() == message
        assert not message.endswith(".")
        assert "\n" not in message
        assert len(message) < 160


class _Either(BaseModel):
    either: int | str


class _Anything(BaseModel):
    anything: dict[str, Any]


@pytest.mark.parametrize("model", [_Either, _Anything], ids=["a-union", "unknown-fields"])
def test_a_model_that_no_structural_schema_can_say_is_refused(model: type[BaseModel]) -> None:
    with pytest.raises(NotStructural, match=r"^_(Either\.either|Anything\.anything) "):
        structural_schema(model, defaults=True)
