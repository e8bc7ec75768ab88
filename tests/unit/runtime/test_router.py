"""Where the watch's news go."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from prometheus_client import generate_latest

from ibpe.api.names import OWN_ACCOUNT
from ibpe.kube.seen import Seen, Sighting, Standing, Wakers
from ibpe.reconcile.claims import ClaimIndex
from ibpe.reconcile.ports import Key, Place
from ibpe.runtime.interest import Interest
from ibpe.runtime.metrics import Metrics
from ibpe.runtime.queue import WorkQueue
from ibpe.runtime.router import Router, only_known

A, B = Key("team", "a"), Key("team", "b")
SPEC = {"region": "us-west-2", "vpcID": "vpc-1", "imageBuilder": {}}


def sighting(key: Key, uid: str, *, ready: bool = False, stalled: bool = False) -> Sighting:
    wakers = Wakers(key=key, generation=1, deleting=False, requested=None, abandon=None)
    standing = Standing(ready=ready, stalled=stalled)
    return Sighting(uid, wakers, datetime(2026, 1, 1, tzinfo=UTC), SPEC, standing)


@dataclass
class Setting:
    queue: WorkQueue[Key] = field(default_factory=WorkQueue)
    interest: Interest = field(default_factory=Interest)
    metrics: Metrics = field(default_factory=Metrics)
    claims: ClaimIndex = field(default_factory=ClaimIndex)
    uids: list[str] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.router = Router(
            self.queue,
            self.claims,
            self.interest,
            self.metrics.resources,
            forget_uid=self.uids.append,
            forget_key=self.keys.append,
        )

    def taken(self) -> list[Key]:
        keys = []
        while len(self.queue):
            key = self.queue.get()
            assert key is not None
            self.queue.done(key)
            keys.append(key)
        return keys

    def scrape(self) -> str:
        return generate_latest(self.metrics.registry).decode()


def test_only_what_wakes_is_queued_but_all_is_measured() -> None:
    setting = Setting()
    setting.router.seen(sighting(A, "u1"), wake=True)
    assert setting.taken() == [A]
    setting.router.seen(sighting(A, "u1", ready=True), wake=False)
    assert setting.taken() == []
    assert 'ibpe_resource_ready{name="a",namespace="team"} 1.0' in setting.scrape()


def test_an_edit_begins_the_backoff_anew_and_a_status_write_does_not() -> None:
    setting = Setting(queue=WorkQueue(chance=lambda: 0.0))
    setting.router.seen(sighting(A, "u1"), wake=True)
    assert [setting.queue.add_backoff(A) for _ in range(3)] == [1, 2, 4]
    setting.router.seen(sighting(A, "u1"), wake=False)
    assert setting.queue.add_backoff(A) == 8
    setting.router.seen(sighting(A, "u1"), wake=True)
    assert setting.queue.add_backoff(A) == 1


def test_only_keys_that_the_watch_knows_are_woken_from_outside() -> None:
    memory, woken = Seen(), list[Key]()
    wake = only_known(memory, woken.append)
    memory.note("u1", sighting(A, "u1").wakers)
    wake(A)
    wake(B)
    memory.ended("u1")
    wake(A)
    assert woken == [A]


def test_the_end_of_a_claims_holder_wakes_who_waits_for_it() -> None:
    setting = Setting()
    setting.router.seen(sighting(A, "u1"), wake=True)
    setting.router.seen(sighting(B, "u2"), wake=True)
    setting.taken()
    setting.router.ended("u1", A)
    assert setting.taken() == [A, B], "the one that is gone too, so that nothing remembers it"
    assert (setting.uids, setting.keys) == (["u1"], [A])
    assert 'name="a"' not in setting.scrape()


def test_what_belongs_to_a_name_stays_with_its_namesake() -> None:
    setting = Setting()
    setting.router.seen(sighting(A, "old"), wake=True)
    here = Place(OWN_ACCOUNT, "us-west-2")
    setting.interest.note(A, here, "vpc-1", [])
    setting.router.seen(sighting(A, "new"), wake=True)
    setting.router.ended("old", None)
    assert setting.interest.at(here) == {A}
    assert (setting.uids, setting.keys) == (["old"], [])
    assert [claimant.uid for claimant in setting.claims.claimants("us-west-2/vpc-1/private-dns/imagebuilder")] == [
        "new"
    ]


def test_why_and_since_when_is_told_of_those_alone_that_there_is_something_to_say_of() -> None:
    setting = Setting()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    deleting = Standing(stalled=True, contended=True, reason="Suspended", deleted_at=at)
    setting.router.seen(replace(sighting(A, "u1"), standing=deleting), wake=True)
    setting.router.seen(sighting(B, "u2", ready=True), wake=True)
    about = [line for line in setting.scrape().splitlines() if "namespace=" in line]
    assert sorted(about) == [
        'ibpe_contended{name="a",namespace="team"} 1.0',
        'ibpe_contended{name="b",namespace="team"} 0.0',
        'ibpe_resource_deletion_timestamp_seconds{name="a",namespace="team"} 1.7672256e+09',
        'ibpe_resource_ready{name="a",namespace="team"} 0.0',
        'ibpe_resource_ready{name="b",namespace="team"} 1.0',
        'ibpe_resource_stalled{name="a",namespace="team"} 1.0',
        'ibpe_resource_stalled{name="b",namespace="team"} 0.0',
        'ibpe_resource_unready_reason{name="a",namespace="team",reason="Suspended"} 1.0',
    ]
    setting.router.seen(sighting(A, "u1"), wake=False)
    assert 'reason="NotObserved"' in setting.scrape()
    setting.router.ended("u1", A)
    assert 'name="a"' not in setting.scrape()


def test_each_stalled_resource_has_its_series() -> None:
    setting = Setting()
    setting.router.seen(sighting(A, "u1", stalled=True), wake=True)
    setting.router.seen(sighting(B, "u2", ready=True), wake=True)
    scrape = setting.scrape()
    assert 'ibpe_resource_stalled{name="a",namespace="team"} 1.0' in scrape
    assert 'ibpe_resource_stalled{name="b",namespace="team"} 0.0' in scrape
