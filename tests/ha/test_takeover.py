"""Replicas that end, stop, or lose the API server: the other takes over, and never do two write."""

import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from datetime import timedelta

import pytest

from ibpe.runtime.elected import EXIT_NOT_LEADING
from sandbox.kube import ControlPlane
from sandbox.kube.hooks import Action, Hang, Refuse
from sandbox.stage import Stage
from tests.e2e.scene import eventually
from tests.ha.replicas import LEASE, PATIENCE_SECONDS, SHORT_TERMS, TRUE_TERMS, Pair, now

pytestmark = pytest.mark.e2e

OUTAGE = timedelta(seconds=30)
TAKEOVER = timedelta(seconds=20)
"""Of the Lease's end."""
RECOVERY = timedelta(seconds=30)
"""Of the outage's end."""


def killed(stage: Stage) -> None:
    with Pair(stage, TRUE_TERMS) as pair:
        old, new = pair.roles()
        old.kubelet.send(signal.SIGKILL)
        ended = pair.taken_over(new)
        assert pair.first_write(new, after=ended - timedelta(seconds=TRUE_TERMS.duration)) > ended
        assert pair.first_write(new, after=ended) - ended < TAKEOVER
        assert pair.roles() == (new, old), "who was killed is started again, and waits for its turn"
        assert old.exits == [-signal.SIGKILL]
        pair.conclude(old, new)


@contextlib.contextmanager
def _stage_of_its_own(stage: Stage) -> Iterator[Stage]:
    with ControlPlane() as plane, Stage(plane, stage.aws) as own:
        yield own


def _away(stage: Stage, leave: Callable[[ControlPlane], None], come_back: Callable[[ControlPlane], None]) -> None:
    """An API server that nobody can talk to for 30 seconds, a person with kubectl as little as the operators."""
    with _stage_of_its_own(stage) as own, Pair(own, TRUE_TERMS) as pair:
        old, other = pair.roles()
        leave(own.plane)
        left = now()
        pair.intrude()
        eventually(lambda: now() - left > OUTAGE, "the outage's end", timeout=2 * OUTAGE.total_seconds())
        assert pair.writes(after=left + timedelta(seconds=TRUE_TERMS.renew_deadline + 1)) == [], "none while none leads"
        assert (old.exits, other.exits) == ([EXIT_NOT_LEADING], [])
        assert other.ready
        assert (old.leads, other.leads) == (0, 0)
        back = now()
        come_back(own.plane)
        assert pair.repaired() - back < RECOVERY
        assert pair.first_write(after=back) - back < RECOVERY, "the edits that waited"
        leader, _ = pair.roles()
        assert (old.exits, other.exits) == ([EXIT_NOT_LEADING], [])
        pair.conclude(*dict.fromkeys((old, leader)))


def without_an_api_server_that_answers(stage: Stage) -> None:
    _away(stage, ControlPlane.pause, ControlPlane.resume)


def without_an_api_server(stage: Stage) -> None:
    _away(stage, ControlPlane.stop_apiserver, ControlPlane.start_apiserver)


# On short terms


def stopped_in_the_middle_of_a_reconcile_and_continued_after_the_lease(stage: Stage) -> None:
    with Pair(stage, SHORT_TERMS) as pair:
        old, new = pair.roles()
        held = pair.control.hold_answer("ModifyVpcEndpoint", access_key=old.key)
        pair.edit(imageBuilder={"privateDNS": False}, s3={"policy": {"baseline": "FullAccess"}})
        pair.control.wait_for_calls(1, action="ModifyVpcEndpoint", access_key=old.key, outcome="held")
        old.kubelet.send(signal.SIGSTOP)
        ended = pair.taken_over(new)
        assert pair.first_write(new, after=ended) - ended < TAKEOVER
        pair.control.release(held.id)  # the answer for which the next write waits
        old.kubelet.send(signal.SIGCONT)
        eventually(lambda: old.exits, "the old leader's end", explain=pair.explain)
        assert pair.roles() == (new, old), "it waits for its turn"
        assert old.exits == [EXIT_NOT_LEADING]
        pair.conclude(old, new)


def _cut_off(stage: Stage, action: Action) -> None:
    with Pair(stage, SHORT_TERMS, proxied=True) as pair:
        old, new = pair.roles()
        assert old.proxy is not None
        cut = old.proxy.on_request(lambda _: True, action, None)
        old.proxy.drop_connections()
        ended = pair.taken_over(new)
        assert pair.first_write(new, after=ended) - ended < TAKEOVER
        assert "No longer leading: the Lease could not be renewed in time." in old.log
        assert old.kubelet.exits[0].at < ended, "it ended before the Lease did"
        cut.remove()
        assert pair.roles() == (new, old)
        assert old.exits == [EXIT_NOT_LEADING], "once: without the API server it waits"
        pair.conclude(old, new)


def cut_off_from_an_api_server_that_refuses(stage: Stage) -> None:
    _cut_off(stage, Refuse())


def cut_off_from_an_api_server_that_hangs(stage: Stage) -> None:
    _cut_off(stage, Hang())


def both_cut_off_while_users_and_intruders_go_on(stage: Stage) -> None:
    with Pair(stage, SHORT_TERMS, proxied=True) as pair:
        old, new = pair.roles()
        cuts = []
        for each in pair.replicas:
            assert each.proxy is not None
            cuts.append(each.proxy.on_request(lambda _: True, Refuse(), None))
            each.proxy.drop_connections()
        eventually(lambda: old.exits, "the leader's end", timeout=PATIENCE_SECONDS, explain=pair.explain)
        pair.intrude()
        silent = now()
        eventually(lambda: now() - silent > timedelta(seconds=SHORT_TERMS.duration), "the Lease's end")
        assert pair.writes(after=silent) == [], "nobody writes who can't know whether another does"
        assert new.ready
        assert new.leads == 0
        ended = now()
        for cut in cuts:
            cut.remove()
        assert pair.repaired() - ended < RECOVERY
        assert (old.exits, new.exits) == ([EXIT_NOT_LEADING], [])
        leader, _ = pair.roles()  # either: the last renewal may be one that the other never saw
        pair.conclude(*dict.fromkeys((old, leader)))


def replaced_in_an_orderly_way_on_a_lease_that_nobody_had_made(stage: Stage) -> None:
    with Pair(stage, SHORT_TERMS, free=False) as pair:
        old, new = pair.roles()
        spec = pair.lease()
        assert spec is not None
        assert spec.lease_transitions == 0
        held = pair.control.hold_answer("CreateTags", access_key=old.key)
        pair.control.wait_for_calls(1, action="CreateTags", access_key=old.key, outcome="held")
        old.kubelet.send(signal.SIGTERM)
        eventually(lambda: "no new work is begun" in old.log, "SIGTERM seen", explain=pair.explain)
        asked = now()
        eventually(lambda: now() - asked > timedelta(seconds=2 * SHORT_TERMS.retry), "the other has looked twice")
        assert pair.leader() is old, "it holds on to the Lease while it works"
        released = now()
        pair.control.release(held.id)
        assert pair.first_write(new, after=released) - released < TAKEOVER
        eventually(lambda: old.exits, "the old leader's end", explain=pair.explain)
        assert old.exits == [0]
        assert "Released the Lease." in old.log
        spec = pair.lease()
        assert spec is not None
        assert (spec.lease_transitions, spec.lease_duration_seconds) == (1, SHORT_TERMS.duration)
        assert spec.acquire_time is not None
        waited = spec.acquire_time - old.kubelet.exits[0].at
        assert waited < timedelta(seconds=SHORT_TERMS.renew_deadline), "it was told, and did not wait for the end"
        pair.conclude(old, new)


def parted_from_their_lease_by_somebody_who_deletes_it(stage: Stage) -> None:
    with Pair(stage, SHORT_TERMS) as pair:
        old, new = pair.roles()
        stage.plane.kubectl("delete", "lease", LEASE, "-n", pair.namespace)
        deleted = now()
        eventually(lambda: old.exits, "the leader's end", explain=pair.explain)
        ended = old.kubelet.exits[0].at
        again = pair.first_write(after=ended)
        assert again - deleted >= timedelta(seconds=SHORT_TERMS.duration), "a vanished Lease may still be counted on"
        assert again - deleted < TAKEOVER
        assert (old.exits, new.exits) == ([EXIT_NOT_LEADING], [])
        leader, _ = pair.roles()
        pair.conclude(*dict.fromkeys((old, leader)))


SCENARIOS = {  # the longest first
    each.__name__.replace("_", " "): each
    for each in (
        without_an_api_server_that_answers,
        without_an_api_server,
        killed,
        stopped_in_the_middle_of_a_reconcile_and_continued_after_the_lease,
        cut_off_from_an_api_server_that_refuses,
        cut_off_from_an_api_server_that_hangs,
        both_cut_off_while_users_and_intruders_go_on,
        replaced_in_an_orderly_way_on_a_lease_that_nobody_had_made,
        parted_from_their_lease_by_somebody_who_deletes_it,
    )
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_one_writes_after_the_other_when_they_are(scenario: str, played: Mapping[str, Future[None]]) -> None:
    played[scenario].result()
