"""Contributing to a shared policy: five resources, an owner who edits it, and crashes between read and write.

Law: what others write outside the operator's window between read and write stays, exactly; ours comes to be as asked,
whatever is done to it; and when we go, the policy is what it would be without us. What is written inside the window
may be lost (EC2 has no conditional write): it is counted, and nothing else may be.
"""

import copy
import json
from collections.abc import Callable

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ibpe.reconcile.ports import Key
from tests.crash.fuse import Interruption
from tests.property.bounds import BOUNDED
from tests.property.shared_endpoint import CONTRIBUTED_SIDS, KEYS, OPEN, VARIANTS, Variant, Written, allow, listed
from tests.property.sharing import SharedWorld
from tests.unit.policy.policies import Draw, statements


class OwnersEdit:
    """Something that the owner, or somebody's tool, does to the policy; its name is its repr."""

    def __init__(self, name: str, change: Callable[[list[Written]], list[Written]], indent: int | None = None) -> None:
        self.name, self.change, self.indent = name, change, indent

    def __call__(self, text: str) -> str:
        changed = self.change(copy.deepcopy(listed(text)))
        return json.dumps({**json.loads(text), "Statement": changed or listed(text)}, indent=self.indent)

    def __repr__(self) -> str:
        return self.name


def is_an_operators(item: Written) -> bool:
    """Whether an operator put it there; the owner has Sids that merely look so."""
    sid = str(item.get("Sid", ""))
    return sid.startswith("IBPE") and sid[16:] in CONTRIBUTED_SIDS


def with_own_sids(items: list[Written]) -> list[Written]:
    """No Sid of theirs twice: the second goes without."""
    seen: set[str] = set()
    result: list[Written] = []
    for item in items:
        sid = item.get("Sid", "")
        taken = sid in seen and not is_an_operators(item)
        result.append({key: value for key, value in item.items() if key != "Sid"} if taken else item)
        seen.add(sid)
    return result


@st.composite
def foreign_statements(draw: Draw) -> Written:
    sid = draw(st.sampled_from(("", "Team", "Finance", "IBPE", "IBPE0123456789ab", "IBPE0123456789abRead", "ibpe1")))
    if draw(st.booleans()):
        return draw(statements(sid))
    written = allow(sid, "s3:*", f"{draw(st.sampled_from('abc'))}/*")
    return written if sid else {key: value for key, value in written.items() if key != "Sid"}


@st.composite
def edits(draw: Draw) -> OwnersEdit:
    """Adding, removing and reordering statements, their own and ours; a tool that writes the whole policy anew."""
    new = draw(foreign_statements())
    at = draw(st.integers(0, 9))

    def touched(items: list[Written], change: Callable[[Written], Written]) -> list[Written]:
        return [change(item) if index == at % len(items) else item for index, item in enumerate(items)]

    choices = [
        OwnersEdit(f"add {new} at {at}", lambda items: with_own_sids([*items[:at], new, *items[at:]])),
        OwnersEdit(f"remove number {at}", lambda items: [i for n, i in enumerate(items) if n != at % len(items)]),
        OwnersEdit(f"turn number {at} round", lambda items: touched(items, _turned_round)),
        OwnersEdit(f"widen number {at}", lambda items: touched(items, _widened)),
        OwnersEdit(f"rewrite as only {new}", lambda _: [copy.deepcopy(new)]),
        OwnersEdit("remove what isn't theirs", lambda items: [i for i in items if not is_an_operators(i)]),
        OwnersEdit("remove all but ours", lambda items: [i for i in items if is_an_operators(i)]),
        OwnersEdit("reset to AWS's default", lambda _: [dict(OPEN)]),
        OwnersEdit("close what is open", lambda items: [i for i in items if i != OPEN] or [new]),
        OwnersEdit(f"write number {at} twice", lambda items: with_own_sids([*items, items[at % len(items)]])),
        OwnersEdit("write backwards, spread", lambda items: items[::-1], indent=3),
    ]
    return draw(st.sampled_from(choices))


def _turned_round(item: Written) -> Written:
    return {**item, "Effect": "Deny" if item["Effect"] == "Allow" else "Allow"}


def _widened(item: Written) -> Written:
    return {**{key: value for key, value in item.items() if key != "NotResource"}, "Resource": "*"}


INTERRUPTIONS = st.builds(
    Interruption,
    nth=st.integers(1, 3),
    phase=st.sampled_from(["before", "after"]),
    how=st.sampled_from(["crash", "crash", "lost"]),
    only=st.sampled_from(["", "ModifyVpcEndpoint"]),
)


class Contributing(RuleBasedStateMachine):
    """Whatever happens, in whatever order."""

    @initialize(
        first=foreign_statements() | st.lists(foreign_statements(), min_size=1, max_size=2).map(with_own_sids),
        version=st.sampled_from(("2012-10-17", None)),
        contributors=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VARIANTS)),
    )
    def begin(self, first: Written | list[Written], version: str | None, contributors: dict[Key, Variant]) -> None:
        self.world = SharedWorld({"Version": version} if version else {"Id": "theirs"}, first)
        for key, variant in contributors.items():
            self.world.apply(key, variant)

    @rule(key=st.sampled_from(KEYS), variant=st.sampled_from(VARIANTS))
    def apply(self, key: Key, variant: Variant) -> None:
        self.world.apply(key, variant)

    @rule(key=st.sampled_from(KEYS))
    def delete(self, key: Key) -> None:
        self.world.delete(key)

    @rule(edit=edits())
    def somebody_edits_the_policy(self, edit: OwnersEdit) -> None:
        self.world.edit(edit)

    @rule()
    def watch(self) -> None:
        self.world.look()

    @rule()
    def restart(self) -> None:
        self.world.start()

    @rule(key=st.sampled_from(KEYS))
    def reconcile(self, key: Key) -> None:
        self.world.clock.advance(self.world.reconcile(key))

    @rule(key=st.sampled_from(KEYS), interruption=INTERRUPTIONS)
    def die(self, key: Key, interruption: Interruption) -> None:
        self.world.clock.advance(self.world.reconcile(key, interruption=interruption))

    @rule(key=st.sampled_from(KEYS), edit=edits(), interruption=st.none() | INTERRUPTIONS)
    def somebody_edits_inside_the_window(self, key: Key, edit: OwnersEdit, interruption: Interruption | None) -> None:
        self.world.look()
        self.world.reconcile(key, edit, interruption)

    @rule()
    def settle(self) -> None:
        self.world.settle()
        writes = len(self.world.fuse.writes)
        for key in KEYS:
            self.world.reconcile(key)
        assert "ModifyVpcEndpoint" not in self.world.fuse.writes[writes:], "at rest nothing is written"

    @invariant()
    def what_others_wrote_stays(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.settle()
            event(f"{min(self.world.lost, 3)} edits or more lost in a window")
            for key in KEYS:
                self.world.delete(key)
            self.world.settle()
            self.world.check()


Contributing.TestCase.settings = settings(
    BOUNDED, max_examples=4 * BOUNDED.max_examples, stateful_step_count=25, suppress_health_check=list(HealthCheck)
)
TestContributing = Contributing.TestCase


# What the window does, told apart.

TEAM, FINANCE = (allow(sid, "s3:GetObject", f"{sid.lower()}/*") for sid in ("Team", "Finance"))
ADDING = OwnersEdit("add Finance", lambda items: [FINANCE, *items])
FIRST, SECOND = KEYS[:2]


def world_of_two() -> SharedWorld:
    world = SharedWorld({"Version": "2012-10-17"}, [TEAM])
    world.apply(FIRST, VARIANTS[0])
    world.settle()
    world.apply(SECOND, VARIANTS[1])
    world.look()
    return world


def sids(world: SharedWorld) -> list[str]:
    return [item["Sid"] for item in listed(world.aws.policy)]


def test_an_edit_before_the_window_stays_though_the_watch_has_not_seen_it() -> None:
    world = world_of_two()
    world.edit(ADDING)
    world.reconcile(SECOND)
    assert (sids(world)[:2], len(sids(world)), world.lost) == (["Finance", "Team"], 5, 0)


def test_an_edit_inside_the_window_is_lost_and_counted() -> None:
    world = world_of_two()
    world.reconcile(SECOND, ADDING)
    assert (sids(world)[0], len(sids(world)), world.lost) == ("Team", 4, 1)


def test_an_edit_inside_a_window_that_ends_in_death_stays() -> None:
    world = world_of_two()
    world.reconcile(SECOND, ADDING, Interruption(1, "before", "crash", "ModifyVpcEndpoint"))
    assert (sids(world)[:2], len(sids(world)), world.lost) == (["Finance", "Team"], 3, 0)
    world.settle()
    assert (sids(world)[:2], len(sids(world)), world.lost) == (["Finance", "Team"], 5, 0)


def test_an_edit_of_ours_inside_the_window_is_no_loss_of_the_owners() -> None:
    world = world_of_two()
    world.reconcile(SECOND, OwnersEdit("remove ours", lambda items: [item for item in items if item == TEAM]))
    assert (sids(world)[0], len(sids(world)), world.lost) == ("Team", 4, 0)


def test_ours_written_twice_by_somebody_are_there_once_again() -> None:
    world = world_of_two()
    world.edit(OwnersEdit("write all twice but Team", lambda items: items + [i for i in items if i != TEAM]))
    world.settle()
    assert (sids(world)[0], len(sids(world))) == ("Team", 4)


def test_what_somebody_put_back_since_the_watch_looked_is_not_written_again() -> None:
    world = world_of_two()
    world.settle()
    ours = [item for item in listed(world.aws.policy) if item != TEAM]
    world.edit(OwnersEdit("remove ours", lambda _: [TEAM]))
    world.look()
    world.edit(OwnersEdit("put ours back", lambda items: [*items, *ours]))
    writes = len(world.fuse.writes)
    world.reconcile(FIRST)
    assert "ModifyVpcEndpoint" not in world.fuse.writes[writes:]


def test_the_last_to_leave_a_policy_without_others_leaves_its_statements() -> None:
    world = world_of_two()
    world.settle()
    world.edit(OwnersEdit("remove all but ours", lambda items: [item for item in items if is_an_operators(item)]))
    world.delete(FIRST)
    world.settle()
    world.delete(SECOND)
    world.settle()
    assert [sid[16:] for sid in sids(world)] == [item["Sid"] for item in VARIANTS[1].statements]
    world.edit(ADDING)
    world.settle()
    assert sids(world)[0] == "Finance"
