"""Looking: what a list doesn't show is asked for by id, absence must be proved, and a claim's winner is read again."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus, Status
from ibpe.aws.facts import Facts, Needs
from ibpe.aws.gateway import AccountID, Cloud, Endpoint, EndpointID, EndpointState
from ibpe.aws.snapshot import Snapshot
from ibpe.reconcile.claims import ClaimIndex, claims_of
from ibpe.reconcile.memory import LAG_BOUND, Recollection
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.observe import AccountMismatch, Eyes, absences, is_transitional, observe
from ibpe.reconcile.ports import Key
from tests.kubernetes_fake import FakeResources
from tests.unit.reconcile.account import Account
from tests.unit.reconcile.foreign import OTHERS, STRAY, TEAM, THEIRS, gateway, policy
from tests.unit.reconcile.given import (
    A1,
    ACCOUNT,
    B1,
    GROUP,
    GROUP2,
    IB_ID,
    IMAGE_BUILDER,
    NOW,
    OTHER_VPC,
    REGION,
    S3,
    VPC,
    desired,
    entry,
    facts,
    image_builder,
    made,
    resource,
    spec,
    status_of,
    wanted,
)

WANT, WANT_S3 = wanted(), wanted(Role.S3)
CREATING = entry(WANT, state="creating", applied={})
FIRST = Key("team-b", "first")
CONTRIBUTE = {"mode": "Contribute", "endpointID": THEIRS}


@dataclass
class Sight:
    """AWS as it is, and the list of it that is shared; the surroundings; and the other resources."""

    aws: Account = field(default_factory=Account)
    listed: tuple[Endpoint, ...] = ()
    account: AccountID = ACCOUNT
    floors: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    needs: list[Needs] = field(default_factory=list)
    claims: ClaimIndex = field(default_factory=ClaimIndex)
    resources: FakeResources = field(default_factory=FakeResources)

    def clock(self) -> float:
        return 1000.0

    def braked(self, _region: str) -> bool:
        return False

    def snapshot(self, region: str, not_before: float = 0.0) -> Snapshot:
        self.floors.append(not_before)
        return Snapshot(self.account, region, 0.0, {endpoint.id: endpoint for endpoint in self.listed})

    def facts(self, _key: Key, needs: Needs, max_age: float) -> Facts:
        self.needs.append(needs)
        self.ages.append(max_age)
        return facts()

    def rival(self, key: Key, **changes: Any) -> None:
        """Another resource, older than ours."""
        stored = self.resources.make(key, spec(**changes))
        self.claims.put(stored.uid, key, NOW - timedelta(days=9), claims_of(stored.spec))

    def look(self, status: Status | None = None, past: Recollection | None = None, **changes: Any) -> Observation:
        eyes = Eyes(cast("Cloud", self.aws), cast("Any", self), cast("Any", self), self.resources, self.claims, 900.0)
        parts = {name: changes.pop(name) for name in ("imageBuilder", "s3") if name in changes}
        mine = resource(status, **({"spec": spec(**parts)} if parts else {}), **changes)
        self.claims.put(mine.uid, mine.key, mine.created_at, claims_of(mine.spec))
        parsed = {name: mine.spec.get(name) for name in ("imageBuilder", "s3")}
        return observe(eyes, mine, desired(**parsed), past or Recollection(), NOW)


def test_what_the_list_shows_is_not_asked_for_again() -> None:
    sight = Sight(listed=(made(WANT), made(WANT_S3)))
    seen = sight.look(status_of(entry(WANT), entry(WANT_S3)))
    assert sight.aws.calls == []
    assert {endpoint.id for endpoint in seen.holdings.all} == {made(WANT).id, made(WANT_S3).id}
    assert seen.absent == {}


def test_an_id_that_the_list_lacks_is_asked_for_and_found() -> None:
    sight = Sight()
    sight.aws.hold(made(WANT))
    seen = sight.look(status_of(entry(WANT)))
    assert sight.aws.calls == [f"Describe {IB_ID}"]
    assert seen.holdings.of(Role.IMAGE_BUILDER).live == made(WANT)
    assert seen.absent == {}


def test_not_found_by_other_credentials_than_the_pinned_proves_nothing() -> None:
    sight = Sight(aws=Account(account=AccountID("210987654321")))
    with pytest.raises(AccountMismatch, match="210987654321"):
        sight.look(status_of(entry(WANT)))


def test_a_snapshot_of_another_account_is_not_looked_at() -> None:
    with pytest.raises(AccountMismatch, match=f"210987654321.*{ACCOUNT}"):
        Sight(account=AccountID("210987654321")).look(status_of(entry(WANT)))
    assert Sight(account=AccountID("210987654321")).look(Status()).account == "210987654321"


def test_strangers_of_the_vpc_are_neighbours_and_those_of_others_are_not() -> None:
    stranger = replace(made(WANT, tags={}), id=EndpointID("vpce-000000f1"))
    elsewhere = replace(stranger, id=EndpointID("vpce-000000f2"), vpc_id=OTHER_VPC)
    seen = Sight(listed=(made(WANT), stranger, elsewhere)).look()
    assert seen.neighbours == (stranger,)


def test_a_decision_never_rests_on_a_list_from_before_the_last_write_nor_on_a_stale_one() -> None:
    sight = Sight()
    sight.look(past=Recollection(not_before=990.0))
    sight.look(past=Recollection())
    assert sight.floors == [990.0, 700.0]


def test_the_surroundings_are_looked_at_anew_for_an_edit_and_while_something_is_refused() -> None:
    sight = Sight()
    sight.look(status_of())
    sight.look(status_of(), generation=2)
    sight.look(status_of(), Recollection(prerequisites_stale=True))
    assert sight.ages == [900.0, 0.0, 0.0]
    assert sight.needs[0] == Needs(REGION, VPC, frozenset({A1, B1}), frozenset({GROUP}), frozenset({IMAGE_BUILDER, S3}))


# Others' endpoints


def test_somebody_elses_endpoint_that_the_list_lacks_is_asked_for_by_id() -> None:
    shared = gateway(policy(TEAM))
    seen = Sight(aws=Account(endpoints={THEIRS: shared})).look(s3=CONTRIBUTE)
    assert seen.named == {THEIRS: shared}
    assert Sight(listed=(shared,)).look(s3=CONTRIBUTE).named == {THEIRS: shared}


@pytest.mark.parametrize("listed", [(), (gateway(policy(TEAM), state=EndpointState.DELETED),)], ids=["gone", "deleted"])
def test_somebody_elses_endpoint_that_is_gone_is_not_there(listed: tuple[Endpoint, ...]) -> None:
    assert Sight(listed=listed).look(s3=CONTRIBUTE).named == {}


def test_our_statements_are_found_wherever_they_are_in_the_region() -> None:
    elsewhere = gateway(policy(TEAM, STRAY), vpc_id=OTHER_VPC)
    seen = Sight(listed=(elsewhere, gateway(policy(TEAM), id=OTHERS))).look()
    assert seen.contributions == (elsewhere,)
    assert seen.uncontributed == frozenset()


def test_an_endpoint_that_is_recorded_to_hold_them_is_asked_for_by_id() -> None:
    recorded = status_of(EndpointStatus(role=Role.S3, contributed_ids=(THEIRS, OTHERS)))
    sight = Sight()
    sight.aws.hold(gateway(policy(TEAM, STRAY)))
    seen = sight.look(recorded)
    assert [endpoint.id for endpoint in seen.contributions] == [THEIRS]
    assert seen.uncontributed == {OTHERS}


def test_that_they_are_gone_is_not_proved_by_other_credentials_than_the_pinned() -> None:
    recorded = status_of(EndpointStatus(role=Role.S3, contributed_ids=(THEIRS,)))
    with pytest.raises(AccountMismatch, match="210987654321"):
        Sight(aws=Account(account=AccountID("210987654321"))).look(recorded)


def test_the_groups_of_somebody_elses_interface_are_looked_at() -> None:
    interface = made(WANT, id=THEIRS, tags={}, security_group_ids=frozenset({GROUP2}))
    sight = Sight(listed=(interface,))
    sight.look(imageBuilder={"mode": "Existing", "endpointID": THEIRS}, s3=None)
    assert sight.needs[0].security_group_ids == {GROUP2}


# Absence


def proved(status: Status, found: Endpoint | None, past: Recollection, after: timedelta = timedelta(0)) -> bool | None:
    absence = absences(status, {IB_ID: found}, past, NOW + after).get(IB_ID)
    return absence.proved if absence else None


@pytest.mark.parametrize(
    ("known", "found", "expected"),
    [
        (entry(WANT), None, True),
        (entry(WANT), made(WANT, state=EndpointState.DELETED), True),
        (entry(WANT), made(WANT, state=EndpointState.DELETING), None),
        (entry(WANT), made(WANT), None),
        (CREATING, None, False),
        (CREATING, made(WANT, state=EndpointState.DELETED), True),
        (EndpointStatus(role=Role.IMAGE_BUILDER, previous_ids=(IB_ID,)), None, True),
    ],
    ids=["not found", "deleted", "deleting", "there", "never shown", "never shown, then deleted", "an earlier one"],
)
def test_what_is_not_found_is_gone_if_it_was_ever_shown(
    known: EndpointStatus, found: Endpoint | None, *, expected: bool | None
) -> None:
    assert proved(status_of(known), found, Recollection()) is expected


def test_what_was_never_shown_is_gone_beyond_the_lag_bound_or_once_its_deletion_was_taken() -> None:
    past = Recollection()
    assert proved(status_of(CREATING), None, past) is False
    assert proved(status_of(CREATING), None, past, LAG_BOUND) is False
    assert proved(status_of(CREATING), None, past, LAG_BOUND + timedelta(seconds=1)) is True
    assert proved(status_of(CREATING), None, Recollection(delete_accepted={IB_ID: NOW})) is True


def test_showing_up_once_begins_the_lag_anew() -> None:
    past = Recollection()
    proved(status_of(CREATING), None, past)
    proved(status_of(CREATING), made(WANT), past, LAG_BOUND)
    assert proved(status_of(CREATING), None, past, LAG_BOUND + timedelta(seconds=1)) is False


@pytest.mark.parametrize("state", list(EndpointState))
def test_aws_is_at_work_on_what_is_pending_or_deleting(state: EndpointState) -> None:
    expected = state in {EndpointState.PENDING, EndpointState.DELETING}
    assert is_transitional([made(WANT), made(WANT, state=state)]) is expected


# Rivals


def test_who_came_first_is_a_rival_for_what_we_do_not_hold() -> None:
    sight = Sight()
    sight.rival(FIRST)
    assert set(sight.look().rivals.values()) == {FIRST}
    assert len(sight.look().rivals) == 2, "the name and the route"


def test_who_holds_it_in_aws_has_no_rival() -> None:
    sight = Sight(listed=(made(WANT), made(WANT_S3)))
    sight.rival(FIRST)
    assert sight.look().rivals == {}


def test_a_table_that_our_gateway_does_not_route_yet_has_rivals() -> None:
    sight = Sight(listed=(made(WANT), made(WANT_S3, route_table_ids=frozenset())))
    sight.rival(FIRST)
    assert list(sight.look().rivals.values()) == [FIRST]


def test_a_younger_one_is_no_rival() -> None:
    sight = Sight()
    stored = sight.resources.make(FIRST, spec())
    sight.claims.put(stored.uid, FIRST, NOW, claims_of(stored.spec))
    assert sight.look().rivals == {}


@pytest.mark.parametrize("what", ["gone", "made again", "being deleted", "claims it no longer"])
def test_a_winner_of_whom_the_watch_is_behind_is_no_rival(what: str) -> None:
    sight = Sight()
    sight.rival(FIRST)
    stored = sight.resources.stored(FIRST)
    match what:
        case "gone":
            sight.resources.delete(FIRST)
        case "made again":
            stored.uid = "another"
        case "being deleted":
            sight.resources.hold(FIRST, "somebody/else")
            sight.resources.delete(FIRST)
        case _:
            sight.resources.edit(FIRST, spec(imageBuilder=image_builder(privateDNS=False), s3=None))
    assert sight.look().rivals == {}


def test_behind_a_winner_that_is_gone_the_next_one_wins() -> None:
    sight, second = Sight(), Key("team-b", "second")
    sight.rival(FIRST)
    sight.rival(second)
    sight.resources.delete(FIRST)
    assert set(sight.look().rivals.values()) == {second}
