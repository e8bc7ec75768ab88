"""What is measured of each region: from what is known already, and nothing that is not known yet."""

import math
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import generate_latest

from ibpe.aws.gateway import AccountID, Endpoint, EndpointID, EndpointState, EndpointType, VpcID
from ibpe.aws.snapshot import Snapshot
from ibpe.reconcile.ports import Key
from ibpe.runtime.metrics import Metrics, RegionState
from ibpe.runtime.sight import Sight, merged

REGION, ACCOUNT = "us-west-2", AccountID("123456789012")
KNOWN = Key("team", "known")
OURS = {"ibpe.dev/cluster": "blue", "ibpe.dev/role": "s3"}


def endpoint(owner: str, *, state: EndpointState = EndpointState.AVAILABLE, **tags: str) -> Endpoint:
    return Endpoint(
        id=EndpointID(f"vpce-{owner}-{state}"),
        vpc_id=VpcID("vpc-1"),
        service_name="com.amazonaws.us-west-2.s3",
        type=EndpointType.GATEWAY,
        state=state,
        owner_id=ACCOUNT,
        policy="{}",
        tags={**OURS, "ibpe.dev/owner": owner, **{f"ibpe.dev/{name}": value for name, value in tags.items()}},
    )


@dataclass
class Looks:
    endpoints: list[Endpoint] | None = field(default_factory=list)
    fails: bool = False
    brake: bool = False

    def age(self, region: str) -> float:
        assert region == REGION
        return math.inf if self.endpoints is None else 12.0

    def braked(self, region: str) -> bool:
        assert region == REGION
        return self.brake

    def failing(self, region: str) -> bool:
        assert region == REGION
        return self.fails

    def latest(self, region: str) -> Snapshot | None:
        if self.endpoints is None:
            return None
        return Snapshot(ACCOUNT, region, 0.0, {each.id: each for each in self.endpoints})


def state(looks: Looks, **changes: Any) -> RegionState:
    usual: dict[str, Any] = {
        "cluster": "blue",
        "namespaces": (),
        "regions": lambda: [REGION],
        "looks": looks,
        "facts_failing": lambda _: False,
        "knows": lambda key: key == KNOWN,
        "caught_up": lambda: True,
    }
    (found,) = Sight(**{**usual, **changes}).states()
    return found


def test_what_nobody_asks_for_is_an_orphan() -> None:
    assert state(Looks([endpoint("team/gone"), endpoint("team/known")])).orphans == 1


@pytest.mark.parametrize(
    "other",
    [
        endpoint("team/gone", cluster="green"),
        endpoint("nobody"),
        endpoint("a/b/c"),
        endpoint("team/gone", state=EndpointState.DELETING),
        endpoint("team/gone", state=EndpointState.DELETED),
    ],
    ids=["of another cluster", "without a namespace", "no name", "on its way out", "out"],
)
def test_what_may_be_somebody_else_s_or_is_going_is_no_orphan(other: Endpoint) -> None:
    assert state(Looks([other])).orphans == 0


def test_owners_in_namespaces_that_are_not_served_are_not_judged() -> None:
    looks = Looks([endpoint("team/gone"), endpoint("elsewhere/gone")])
    assert state(looks, namespaces=("team",)).orphans == 1


def test_nothing_is_called_an_orphan_before_all_that_exists_was_seen() -> None:
    looks = Looks([endpoint("team/gone")])
    assert state(looks, caught_up=lambda: False).orphans is None
    assert state(Looks(None)) == RegionState("", REGION, math.inf, braked=False, failing=False, orphans=None)


def test_either_look_that_fails_is_a_failure() -> None:
    assert not state(Looks()).failing
    assert state(Looks(fails=True)).failing
    assert state(Looks(), facts_failing=lambda region: region == REGION).failing


def test_a_region_s_series_end_when_nobody_is_interested_in_it() -> None:
    metrics, regions = Metrics(), [REGION]
    looks = Looks([endpoint("team/gone")], brake=True)
    sight = Sight("blue", (), lambda: regions, looks, lambda _: True, lambda key: key == KNOWN, lambda: True)
    metrics.show_regions(sight.states)
    labels = f'{{account="{ACCOUNT}",region="{REGION}"}}'
    scrape = generate_latest(metrics.registry).decode()
    for line in (
        f"ibpe_snapshot_age_seconds{labels} 12.0",
        f"ibpe_brake_engaged{labels} 1.0",
        f"ibpe_observation_failed{labels} 1.0",
        f"ibpe_orphan_endpoints{labels} 1.0",
    ):
        assert line in scrape
    regions.clear()
    assert labels not in generate_latest(metrics.registry).decode()


def test_an_account_that_is_known_without_a_look_is_named_before_the_first() -> None:
    assert state(Looks(None), account="111122223333").account == "111122223333"


def test_two_names_of_one_account_are_one_series_with_the_worst_of_both() -> None:
    fresh = RegionState("1", REGION, 5.0, braked=False, failing=False, orphans=2)
    stale = RegionState("1", REGION, 60.0, braked=True, failing=True, orphans=None)
    other = RegionState("2", REGION, 7.0, braked=False, failing=False, orphans=None)
    assert list(merged([fresh, other, stale])) == [
        RegionState("1", REGION, 60.0, braked=True, failing=True, orphans=2),
        other,
    ]
