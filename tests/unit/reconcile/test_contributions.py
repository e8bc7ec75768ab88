"""Where our statements are: what was seen and no longer is, is gone; what was sent and never seen may yet appear."""

from datetime import timedelta

import pytest

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus
from ibpe.aws.gateway import Endpoint, EndpointID, EndpointState
from ibpe.reconcile.contributions import Contributions, begin_waiting, contributed_ids, contributions
from ibpe.reconcile.memory import LAG_BOUND, Recollection
from tests.unit.reconcile.foreign import MARK, OTHERS, STRAY, TEAM, THEIRS, contributing, gateway, policy, with_ours
from tests.unit.reconcile.given import NOW, status_of

HELD, PLAIN = gateway(with_ours(policy(TEAM), contributing())), gateway(policy(TEAM))
GONE = gateway(HELD.policy, state=EndpointState.DELETED)
A_SECOND = timedelta(seconds=1)


def seen(
    recorded: dict[EndpointID, Endpoint | None],
    past: Recollection | None = None,
    after: timedelta = timedelta(0),
    listed: tuple[Endpoint, ...] = (),
    *,
    unshown: bool = True,
) -> Contributions:
    """What is concluded; `unshown`: of what is recorded nothing was shown yet."""
    not_yet = frozenset(recorded if unshown else ())
    return contributions(listed, recorded, not_yet, MARK, past or Recollection(), NOW + after)


def test_what_a_list_shows_is_found_whether_it_is_recorded_or_not() -> None:
    stray = gateway(policy(TEAM, STRAY), id=OTHERS)
    assert seen({}, listed=(HELD, stray)) == Contributions((HELD, stray), frozenset())
    assert seen({THEIRS: HELD}, listed=(HELD,)) == Contributions((HELD,), frozenset())


def test_statements_that_were_seen_and_no_longer_are_are_gone() -> None:
    assert seen({THEIRS: HELD}, unshown=False) == Contributions((HELD,), frozenset())
    assert seen({THEIRS: PLAIN}, unshown=False) == Contributions((), frozenset({THEIRS}))


def test_statements_that_were_sent_and_never_seen_are_awaited_for_the_lag_bound() -> None:
    past = Recollection()
    for after in (timedelta(0), LAG_BOUND):
        assert seen({THEIRS: PLAIN}, past, after) == Contributions((), frozenset())
    assert seen({THEIRS: PLAIN}, past, LAG_BOUND + A_SECOND) == Contributions((), frozenset({THEIRS}))


def test_being_seen_once_begins_the_lag_anew() -> None:
    past = Recollection()
    seen({THEIRS: PLAIN}, past)
    seen({THEIRS: HELD}, past, LAG_BOUND)
    assert seen({THEIRS: PLAIN}, past, LAG_BOUND + A_SECOND).proved_without == frozenset()
    assert seen({THEIRS: PLAIN}, past, 2 * LAG_BOUND + 2 * A_SECOND).proved_without == {THEIRS}


@pytest.mark.parametrize("shown", [None, GONE], ids=["not found", "deleted and still listed"])
def test_with_the_endpoint_its_statements_are_gone(shown: Endpoint | None) -> None:
    listed = (shown,) if shown else ()
    assert seen({THEIRS: shown}, listed=listed) == Contributions((), frozenset({THEIRS}))
    assert seen({}, listed=listed) == Contributions((), frozenset())


def test_putting_them_in_again_begins_the_lag_anew() -> None:
    past = Recollection()
    seen({THEIRS: PLAIN}, past)
    begin_waiting(past, THEIRS)
    assert seen({THEIRS: PLAIN}, past, LAG_BOUND + A_SECOND).proved_without == frozenset()


def test_each_endpoint_has_a_wait_of_its_own() -> None:
    past, other = Recollection(), gateway(policy(TEAM), id=OTHERS)
    seen({THEIRS: PLAIN}, past)
    late = LAG_BOUND + A_SECOND
    assert seen({THEIRS: PLAIN, OTHERS: other}, past, late).proved_without == {THEIRS}


def test_the_status_names_them_in_every_role() -> None:
    status = status_of(
        EndpointStatus(role=Role.IMAGE_BUILDER, contributed_ids=(OTHERS,)),
        EndpointStatus(role=Role.S3, id=THEIRS, contributed_ids=(THEIRS,)),
    )
    assert list(contributed_ids(status)) == [OTHERS, THEIRS]
