"""The checks: each passes a healthy VPC, refuses its own fault with ids and a fix, and forbids only what it must."""

import dataclasses
from dataclasses import replace
from typing import Any

import pytest

from ibpe.api.names import Role
from ibpe.aws.gateway import (
    AccountID,
    EndpointState,
    EndpointType,
    IngressRule,
    SecurityGroupID,
    SubnetID,
    VpcID,
)
from ibpe.reconcile.claims import private_dns_claim, route_claim
from ibpe.reconcile.fields import Field
from ibpe.reconcile.holdings import Holding
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.ports import Key
from ibpe.reconcile.refusals import EVERYTHING, Refusal, refuse
from ibpe.reconcile.wanted import Desired
from tests.unit.reconcile.given import (
    A1,
    A2,
    ACCOUNT,
    B1,
    C1,
    GROUP,
    GROUP2,
    IB_ID,
    IMAGE_BUILDER,
    MAIN,
    OTHER_VPC,
    REGION,
    S3,
    S3_ID,
    TABLE,
    VPC,
    desired,
    facts,
    group,
    holdings,
    https,
    image_builder,
    made,
    seen,
    subnet,
    table,
    wanted,
)

SCOPE = f"{REGION}/{VPC}"
STRANGER = dataclasses.replace(made(wanted()), tags={"Name": "central"})
S3_STRANGER = dataclasses.replace(made(wanted(Role.S3)), tags={})
LONG = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "imagebuilder:GetImage",
    "Resource": "arn:aws:s3:::" + "x" * 20_000,
}


def reasons(want: Desired, look: Observation) -> list[str]:
    return [refusal.reason for refusal in refuse(want, look)]


def only(want: Desired, look: Observation) -> Refusal:
    found = refuse(want, look)
    assert len(found) == 1, found
    return found[0]


def test_a_healthy_vpc_is_refused_nothing() -> None:
    assert refuse(desired(), seen()) == ()


def service(**changes: Any) -> dict[str, Any]:
    known = dict(facts().services)
    known[IMAGE_BUILDER] = dataclasses.replace(known[IMAGE_BUILDER], **changes)
    return known


ROWS: dict[str, tuple[dict[str, Any], dict[str, Any], str, str, set[Field], tuple[str, ...]]] = {
    # name: (spec, facts, reason, role, forbidden fields, words that the message must have)
    "the service is unknown": (
        {},
        {"services": {S3: facts().services[S3]}},
        "ServiceNotAvailable",
        "imagebuilder",
        set(),
        (REGION, IMAGE_BUILDER, "choose another Region"),
    ),
    "the service has another type only": (
        {},
        {"services": service(types=frozenset({EndpointType.GATEWAY}))},
        "ServiceNotAvailable",
        "imagebuilder",
        set(),
        (IMAGE_BUILDER, "Interface"),
    ),
    "the policy can't be read": (
        {"imageBuilder": image_builder(policy={"preset": "Custom", "document": "{"})},
        {},
        "PolicyInvalid",
        "imagebuilder",
        {Field.POLICY},
        ("imageBuilder.policy",),
    ),
    "the policy is too long": (
        {"imageBuilder": image_builder(policy={"preset": "FullAccess", "additionalStatements": [{**LONG}, {**LONG}]})},
        {},
        "PolicyTooLong",
        "imagebuilder",
        {Field.POLICY},
        ("imageBuilder.policy", "20,480", "shorten"),
    ),
    "a subnet is missing": (
        {},
        {"subnets": [subnet(B1)]},
        "SubnetNotFound",
        "imagebuilder",
        {Field.SUBNETS},
        (A1, "imageBuilder.subnets.ids", "correct"),
    ),
    "a subnet is of another VPC": (
        {},
        {"subnets": [subnet(A1, vpc_id=OTHER_VPC), subnet(B1)]},
        "SubnetInAnotherVpc",
        "imagebuilder",
        {Field.SUBNETS},
        (A1, OTHER_VPC, VPC),
    ),
    "two subnets are in one zone": (
        {"imageBuilder": image_builder(subnets={"ids": [A1, A2]}), "s3": None},
        {"subnets": [subnet(A1), subnet(A2)]},
        "DuplicateSubnetsInSameZone",
        "imagebuilder",
        {Field.SUBNETS},
        (A1, A2, "us-west-2a", "keep one"),
    ),
    "a zone is not supported": (
        {"imageBuilder": image_builder(subnets={"ids": [B1, C1]}), "s3": None},
        {"subnets": [subnet(A1), subnet(B1), subnet(C1)]},
        "ZoneNotSupported",
        "imagebuilder",
        {Field.SUBNETS},
        (f"{C1} is in us-west-2c", "us-west-2a, us-west-2b"),
    ),
    "a security group is missing": (
        {"imageBuilder": image_builder(securityGroups={"ids": [GROUP, GROUP2]})},
        {},
        "SecurityGroupNotFound",
        "imagebuilder",
        {Field.SECURITY_GROUPS},
        (f"{GROUP2} of imageBuilder.securityGroups.ids does not exist",),
    ),
    "a security group is of another VPC": (
        {},
        {"security_groups": [group(GROUP, https("10.0.0.0/8"), vpc_id=OTHER_VPC)]},
        "SecurityGroupInAnotherVpc",
        "imagebuilder",
        {Field.SECURITY_GROUPS},
        (f"{GROUP} is in {OTHER_VPC}, not in {VPC}",),
    ),
    "nothing is let in": (
        {},
        {"security_groups": [group(GROUP)]},
        "HttpsNotLetIn",
        "imagebuilder",
        set(),
        (GROUP, "443", "add an inbound rule"),
    ),
    "a build subnet is not let in": (
        {},
        {"security_groups": [group(GROUP, https("10.0.1.0/24"))]},
        "HttpsNotLetIn",
        "imagebuilder",
        set(),
        (GROUP, f"{B1} (10.0.3.0/24)", "add an inbound rule"),
    ),
    "DNS is off": (
        {},
        {"vpc": dataclasses.replace(facts().vpc or pytest.fail("no VPC"), dns_support=False, dns_host_names=False)},
        "VpcDnsDisabled",
        "imagebuilder",
        {Field.PRIVATE_DNS},
        (VPC, "enableDnsSupport and enableDnsHostnames", "privateDNS"),
    ),
    "a route table is missing": (
        {},
        {"route_tables": [table(MAIN, main=True)]},
        "RouteTableNotFound",
        "s3",
        {Field.ROUTE_TABLES},
        (TABLE, "s3.routeTables.ids", "correct"),
    ),
    "a table serves strangers": (
        {},
        {"subnets": [subnet(A1), subnet(B1), subnet(C1)], "route_tables": [table(TABLE, A1, B1, C1)]},
        "RouteTableShared",
        "s3",
        {Field.ROUTE_TABLES},
        (TABLE, C1, "builds.subnets", "a route table of their own", "Organization or FullAccess"),
    ),
    "the main table serves new subnets": (
        {"s3": {"routeTables": {"ids": [MAIN]}, "policy": {"baseline": "ImageBuilderOnly"}}},
        {},
        "RouteTableShared",
        "s3",
        {Field.ROUTE_TABLES},
        (MAIN, "main route table", "every new subnet"),
    ),
    "a build subnet is missing": (
        {"builds": {"subnets": {"ids": [A1, B1, "subnet-0000dead"]}}},
        {},
        "SubnetNotFound",
        "imagebuilder",
        set(),
        ("subnet-0000dead", "builds.subnets.ids"),
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_each_check_refuses_with_ids_and_the_fix_and_forbids_only_its_own(
    row: tuple[dict[str, Any], dict[str, Any], str, str, set[Field], tuple[str, ...]],
) -> None:
    changes, found, reason, role, forbidden, words = row
    refusals = refuse(desired(**changes), seen(facts=facts(**found)))
    mine = next((r for r in refusals if r.reason == reason and r.role == role), None)
    assert mine is not None, f"{reason} for {role} is not among {refusals}"
    assert mine.forbids == forbidden
    missing = [word for word in words if word not in mine.message]
    assert not missing, f"{missing} not in: {mine.message}"
    others = [r for r in refusals if r.reason != reason]
    assert not others, f"one fault, and more than one refusal: {others}"


def test_a_missing_vpc_is_the_only_refusal_and_stops_everything() -> None:
    refusal = only(desired(), seen(facts=facts(vpc=None, subnets={}, security_groups={}, route_tables={})))
    assert (refusal.reason, refusal.role, refusal.forbids) == ("VpcNotFound", None, EVERYTHING)
    assert VPC in refusal.message
    assert ACCOUNT in refusal.message
    assert refusal.concerns(Role.IMAGE_BUILDER)
    assert refusal.concerns(Role.S3)


def test_a_vpc_that_is_shared_names_its_owner() -> None:
    vpc = facts().vpc
    assert vpc is not None
    shared = dataclasses.replace(vpc, owner_id=AccountID("210987654321"))
    refusal = only(desired(), seen(facts=facts(vpc=shared)))
    assert (refusal.reason, refusal.role) == ("VpcOfAnotherAccount", None)
    assert "210987654321" in refusal.message


def test_a_name_that_somebody_holds_is_refused_with_the_holder_and_three_ways_out() -> None:
    refusal = only(desired(), seen(neighbours=(STRANGER,)))
    assert (refusal.reason, refusal.role) == ("PrivateDnsConflict", Role.IMAGE_BUILDER)
    assert refusal.forbids == {Field.PRIVATE_DNS}
    for words in (STRANGER.id, IMAGE_BUILDER, VPC, "its Name is central", "turn its private DNS off", "privateDNS"):
        assert words in refusal.message


def test_a_holder_with_half_of_our_tags_is_not_given_an_owner() -> None:
    half = dataclasses.replace(STRANGER, tags={"ibpe.dev/cluster": "green"})
    assert "it carries no tags of ours" in only(desired(), seen(neighbours=(half,))).message


def test_a_holder_of_another_cluster_is_named() -> None:
    theirs = dataclasses.replace(STRANGER, tags={"ibpe.dev/cluster": "green", "ibpe.dev/owner": "team-b/images"})
    assert "team-b/images of cluster green" in only(desired(), seen(neighbours=(theirs,))).message


@pytest.mark.parametrize(
    "harmless",
    [
        {"private_dns": False},
        {"state": EndpointState.DELETED},
        {"state": EndpointState.FAILED},
        {"service_name": f"com.amazonaws.{REGION}.ssm"},
    ],
    ids=str,
)
def test_a_neighbour_that_holds_no_name_is_no_conflict(harmless: dict[str, Any]) -> None:
    assert reasons(desired(), seen(neighbours=(dataclasses.replace(STRANGER, **harmless),))) == []


def test_without_private_dns_names_and_dns_attributes_do_not_matter() -> None:
    vpc = facts().vpc
    assert vpc is not None
    off = dataclasses.replace(vpc, dns_support=False)
    plain = desired(imageBuilder=image_builder(privateDNS=False))
    assert reasons(plain, seen(neighbours=(STRANGER,), facts=facts(vpc=off))) == []


def test_a_route_that_somebody_has_is_refused_with_table_and_endpoint() -> None:
    refusal = only(desired(), seen(neighbours=(S3_STRANGER,)))
    assert (refusal.reason, refusal.role, refusal.forbids) == (
        "RouteAlreadyExists",
        Role.S3,
        frozenset({Field.ROUTE_TABLES}),
    )
    assert f"{TABLE} already routes to S3 through {S3_ID}" in refusal.message
    other_table = dataclasses.replace(S3_STRANGER, route_table_ids=frozenset({MAIN}))
    assert reasons(desired(), seen(neighbours=(other_table,))) == []


def test_a_recorded_endpoint_that_lost_our_tags_is_refused_and_the_tags_are_spelled_out() -> None:
    lost = Holding(Role.IMAGE_BUILDER, stranger=dataclasses.replace(STRANGER, private_dns=False))
    refusal = only(desired(), seen(holdings(imagebuilder=lost)))
    assert (refusal.reason, refusal.forbids) == ("OwnershipMismatch", EVERYTHING)
    for words in (IB_ID, "ibpe.dev/cluster=blue", "ibpe.dev/owner=team-a/images", "make this resource anew"):
        assert words in refusal.message


def test_a_name_that_another_resource_claimed_first_is_refused_until_it_is_free() -> None:
    rivals = {private_dns_claim(SCOPE, "imagebuilder"): Key("team-b", "first")}
    refusal = only(desired(), seen(rivals=rivals))
    assert (refusal.reason, refusal.forbids) == ("ClaimHeld", frozenset({Field.PRIVATE_DNS}))
    assert "team-b/first" in refusal.message
    assert "goes on by itself" in refusal.message
    assert reasons(desired(imageBuilder=image_builder(privateDNS=False)), seen(rivals=rivals)) == []


def test_a_route_that_another_resource_claimed_first_is_refused() -> None:
    refusal = only(desired(), seen(rivals={route_claim(SCOPE, TABLE): Key("team-b", "first")}))
    assert (refusal.reason, refusal.role, refusal.forbids) == ("ClaimHeld", Role.S3, frozenset({Field.ROUTE_TABLES}))
    assert TABLE in refusal.message
    assert "team-b/first" in refusal.message


@pytest.mark.parametrize(
    ("rules", "refused"),
    [
        ([https("10.0.0.0/16")], False),
        ([https("10.0.1.0/24"), https("10.0.3.0/24")], False),
        ([https("10.0.77.1/16")], False),
        ([https("10.0.0.0/23"), https("10.0.2.0/23")], False),
        ([https("10.0.1.0/25"), https("10.0.1.128/25"), https("10.0.3.0/24")], False),
        ([IngressRule("-1", None, None, ("10.0.0.0/8",))], False),
        ([IngressRule("6", 0, 65535, ("10.0.0.0/8",))], False),
        ([IngressRule("tcp", 400, 500, ("10.0.0.0/8",))], False),
        ([https(security_group_ids=(SecurityGroupID("sg-0000000b"),))], False),
        ([https(prefix_list_ids=("pl-1",))], False),
        ([IngressRule("udp", 443, 443, ("10.0.0.0/8",))], True),
        ([IngressRule("tcp", 80, 80, ("10.0.0.0/8",))], True),
        ([IngressRule("tcp", 444, 65535, ("10.0.0.0/8",))], True),
        ([https("10.0.1.0/24")], True),
        ([https("::/0")], True),
        ([https()], True),
    ],
    ids=str,
)
def test_https_is_let_in_by_any_rule_that_covers_443_from_every_build_subnet(
    rules: list[IngressRule], *, refused: bool
) -> None:
    look = seen(facts=facts(security_groups=[group(GROUP, *rules)]))
    assert reasons(desired(), look) == (["HttpsNotLetIn"] if refused else [])


@pytest.mark.parametrize(
    ("family", "cidr", "refused"),
    [
        ("ipv6", "::/0", False),
        ("ipv6", "10.0.0.0/16", True),
        ("dualstack", "2001:db8::/32", False),
        ("dualstack", "10.0.0.0/16", False),
        ("ipv4", "2001:db8::/32", True),
    ],
)
def test_https_is_let_in_by_the_families_of_the_endpoint(family: str, cidr: str, *, refused: bool) -> None:
    six = ("2001:db8:0:1::/64",)
    around = facts(security_groups=[group(GROUP, https(cidr))])
    subnets = {id_: replace(subnet, ipv6_cidrs=six) for id_, subnet in around.subnets.items()}
    look = seen(facts=replace(around, subnets=subnets))
    want = desired(imageBuilder=image_builder(ipAddressType=family))
    assert reasons(want, look) == (["HttpsNotLetIn"] if refused else [])


def test_a_subnet_without_a_known_block_is_no_refusal_and_no_crash() -> None:
    around = facts(security_groups=[group(GROUP, https("192.168.0.0/16"))])
    subnets = {id_: replace(subnet, cidr="") for id_, subnet in around.subnets.items()}
    assert reasons(desired(), seen(facts=replace(around, subnets=subnets))) == []


def test_groups_let_in_together() -> None:
    two = desired(imageBuilder=image_builder(securityGroups={"ids": [GROUP, GROUP2]}))
    rules = [group(GROUP, https("10.0.1.0/24")), group(GROUP2, https("10.0.3.0/24"))]
    assert reasons(two, seen(facts=facts(security_groups=rules))) == []


@pytest.mark.parametrize("baseline", ["Organization", "FullAccess"])
def test_a_shared_table_is_fine_for_a_baseline_that_lets_others_through(baseline: str) -> None:
    policy: dict[str, Any] = {"baseline": baseline}
    if baseline == "Organization":
        policy["organization"] = {"principalOrgID": "o-aaaaaaaaaa", "resourceOrgID": "o-aaaaaaaaaa"}
    want = desired(s3={"routeTables": {"ids": [MAIN]}, "policy": policy})
    assert reasons(want, seen()) == []


def test_the_main_table_also_serves_subnets_without_an_association() -> None:
    want = desired(s3={"routeTables": {"ids": [MAIN]}, "policy": {"baseline": "ImageBuilderOnly"}})
    elsewhere = subnet(SubnetID("subnet-0000beef"), vpc_id=VpcID("vpc-0000beef"))
    subnets = [subnet(A1), subnet(B1), subnet(C1), elsewhere]
    message = only(want, seen(facts=facts(subnets=subnets))).message
    assert C1 in message
    assert "beef" not in message, "a subnet of another VPC is not served by this one's table"


def test_a_refusal_of_one_endpoint_leaves_the_other_alone() -> None:
    refusal = only(desired(), seen(facts=facts(route_tables=[])))
    assert refusal.concerns(Role.S3)
    assert not refusal.concerns(Role.IMAGE_BUILDER)


def test_every_kind_of_fault_is_named_at_once() -> None:
    found = reasons(desired(), seen(neighbours=(STRANGER,), facts=facts(subnets=[subnet(B1)], route_tables=[])))
    assert found == ["SubnetNotFound", "PrivateDnsConflict", "SubnetNotFound", "RouteTableNotFound"]
