"""What one process remembers: contention within an hour, backoff by attempt, lag bounds; and that uids don't mix."""

from datetime import datetime, timedelta

import pytest

from ibpe.api.names import Role
from ibpe.reconcile.fields import Field
from ibpe.reconcile.memory import (
    CHANGE_REST,
    CONTENTION_WINDOW,
    LAG_BOUND,
    RECREATE_MAX_SECONDS,
    WITHDRAWAL_REST,
    Memory,
    Recollection,
    recreate_delay,
)
from tests.unit.reconcile.foreign import THEIRS
from tests.unit.reconcile.given import NOW

IB, S3 = Role.IMAGE_BUILDER, Role.S3
POLICY = (IB, Field.POLICY)


def repaired(*minutes: float) -> Recollection:
    """New drift of the policy, repaired at these minutes."""
    past = Recollection()
    for minute in minutes:
        past.note_repair(IB, Field.POLICY, "open", at(minute), new=True)
    return past


def at(minute: float) -> datetime:
    return NOW + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("minutes", "asked", "contended"),
    [
        ((), 0, False),
        ((0, 1), 2, False),
        ((0, 1, 2), 2, True),
        ((0, 1, 2), 59.9, True),
        ((0, 1, 2), 60, False),
        ((0, 30, 61), 61, False),
        ((0, 30, 59), 59, True),
        ((0, 30, 61, 62), 62, True),
    ],
    ids=str,
)
def test_three_repairs_within_the_hour_are_contention(
    minutes: tuple[float, ...], asked: float, *, contended: bool
) -> None:
    assert (POLICY in repaired(*minutes).patience(at(asked)).contended) is contended


def test_contention_is_of_one_field_of_one_role() -> None:
    assert repaired(0, 1, 2).patience(at(3)).contended == {POLICY}


def test_the_steps_of_one_repair_count_once_and_the_same_sight_again_counts_again() -> None:
    past = Recollection()
    past.note_repair(IB, Field.SUBNETS, "c", at(0), new=True)
    past.note_repair(IB, Field.SUBNETS, "a, c", at(1), new=False)
    past.note_repair(IB, Field.SUBNETS, "a, b, c", at(2), new=False)
    assert past.patience(at(2)).contended == frozenset()
    past.note_repair(IB, Field.SUBNETS, "a, b, c", at(3), new=False)
    past.note_repair(IB, Field.SUBNETS, "a, b, c", at(4), new=False)
    assert past.patience(at(4)).contended == {(IB, Field.SUBNETS)}


def test_what_aws_showed_mended_is_new_when_it_differs_again_and_does_not_rest() -> None:
    past = Recollection()
    past.note_change(IB, Field.POLICY, "open", NOW)
    past.note_change(IB, Field.TAGS, "none", NOW)
    past.note_seen(IB, {Field.TAGS})
    assert past.patience(NOW).resting == {(IB, Field.TAGS): "none"}
    past.note_seen(Role.S3, ())
    assert past.changes.keys() == {(IB, Field.TAGS)}


def test_a_sight_that_merely_lags_is_no_contention_and_is_left_alone_for_longer_each_time() -> None:
    past, now = Recollection(), NOW
    past.note_repair(IB, Field.POLICY, "open", now, new=True)
    rests = []
    for _ in range(4):
        rest = next(step for step in (5, 10, 20, 40, 60) if not past.patience(now + timedelta(seconds=step)).resting)
        rests.append(rest)
        now += timedelta(seconds=rest)
        past.note_repair(IB, Field.POLICY, "open", now, new=False)
    assert rests == [5, 10, 20, 40]
    assert len(past.repairs[IB, Field.POLICY]) < 3, "a Describe that lags for a minute"
    past.note_repair(IB, Field.POLICY, "open", now + timedelta(seconds=60), new=False)
    assert past.patience(now).contended == {(IB, Field.POLICY)}


def test_a_field_rests_for_a_moment_after_its_repair_with_what_was_seen_then() -> None:
    past = repaired(0)
    assert past.patience(NOW).resting == {POLICY: "open"}
    assert past.patience(NOW + CHANGE_REST).resting == {}


def test_a_change_to_an_edited_spec_rests_too_and_is_no_repair() -> None:
    past = Recollection()
    for minute in (0, 1, 2, 3):
        past.note_change(IB, Field.POLICY, "open", at(minute))
    assert past.patience(at(3)).resting == {POLICY: "open"}
    assert past.patience(at(3)).contended == frozenset()


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [(0, 0), (1, 0), (2, 10), (3, 20), (4, 40), (10, 2560), (11, RECREATE_MAX_SECONDS), (9999, RECREATE_MAX_SECONDS)],
)
def test_making_again_backs_off_by_attempt_up_to_an_hour(attempt: int, seconds: float) -> None:
    assert recreate_delay(attempt) == seconds


def test_the_wait_before_making_again_counts_from_the_last_create() -> None:
    past = Recollection(made_at={IB: (3, NOW), S3: (1, NOW)})
    assert past.patience(NOW + timedelta(seconds=5)).recreate_in == {IB: 15.0, S3: 0.0}
    assert past.patience(NOW + timedelta(hours=1)).recreate_in == {IB: 0.0, S3: 0.0}


def test_an_intent_is_given_up_beyond_the_lag_bound_only() -> None:
    past = Recollection()
    assert past.unseen_for("imagebuilder", NOW) == timedelta(0)
    assert past.unseen_for("imagebuilder", NOW + LAG_BOUND) == LAG_BOUND
    assert past.patience(NOW + LAG_BOUND).abandoned_intents == frozenset()
    assert past.patience(NOW + LAG_BOUND + timedelta(seconds=1)).abandoned_intents == {IB}


def test_an_edit_that_aws_is_slow_to_show_is_made_again_after_ever_longer_rests() -> None:
    past, now = Recollection(), NOW
    rests = []
    for _ in range(6):
        past.note_update(S3, Field.POLICY, "none of ours", now)
        rests.append(past.changes[S3, Field.POLICY].rest)
        now += rests[-1]
    assert [rest / CHANGE_REST for rest in rests] == [1, 2, 4, 8, 12, 12]
    past.note_update(S3, Field.POLICY, "another sight", now)
    assert past.changes[S3, Field.POLICY].rest == CHANGE_REST


def test_a_change_whose_answer_was_lost_does_not_grow_the_rest() -> None:
    past = Recollection()
    for _ in range(3):
        past.note_change(S3, Field.POLICY, "none of ours", NOW)
    assert past.changes[S3, Field.POLICY].rest == CHANGE_REST


def test_what_was_taken_out_of_a_policy_is_left_alone_while_aws_may_still_show_it() -> None:
    past = Recollection(withdrawn_at={THEIRS: NOW})
    assert past.patience(NOW).withdrawn == {THEIRS}
    assert past.patience(NOW + WITHDRAWAL_REST - timedelta(seconds=1)).withdrawn == {THEIRS}
    assert past.patience(NOW + WITHDRAWAL_REST).withdrawn == frozenset()


def test_resources_do_not_share_memory_and_what_is_gone_is_forgotten() -> None:
    memory = Memory()
    first = memory.of("uid-1")
    assert memory.of("uid-1") is first
    assert memory.of("uid-2") is not first
    memory.forget("uid-1")
    memory.forget("never seen")
    assert memory.of("uid-1") is not first


def test_the_window_of_contention_is_an_hour() -> None:
    assert timedelta(hours=1) == CONTENTION_WINDOW
