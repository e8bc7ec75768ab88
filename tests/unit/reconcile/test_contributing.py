"""Editing a policy that others edit too: read by id, write once, read again; one at a time for each endpoint."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import cast

import pytest

from ibpe.aws.errors import AwsError, classify
from ibpe.aws.gateway import Endpoint, EndpointID, EndpointState, Gateway, ModifyEndpoint
from ibpe.policy.contribution import contribute
from ibpe.policy.document import SIZE_LIMIT, PolicyError
from ibpe.reconcile.contributing import EndpointLocks, edit_policy
from tests.unit.reconcile.foreign import MARK, OTHERS, TEAM, THEIRS, contributing, gateway, ours, policy

PLAIN = policy(TEAM)
DENIED = classify("ModifyVpcEndpoint", "UnauthorizedOperation", "You may not.", 403)
WAIT_SECONDS = 30.0


@dataclass
class Policies:
    """Of Gateway what editing calls: the policies that AWS holds, and who is at which of them, when."""

    texts: dict[EndpointID, str] = field(default_factory=lambda: {THEIRS: PLAIN})
    state: EndpointState = EndpointState.AVAILABLE
    fail: dict[str, AwsError] = field(default_factory=dict)
    calls: list[tuple[str, EndpointID]] = field(default_factory=list)
    after_read: Callable[[EndpointID], None] = lambda _id: None
    """Called between the answer to a read and whatever the reader does with it."""

    def endpoint(self, endpoint_id: EndpointID) -> Endpoint | None:
        self._call("read", endpoint_id)
        text = self.texts.get(endpoint_id)
        self.after_read(endpoint_id)
        return None if text is None else gateway(text, id=endpoint_id, state=self.state)

    def modify_endpoint(self, request: ModifyEndpoint) -> None:
        assert request == ModifyEndpoint(request.id, policy=request.policy), "nothing else of it is ours to change"
        self._call("write", request.id)
        self.texts[request.id] = str(request.policy)

    def _call(self, what: str, endpoint_id: EndpointID) -> None:
        self.calls.append((what, endpoint_id))
        if what in self.fail:
            raise self.fail[what]

    def edit(self, change: Callable[[str], str | None], locks: EndpointLocks | None = None) -> bool:
        return edit_policy(cast("Gateway", self), locks or EndpointLocks(), THEIRS, change)


def refused(_text: str) -> str:
    raise PolicyError("policy", "it is none", "write one")


def test_it_is_read_by_id_written_once_and_read_again() -> None:
    aws = Policies()
    assert aws.edit(lambda text: text.replace("Team", "Crew"))
    assert aws.calls == [("read", THEIRS), ("write", THEIRS), ("read", THEIRS)]
    assert aws.texts[THEIRS] == PLAIN.replace("Team", "Crew")


@pytest.mark.parametrize(
    ("aws", "change"),
    [
        (Policies(), lambda text: text),
        (Policies(), lambda _text: None),
        (Policies(), lambda _text: "x" * (SIZE_LIMIT + 1)),
        (Policies(), refused),
        (Policies(texts={}), str.upper),
        (Policies(state=EndpointState.DELETED), str.upper),
    ],
    ids=["unchanged", "nothing to write", "too long", "unreadable", "gone", "deleted and still listed"],
)
def test_nothing_is_written_where(aws: Policies, change: Callable[[str], str | None]) -> None:
    assert not aws.edit(change)
    assert aws.calls == [("read", THEIRS)]


def test_a_policy_as_long_as_aws_takes_is_written() -> None:
    aws = Policies()
    assert aws.edit(lambda _text: "x" * SIZE_LIMIT)
    assert len(aws.texts[THEIRS]) == SIZE_LIMIT


@pytest.mark.parametrize("operation", ["read", "write"])
def test_a_call_that_fails_is_the_callers_and_the_endpoint_is_free_again(operation: str) -> None:
    aws, locks = Policies(fail={operation: DENIED}), EndpointLocks()
    with pytest.raises(AwsError):
        aws.edit(str.upper, locks)
    aws.fail.clear()
    with ThreadPoolExecutor(1) as other:  # another thread: one that holds a lock for good would not wait for itself
        assert other.submit(aws.edit, str.upper, locks).result(WAIT_SECONDS)


def test_a_foreign_edit_before_our_read_is_kept() -> None:
    want = contributing()
    aws = Policies()
    aws.texts[THEIRS] = policy(TEAM, TEAM.replace("Team", "Late"))  # since the snapshot that the plan was made from
    assert aws.edit(lambda text: contribute(text, ours(want), MARK))
    assert '"Late"' in aws.texts[THEIRS]
    assert ours(want)[0].sid in aws.texts[THEIRS]


# One at a time


@dataclass
class Meeting:
    """Two threads that meet between a read and a write, if nothing keeps them apart."""

    patience: float
    met: bool = False
    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(2))

    def __call__(self, _endpoint_id: EndpointID) -> None:
        try:
            self.barrier.wait(self.patience)
        except threading.BrokenBarrierError:
            return
        self.met = True


def at_once(*edits: Callable[[], bool]) -> None:
    with ThreadPoolExecutor(len(edits)) as threads:
        for done in [threads.submit(edit) for edit in edits]:
            assert done.result(WAIT_SECONDS)


def appending(aws: Policies, locks: EndpointLocks, endpoint_id: EndpointID, letter: str) -> Callable[[], bool]:
    def once(text: str) -> str:
        return text if letter in text else text + letter

    return lambda: edit_policy(cast("Gateway", aws), locks, endpoint_id, once)


def test_two_who_edit_one_endpoint_come_one_after_the_other() -> None:
    meeting, locks = Meeting(patience=0.3), EndpointLocks()
    aws = Policies(texts={THEIRS: "-"}, after_read=meeting)
    at_once(appending(aws, locks, THEIRS, "a"), appending(aws, locks, THEIRS, "b"))
    assert not meeting.met, "the second read what the first was about to change"
    assert sorted(aws.texts[THEIRS]) == ["-", "a", "b"]


def test_two_who_edit_different_endpoints_do_not_wait_for_each_other() -> None:
    meeting, locks = Meeting(patience=WAIT_SECONDS), EndpointLocks()
    aws = Policies(texts={THEIRS: "-", OTHERS: "-"}, after_read=meeting)
    at_once(appending(aws, locks, THEIRS, "a"), appending(aws, locks, OTHERS, "b"))
    assert meeting.met
    assert aws.texts == {THEIRS: "-a", OTHERS: "-b"}


def test_many_who_come_and_go_are_never_two_at_once() -> None:
    locks, busy, aws = EndpointLocks(), threading.Lock(), Policies(texts={THEIRS: ""})

    def append(text: str) -> str:
        assert busy.acquire(blocking=False), "two are at one endpoint"
        time.sleep(0)  # lets another thread on, if there is one that may go on
        busy.release()
        return f"{text}x"

    def many() -> bool:
        return all(aws.edit(append, locks) for _ in range(50))

    at_once(*[many] * 4)
    assert len(aws.texts[THEIRS]) == 200
