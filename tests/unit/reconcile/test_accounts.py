"""Whose eyes a resource gets: what is asked before, what is forgotten when it may not, and what is shared."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from ibpe.api.names import OWN_ACCOUNT
from ibpe.aws.facts import VpcFacts
from ibpe.aws.gateway import AccountID, Cloud, Vpc, VpcID
from ibpe.reconcile.accounts import Accounts, NotAllowed
from ibpe.reconcile.claims import ClaimIndex
from ibpe.reconcile.grants import Account, Grant, Grants, Vpcs
from ibpe.reconcile.memory import Recollection
from ibpe.reconcile.observe import AccountMismatch, Eyes
from ibpe.reconcile.ports import Key, Place, Resource
from tests.kubernetes_fake import FakeInterest, FakeResources
from tests.unit.reconcile.given import KEY, REGION, VPC, resource, spec, status_of

NETWORK = AccountID("111122223333")
IMAGES = {"team": "images"}
MAX_AGE = 900.0


@dataclass
class Sky:
    """A cloud, its gateway and what is known of its VPC, in one."""

    tags: dict[str, str] | None = field(default_factory=lambda: dict(IMAGES))
    known: VpcFacts | None = None
    account: AccountID = NETWORK
    asked: list[str] = field(default_factory=list)
    forgotten: list[Key] = field(default_factory=list)

    def caller_account(self) -> AccountID:
        self.asked.append("GetCallerIdentity")
        return self.account

    def gateway(self, region: str) -> "Sky":
        assert region == REGION
        return self

    def vpc_tags(self, vpc_id: VpcID) -> dict[str, str] | None:
        assert vpc_id == VPC
        self.asked.append("DescribeVpcs")
        return self.tags

    def known_vpc(self, region: str, vpc_id: VpcID, max_age: float) -> VpcFacts | None:
        assert (region, vpc_id, max_age) == (REGION, VPC, MAX_AGE)
        return self.known

    def forget(self, key: Key) -> None:
        self.forgotten.append(key)


def granted(**vpcs: Any) -> Grants:
    limit = Vpcs(**vpcs) if vpcs else None
    grants = (Grant(frozenset({KEY.namespace}), frozenset({"network", OWN_ACCOUNT}), limit),)
    return Grants({"network": Account("network", NETWORK)}, grants)


BY_TAG = granted(tags=IMAGES)


@dataclass
class Setting:
    grants: Grants = BY_TAG
    sky: Sky = field(default_factory=Sky)
    past: Recollection = field(default_factory=Recollection)
    interest: FakeInterest = field(default_factory=FakeInterest)
    made: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.accounts = Accounts(self.grants, self._make, self.interest)

    def _make(self, name: str) -> Eyes:
        self.made.append(name)
        sky = cast("Any", self.sky)
        return Eyes(cast("Cloud", sky), sky, sky, FakeResources(), ClaimIndex(), MAX_AGE, name)

    def eyes(self, **changes: Any) -> Eyes:
        return self.accounts.of(mine(**changes), self.past)

    def denied(self, **changes: Any) -> NotAllowed:
        with pytest.raises(NotAllowed) as raised:
            self.eyes(**changes)
        return raised.value


def mine(account: str | None = "network", *, pinned: str | None = None, **changes: Any) -> Resource:
    reference = {} if account is None else {"accountRef": {"name": account}}
    status = status_of().model_copy(update={"account_id": pinned})
    return resource(status, spec={**spec(), **reference}, **changes)


def seen(tags: dict[str, str] | None) -> VpcFacts:
    vpc = None if tags is None else Vpc(VPC, NETWORK, (), dns_support=True, dns_host_names=True, tags=tags)
    return VpcFacts(vpc, {}, {})


def test_eyes_are_made_once_for_each_account() -> None:
    setting = Setting(granted())
    assert [setting.eyes(account=name).account for name in ("network", None, "network", None)] == [
        "network",
        OWN_ACCOUNT,
        "network",
        OWN_ACCOUNT,
    ]
    assert setting.made == ["network", OWN_ACCOUNT]
    assert setting.sky.asked == []


def test_for_what_is_not_granted_not_even_eyes_are_made() -> None:
    setting = Setting(granted(ids=frozenset({VpcID("vpc-0other")})))
    assert setting.denied().reason == "VpcNotAllowed"
    assert (setting.made, setting.sky.asked) == ([], [])


def test_who_may_no_longer_is_forgotten_by_both_watches_in_every_account() -> None:
    setting = Setting()
    setting.eyes()
    setting.interest.note(KEY, Place("network", REGION), VPC, [])
    setting.past.known_to_watch = True
    setting.sky.tags = {}
    setting.denied()
    assert setting.interest.noted == {}
    assert setting.sky.forgotten == [KEY]
    assert setting.past.known_to_watch is False, "it is told to the watch again once it may"


@pytest.mark.parametrize(
    ("tags", "known", "asked", "allowed"),
    [
        pytest.param(IMAGES, None, ["DescribeVpcs"], True, id="read"),
        pytest.param({}, None, ["DescribeVpcs"], False, id="read and missing"),
        pytest.param(None, None, ["DescribeVpcs"], False, id="no such VPC"),
        pytest.param({}, seen(IMAGES), [], True, id="known lately"),
        pytest.param(IMAGES, seen({}), [], False, id="known lately to be missing"),
        pytest.param(IMAGES, seen(None), [], False, id="known lately not to exist"),
    ],
)
def test_a_tag_is_read_once_and_then_known_from_the_watch(
    tags: dict[str, str] | None, known: VpcFacts | None, asked: list[str], *, allowed: bool
) -> None:
    setting = Setting(sky=Sky(tags, known))
    if allowed:
        setting.eyes()
    else:
        assert setting.denied().reason == "VpcNotAllowed"
    assert setting.sky.asked == asked


def test_after_a_denial_the_tag_is_read_anew() -> None:
    setting = Setting(sky=Sky(known=seen({})))
    setting.denied()
    setting.eyes()
    assert setting.sky.asked == ["DescribeVpcs"], "what the watch knows may be from before the tag"
    setting.sky.known = seen(IMAGES)
    setting.eyes()
    assert setting.sky.asked == ["DescribeVpcs"], "and no more once it may"


def test_a_vpc_that_is_gone_holds_up_no_deletion_but_one_without_the_tag_does() -> None:
    deleting = {"deleted_at": mine().created_at}
    assert Setting(sky=Sky(tags=None)).eyes(**deleting).account == "network"
    assert Setting(sky=Sky(tags={})).denied(**deleting).reason == "VpcNotAllowed"


def test_the_account_is_checked_before_a_tag_is_read_where_it_is_pinned() -> None:
    setting = Setting(sky=Sky(account=AccountID("999999999999")))
    with pytest.raises(AccountMismatch):
        setting.eyes(account=None, pinned="222222222222")
    assert setting.sky.asked == ["GetCallerIdentity"]
