"""What a status says while AWS can't be looked at: at rest it stands for five minutes, and then it is unknown."""

from collections.abc import Callable

import pytest

from ibpe.api.names import ConditionType
from sandbox.aws.network import Network
from tests.faults.trial import KEY, Trial

STALE_SECONDS = 300.0
TROUBLES = [
    pytest.param("DescribeVpcEndpoints", "RequestLimitExceeded", 503, "R", id="throttled"),
    pytest.param("DescribeVpcEndpoints", "UnauthorizedOperation", 403, "U", id="denied"),
    pytest.param("GetCallerIdentity", "ExpiredToken", 400, "U", id="credentials-expired"),
    pytest.param("GetCallerIdentity", "InternalError", 500, "R", id="identity-unknown"),
]


@pytest.mark.parametrize(("action", "code", "http_status", "expected"), TROUBLES)
def test_ready_stands_until_the_last_good_snapshot_is_five_minutes_old_then_it_is_unknown_and_comes_back(
    action: str, code: str, http_status: int, expected: str, trial: Callable[..., Trial]
) -> None:
    life = trial().until_ready()
    life.at_rest(120)
    written = list(life.resources.writes)
    life.aws.control.fail(action, code, status=http_status)

    life.at_rest(STALE_SECONDS - 61)
    assert life.truth.ready.status == "True", f"one failed look is no news:\n{life.truth}"
    assert life.resources.writes == written, "a look that fails for a while is written nowhere"

    life.at_rest(122)
    ready = life.truth.ready
    assert (ready.status, ready.reason) == ("Unknown", "ObservationFailed"), f"a stale Ready:\n{life.truth}"
    for word in (action, code, "account 123456789012", "request "):
        assert word in ready.message, f"no {word!r} in: {ready.message}"
    assert life.condition(ConditionType.DRIFT_FREE).status == "Unknown"
    assert life.truth.stalled.status == ("True" if expected == "U" else "False"), str(life.truth)
    assert life.truth.reconciling.status == ("False" if expected == "U" else "True"), str(life.truth)

    written = list(life.resources.writes)
    life.at_rest(1800)
    assert life.resources.writes == written, "half an hour of the same trouble is written once"

    life.aws.control.clear_faults()
    life.at_rest(301)
    assert life.is_ready, f"sight is back, and the status says\n{life.truth}"


def test_a_short_failure_of_the_snapshot_leaves_no_trace(trial: Callable[..., Trial]) -> None:
    life = trial().until_ready()
    life.at_rest(120)
    before, written = life.status, list(life.resources.writes)

    life.aws.control.fail("DescribeVpcEndpoints", "InternalError", status=500)
    life.at_rest(200)
    life.aws.control.clear_faults()
    life.at_rest(300)

    assert life.status == before
    assert life.resources.writes == written
    assert "Refused" not in life.events.reasons()


def test_an_edit_while_aws_cannot_be_seen_is_not_called_ready(trial: Callable[..., Trial]) -> None:
    """Ready of the old spec says nothing about the new one."""
    life = trial().until_ready()
    life.at_rest(400)
    life.aws.control.fail("DescribeSecurityGroups", "RequestLimitExceeded", status=503)
    life.edit(tags={"team": "other"})

    life.round()

    ready = life.truth.ready
    assert (ready.status, ready.observed_generation) == ("Unknown", 2), str(life.truth)
    life.aws.control.clear_faults()
    life.until_ready()


def test_what_is_known_to_be_missing_is_not_called_ready_because_the_account_cannot_be_asked(
    trial: Callable[..., Trial], network: Network
) -> None:
    """Before absence is believed, and again before a Create, AWS is asked whose credentials these are."""
    life = trial().until_ready()
    gone = next(each.id for each in life.endpoints() if each.vpc_id == network.vpc_id)
    life.aws.control.vanish(gone)
    life.tier.look()
    calls = life.aws.control.cursor()
    life.aws.control.fail("GetCallerIdentity", "RequestLimitExceeded", status=503, skip=2)

    life.round()

    assert life.truth.ready.status == "False", f"the endpoint is gone, and the status says\n{life.truth}"
    assert (life.truth.reconciling.status, life.truth.reconciling.reason) == ("True", "Throttled")
    assert "CreateVpcEndpoint" not in life.aws.control.counts(since=calls)
    assert not any(entry.intent_open for entry in life.status.endpoints), "nothing was intended that was not sent"
    life.aws.control.clear_faults()
    life.until_ready()
    assert len(life.endpoints()) == 2


def test_an_operator_started_without_sight_tells_so_after_five_minutes(trial: Callable[..., Trial]) -> None:
    """There is no snapshot at all, and the status says Ready from an earlier life."""
    earlier = trial().until_ready()
    life = trial()
    life.resources.stored(KEY).status = earlier.resources.stored(KEY).status
    life.resources.stored(KEY).finalizers = earlier.resources.stored(KEY).finalizers
    life.aws.control.fail("DescribeVpcEndpoints", "InternalError", status=500)

    life.queue.add(KEY)
    life.at_rest(STALE_SECONDS - 10)
    early = life.truth
    assert early.ready.status == "True", f"one failed look is no news:\n{early}"

    life.at_rest(120)
    late = life.truth
    assert late.ready.status == "Unknown", f"a stale Ready:\n{late}"
