"""What the operator must not do, whatever is there: write while suspended, repair in Report, leave or take too much."""

from hypothesis import given
from hypothesis import strategies as st

from ibpe.api.names import ConditionType
from tests.property.bounds import BOUNDED
from tests.property.priors import intrusions, predecessors, strangers
from tests.property.specs import specs
from tests.property.world import KEY, OURS, Site, World


@given(data=st.data())
@BOUNDED
def test_a_suspended_resource_writes_nothing_and_shows_its_plan(site: Site, data: st.DataObject) -> None:
    world = World(site)
    for thing in data.draw(st.lists(st.one_of(strangers(site.ground), predecessors(site.ground)), max_size=3), "prior"):
        thing.happen(world)
    world.pass_time(60.0)  # what is deleting is gone, so that nothing changes by itself any more
    cursor = world.aws.control.cursor()
    world.apply({**data.draw(specs(site.ground), "spec"), "suspend": True})
    for _ in range(3):
        world.round()
        world.pass_time(30.0)
    assert not world.writes(cursor), world.story()
    assert world.resources.stored(KEY).finalizers == (), "a resource that made nothing must be deletable without us"
    assert world.resources.writes == [("status", KEY)], world.story()
    planned, told = len(world.plan().actions), world.condition(ConditionType.READY).message
    assert told == (f"Suspended: {planned} action(s) wait in status.plan." if planned else "Suspended: nothing waits.")
    assert (len(world.status.plan) > 0) >= (planned > 0), world.story()


@given(data=st.data())
@BOUNDED
def test_in_report_no_intrusion_is_answered_with_a_write(site: Site, data: st.DataObject) -> None:
    world = World(site)
    world.apply({**data.draw(specs(site.ground), "spec"), "driftPolicy": "Report"})
    world.converge()
    for intrusion in data.draw(st.lists(intrusions(site.ground), min_size=1, max_size=3), "intrusions"):
        intrusion.happen(world)
        world.pass_time(1.0)
    if data.draw(st.booleans(), "restarted"):
        world.restart()
    cursor = world.aws.control.cursor()
    for _ in range(4):
        world.round()
        world.pass_time(30.0)
    assert not world.writes(cursor), world.story()
    reported = {(finding.difference.role, str(finding.difference.field)) for finding in world.plan().findings}
    assert {(entry.role, entry.field) for entry in world.status.drift} == reported, world.story()
    assert world.condition(ConditionType.DRIFT_FREE).status == ("False" if reported else "True"), world.story()


@given(data=st.data())
@BOUNDED
def test_a_deletion_takes_all_that_is_ours_and_nothing_else(site: Site, data: st.DataObject) -> None:
    retain = data.draw(st.booleans(), "retain")
    world = World(site)
    kept = [p.happen(world) for p in data.draw(st.lists(strangers(site.ground), max_size=2), "strangers")]
    for predecessor in data.draw(st.lists(predecessors(site.ground), max_size=2), "predecessors"):
        predecessor.happen(world)
    world.apply({**data.draw(specs(site.ground), "spec"), "deletionPolicy": "Retain" if retain else "Delete"})
    if data.draw(st.booleans(), "settled"):
        world.converge()
        for intrusion in data.draw(st.lists(intrusions(site.ground), max_size=2), "intrusions"):
            intrusion.happen(world)
    else:
        world.round()
    if data.draw(st.booleans(), "restarted"):
        world.restart()
    untouched, managed = world.shown(kept), bool(world.resources.stored(KEY).finalizers)
    before = len(world.endpoints())
    world.pass_time(1.0)
    world.delete()
    assert world.shown(kept) == untouched
    if not managed:
        assert len(world.endpoints()) <= before, "nothing was made, so nothing is ours to delete"
        return
    left = [e for e in world.endpoints() if e.id not in kept]
    if not retain:
        assert left == [], left
    for endpoint in left:
        assert not OURS.keys() & endpoint.tags.keys(), f"{endpoint} still carries our tags"
        assert endpoint.tags["ibpe.dev/retained"] == str(KEY)
