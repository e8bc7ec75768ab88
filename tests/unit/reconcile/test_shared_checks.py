"""The checks of somebody else's endpoint: a healthy one passes; each fault is named with ids and what to do."""

from dataclasses import replace
from typing import Any

import pytest

from ibpe.api.names import Role
from ibpe.aws.gateway import Endpoint, EndpointState, EndpointType
from ibpe.reconcile.checks.shared import CHECKS, PERHAPS_OUR_DOING
from ibpe.reconcile.fields import Field
from ibpe.reconcile.refusals import POLICY_REASONS, Refusal, refuse
from ibpe.reconcile.wanted import Desired
from tests.unit.reconcile.foreign import (
    ALL,
    BUILDS,
    LOCK,
    TEAM,
    THEIRS,
    contributing,
    existing,
    gateway,
    policy,
    sight,
    with_ours,
)
from tests.unit.reconcile.given import (
    A1,
    B1,
    GROUP2,
    MAIN,
    OPEN,
    OTHER_VPC,
    REGION,
    S3,
    TABLE,
    VPC,
    desired,
    facts,
    group,
    holdings,
    made,
    table,
    tagged,
    wanted,
)

WANT = contributing()
MINE, ANOTHERS = tagged("s3"), tagged("s3", **{"ibpe.dev/owner": "team-b/images"})
NAMED = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "s3:GetObject", "Resource": "*"}
LONG = policy(TEAM.replace("team/*", "t" * 20_000))


def interface(**changes: Any) -> Endpoint:
    """Somebody else's interface endpoint for Image Builder, as builds need it."""
    return replace(made(wanted(), id=THEIRS, tags={}, policy=OPEN), **changes)


def looking(**changes: Any) -> Desired:
    """What a spec asks for that looks at somebody else's Image Builder endpoint."""
    part = {"mode": "Existing", "endpointID": THEIRS, **changes}
    return desired(s3=None, builds=BUILDS, imageBuilder=part)


def only(want: Desired, endpoint: Endpoint, **seen: Any) -> Refusal:
    """The one refusal."""
    (refusal,) = refuse(want, sight(endpoint, **seen))
    return refusal


@pytest.mark.parametrize(
    ("want", "endpoint"),
    [
        (WANT, gateway(policy(TEAM))),
        (WANT, gateway(with_ours(policy(TEAM), WANT))),
        (WANT, gateway(policy(ALL))),
        (WANT, gateway(policy(ALL), state=EndpointState.PENDING)),
        (existing(), gateway(policy(ALL))),
        (existing(), gateway(policy(ALL), tags=ANOTHERS)),
        (looking(), interface()),
        (looking(), interface(tags=tagged("imagebuilder", **{"ibpe.dev/cluster": "green"}))),
        (looking(privateDNS=False), interface(private_dns=False)),
    ],
    ids=[
        *("without ours yet", "with ours", "allowing everything", "on its way"),
        *("existing", "existing, of another resource"),
        *("interface", "interface, of another cluster", "interface, by its own name"),
    ],
)
def test_a_healthy_endpoint_passes(want: Desired, endpoint: Endpoint) -> None:
    assert refuse(want, sight(endpoint)) == ()


@pytest.mark.parametrize(
    ("want", "endpoint", "reason", "words"),
    [
        (
            WANT,
            gateway(policy(TEAM), vpc_id=OTHER_VPC),
            "EndpointInAnotherVpc",
            f"{THEIRS} is in {OTHER_VPC}, not in {VPC}: correct s3.endpointID.",
        ),
        (
            looking(),
            interface(service_name=S3),
            "EndpointOfAnotherService",
            f"{THEIRS} is for {S3}, not for com.amazonaws.{REGION}.imagebuilder: correct imageBuilder.endpointID.",
        ),
        (
            WANT,
            gateway(policy(TEAM), type=EndpointType.INTERFACE),
            "EndpointOfAnotherType",
            f"{THEIRS} is no Gateway endpoint: name one that is in s3.endpointID.",
        ),
        (
            WANT,
            gateway(policy(TEAM), tags=ANOTHERS),
            "EndpointIsManaged",
            "it belongs to team-b/images of cluster blue), which would take our statements out again: use the mode",
        ),
        (
            existing(),
            gateway(policy(ALL), state=EndpointState.FAILED, failure="no capacity"),
            "EndpointNotAvailable",
            f"{THEIRS} is failed (no capacity): have its owner mend it, or name another in s3.endpointID.",
        ),
        (
            contributing(additionalStatements=[NAMED]),
            gateway(policy(TEAM)),
            "PolicyInvalid",
            's3.policy: additionalStatements[0].Principal: the policy of a gateway endpoint takes no principal but "*"',
        ),
        (
            WANT,
            gateway("{"),
            "PolicyUnreadable",
            f"Nothing can be added to the policy of {THEIRS}:",
        ),
        (
            existing(),
            gateway("{"),
            "PolicyUnreadable",
            f"The policy of {THEIRS} can't be read, so nobody knows whether builds pass:",
        ),
        (
            WANT,
            gateway(LONG),
            "PolicyTooLong",
            "characters, and AWS takes 20,480: have its owner shorten it, or turn off what builds don't need",
        ),
        (
            WANT,
            gateway(policy(TEAM, LOCK)),
            "ForeignDeny",
            f'Statement "Lock" of {THEIRS} denies anonymous s3:GetObject on arn:aws:s3:::',
        ),
        (
            existing(),
            gateway(policy(ALL, LOCK.replace('"Sid":"Lock",', ""))),
            "ForeignDeny",
            f"A statement without a Sid of {THEIRS} denies",
        ),
        (
            existing(),
            gateway(policy(TEAM)),
            "PolicyDeniesBuilds",
            f"The policy of {THEIRS} does not let builds through: anonymous s3:GetObject",
        ),
        (
            looking(),
            interface(policy=policy(TEAM)),
            "PolicyDeniesBuilds",
            "Have its owner add what `ibpe policy render` prints, or use the mode Managed.",
        ),
        (
            looking(),
            interface(subnet_ids=frozenset()),
            "EndpointWithoutSubnet",
            f"{THEIRS} is in no subnet, so nothing reaches it: have its owner add one.",
        ),
        (
            looking(),
            interface(private_dns=False),
            "PrivateDnsOff",
            "have its owner turn it on, or set imageBuilder.privateDNS to false",
        ),
        (
            existing(),
            gateway(policy(ALL), route_table_ids=frozenset()),
            "BuildsNotRouted",
            f"{THEIRS} is on no route table, so nothing is routed to it: have its owner add the builds' ones.",
        ),
        (
            existing(),
            gateway(policy(ALL), route_table_ids=frozenset({MAIN})),
            "BuildsNotRouted",
            f"does not serve {A1} (by {TABLE}), {B1} (by {TABLE}): have its owner add {TABLE} to it.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalpha() else "",
)
def test_each_fault_is_named_with_what_to_do(want: Desired, endpoint: Endpoint, reason: str, words: str) -> None:
    refusal = only(want, endpoint)
    assert refusal.reason == reason
    assert words in refusal.message
    assert refusal.message.endswith(".")
    assert ".." not in refusal.message.replace("...", "")


def test_an_endpoint_that_does_not_exist_is_named_with_the_account() -> None:
    (refusal,) = refuse(WANT, sight())
    assert refusal.reason == "EndpointNotFound"
    assert refusal.message == f"{THEIRS} does not exist in account 123456789012, {REGION}: correct s3.endpointID."


def test_what_the_surroundings_lack_is_told_too() -> None:
    vpc = facts().vpc
    assert vpc is not None
    assert only(looking(), interface(), facts=facts(vpc=replace(vpc, dns_support=False))).reason == "VpcDnsDisabled"
    shut = facts(security_groups=[group(GROUP2)])
    refusal = only(looking(), interface(security_group_ids=frozenset({GROUP2})), facts=shut)
    assert refusal.reason == "HttpsNotLetIn"
    assert GROUP2 in refusal.message


def test_subnets_without_a_table_of_their_own_are_routed_by_the_main_one() -> None:
    tables = facts(route_tables=[table(TABLE), table(MAIN, main=True)])
    by_main = gateway(policy(ALL), route_table_ids=frozenset({MAIN}))
    assert refuse(existing(), sight(by_main, facts=tables)) == ()
    assert f"{A1} (by {MAIN})" in only(existing(), gateway(policy(ALL)), facts=tables).message


def test_what_this_resource_made_is_nothing_to_share() -> None:
    own = replace(made(wanted(Role.S3)), id=THEIRS)
    look = sight(own, holdings=holdings(own))
    for want in (WANT, existing()):
        (refusal,) = refuse(want, look)
        assert refusal.reason == "EndpointIsOurs"
        assert "set s3.mode to Managed" in refusal.message


# What we contributed before


def test_an_existing_endpoint_must_let_builds_through_without_our_statements_of_before() -> None:
    refusal = only(existing(), gateway(with_ours(policy(TEAM), WANT)))
    assert refusal.reason == "PolicyDeniesBuilds"
    assert f"The policy of {THEIRS} does not let builds through without our statements: " in refusal.message
    assert "or use the mode Contribute" in refusal.message
    assert refuse(existing(), sight(gateway(with_ours(policy(ALL), WANT)))) == ()


def test_where_only_our_statements_of_before_are_left_they_are_what_counts() -> None:
    alone = with_ours(policy(TEAM), WANT).replace(f"{TEAM},", "")
    assert refuse(existing(), sight(gateway(alone))) == ()


# What a refusal forbids


@pytest.mark.parametrize(
    ("endpoint", "forbids"),
    [
        (gateway(policy(TEAM), vpc_id=OTHER_VPC), {Field.POLICY}),
        (gateway(LONG), {Field.POLICY}),
        (gateway(policy(TEAM, LOCK)), set()),
        (gateway(policy(TEAM), route_table_ids=frozenset()), set()),
    ],
    ids=["the wrong one", "too long", "denied by another", "not routed"],
)
def test_our_statements_are_kept_out_only_where_they_must_not_be(endpoint: Endpoint, forbids: set[Field]) -> None:
    assert only(WANT, endpoint).forbids == forbids


def test_the_first_fault_alone_is_told_and_what_may_be_our_own_doing_comes_last() -> None:
    shut = facts(security_groups=[group(GROUP2)])
    bad = interface(security_group_ids=frozenset({GROUP2}), private_dns=False)
    assert only(looking(), bad, facts=shut).reason == "HttpsNotLetIn"
    assert [check.__name__ for check in CHECKS[-2:]] == ["answers_by_name", "builds_are_routed"]
    assert only(looking(), interface(private_dns=False)).reason in PERHAPS_OUR_DOING


def test_what_is_wrong_with_a_policy_is_told_under_that_condition() -> None:
    for text in (LONG, "{", policy(TEAM, LOCK)):
        assert only(WANT, gateway(text)).reason in POLICY_REASONS
