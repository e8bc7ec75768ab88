"""The end, branch by branch: what holds a deletion, what is deleted or let go, and when the finalizer may go."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from ibpe.api.names import FINALIZER, ConditionType, Role
from ibpe.api.status import EndpointStatus, Status
from ibpe.aws.errors import classify
from ibpe.aws.gateway import AccountID, Cloud, DeleteFailure, Endpoint, EndpointID, EndpointState
from ibpe.aws.snapshot import Snapshot
from ibpe.reconcile.accounts import only
from ibpe.reconcile.claims import ClaimIndex
from ibpe.reconcile.contributing import EndpointLocks
from ibpe.reconcile.memory import LAG_BOUND, Recollection
from ibpe.reconcile.observe import Eyes, Inventory, Prerequisites
from ibpe.reconcile.ports import Outcome
from ibpe.reconcile.teardown import SECOND_LOOK_SECONDS, Teardown
from tests.kubernetes_fake import FakeEvents, FakeInterest, FakeResources
from tests.unit.reconcile.account import Account
from tests.unit.reconcile.given import (
    ACCOUNT,
    CLUSTER,
    IB_ID,
    IMAGE_BUILDER,
    KEY,
    NOW,
    OWNER,
    S3_ID,
    entry,
    made,
    spec,
    status_of,
    tagged,
    wanted,
)

IB, S3 = wanted(), wanted(Role.S3)
RECORDED = status_of(entry(IB), entry(S3))
INTENT = EndpointStatus(role=Role.IMAGE_BUILDER, state="creating", attempt=2)


class Hints:
    """The inventory, of which a teardown asks where our statements are, and to look more often."""

    def __init__(self, aws: "Account") -> None:
        self.regions: list[str] = []
        self.listed: dict[EndpointID, Endpoint] = {}
        """Listed as they were a while ago."""
        self._aws = aws

    def clock(self) -> float:
        return 0.0

    def snapshot(self, region: str, _not_before: float) -> Snapshot:
        return Snapshot(ACCOUNT, region, 0.0, {**self._aws.endpoints, **self.listed})

    def hint_transitional(self, region: str) -> None:
        self.regions.append(region)


class NoTurn:
    """Nobody's turn for 7 s, of these operations."""

    def __init__(self, *operations: str) -> None:
        self.operations = operations

    def turn(self, *, account: str, region: str, operation: str, caller: str) -> float:
        assert (account, region, caller) == (ACCOUNT, "us-west-2", "uid-1")
        return 7.0 if operation in self.operations else 0.0


@dataclass
class Ending:
    """One resource on its way out."""

    status: Status = RECORDED
    spec: dict[str, Any] = field(default_factory=spec)
    aws: Account = field(default_factory=Account)
    past: Recollection = field(default_factory=Recollection)
    now: datetime = NOW
    turns: NoTurn = field(default_factory=NoTurn)

    def __post_init__(self) -> None:
        self.resources, self.events, self.hints = FakeResources(), FakeEvents(), Hints(self.aws)
        self.resources.make(KEY, self.spec, self.status)
        self.resources.stored(KEY).uid = "uid-1"
        self.resources.hold(KEY, FINALIZER)
        self.resources.delete(KEY)
        eyes = Eyes(
            cast("Cloud", self.aws),
            cast("Inventory", self.hints),
            cast("Prerequisites", None),  # a teardown looks straight at AWS
            self.resources,
            ClaimIndex(),
            0.0,
            turns=self.turns,
        )
        self._teardown = Teardown(only(eyes, FakeInterest()), self.resources, self.events, EndpointLocks(), CLUSTER)

    def round(self, seconds: float = 0.0) -> Outcome:
        self.now += timedelta(seconds=seconds)
        resource = self.resources.get(KEY)
        assert resource is not None
        return self._teardown.run(resource, self.past, self.now)

    @property
    def gone(self) -> bool:
        return KEY not in self.resources

    def told(self, type_: ConditionType = ConditionType.STALLED) -> tuple[str, str, str]:
        resource = self.resources.get(KEY)
        assert resource is not None
        found = resource.status.condition(type_)
        assert found is not None
        return found.status, found.reason, found.message

    def ends(self) -> bool:
        """Whether two looks, the second late enough, release it."""
        assert self.round(1.0).result == "waiting"
        assert not self.gone, "one look is no proof"
        self.round(SECOND_LOOK_SECONDS)
        return self.gone


def test_everything_is_deleted_in_one_call_and_the_finalizer_goes_at_the_second_look_that_finds_nothing() -> None:
    end = Ending()
    end.aws.hold(made(IB), made(S3))
    assert end.round() == Outcome(requeue_after=5.0, result="waiting")
    assert end.aws.writes() == [f"Delete {IB_ID} {S3_ID}"]
    assert end.told(ConditionType.RECONCILING)[:2] == ("True", "Deleting")
    assert IB_ID in end.told(ConditionType.READY)[2]
    assert end.hints.regions == ["us-west-2"]
    end.round(5)
    assert end.aws.writes() == [f"Delete {IB_ID} {S3_ID}"], "what is deleting is not deleted again"
    end.aws.finish_deleting()
    assert end.ends()
    assert end.events.reasons() == ["Deleted"]
    assert IB_ID in end.events.published[0].note


def test_the_second_look_must_come_later_than_the_first() -> None:
    end = Ending()
    assert end.round().result == "waiting"
    end.round(SECOND_LOOK_SECONDS / 2)
    assert not end.gone
    end.round(SECOND_LOOK_SECONDS / 2)
    assert end.gone


def test_something_that_appears_between_the_two_looks_begins_them_anew() -> None:
    end = Ending()
    end.round()
    end.aws.hold(made(IB))
    end.round(SECOND_LOOK_SECONDS)
    assert not end.gone
    assert end.aws.writes() == [f"Delete {IB_ID}"]
    end.aws.finish_deleting()
    assert end.ends()


def test_without_our_finalizer_nothing_is_looked_at() -> None:
    end = Ending()
    end.resources.stored(KEY).finalizers = ("somebody/else",)
    assert end.round() == Outcome(result="gone")
    assert end.aws.calls == []


def test_an_endpoint_that_no_status_names_is_found_by_its_tags_and_deleted() -> None:
    end = Ending(status=status_of())
    end.aws.hold(made(IB))
    end.round()
    assert end.aws.writes() == [f"Delete {IB_ID}"]


def test_earlier_ids_of_the_status_are_deleted_too() -> None:
    earlier = EndpointID("vpce-0000earl")
    end = Ending(status=status_of(entry(IB, previous_ids=(earlier,))))
    end.aws.hold(made(IB), made(IB, id=earlier, tags={"ibpe.dev/cluster": CLUSTER}))
    end.round()
    assert end.aws.writes() == [f"Delete {IB_ID} {earlier}"]


@pytest.mark.parametrize(
    "broken",
    [{"imageBuilder": "?"}, {"s3": {"mode": 7}}, {"tags": [1]}, {"imageBuilder": None, "s3": None}],
    ids=str,
)
def test_a_deletion_needs_no_valid_spec(broken: dict[str, Any]) -> None:
    end = Ending(spec={**spec(), **broken})
    end.aws.hold(made(IB), made(S3))
    end.round()
    assert end.aws.writes() == [f"Delete {IB_ID} {S3_ID}"]


# What holds it


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ({"suspend": True}, "Suspended", "Set it to false"),
        ({"region": 7}, "InvalidSpec", "spec.region"),
        ({"deletionPolicy": "Keep"}, "InvalidSpec", "Retain"),
    ],
    ids=["suspended", "no region", "an unknown word"],
)
def test_what_only_a_user_can_mend_holds_it(change: dict[str, Any], reason: str, words: str) -> None:
    end = Ending(spec={**spec(), **change})
    end.aws.hold(made(IB))
    assert end.round() == Outcome(retry=True, result="refused")
    assert end.told()[:2] == ("True", reason)
    assert words in end.told()[2]
    assert end.aws.writes() == []
    assert end.events.reasons() == ["DeletionBlocked"]
    assert not end.gone


def test_other_credentials_delete_nothing_and_prove_nothing() -> None:
    end = Ending(aws=Account(account=AccountID("210987654321")))
    assert end.round().result == "refused"
    status, reason, words = end.told()
    assert (status, reason) == ("True", "AccountMismatch")
    assert "210987654321" in words
    assert f'ibpe.dev/abandon: "{ACCOUNT}"' in words
    assert end.aws.writes() == []


def test_an_endpoint_that_lost_our_tags_is_not_deleted_and_holds_the_deletion() -> None:
    end = Ending()
    end.aws.hold(made(IB, tags={}), made(S3))
    assert end.round().result == "waiting"
    assert end.aws.writes() == [f"Delete {S3_ID}"]  # what is ours goes all the same
    end.aws.endpoints.pop(S3_ID)
    assert end.round(1).result == "refused"
    assert end.told()[:2] == ("True", "OwnershipMismatch")
    assert IB_ID in end.told()[2]
    assert "put ibpe.dev/cluster" in end.told()[2]
    assert not end.gone
    end.aws.endpoints.pop(IB_ID)
    end.round(2)
    end.round(4)
    assert end.gone
    assert end.aws.writes() == [f"Delete {S3_ID}"]


def test_a_role_of_another_version_is_not_deleted_and_holds_the_deletion() -> None:
    end = Ending(status=status_of())
    end.aws.hold(made(IB, tags=tagged("ssm")))
    assert end.round().result == "refused"
    assert "doesn't know" in end.told()[2]
    assert end.aws.writes() == []


@pytest.mark.parametrize("operation", ["GetCallerIdentity", "Describe", "Delete"])
def test_access_that_was_withdrawn_holds_it_and_says_the_way_out(operation: str) -> None:
    denied = classify(operation, "UnauthorizedOperation", "You are not authorized.", 403, "req-1")
    end = Ending(aws=Account(fail={operation: denied}))
    end.aws.hold(made(IB))
    assert end.round() == Outcome(retry=True, result="refused")
    assert end.told()[0] == "True"
    assert "ibpe.dev/abandon" in end.told()[2]
    assert not end.gone


@pytest.mark.parametrize("operation", ["GetCallerIdentity", "Describe", "Delete"])
def test_what_passes_by_itself_does_not_call_the_user(operation: str) -> None:
    end = Ending(aws=Account(fail={operation: classify(operation, "RequestLimitExceeded", "Slow down.", 503)}))
    end.aws.hold(made(IB))
    assert end.round() == Outcome(retry=True, result="error")
    assert end.told()[0] == "False"
    assert end.told(ConditionType.RECONCILING)[0] == "True"
    assert not end.gone


def test_http_200_is_no_deletion() -> None:
    refused = DeleteFailure("InvalidParameter", "An interface endpoint needs it.")
    end = Ending(aws=Account(unsuccessful={S3_ID: refused}))
    end.aws.hold(made(IB), made(S3))
    assert end.round().retry
    assert "An interface endpoint needs it" in end.told()[2]
    assert end.aws.endpoints[IB_ID].state is EndpointState.DELETING, "the other one goes all the same"


# What is not shown yet


def test_an_id_that_aws_never_showed_is_deleted_unseen_and_gone_only_when_aws_took_that() -> None:
    end = Ending(status=status_of(entry(IB, state="creating", applied={})))
    end.aws.hold(made(IB))
    end.aws.hidden.add(IB_ID)
    assert end.round().result == "waiting"
    assert end.aws.writes() == [f"Delete {IB_ID}"]
    end.aws.finish_deleting()
    assert end.ends()


def test_an_id_that_aws_never_showed_and_does_not_know_is_awaited_for_the_lag_bound() -> None:
    end = Ending(status=status_of(entry(IB, state="creating", applied={})))
    end.round()
    end.round(LAG_BOUND.total_seconds() - 1)
    assert not end.gone
    end.round(2)
    assert not end.gone
    end.round(SECOND_LOOK_SECONDS)
    assert end.gone


def test_an_unanswered_create_is_sent_again_and_what_comes_of_it_is_deleted() -> None:
    end = Ending(status=status_of(INTENT))
    hidden = made(IB)
    end.aws.hold(hidden)
    end.aws.hidden.add(IB_ID)
    end.aws.tokens[OWNER.client_token("uid-1", Role.IMAGE_BUILDER, 2)] = IB_ID
    end.round()
    assert end.aws.writes() == [f"Create {IMAGE_BUILDER}"]
    end.round(1)
    assert end.aws.writes()[1:] == [f"Delete {IB_ID}"], "even while AWS does not show it"
    end.aws.finish_deleting()
    assert end.ends()


def test_an_unanswered_create_that_came_to_nothing_leaves_nothing() -> None:
    end = Ending(status=status_of(INTENT))
    for _ in range(3):  # made, deleted, seen gone
        end.round(1)
        end.aws.finish_deleting()
    end.round(SECOND_LOOK_SECONDS)
    assert end.gone
    assert end.aws.endpoints == {}


def test_an_unanswered_create_that_is_throttled_is_sent_again_later() -> None:
    slow = classify("CreateVpcEndpoint", "RequestLimitExceeded", "Slow down.", 503)
    end = Ending(status=status_of(INTENT), aws=Account(fail={"Create": slow}))
    assert end.round() == Outcome(retry=True, result="error")
    assert end.told()[0] == "False"
    assert "RequestLimitExceeded" in end.told(ConditionType.RECONCILING)[2]


def test_in_a_vpc_that_is_gone_an_intent_came_to_nothing() -> None:
    missing = classify("CreateVpcEndpoint", "InvalidVpcID.NotFound", "The VPC does not exist.", 400)
    end = Ending(status=status_of(INTENT), aws=Account(fail={"Create": missing}))
    end.round()
    assert end.ends()


def test_an_intent_whose_create_is_refused_for_good_now_is_awaited_and_given_up() -> None:
    full = classify("CreateVpcEndpoint", "VpcEndpointLimitExceeded", "There are enough.", 400)
    end = Ending(status=status_of(INTENT), aws=Account(fail={"Create": full}))
    assert end.round() == Outcome(retry=True, result="error")
    assert end.told()[:2] == ("True", "QuotaExceeded")
    end.round(LAG_BOUND.total_seconds())
    assert not end.gone
    end.round(1)
    end.round(SECOND_LOOK_SECONDS)
    assert end.gone


def test_an_intent_is_held_while_access_is_withdrawn() -> None:
    denied = classify("CreateVpcEndpoint", "UnauthorizedOperation", "You may not.", 403)
    end = Ending(status=status_of(INTENT), aws=Account(fail={"Create": denied}))
    for _ in range(4):
        end.round(LAG_BOUND.total_seconds())
    assert not end.gone
    assert end.told()[:2] == ("True", "AccessDenied")


def test_an_intent_that_exists_and_never_shows_is_given_up_beyond_the_lag_bound() -> None:
    mismatch = classify("CreateVpcEndpoint", "IdempotentParameterMismatch", "Other parameters.", 400)
    end = Ending(status=status_of(INTENT), aws=Account(fail={"Create": mismatch}))
    assert end.round().result == "waiting"
    end.round(LAG_BOUND.total_seconds())
    assert not end.gone
    assert end.ends()


# Retain, abandon


def test_retain_takes_our_tags_off_and_leaves_one_to_be_found_by() -> None:
    end = Ending(spec=spec(deletionPolicy="Retain", tags={"team": "a"}))
    end.aws.hold(made(IB, tags={**IB.tags, "team": "a"}), made(S3))
    end.round()
    tags = end.aws.endpoints[IB_ID].tags
    assert tags == {"team": "a", "ibpe.dev/role": "imagebuilder", "ibpe.dev/retained": "team-a/images"}
    assert not any(call.startswith("Delete") for call in end.aws.calls)
    assert end.ends()
    assert set(end.aws.endpoints) == {IB_ID, S3_ID}
    assert end.events.reasons() == ["Retained"]
    assert f"{IB_ID}, {S3_ID}" in end.events.published[0].note


@pytest.mark.parametrize(
    ("tags", "holds"),
    [
        ({"ibpe.dev/retained": "team-b/images"}, True),
        ({}, True),
        ({"ibpe.dev/retained": "team-a/images", "ibpe.dev/cluster": "green", "ibpe.dev/owner": "x/y"}, False),
    ],
    ids=["another left it behind", "no tags", "we left it, and another took it since"],
)
def test_retain_is_held_by_what_is_recorded_and_was_not_let_go_by_us(tags: dict[str, str], *, holds: bool) -> None:
    end = Ending(spec=spec(deletionPolicy="Retain"), status=status_of(entry(IB)))
    end.aws.hold(made(IB, tags=tags))
    assert end.round().result == ("refused" if holds else "waiting")
    end.round(SECOND_LOOK_SECONDS)
    assert end.gone is not holds
    assert end.aws.endpoints[IB_ID].tags == tags


def test_retain_still_deletes_what_is_dead() -> None:
    end = Ending(spec=spec(deletionPolicy="Retain"))
    end.aws.hold(made(IB, state=EndpointState.FAILED))
    end.round()
    assert end.aws.writes() == [f"Delete {IB_ID}"]


def test_retain_keeps_what_somebody_else_stripped_of_its_tables() -> None:
    applied = entry(S3).model_copy(update={"applied": {"policy": "0123456789abcdef"}})
    end = Ending(status=status_of(applied), spec={**spec(), "deletionPolicy": "Retain"})
    end.aws.hold(made(S3, route_table_ids=frozenset()))
    end.round()
    assert not [call for call in end.aws.writes() if call.startswith("Delete")]


def test_retain_deletes_what_was_made_only_to_resolve_an_intent() -> None:
    end = Ending(spec=spec(deletionPolicy="Retain"), status=status_of(INTENT))
    for _ in range(3):
        end.round(1)
        end.aws.finish_deleting()
    assert end.aws.endpoints == {}


def test_abandon_with_the_account_releases_it_and_lists_what_is_left() -> None:
    end = Ending(status=status_of(entry(S3), INTENT), aws=Account(account=AccountID("210987654321")))
    end.resources.annotate(KEY, abandon=ACCOUNT)
    end.round()
    assert end.gone
    (event,) = end.events.published
    assert (event.reason, event.warning) == ("Abandoned", True)
    for words in (ACCOUNT, S3_ID, "an unanswered Create for imagebuilder"):
        assert words in event.note
    assert end.aws.calls == []


def test_abandon_with_another_account_releases_nothing() -> None:
    end = Ending()
    end.aws.hold(made(IB))
    end.resources.annotate(KEY, abandon="210987654321")
    end.round()
    assert not end.gone
    assert end.aws.writes()


def test_a_foreign_endpoint_of_the_vpc_is_left_alone() -> None:
    end = Ending()
    foreign = replace(made(IB, tags={**IB.tags, "ibpe.dev/cluster": "green"}), id=EndpointID("vpce-0000f0e1"))
    end.aws.hold(foreign)
    assert end.ends()
    assert end.aws.endpoints == {foreign.id: foreign}


# Turns


def test_a_deletion_waits_for_its_turn_without_a_failure_and_without_writing_again() -> None:
    end = Ending(turns=NoTurn("DeleteVpcEndpoints"))
    end.aws.hold(made(IB), made(S3))
    assert end.round() == Outcome(requeue_after=7.0, result="waiting")
    assert end.aws.writes() == []
    assert end.told(ConditionType.RECONCILING)[:2] == ("True", "Deleting")
    assert end.told()[0] == "False"
    written = len(end.resources.writes)
    assert end.round(7) == Outcome(requeue_after=7.0, result="waiting")
    assert len(end.resources.writes) == written
    end.turns.operations = ()
    assert end.round(7) == Outcome(requeue_after=5.0, result="waiting")
    assert end.aws.writes() == [f"Delete {IB_ID} {S3_ID}"]
    end.turns.operations = ("DeleteVpcEndpoints",)
    assert end.round(5) == Outcome(requeue_after=5.0, result="waiting"), "what AWS is at takes no turn"


def test_an_intent_waits_for_its_turn_and_what_is_known_is_deleted_meanwhile() -> None:
    end = Ending(status=status_of(INTENT, entry(S3)), turns=NoTurn("CreateVpcEndpoint"))
    end.aws.hold(made(S3))
    assert end.round() == Outcome(requeue_after=7.0, result="waiting")
    assert end.aws.writes() == [f"Delete {S3_ID}"]
    end.turns.operations = ()
    end.round(7)
    assert any(write.startswith("Create") for write in end.aws.writes())
