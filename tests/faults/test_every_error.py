"""Every kind of trouble at every call that reconciling makes: told rightly, survived, and over when it is over."""

from collections.abc import Callable, Iterator

import pytest

from ibpe.api.status import Status
from ibpe.aws.ec2 import BotoCloud
from tests.faults import golden
from tests.faults.calls import CALLS, Call
from tests.faults.errors import Row, rows_for
from tests.faults.owner import POLICY, holds_ours, shared
from tests.faults.trial import KEY, Trial

REST_ROUNDS = 10


def name_of(row: Row) -> str:
    return row.name.replace(", ", "-").replace(" ", "-")


def alone() -> Iterator[object]:
    for call in CALLS:
        for row in rows_for(call):
            if not row.in_turn:
                yield pytest.param(call, row, id=f"{call.name}-{name_of(row)}")


@pytest.mark.parametrize(("call", "row"), list(alone()))
def test_trouble_is_told_for_what_it_is_and_overcome(
    call: Call, row: Row, trial: Callable[..., Trial], impatient_cloud: BotoCloud
) -> None:
    life = trial(**call.spec) if row.effect != "hang" else trial(impatient_cloud, **call.spec)
    uid = life.resources.stored(KEY).uid
    call.before(life)

    _meet(life, call, row)

    _check_recovery(life, call, uid)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_troubles_in_turn_are_each_told_for_what_they_are_and_overcome_in_the_end(
    call: Call, trial: Callable[..., Trial]
) -> None:
    """Those that can meet every call, one straight after the other."""
    life = trial(**call.spec)
    uid = life.resources.stored(KEY).uid
    call.before(life)

    for number, row in enumerate(row for row in rows_for(call) if row.in_turn):
        _meet(life, call, row, rounds=1 if number else 2)

    _check_recovery(life, call, uid)


def _meet(life: Trial, call: Call, row: Row, rounds: int = 2) -> None:
    """Rounds with the trouble: told rightly after so many, and not a word otherwise after one more."""
    known = _roles(life)
    someone = min(known, key=lambda id_: known[id_], default="vpce-0a1b2c3d4e5f60718")
    fault = life.aws.control.fault(row.fault(call, life.network, someone))
    life.queue.forget(KEY)

    for _ in range(rounds):
        _round_that_meets(life, fault.id)
    before = life.status
    rested = _round_that_meets(life, fault.id) > 1

    _check_class(life, call, row)
    churn = _differences(before, life.status, but_for_requests=rested)
    assert not churn, f"{row.name} is the same each time, and the status is not: {churn}"
    golden.check(call.name, row.name, golden.in_words(str(life.truth), life.network, known | _roles(life)))
    life.aws.control.remove_fault(fault.id)


def _roles(life: Trial) -> dict[str, str]:
    """What each endpoint is for, those too that are gone and that the status still names."""
    recorded = {entry.id: entry.role.value for entry in life.status.endpoints if entry.id}
    return recorded | {each.id: each.service_name.rpartition(".")[2] for each in life.endpoints()}


def _round_that_meets(life: Trial, fault_id: int) -> int:
    """Rounds until the trouble was met: after a change that may have been made, one rests until AWS shows it."""

    def hits() -> int:
        return next(each.hits for each in life.aws.control.faults() if each.id == fault_id)

    before = hits()
    for number in range(1, REST_ROUNDS + 1):
        life.round()
        if hits() > before:
            return number
    raise AssertionError(f"the call was not made again; the status:\n{life.truth}\nand the calls:\n{life.story()}")


def _differences(before: Status, after: Status, *, but_for_requests: bool) -> list[str]:
    def words(status: Status) -> dict[str, str]:
        plain = {name: str(value) for name, value in status.model_dump().items()}
        return {name: golden.without_requests(text) if but_for_requests else text for name, text in plain.items()}

    old, new = words(before), words(after)
    return [f"{name}: {old[name]} -> {new[name]}" for name in old if old[name] != new[name]]


def _check_class(life: Trial, call: Call, row: Row) -> None:
    truth = life.truth
    busy, stuck = truth.reconciling.status, truth.stalled.status
    if call.settled:
        assert (truth.ready.status, busy, stuck) == ("True", "False", "False"), (
            f"one look that fails is no news:\n{truth}"
        )
        return
    expected = ("True", "False") if row.expected == "R" else ("False", "True")
    assert (busy, stuck) == expected, f"{row.name}, of class {row.expected}, is told as\n{truth}"
    if row.expected != "R" or call.deleting:
        assert truth.ready.status == "False" or truth.ready.reason == "ObservationFailed", f"{truth}"
    said = truth.stalled.message if row.expected != "R" else truth.reconciling.message
    assert said


def _check_recovery(life: Trial, call: Call, uid: str) -> None:
    if call.deleting:
        life.until_gone()
        left = [each for each in life.endpoints() if "ibpe.dev/cluster" in each.tags]
        assert left == [], f"endpoints are left:\n{life.story()}"
    else:
        life.round()  # a status that stood through the trouble is Ready at once
        life.until_ready()
        _check_endpoints(life, call)
    if call.contributed is not None:
        assert holds_ours(life, uid) is call.contributed, f"{shared(life).policy}\n{life.story()}"
        assert '"Sid":"Team"' in shared(life).policy
        assert call.contributed or shared(life).policy == POLICY


def _check_endpoints(life: Trial, call: Call) -> None:
    held = sorted(each.service_name for each in life.endpoints() if "ibpe.dev/cluster" in each.tags)
    wanted = {"com.amazonaws.us-west-2.imagebuilder", "com.amazonaws.us-west-2.s3"}
    if call.name == "retire" or call.contributed is not None:
        wanted.remove("com.amazonaws.us-west-2.s3")
    assert held == sorted(wanted), f"{held}\n{life.story()}"
