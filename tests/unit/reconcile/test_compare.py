"""What differs, field by field, and the next change; the laws of a change that never passes through nothing."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibpe.api.names import Role
from ibpe.aws.gateway import Endpoint, ModifyEndpoint, RouteTableID, SecurityGroupID, SubnetID
from ibpe.policy.document import PolicyDocument, render
from ibpe.reconcile.compare import (
    GROUP_QUOTA,
    as_desired,
    compare,
    group_step,
    listed,
    modification,
    step,
    subnet_step,
    tag_change,
    works_with,
)
from ibpe.reconcile.fields import Field
from ibpe.reconcile.wanted import DesiredEndpoint
from tests.unit.reconcile.given import (
    A1,
    A2,
    ACCOUNT,
    B1,
    B2,
    C1,
    GROUP,
    GROUP2,
    OPEN,
    SHUT,
    TABLE,
    ZONES,
    image_builder,
    made,
    tagged,
    wanted,
)

WANT = wanted()
WANT_S3 = wanted(Role.S3)


def fields(want: DesiredEndpoint, have: Endpoint, applied: tuple[str, ...] = ()) -> list[Field]:
    return [difference.field for difference in compare(want, have, applied)]


@pytest.mark.parametrize("want", [WANT, WANT_S3], ids=["imagebuilder", "s3"])
def test_an_endpoint_as_desired_does_not_differ(want: DesiredEndpoint) -> None:
    assert compare(want, made(want), ()) == ()
    assert modification(want, made(want), (), ZONES) is None
    assert not tag_change(want, made(want), ())


ROWS: Mapping[str, tuple[DesiredEndpoint, dict[str, Any], Field, str, str, ModifyEndpoint | None]] = {
    "subnets": (
        WANT,
        {"subnet_ids": frozenset({B1, C1})},
        Field.SUBNETS,
        f"{A1}, {B1}",
        f"{B1}, {C1}",
        ModifyEndpoint(made(WANT).id, add_subnet_ids=frozenset({A1}), remove_subnet_ids=frozenset({C1})),
    ),
    "security groups": (
        WANT,
        {"security_group_ids": frozenset({GROUP, GROUP2})},
        Field.SECURITY_GROUPS,
        GROUP,
        f"{GROUP}, {GROUP2}",
        ModifyEndpoint(made(WANT).id, remove_security_group_ids=frozenset({GROUP2})),
    ),
    "private DNS": (
        WANT,
        {"private_dns": False},
        Field.PRIVATE_DNS,
        "enabled",
        "disabled",
        ModifyEndpoint(made(WANT).id, private_dns=True),
    ),
    "address type": (
        WANT,
        {"ip_address_type": "dualstack"},
        Field.IP_ADDRESS_TYPE,
        "ipv4",
        "dualstack",
        ModifyEndpoint(made(WANT).id, ip_address_type="ipv4"),
    ),
    "route tables": (
        WANT_S3,
        {"route_table_ids": frozenset[RouteTableID]()},
        Field.ROUTE_TABLES,
        TABLE,
        "none",
        ModifyEndpoint(made(WANT_S3).id, add_route_table_ids=frozenset({TABLE})),
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_each_field_is_told_in_words_and_mended_alone(
    row: tuple[DesiredEndpoint, dict[str, Any], Field, str, str, ModifyEndpoint | None],
) -> None:
    want, changes, field, says, shows, change = row
    have = replace(made(want), **changes)
    (difference,) = compare(want, have, ())
    assert (difference.role, difference.field) == (want.role, field)
    assert (difference.desired, difference.observed) == (says, shows)
    assert modification(want, have, (field,), ZONES) == change
    assert modification(want, have, (), ZONES) is None, "a field that was not asked for was changed"


def test_a_policy_that_means_something_else_differs_and_says_where() -> None:
    shut = json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]})
    have = made(WANT, policy=shut)
    (difference,) = compare(WANT, have, ())
    assert difference.field is Field.POLICY
    assert "Deny" in difference.observed
    change = modification(WANT, have, (Field.POLICY,), ZONES)
    assert isinstance(WANT.policy, PolicyDocument)
    assert change == ModifyEndpoint(have.id, policy=render(WANT.policy))


def test_a_policy_that_means_the_same_does_not_differ() -> None:
    assert isinstance(WANT.policy, PolicyDocument)
    pretty = json.dumps(json.loads(render(WANT.policy)), indent=2, sort_keys=True)
    assert compare(WANT, made(WANT, policy=pretty), ()) == ()


def test_a_policy_that_cannot_be_made_is_left_alone() -> None:
    bad = wanted(imageBuilder=image_builder(policy={"preset": "Custom", "document": "{"}))
    have = made(WANT, policy="{}")
    assert compare(bad, have, ()) == ()
    assert modification(bad, have, (Field.POLICY,), ZONES) is None


def test_one_call_carries_every_field() -> None:
    have = made(WANT, subnet_ids=frozenset({A1}), security_group_ids=frozenset({GROUP, GROUP2}), private_dns=False)
    change = modification(WANT, have, fields(WANT, have), ZONES)
    assert change == ModifyEndpoint(
        have.id,
        private_dns=True,
        add_subnet_ids=frozenset({B1}),
        remove_security_group_ids=frozenset({GROUP2}),
    )


def test_the_address_type_is_compared_whatever_its_case() -> None:
    assert fields(WANT, made(WANT, ip_address_type="IPv4")) == []


def test_a_gateway_has_no_fields_of_an_interface() -> None:
    have = made(WANT_S3, subnet_ids=frozenset({A1}), private_dns=True, ip_address_type="")
    assert fields(WANT_S3, have) == []


# Tags


@pytest.mark.parametrize(
    ("have", "applied", "put", "remove"),
    [
        (tagged("imagebuilder", team="a"), (), {}, ()),
        (tagged("imagebuilder"), (), {"team": "a"}, ()),
        (tagged("imagebuilder", team="b"), (), {"team": "a"}, ()),
        (tagged("imagebuilder", team="a", theirs="x"), (), {}, ()),
        (tagged("imagebuilder", team="a", old="x"), ("old", "team"), {}, ("old",)),
        (tagged("imagebuilder", team="a"), ("old",), {}, ("old",)),
        (tagged("imagebuilder", team="a", **{"ibpe.dev/retained": "team-a/images"}), (), {}, ("ibpe.dev/retained",)),
        ({"team": "a"}, (), tagged("imagebuilder"), ()),
    ],
    ids=[
        "as desired",
        "missing",
        "other value",
        "others'",
        "no longer named",
        "put, and not shown yet",
        "retained",
        "ours gone",
    ],
)
def test_tags_are_put_where_they_lack_and_removed_where_we_put_them(
    have: Mapping[str, str], applied: tuple[str, ...], put: Mapping[str, str], remove: tuple[str, ...]
) -> None:
    want = wanted(tags={"team": "a"})
    change = tag_change(want, made(want, tags=have), applied)
    assert (change.put, change.remove) == (put, remove)
    assert bool(change) is bool(put or remove)
    shown = bool(put) or any(key in have for key in remove)
    assert (Field.TAGS in fields(want, made(want, tags=have), applied)) is shown, "what AWS shows is what differs"


def test_tags_are_told_key_by_key() -> None:
    want = wanted(tags={"team": "a"})
    have = made(want, tags=tagged("imagebuilder", team="b", old="x"))
    (difference,) = compare(want, have, ("old",))
    assert (difference.desired, difference.observed) == ("no old, team=a", "old=x, team=b")
    assert str(difference) == "imagebuilder tags: old=x, team=b instead of no old, team=a"


# Whether builds can use it


@pytest.mark.parametrize(
    ("want", "have", "differing", "works"),
    [
        (WANT, made(WANT), (), True),
        (WANT, made(WANT, policy=OPEN), (Field.POLICY,), True),
        (WANT, made(WANT, policy=SHUT), (Field.POLICY,), False),
        (WANT, made(WANT, policy="{}"), (Field.POLICY,), False),
        (WANT, made(WANT, tags={}), (Field.TAGS,), True),
        (WANT, made(WANT, private_dns=False), (Field.PRIVATE_DNS,), False),
        (wanted(imageBuilder=image_builder(privateDNS=False)), made(WANT), (Field.PRIVATE_DNS,), True),
        (WANT, made(WANT, security_group_ids=frozenset({GROUP2})), (Field.SECURITY_GROUPS,), False),
        (WANT, made(WANT, security_group_ids=frozenset({GROUP, GROUP2})), (Field.SECURITY_GROUPS,), True),
        (WANT, made(WANT, subnet_ids=frozenset({A1})), (Field.SUBNETS,), True),
        (WANT, made(WANT, subnet_ids=frozenset()), (Field.SUBNETS,), False),
        (WANT_S3, made(WANT_S3, route_table_ids=frozenset()), (Field.ROUTE_TABLES,), False),
        (
            WANT_S3,
            made(WANT_S3, route_table_ids=frozenset({TABLE, RouteTableID("rtb-2")})),
            (Field.ROUTE_TABLES,),
            True,
        ),
    ],
    ids=[
        *(
            "as desired",
            "open policy",
            "shut policy",
            "no policy",
            "tags",
            "name is lacking",
            "name is there too many",
            "no group of ours",
        ),
        *("one group too many", "one subnet lacks", "no subnet", "a route lacks", "a route too many"),
    ],
)
def test_an_endpoint_works_while_builds_can_reach_it(
    want: DesiredEndpoint, have: Endpoint, differing: tuple[Field, ...], *, works: bool
) -> None:
    assert works_with(want, have, differing, ACCOUNT) is works


# The digest of what is


def test_the_digest_of_an_endpoint_is_the_desired_one_exactly_where_nothing_differs() -> None:
    assert as_desired(WANT, made(WANT)).digest() == WANT.digest()
    others: list[dict[str, Any]] = [
        {"private_dns": False},
        {"subnet_ids": frozenset({A1})},
        {"policy": "{}"},
        {"tags": {}},
    ]
    for changes in others:
        have = replace(made(WANT), **changes)
        assert as_desired(WANT, have).digest() != WANT.digest(), changes
    assert as_desired(WANT, made(WANT, tags={**WANT.tags, "their": "own"})).digest() == WANT.digest()


# Laws


IDS = st.frozensets(st.sampled_from("abcdef"))


@given(current=IDS, desired=IDS.filter(bool))
def test_steps_end_at_what_is_desired_and_never_pass_through_nothing(
    current: frozenset[str], desired: frozenset[str]
) -> None:
    have, began_with = current, bool(current)
    for _ in range(3):
        add, remove = step(have, desired)
        assert add <= desired - have
        assert remove <= have - desired
        if began_with:
            assert have - remove, "for a moment nothing would be left"
        have = have - remove | add
        if have == desired:
            break
    assert have == desired
    assert step(have, desired) == (frozenset(), frozenset())


GROUPS = st.frozensets(
    st.integers(0, 11).map(lambda number: SecurityGroupID(f"sg-{number:08x}")), min_size=1, max_size=5
)


@given(current=GROUPS, desired=GROUPS)
def test_group_steps_stay_within_the_quota_of_an_interface(
    current: frozenset[SecurityGroupID], desired: frozenset[SecurityGroupID]
) -> None:
    have = current
    for _ in range(3):
        add, remove = group_step(have, desired)
        assert have - remove, "for a moment no group would be left"
        have = have - remove | add
        assert len(have) <= GROUP_QUOTA
        if have == desired:
            break
    assert have == desired


def one_a_zone(zones: tuple[tuple[SubnetID, ...], ...]) -> st.SearchStrategy[frozenset[SubnetID]]:
    chosen = st.tuples(*(st.sampled_from((None, *zone)) for zone in zones))
    return chosen.map(lambda ids: frozenset(id_ for id_ in ids if id_ is not None)).filter(bool)


SETS = one_a_zone(((A1, A2), (B1, B2), (C1,)))


@given(current=SETS, desired=SETS)
def test_subnet_steps_keep_one_a_zone_and_never_leave_an_endpoint_without(
    current: frozenset[SubnetID], desired: frozenset[SubnetID]
) -> None:
    have = current
    for _ in range(8):
        add, remove = subnet_step(have, desired, ZONES)
        if (
            len(have) == len(desired) == 1
            and have != desired
            and {ZONES[s] for s in have} == {ZONES[s] for s in desired}
        ):
            assert (add, remove) == (desired, have), "the one swap that can't keep both rules is tried in one call"
            return
        assert add <= desired - have
        assert remove <= have - desired
        assert have - remove, f"nothing is left of {have} without {remove}"
        zones = [ZONES[subnet] for subnet in have | add]
        assert len(zones) == len(set(zones)), f"{add} meets its own zone in {have}: AWS refuses that"
        have = have - remove | add
        if have == desired:
            break
    assert have == desired
    assert subnet_step(have, desired, ZONES) == (frozenset(), frozenset())


def test_ids_are_listed_in_order() -> None:
    assert listed({"b", "a"}) == "a, b"
    assert listed(()) == "none"
