"""What a spec asks for: endpoints, tags, tokens and digests that stay the same for as long as they must."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibpe.api.names import Role
from ibpe.api.spec import parse_spec
from ibpe.aws.gateway import EndpointType
from ibpe.policy.document import PolicyError
from ibpe.reconcile.desire import policies
from ibpe.reconcile.fields import Field
from ibpe.reconcile.ports import Key
from ibpe.reconcile.wanted import Owner
from tests.unit.reconcile.given import A1, B1, GROUP, GROUP2, OWNER, TABLE, VPC, desired, image_builder, spec, wanted


def test_both_endpoints_are_asked_for_with_every_field() -> None:
    image_builder_, s3 = desired(tags={"team": "a"}).endpoints
    assert (image_builder_.role, image_builder_.type) == (Role.IMAGE_BUILDER, EndpointType.INTERFACE)
    assert (image_builder_.subnet_ids, image_builder_.security_group_ids) == (frozenset({A1, B1}), frozenset({GROUP}))
    assert (image_builder_.private_dns, image_builder_.ip_address_type) == (True, "ipv4")
    assert image_builder_.services == ("com.amazonaws.us-west-2.imagebuilder",)
    assert (s3.role, s3.type, s3.route_table_ids) == (Role.S3, EndpointType.GATEWAY, frozenset({TABLE}))
    assert (s3.subnet_ids, s3.private_dns) == (frozenset(), False)
    for endpoint in (image_builder_, s3):
        assert endpoint.vpc_id == VPC
        assert endpoint.user_tag_keys == ("team",)
        assert endpoint.tags == {
            "team": "a",
            "ibpe.dev/cluster": "blue",
            "ibpe.dev/owner": "team-a/images",
            "ibpe.dev/role": endpoint.role.value,
        }


def test_what_is_not_asked_for_is_not_desired() -> None:
    assert desired(s3={"mode": "None"}).endpoint(Role.S3) is None
    assert desired(imageBuilder=None).endpoint(Role.IMAGE_BUILDER) is None
    assert not desired(s3=None).exclusive_s3


def test_builds_run_in_the_endpoints_subnets_unless_told_otherwise() -> None:
    assert desired().build_subnet_ids == {A1, B1}
    assert desired(builds={"subnets": {"ids": [A1]}}).build_subnet_ids == {A1}
    assert desired(imageBuilder=None).build_subnet_ids == frozenset()


@pytest.mark.parametrize(("baseline", "exclusive"), [("ImageBuilderOnly", True), ("FullAccess", False)])
def test_only_a_policy_for_builds_alone_is_exclusive(baseline: str, *, exclusive: bool) -> None:
    want = desired(s3={"routeTables": {"ids": [TABLE]}, "policy": {"baseline": baseline}})
    assert want.exclusive_s3 is exclusive


def test_a_policy_that_cannot_be_made_is_no_failure_of_the_spec() -> None:
    bad = image_builder(policy={"preset": "Custom", "document": "{"})
    want = desired(imageBuilder=bad)
    endpoint = want.endpoint(Role.IMAGE_BUILDER)
    assert endpoint
    assert isinstance(endpoint.policy, PolicyError)
    assert Field.POLICY not in endpoint.fields()
    assert want.endpoint(Role.S3)
    with pytest.raises(PolicyError):
        policies(parse_spec(spec(imageBuilder=bad)))
    assert set(policies(parse_spec(spec()))) == {Role.IMAGE_BUILDER, Role.S3}


# Tokens


TEXT = st.text(min_size=1, max_size=12)


def test_a_client_token_is_what_it_was_in_every_release() -> None:
    # An operator that is upgraded between a Create and its answer must send the same token again.
    made_of = b"blue\nuid-1\nimagebuilder\n1"
    assert OWNER.client_token("uid-1", Role.IMAGE_BUILDER, 1) == hashlib.sha256(made_of).hexdigest()


@given(cluster=TEXT, uid=TEXT, attempt=st.integers(0, 10**6), key=st.tuples(TEXT, TEXT))
def test_a_client_token_has_aws_s_length_and_only_cluster_uid_role_and_attempt_in_it(
    cluster: str, uid: str, attempt: int, key: tuple[str, str]
) -> None:
    token = Owner(cluster, Key(*key)).client_token(uid, Role.S3, attempt)
    assert len(token) <= 64
    assert token.isascii()
    assert token == Owner(cluster, Key("another", "name")).client_token(uid, Role.S3, attempt)
    assert token != Owner(cluster, Key(*key)).client_token(uid, Role.S3, attempt + 1)
    assert token != Owner(cluster, Key(*key)).client_token(uid, Role.IMAGE_BUILDER, attempt)
    assert token != Owner(cluster, Key(*key)).client_token(uid + "x", Role.S3, attempt)
    assert token != Owner(cluster + "x", Key(*key)).client_token(uid, Role.S3, attempt)


# Digests


def test_a_digest_does_not_depend_on_the_order_of_a_list_nor_on_how_a_policy_is_written() -> None:
    one = wanted(imageBuilder=image_builder(subnets={"ids": [A1, B1]}, securityGroups={"ids": [GROUP, GROUP2]}))
    other = wanted(imageBuilder=image_builder(subnets={"ids": [B1, A1]}, securityGroups={"ids": [GROUP2, GROUP]}))
    assert one.fields() == other.fields()
    statement = {"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:GetImage", "Resource": "*"}
    listed = {**statement, "Action": ["imagebuilder:GetImage"], "Principal": {"AWS": ["*"]}}
    written = [custom(statement), custom(listed), custom([statement])]
    assert len({wanted(imageBuilder=image_builder(policy=policy)).fields()[Field.POLICY] for policy in written}) == 1


def custom(statement: Any) -> dict[str, Any]:
    return {"preset": "Custom", "document": {"Version": "2012-10-17", "Statement": statement}}


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        (Field.SUBNETS, {"imageBuilder": image_builder(subnets={"ids": [A1]})}),
        (Field.SECURITY_GROUPS, {"imageBuilder": image_builder(securityGroups={"ids": [GROUP2]})}),
        (Field.PRIVATE_DNS, {"imageBuilder": image_builder(privateDNS=False)}),
        (Field.IP_ADDRESS_TYPE, {"imageBuilder": image_builder(ipAddressType="dualstack")}),
        (Field.POLICY, {"imageBuilder": image_builder(policy={"preset": "FullAccess"})}),
        (Field.TAGS, {"tags": {"team": "a"}}),
    ],
)
def test_an_edit_changes_the_digest_of_its_field_and_of_no_other(field: Field, changes: dict[str, Any]) -> None:
    before, after = wanted(), wanted(**changes)
    assert {name for name in before.fields() if before.fields()[name] != after.fields()[name]} == {field}
    assert before.digest() != after.digest()


def test_a_gateway_has_the_fields_of_a_gateway() -> None:
    assert set(wanted(Role.S3).fields()) == {Field.TAGS, Field.POLICY, Field.ROUTE_TABLES}
