"""The CRD's revision rises with its content, so that the newer of two can be told."""

import pytest

from ibpe.api.crd import custom_resource_definition
from ibpe.api.revision import ANNOTATION, REVISION, REVISIONS, digest


def test_the_newest_revision_is_of_the_schema_as_it_is() -> None:
    found = digest(custom_resource_definition()["spec"])
    assert REVISIONS[REVISION] == found, (
        f"the CRD has changed since revision {REVISION}: add {REVISION + 1}: {found!r} to REVISIONS, "
        f"or, where {REVISION} is in no release yet, put {found!r} in its place"
    )


def test_revisions_are_counted_and_each_is_another_schema() -> None:
    assert sorted(REVISIONS) == list(range(1, REVISION + 1))
    assert len(set(REVISIONS.values())) == len(REVISIONS)


def test_the_crd_carries_its_revision() -> None:
    assert custom_resource_definition()["metadata"]["annotations"][ANNOTATION] == str(REVISION)


@pytest.mark.parametrize("change", ["description", "maxLength", "x-kubernetes-validations"])
def test_any_change_of_the_schema_changes_the_digest(change: str) -> None:
    spec = custom_resource_definition()["spec"]
    before = digest(spec)
    schema = spec["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["properties"]["region"][change] = "another"
    assert digest(spec) != before
