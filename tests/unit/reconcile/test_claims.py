"""What a spec claims, read leniently, and the index: who comes first, and who is told when a claim is let go."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ibpe.reconcile.claims import ClaimIndex, claims_of, private_dns_claim, route_claim
from ibpe.reconcile.ports import Claimant, Key
from tests.unit.reconcile.given import NOW, REGION, TABLE, VPC, image_builder, spec

SCOPE = f"{REGION}/{VPC}"
NAME, ROUTE = private_dns_claim(SCOPE, "imagebuilder"), route_claim(SCOPE, TABLE)


@pytest.mark.parametrize(
    ("raw", "claims"),
    [
        (spec(), {NAME, ROUTE}),
        (spec(s3=None), {NAME}),
        (spec(imageBuilder=image_builder(privateDNS=False)), {ROUTE}),
        (spec(imageBuilder=image_builder(privateDNS="yes")), {ROUTE}),
        (spec(s3={"mode": "None"}), {NAME}),
        (spec(s3={"mode": "Contribute", "endpointID": "vpce-1", "routeTables": {"ids": [TABLE]}}), {NAME}),
        (spec(s3={"mode": "Existing", "endpointID": "vpce-1", "routeTables": {"ids": [TABLE]}}), {NAME}),
        (spec(imageBuilder={"mode": "Existing", "endpointID": "vpce-1", "privateDNS": True}), {ROUTE}),
        (spec(imageBuilder={"mode": "None"}), {ROUTE}),
        (spec(s3={"routeTables": {"ids": [TABLE, "rtb-2"]}}), {NAME, ROUTE, route_claim(SCOPE, "rtb-2")}),
        (spec(s3={"routeTables": {"ids": TABLE}}), {NAME}),
        (spec(s3={"routeTables": None}), {NAME}),
        (spec(s3=[], imageBuilder="?"), set()),
        ({}, set()),
    ],
    ids=lambda value: " ".join(sorted(map(str, value))),  # in one order, whatever the hash seed
)
def test_a_spec_claims_its_name_and_its_routes(raw: dict[str, Any], claims: set[str]) -> None:
    assert claims_of(raw) == claims


def test_claims_of_different_vpcs_differ() -> None:
    assert not claims_of(spec()) & claims_of(spec(vpcID="vpc-00000009"))
    assert not claims_of(spec()) & claims_of(spec(region="eu-west-1"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
FIELDS = st.sampled_from(["region", "vpcID", "imageBuilder", "s3", "mode", "privateDNS", "routeTables", "ids"])


@given(st.dictionaries(FIELDS, st.dictionaries(FIELDS, st.dictionaries(FIELDS, JSON) | JSON) | JSON))
def test_no_spec_is_too_broken_to_be_asked(raw: dict[str, Any]) -> None:
    assert all(isinstance(claim, str) for claim in claims_of(raw))


def test_the_older_comes_first_then_the_smaller_uid() -> None:
    index = ClaimIndex()
    index.put("uid-b", Key("a", "young"), NOW, frozenset({NAME}))
    index.put("uid-c", Key("a", "old"), NOW - timedelta(1), frozenset({NAME}))
    index.put("uid-a", Key("a", "twin"), NOW, frozenset({NAME}))
    assert [claimant.uid for claimant in index.claimants(NAME)] == ["uid-c", "uid-a", "uid-b"]
    assert index.claimants("nobody's") == ()


def test_who_waits_is_told_when_a_claim_is_let_go_and_only_then() -> None:
    index, first, second = ClaimIndex(), Key("a", "first"), Key("a", "second")
    assert index.put("1", first, NOW, frozenset({NAME, ROUTE})) == frozenset()
    assert index.put("2", second, NOW, frozenset({NAME})) == frozenset()
    assert index.put("1", first, NOW, frozenset({NAME, ROUTE})) == frozenset(), "nothing was let go"
    assert index.put("1", first, NOW, frozenset({NAME})) == frozenset(), "nobody waits for the route"
    assert index.put("1", first, NOW, frozenset()) == {second}
    assert index.remove("1") == frozenset()
    assert index.remove("2") == frozenset()
    assert index.remove("2") == frozenset()
    assert index.uids() == {}


def test_a_resource_made_again_under_its_name_is_another_claimant() -> None:
    index, key = ClaimIndex(), Key("a", "images")
    index.put("old", key, NOW, frozenset({NAME}))
    index.put("new", key, NOW, frozenset({NAME}))
    assert index.remove("old") == {key}
    assert index.uids() == {"new": key}


class Index(RuleBasedStateMachine):
    """The index against the plainest model of it."""

    def __init__(self) -> None:
        super().__init__()
        self.index = ClaimIndex()
        self.model: dict[str, frozenset[str]] = {}

    @rule(uid=st.sampled_from("abcd"), claims=st.frozensets(st.sampled_from("xyz")))
    def put(self, uid: str, claims: frozenset[str]) -> None:
        freed = self.model.get(uid, frozenset()) - claims
        told = self.index.put(uid, Key("ns", uid), NOW + timedelta(seconds=ord(uid)), claims)
        self.model[uid] = claims
        assert told == self._others(uid, freed)

    @rule(uid=st.sampled_from("abcd"))
    def remove(self, uid: str) -> None:
        freed = self.model.pop(uid, frozenset())
        assert self.index.remove(uid) == self._others(uid, freed)

    @invariant()
    def every_claim_has_its_claimants_in_order(self) -> None:
        for claim in "xyz":
            wanted = sorted(uid for uid, claims in self.model.items() if claim in claims)
            assert [claimant.uid for claimant in self.index.claimants(claim)] == wanted
        assert self.index.uids() == {uid: Key("ns", uid) for uid in self.model}

    def _others(self, uid: str, freed: frozenset[str]) -> set[Key]:
        return {Key("ns", other) for other, claims in self.model.items() if other != uid and claims & freed}


TestIndex = Index.TestCase


def test_claimants_are_compared_by_age_and_uid_alone() -> None:
    assert Claimant(NOW, "a", Key("z", "z")) < Claimant(NOW, "b", Key("a", "a"))
    assert Claimant(NOW, "a", Key("z", "z")) == Claimant(NOW, "a", Key("a", "a"))
