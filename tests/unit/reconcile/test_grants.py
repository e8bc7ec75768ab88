"""Which account, Region and VPC a namespace may use: by example, and by law."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibpe.api.names import OWN_ACCOUNT
from ibpe.aws.gateway import AccountID, VpcID
from ibpe.reconcile.grants import (
    OWN_FOR_ALL,
    Account,
    Allowed,
    Denied,
    Grant,
    Grants,
    Vpcs,
    Wish,
    counts,
    decide,
    tags_missing,
    wish_of,
)
from tests.unit.reconcile.given import resource, spec, status_of

NETWORK = Account("network", AccountID("111122223333"), frozenset({"us-west-2", "eu-west-1"}))
LAB = Account("lab", AccountID("444455556666"))
SHARED, TAGGED, OTHER = VpcID("vpc-00000001"), VpcID("vpc-00000002"), VpcID("vpc-00000003")
IMAGES = {"team": "images"}


def grant(*namespaces: str, to: tuple[str, ...] = ("network",), **vpcs: Any) -> Grant:
    return Grant(frozenset(namespaces), frozenset(to), Vpcs(**vpcs) if vpcs else None)


def granted(*some: Grant) -> Grants:
    return Grants({"network": NETWORK, "lab": LAB}, some)


def wish(**changes: Any) -> Wish:
    return replace(Wish("team-a", "network", "us-west-2", SHARED), **changes)


BY_TAG = grant("team-a", tags=IMAGES)


@pytest.mark.parametrize(
    ("grants", "asked", "answer"),
    [
        pytest.param(OWN_FOR_ALL, wish(account=OWN_ACCOUNT), Allowed(), id="without a file: the own account"),
        pytest.param(granted(grant("team-a")), wish(), Allowed(), id="by name"),
        pytest.param(granted(grant("*")), wish(), Allowed(), id="everybody"),
        pytest.param(granted(grant("team-b"), grant("team-a")), wish(), Allowed(), id="one of several"),
        pytest.param(granted(grant("team-a", ids=frozenset({SHARED}))), wish(), Allowed(), id="a VPC by id"),
        pytest.param(granted(BY_TAG), wish(), Allowed((IMAGES,)), id="a VPC by tag"),
        pytest.param(granted(BY_TAG, grant("*")), wish(), Allowed(), id="a wider grant asks for no tag"),
        pytest.param(
            granted(grant("team-a", to=("lab",))), wish(account="lab", region="x"), Allowed(), id="any Region"
        ),
        pytest.param(granted(grant("team-a")), wish(pinned=NETWORK.id), Allowed(), id="pinned to it"),
        pytest.param(
            granted(grant("team-a", to=(OWN_ACCOUNT,))),
            wish(account=OWN_ACCOUNT, pinned=LAB.id),
            Allowed(),
            id="the own account's id is for its credentials to tell",
        ),
    ],
)
def test_what_is_granted_is_allowed(grants: Grants, asked: Wish, answer: Allowed) -> None:
    assert decide(grants, asked) == answer


@pytest.mark.parametrize(
    ("grants", "asked", "reason", "words"),
    [
        pytest.param(
            OWN_FOR_ALL,
            wish(),
            "AccountNotAllowed",
            "Namespace team-a may not use the account network: make this resource anew with no accountRef, or ask the "
            "platform team to grant network to it in the operator's accounts file.",
            id="without a file there is no other account",
        ),
        pytest.param(
            granted(grant("team-b")),
            wish(),
            "AccountNotAllowed",
            "Namespace team-a may not use the account network: ask the platform team to grant network to it in",
            id="granted to another namespace",
        ),
        pytest.param(
            granted(grant("team-a", to=("lab",)), grant("team-b")),
            wish(account="unheard-of"),
            "AccountNotAllowed",
            "make this resource anew with accountRef lab, or ask",
            id="an account that nobody knows",
        ),
        pytest.param(
            granted(grant("team-a")),
            wish(account=OWN_ACCOUNT),
            "AccountNotAllowed",
            "may not use the operator's own account: make this resource anew with accountRef network, or ask the "
            "platform team to grant own to it",
            id="the own account is granted too",
        ),
        pytest.param(
            granted(grant("team-a")),
            wish(region="us-east-1"),
            "RegionNotAllowed",
            "The account network may be used in eu-west-1 and us-west-2 only: make this resource anew for a VPC there, "
            "or ask the platform team to add us-east-1",
            id="another Region",
        ),
        pytest.param(
            granted(grant("team-a", ids=frozenset({OTHER}))),
            wish(),
            "VpcNotAllowed",
            "Namespace team-a may not use vpc-00000001 in the account network: make this resource anew with a VPC that",
            id="another VPC",
        ),
        pytest.param(
            granted(BY_TAG), wish(vpc_id=None), "VpcNotAllowed", "may not use this VPC", id="a VPC that can't be read"
        ),
        pytest.param(
            granted(grant("team-a")),
            wish(pinned=AccountID("999999999999")),
            "AccountMismatch",
            "endpoints are in account 999999999999, and the account network is 111122223333 now: ask the platform team "
            "to let network be 999999999999 again",
            id="the name stands for another account now",
        ),
        pytest.param(
            granted(grant("*")), wish(account=""), "InvalidSpec", "spec.accountRef can't be read", id="no name"
        ),
    ],
)
def test_what_is_not_granted_is_denied_with_the_fix(grants: Grants, asked: Wish, reason: str, words: str) -> None:
    denied = decide(grants, asked)
    assert isinstance(denied, Denied)
    assert denied.reason == reason
    assert words in denied.message
    assert denied.message.count(". ") == 0, "one sentence"


@pytest.mark.parametrize(
    ("tags", "allowed"),
    [
        ({"team": "images", "more": "x"}, True),
        ({"team": "other"}, False),
        ({"stage": "prod"}, False),
        ({"stage": "prod", "use": "builds"}, True),
        ({}, False),
    ],
)
def test_a_vpc_has_to_carry_all_tags_of_one_grant(tags: dict[str, str], *, allowed: bool) -> None:
    found = decide(granted(BY_TAG, grant("team-a", tags={"stage": "prod", "use": "builds"})), wish())
    assert isinstance(found, Allowed)
    assert found.by(tags) is allowed
    message = tags_missing(wish(), found).message
    assert "does not carry the tag stage=prod and the tag use=builds or the tag team=images" in message


@pytest.mark.parametrize(
    ("reference", "account"),
    [
        (None, OWN_ACCOUNT),
        ({"name": "network"}, "network"),
        ({"name": OWN_ACCOUNT}, ""),
        ({"name": 5}, ""),
        ({}, ""),
        ("network", ""),
    ],
)
def test_an_account_that_cannot_be_read_is_never_the_own_one(reference: object, account: str) -> None:
    raw = spec() if reference is None else {**spec(), "accountRef": reference}
    found = wish_of(resource(status_of().model_copy(update={"account_id": LAB.id}), spec=raw))
    assert (found.account, found.pinned) == (account, LAB.id)
    assert (found.region, found.vpc_id) == (raw["region"], raw["vpcID"])


@pytest.mark.parametrize(
    ("asked", "own", "tags", "holds"),
    [
        pytest.param(wish(), "", {}, True, id="may use it"),
        pytest.param(wish(namespace="team-b"), "", {}, False, id="may not"),
        pytest.param(wish(namespace="team-c"), "", {}, False, id="the tag is missing"),
        pytest.param(wish(namespace="team-c"), "", IMAGES, True, id="the tag is there"),
        pytest.param(wish(account="lab"), "", {}, False, id="another account, where the VPC can't be"),
        pytest.param(wish(account=OWN_ACCOUNT), "", {}, True, id="the own account, not known yet"),
        pytest.param(wish(account=OWN_ACCOUNT), NETWORK.id, {}, True, id="the own account is the same"),
        pytest.param(wish(account=OWN_ACCOUNT), LAB.id, {}, False, id="the own account is another"),
    ],
)
def test_only_who_may_use_a_vpc_holds_claims_on_it(asked: Wish, own: str, tags: dict[str, str], *, holds: bool) -> None:
    grants = granted(grant("team-a", to=("network", "lab", OWN_ACCOUNT)), grant("team-c", tags=IMAGES))
    assert counts(grants, asked, NETWORK.id, own, tags) is holds


# Laws

NAMES = st.sampled_from(["network", "lab", OWN_ACCOUNT])
NAMESPACES = st.sampled_from(["team-a", "team-b", "*"])
REGIONS = st.sampled_from(["us-west-2", "eu-west-1", "us-east-1"])
VPCS = st.sampled_from([SHARED, TAGGED, OTHER])
TAGS = st.dictionaries(st.sampled_from(["team", "stage"]), st.sampled_from(["images", "prod"]), max_size=2)


@st.composite
def some_vpcs(draw: st.DrawFn) -> Vpcs | None:
    ids, tags = draw(st.frozensets(VPCS, max_size=2)), draw(TAGS)
    return Vpcs(ids, tags) if ids or tags else None


GRANTS = st.lists(
    st.builds(Grant, st.frozensets(NAMESPACES, min_size=1), st.frozensets(NAMES, min_size=1), some_vpcs()), max_size=4
)
WISHES = st.builds(Wish, st.sampled_from(["team-a", "team-b"]), NAMES, REGIONS, VPCS)


def may(some: list[Grant], asked: Wish, tags: dict[str, str]) -> bool:
    found = decide(granted(*some), asked)
    return isinstance(found, Allowed) and found.by(tags)


def by_definition(some: list[Grant], asked: Wish, tags: dict[str, str]) -> bool:
    """The same in other words: some grant names the namespace, the account and the VPC, and the account the Region."""
    account = {"network": NETWORK, "lab": LAB}.get(asked.account)
    if account is not None and account.regions and asked.region not in account.regions:
        return False
    return any(
        bool(each.namespaces & {"*", asked.namespace})
        and asked.account in each.accounts
        and (
            each.vpcs is None
            or asked.vpc_id in each.vpcs.ids
            or (bool(each.vpcs.tags) and all(tags.get(key) == value for key, value in each.vpcs.tags.items()))
        )
        for each in some
    )


@settings(deadline=None)
@given(GRANTS, WISHES, TAGS)
def test_allowed_is_what_some_grant_names(some: list[Grant], asked: Wish, tags: dict[str, str]) -> None:
    assert may(some, asked, tags) == by_definition(some, asked, tags)


@settings(deadline=None)
@given(GRANTS, GRANTS, WISHES, TAGS)
def test_another_grant_takes_nothing_away(
    some: list[Grant], more: list[Grant], asked: Wish, tags: dict[str, str]
) -> None:
    assert may(some, asked, tags) <= may(some + more, asked, tags)


@settings(deadline=None)
@given(GRANTS, WISHES)
def test_a_namespace_learns_nothing_of_what_others_were_granted(some: list[Grant], asked: Wish) -> None:
    own = [each for each in some if each.namespaces & {"*", asked.namespace}]
    assert decide(granted(*some), asked) == decide(granted(*own), asked)
