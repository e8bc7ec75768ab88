"""The quick look-ups answer as moto's own do."""

from typing import Any

import pytest
from moto.ec2.models import EC2Backend

from sandbox.aws.moto_speed import quicken


@pytest.fixture(scope="module")
def backends() -> tuple[Any, Any]:
    """moto's EC2 as it is, and the same one with the quick look-ups."""
    plain: Any = EC2Backend("us-east-1", account_id="123456789012")
    vpc = plain.create_vpc("10.0.0.0/16", tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    plain.create_security_group("one", "one", vpc.id)
    plain.tags["vpce-0aaaaaaaaaaaaaaaa"] = {"a": "1"}
    quick: Any = EC2Backend.__new__(EC2Backend)
    vars(quick).update(vars(plain))
    return plain, quicken(quick)


@pytest.mark.parametrize(
    "filters",
    [
        None,
        {},
        {"resource-id": ["vpce-0aaaaaaaaaaaaaaaa"]},
        {"resource-id": ["vpce-0aaa*"]},
        {"resource-id": ["vpce-0bbbbbbbbbbbbbbbb"]},
        {"resource-id": ["vpce-0aaaaaaaaaaaaaaaa", "vpc-1"]},
        {"resource-id": ["vpce-0aaaaaaaaaaaaaaaa"], "key": ["b"]},
        {"key": ["a"]},
    ],
)
def test_tags_are_the_same(backends: tuple[Any, Any], filters: dict[str, list[str]] | None) -> None:
    plain, quick = backends
    assert quick.describe_tags(filters) == plain.describe_tags(filters)


def test_tags_of_every_resource_are_the_same(backends: tuple[Any, Any]) -> None:
    plain, quick = backends
    found = [plain.describe_tags({"resource-id": [resource_id]}) for resource_id in plain.tags]
    assert any(len(each) == 2 for each in found)
    assert [quick.describe_tags({"resource-id": [resource_id]}) for resource_id in plain.tags] == found


def test_groups_are_the_same(backends: tuple[Any, Any]) -> None:
    plain, quick = backends
    ids = [group_id for by_id in plain.groups.values() for group_id in by_id]
    assert len(ids) >= 3
    for group_id in [*ids, "sg-0123456789abcdef0"]:
        assert quick.get_security_group_from_id(group_id) is plain.get_security_group_from_id(group_id)
