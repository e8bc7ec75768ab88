"""Specs that reach us without admission, as `ibpe plan -f` reads them, are refused in the same words."""

from typing import Any

import pytest

from ibpe.api.names import Role
from ibpe.api.spec import InvalidSpec, parse_spec
from ibpe.policy.document import PolicyError
from ibpe.policy.lint import Problem, lint
from ibpe.reconcile.desire import policies
from tests.crd.cases import ABSENT, BAD, FINE, GOOD, WARNED, Bad, changed

IN_OTHER_WORDS = {bad.id for bad in BAD if bad.changes.get("imageBuilder.policy", {}) and "custom" not in bad.id} | {
    bad.id for bad in BAD if bad.id.startswith("additional")
}
"""What the admission policy says of documents and statements, `ibpe.policy` says in its own, more exact words."""


@pytest.mark.parametrize("bad", [bad for bad in BAD if not bad.by_lint], ids=lambda bad: bad.id)
def test_what_the_api_server_refuses_is_refused_here_too(bad: Bad) -> None:
    with pytest.raises((InvalidSpec, PolicyError)) as refused:
        policies(parse_spec(changed(GOOD, bad.changes)))
    if not bad.by_schema and bad.id not in IN_OTHER_WORDS:
        assert bad.message in str(refused.value)


@pytest.mark.parametrize("bad", [bad for bad in BAD if bad.by_lint], ids=lambda bad: bad.id)
def test_what_the_api_server_refuses_for_its_meaning_is_found_here_too(bad: Bad) -> None:
    assert _errors(bad.changes)


@pytest.mark.parametrize("changes", FINE.values(), ids=FINE.keys())
def test_what_the_api_server_admits_is_understood(changes: dict[str, Any]) -> None:
    assert _errors(changes) == []


@pytest.mark.parametrize(("changes", "_warning"), WARNED.values(), ids=WARNED.keys())
def test_what_the_api_server_warns_of_is_no_error_here(changes: dict[str, Any], _warning: str) -> None:
    assert _errors(changes) == []


def _errors(changes: dict[str, Any]) -> list[Problem]:
    spec = parse_spec(changed(GOOD, changes))
    return [
        problem
        for role, policy in policies(spec).items()
        for problem in lint(policy, "imagebuilder" if role is Role.IMAGE_BUILDER else "s3", spec.region)
        if problem.severity == "error"
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"imageBuilder.subnet": {}}, "spec.imageBuilder.subnet: there is no such field, did you mean subnets?"),
        ({"xyz": 1}, "spec.xyz: there is no such field, remove it"),
        ({"vpcID": ABSENT}, "spec.vpcID: this field is required, add it"),
        ({"vpcID": 1, "region": 2}, "spec.region: write a string here, in quotes where YAML would read something else"),
        ({"suspend": "perhaps"}, "spec.suspend: write true or false"),
        ({"builds": []}, "spec.builds: write an object here"),
        ({"imageBuilder.subnets.ids": "subnet-01234567"}, "spec.imageBuilder.subnets.ids: write a list here"),
        ({"tags": {"k": 1}}, "spec.tags.k: write a string here"),
        ({"tags": {"k": "v" * 257}}, "spec.tags.k: too long, at most 256 are allowed"),
        ({"imageBuilder.policy.preset": "X"}, "'X' is not one of 'FullAccess', 'DenyDeletion'"),
        ({"imageBuilder.policy.document": 1}, "spec.imageBuilder.policy.document: write an IAM policy as YAML"),
        ({"imageBuilder.subnets.ids": ["x"]}, "spec.imageBuilder.subnets.ids[0]: write the id of a subnet"),
    ],
)
def test_a_problem_is_one_sentence_with_the_field_and_the_fix(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        parse_spec(changed(GOOD, changes))
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_further_problems_are_counted_once_each() -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.region: .* \(and 2 more\)$"):
        parse_spec(changed(GOOD, {"region": "x", "vpcID": "y", "imageBuilder.policy.document": 1}))
