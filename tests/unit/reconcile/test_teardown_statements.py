"""The end of our statements in others' policies: taken out before the finalizer goes, or left there and said so."""

from dataclasses import replace

import pytest

from ibpe.api.names import ConditionType, Role
from ibpe.api.status import EndpointStatus, Status
from ibpe.aws.errors import classify
from ibpe.aws.gateway import AccountID, Endpoint, EndpointID, EndpointState
from ibpe.policy.contribution import contribute, is_contributed, mark
from ibpe.policy.parse import parse_statements
from ibpe.policy.values import Values
from ibpe.reconcile.memory import LAG_BOUND, WITHDRAWAL_REST, Recollection
from ibpe.reconcile.ports import Outcome
from ibpe.reconcile.teardown import LOOK_AGAIN_SECONDS, SECOND_LOOK_SECONDS
from tests.unit.reconcile.account import Account
from tests.unit.reconcile.foreign import OTHERS, TEAM, THEIRS, gateway, policy
from tests.unit.reconcile.given import ACCOUNT, CLUSTER, KEY, S3_ID, entry, made, spec, status_of, wanted
from tests.unit.reconcile.test_teardown import Ending

MINE, NAMESAKES, COUSINS = mark(CLUSTER, "uid-1"), mark(CLUSTER, "uid-0"), mark("green", "uid-1")
PLAIN = policy(TEAM)
SPEC = {**spec(imageBuilder=None), "s3": {"mode": "Contribute", "endpointID": THEIRS}}
DENIED = classify("ModifyVpcEndpoint", "UnauthorizedOperation", "You may not.", 403)


def with_marks(text: str, *marks: str) -> str:
    """A policy with a statement of each mark in it."""
    for each in marks:
        reading: Values = {
            "Sid": f"{each}AllowReading",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": "*",
        }
        text = contribute(text, parse_statements([reading], "Statement"), each)
    return text


def shared(*marks: str, text: str = PLAIN) -> Endpoint:
    return gateway(with_marks(text, *marks))


def recorded(*ids: str) -> Status:
    """The status of a resource that contributes to the first, and was sent to all."""
    entry_ = EndpointStatus.model_validate(
        {
            "role": Role.S3,
            "ownership": "Contributed",
            "id": ids[0],
            "state": "available",
            "contributed_ids": ids,
            "unshown_ids": ids,
        }
    )
    return status_of(entry_)


class Swapping(Account):
    """An account whose credentials are exchanged for another's after the first look by id."""

    def endpoint(self, endpoint_id: EndpointID) -> Endpoint | None:
        found = None if self.account != ACCOUNT else super().endpoint(endpoint_id)
        self.account = AccountID("210987654321")
        return found


def ending(*endpoints: Endpoint, status: Status | None = None, **of_spec: object) -> Ending:
    end = Ending(status=status or recorded(THEIRS), spec={**SPEC, **of_spec})
    end.aws.hold(*endpoints)
    return end


def text_of(end: Ending) -> str:
    return end.aws.endpoints[THEIRS].policy


def test_they_are_taken_out_in_one_write_and_then_the_finalizer_goes() -> None:
    end = ending(shared(MINE))
    assert end.round() == Outcome(requeue_after=SECOND_LOOK_SECONDS, result="waiting")
    assert end.aws.writes() == [f"Modify {THEIRS}"]
    assert text_of(end) == PLAIN
    status, _, words = end.told(ConditionType.READY)
    assert status == "False"
    assert f"our statements in the policy of {THEIRS}" in words
    assert end.ends()
    assert end.aws.writes() == [f"Modify {THEIRS}"]
    assert end.events.reasons() == ["Deleted"]


def test_what_the_status_lost_is_found_by_the_mark() -> None:
    end = ending(shared(MINE), status=status_of())
    end.round()
    assert text_of(end) == PLAIN
    assert end.ends()


def test_those_of_every_endpoint_that_was_ever_contributed_to_go() -> None:
    end = ending(shared(MINE), replace(shared(MINE), id=OTHERS), status=recorded(THEIRS, OTHERS))
    end.round()
    assert not any(is_contributed(each.policy, MINE) for each in end.aws.endpoints.values())
    assert end.ends()


@pytest.mark.parametrize("other", [NAMESAKES, COUSINS], ids=["a namesake of before", "another cluster's"])
def test_those_of_others_stay(other: str) -> None:
    end = ending(shared(other, MINE))
    end.round()
    assert text_of(end) == with_marks(PLAIN, other)
    assert end.ends()
    untouched = ending(shared(other), status=status_of())
    assert untouched.ends()
    assert untouched.aws.writes() == []


def test_they_go_beside_an_endpoint_of_our_own() -> None:
    own = wanted(Role.S3)
    end = ending(shared(MINE), made(own), status=status_of(entry(own, contributed_ids=(THEIRS,))))
    end.round()
    assert end.aws.writes() == [f"Modify {THEIRS}", f"Delete {S3_ID}"]
    assert not end.gone


# What is not shown


def test_statements_that_an_earlier_process_saw_and_took_out_hold_nothing() -> None:
    seen_before = recorded(THEIRS).endpoint(Role.S3).model_copy(update={"unshown_ids": ()})
    end = ending(shared(), status=status_of(seen_before))
    assert end.ends()
    assert end.aws.writes() == []


def test_that_they_were_shown_is_remembered_beyond_the_process() -> None:
    end = ending(shared(MINE))
    end.round()
    left = end.resources.get(KEY)
    assert left is not None
    assert left.status.endpoint(Role.S3).unshown_ids == ()
    end.past = Recollection()
    assert end.ends()


def test_while_aws_shows_them_still_they_are_not_written_again() -> None:
    end = ending(shared(MINE))
    end.aws.lagging[THEIRS] = shared(MINE)
    end.round()
    assert text_of(end) == PLAIN
    assert end.round(LOOK_AGAIN_SECONDS) == Outcome(requeue_after=LOOK_AGAIN_SECONDS, result="waiting")
    assert end.aws.writes() == [f"Modify {THEIRS}"]
    assert not end.gone
    end.aws.lagging.clear()
    assert end.ends()


def test_where_somebody_puts_them_back_they_are_taken_out_again() -> None:
    end = ending(shared(MINE))
    end.round()
    end.aws.hold(shared(MINE))
    end.round(WITHDRAWAL_REST.total_seconds())
    assert end.aws.writes() == [f"Modify {THEIRS}"] * 2
    assert end.ends()


def test_statements_that_were_sent_and_never_shown_hold_it_for_the_lag_bound() -> None:
    end = ending(shared())
    assert end.round() == Outcome(requeue_after=LOOK_AGAIN_SECONDS, result="waiting")
    assert f"our statements in the policy of {THEIRS} (not shown by AWS yet)" in end.told(ConditionType.READY)[2]
    end.round(LAG_BOUND.total_seconds())
    assert not end.gone
    assert end.ends()
    assert end.aws.writes() == []


def test_statements_that_appear_late_are_taken_out() -> None:
    end = ending(shared())
    end.round()
    end.aws.hold(shared(MINE))
    end.round(LOOK_AGAIN_SECONDS)
    assert text_of(end) == PLAIN
    assert end.ends()


def test_what_a_list_of_before_shows_and_a_look_by_id_does_not_is_gone() -> None:
    end = ending(shared(), status=status_of())
    end.hints.listed[THEIRS] = shared(MINE)
    assert end.ends()
    assert end.events.reasons() == ["Deleted"]


@pytest.mark.parametrize("state", [None, EndpointState.DELETED], ids=["gone", "deleted and still listed"])
def test_with_the_endpoint_they_are_gone(state: EndpointState | None) -> None:
    end = ending(*([replace(shared(MINE), state=state)] if state else []))
    assert end.ends()
    assert end.aws.writes() == []


def test_that_the_endpoint_is_gone_is_not_proved_by_other_credentials() -> None:
    end = Ending(status=recorded(OTHERS, THEIRS), spec=SPEC, aws=Swapping())
    end.aws.hold(replace(shared(MINE), id=OTHERS), shared(MINE))
    assert end.round() == Outcome(retry=True, result="refused")
    assert end.told()[:2] == ("True", "AccountMismatch")
    left = end.resources.get(KEY)
    assert left is not None
    assert left.status.endpoint(Role.S3).contributed_ids == (OTHERS, THEIRS)
    assert end.aws.writes() == []


def test_while_aws_works_on_the_endpoint_they_wait() -> None:
    end = ending(replace(shared(MINE), state=EndpointState.PENDING))
    assert end.round().result == "waiting"
    assert end.aws.writes() == []
    assert not end.gone


def test_a_refused_write_holds_it_and_says_the_way_out() -> None:
    end = ending(shared(MINE))
    end.aws.fail["Modify"] = DENIED
    assert end.round() == Outcome(retry=True, result="error")
    status, reason, words = end.told()
    assert (status, reason) == ("True", "AccessDenied")
    assert "ibpe.dev/abandon" in words
    end.aws.fail.clear()
    end.round(1)
    assert end.ends()


# What stays


def test_where_nothing_else_would_be_left_they_stay_and_that_is_told() -> None:
    alone = shared(MINE).policy.replace(f"{TEAM},", "")
    end = ending(gateway(alone))
    assert end.ends()
    assert text_of(end) == alone
    stays, deleted = end.events.published
    assert (stays.reason, stays.warning, deleted.reason) == ("StatementsRetained", True, "Deleted")
    assert THEIRS in stays.note
    assert "without them it would be empty" in stays.note
    assert deleted.note == "AWS shows nothing else of it."


def test_the_last_of_several_contributors_leaves_its_own() -> None:
    both = with_marks(PLAIN, NAMESAKES, MINE).replace(f"{TEAM},", "")
    end = ending(gateway(both))
    end.round()
    assert text_of(end) == with_marks(PLAIN, NAMESAKES).replace(f"{TEAM},", "")


def test_retain_leaves_them_and_says_so() -> None:
    end = ending(shared(MINE), deletionPolicy="Retain")
    assert end.ends()
    assert text_of(end) == with_marks(PLAIN, MINE)
    assert end.events.reasons() == ["StatementsRetained", "Retained"]
    assert THEIRS in end.events.published[0].note


def test_abandon_lists_them() -> None:
    end = ending(shared(MINE))
    end.resources.annotate(KEY, abandon=ACCOUNT)
    end.round()
    assert end.gone
    assert f"our statements in the policy of {THEIRS}" in end.events.published[0].note
    assert end.aws.writes() == []


def test_suspended_they_stay_and_hold_it() -> None:
    end = ending(shared(MINE), suspend=True)
    assert end.round().result == "refused"
    assert text_of(end) == with_marks(PLAIN, MINE)
    assert not end.gone


def test_an_endpoint_that_was_only_looked_at_is_not_touched() -> None:
    looked = EndpointStatus.model_validate(
        {"role": Role.S3, "ownership": "Existing", "id": THEIRS, "state": "available"}
    )
    end = ending(shared(), status=status_of(looked))
    assert end.ends()
    assert end.aws.writes() == []
