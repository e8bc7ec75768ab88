"""Laws of contributing, on generated policies of somebody else's and generated statements of ours."""

import copy
import json
from collections.abc import Sequence

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ibpe.policy.canonical import equivalent
from ibpe.policy.contribution import contribute, holds, is_contributed, mark, marked, withdraw
from ibpe.policy.document import PolicyDocument, PolicyError, Statement, plain
from ibpe.policy.parse import parse, parse_statements
from tests.unit.policy.policies import STATEMENT_CHANGES, Draw, Written, documents, rewritings, statements

MARKS = (mark("blue", "one"), mark("blue", "two"))
OURS, THEIRS = MARKS
FOREIGN_SIDS = (
    "",
    "A",
    "B",
    "IBPE",
    OURS,
    f"{OURS}-1",
    f"{OURS.lower()}1",
    f"{OURS}1 ",
    f"X{OURS}1",
    "IBPE0123456789ab1",
)

on_any_machine = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Laws hold or they don't; how long an example takes depends on what else the machine does."""


def minified(written: object) -> str:
    return json.dumps(written, separators=(",", ":"))


def is_of(mark_: str, statement: Written) -> bool:
    sid = str(statement.get("Sid", ""))
    own = sid[len(mark_) :]
    return sid.startswith(mark_) and own.isascii() and own.isalnum()


def listed(text: str) -> list[Written]:
    found = json.loads(text)["Statement"]
    return found if isinstance(found, list) else [found]


def foreign(text: str) -> list[Written]:
    return [item for item in listed(text) if not any(is_of(mark_, item) for mark_ in MARKS)]


def of(mark_: str, text: str) -> list[Written]:
    return [item for item in listed(text) if is_of(mark_, item)]


def plainly(statement: Statement) -> Written:
    (item,) = json.loads(minified(plain(PolicyDocument((statement,)))["Statement"]))
    assert isinstance(item, dict)
    return item


@st.composite
def foreign_policies(draw: Draw) -> Written:
    """Any policy, with Sids that look like ours, and the same statement twice."""
    written = draw(documents())
    for sid in draw(st.lists(st.sampled_from(FOREIGN_SIDS), max_size=3)):
        written["Statement"].insert(draw(st.integers(0, len(written["Statement"]))), draw(statements(sid)))
    if draw(st.booleans()):
        written["Id"] = draw(st.text(max_size=5))
    return written


@st.composite
def contributions(draw: Draw, mark_: str = OURS) -> tuple[Statement, ...]:
    sids = draw(st.lists(st.sampled_from(("", "Read", "Log")), min_size=1, max_size=3, unique=True))
    return marked(parse_statements([draw(statements(sid)) for sid in sids], "additionalStatements"), mark_)


def fits(policy: Written, ours: Sequence[Statement]) -> bool:
    return policy.get("Version") == "2012-10-17" or not any(statement.uses_variables for statement in ours)


@on_any_machine
@given(foreign_policies(), contributions())
def test_contributing_again_changes_nothing(policy: Written, ours: tuple[Statement, ...]) -> None:
    assume(fits(policy, ours))
    once = contribute(minified(policy), ours, OURS)
    assert holds(once, ours, OURS)
    assert contribute(once, ours, OURS) is once


@on_any_machine
@given(foreign_policies(), contributions())
def test_variables_are_refused_just_where_they_would_be_plain_text(
    policy: Written, ours: tuple[Statement, ...]
) -> None:
    try:
        contribute(minified(policy), ours, OURS)
    except PolicyError:
        assert not fits(policy, ours)
    else:
        assert fits(policy, ours)


@on_any_machine
@given(documents(), contributions())
def test_what_is_contributed_means_theirs_and_ours(policy: Written, ours: tuple[Statement, ...]) -> None:
    assume(fits(policy, ours))
    theirs = parse(policy)
    merged = parse(contribute(minified(policy), ours, OURS))
    assert equivalent(merged, PolicyDocument((*theirs.statements, *ours), theirs.version, theirs.id))


@on_any_machine
@given(foreign_policies(), contributions(), st.sampled_from((None, 3)))
def test_taking_out_what_was_put_in_leaves_the_very_policy(
    policy: Written, ours: tuple[Statement, ...], indent: int | None
) -> None:
    assume(fits(policy, ours))
    assert withdraw(contribute(json.dumps(policy, indent=indent), ours, OURS), OURS) == minified(policy)


@on_any_machine
@given(foreign_policies(), contributions())
def test_a_statement_alone_comes_back_as_a_list_of_one(policy: Written, ours: tuple[Statement, ...]) -> None:
    assume(fits(policy, ours))
    alone = {**policy, "Statement": policy["Statement"][0]}
    back = withdraw(contribute(json.dumps(alone), ours, OURS), OURS)
    assert back == minified({**alone, "Statement": [alone["Statement"]]})


@st.composite
def edited(draw: Draw, statements_: list[Written]) -> list[Written]:
    """What somebody may do to a policy with our statements in it."""
    result = copy.deepcopy(draw(st.permutations(statements_)))
    for _ in range(draw(st.integers(0, 3))):
        index = draw(st.integers(0, len(result) - 1))
        match draw(st.sampled_from(("add", "remove", "change", "repeat", "stale"))):
            case "add":
                result.insert(index, draw(statements(draw(st.sampled_from(FOREIGN_SIDS)))))
            case "remove" if len(result) > 1:
                del result[index]
            case "repeat":
                result.insert(draw(st.integers(0, len(result))), copy.deepcopy(result[index]))
            case "stale":
                result.insert(index, draw(statements(f"{OURS}{draw(st.sampled_from(('Read', 'Old', '1')))}")))
            case _:
                result[index]["Effect"] = "Deny" if result[index]["Effect"] == "Allow" else "Allow"
    return result


@on_any_machine
@given(foreign_policies(), contributions(), st.data())
def test_whatever_somebody_does_to_the_policy_stays_but_what_they_did_to_ours(
    policy: Written, ours: tuple[Statement, ...], data: st.DataObject
) -> None:
    assume(fits(policy, ours))
    before = json.loads(contribute(minified(policy), ours, OURS))
    edit = data.draw(edited(before["Statement"]))
    text = contribute(minified({**before, "Statement": edit}), ours, OURS)
    assert foreign(text) == foreign(minified({"Statement": edit}))
    assert sorted(map(minified, of(OURS, text))) == sorted(minified(plainly(statement)) for statement in ours)
    assert {k: v for k, v in json.loads(text).items() if k != "Statement"} == {
        k: v for k, v in policy.items() if k != "Statement"
    }
    assert contribute(text, ours, OURS) is text
    places = dict.fromkeys("foreign" if not is_of(OURS, each) else each["Sid"] for each in edit)
    there = [each["Sid"] for each in listed(text) if is_of(OURS, each)]
    wanted = {statement.sid for statement in ours}
    assert there[: len(places.keys() & wanted)] == [sid for sid in places if sid in wanted], "mended at their place"


def as_contributed(policy: Written) -> tuple[Written, tuple[Statement, ...]]:
    """A policy of nothing but ours, every list written as one, and our statements."""
    ours = marked(parse(policy).statements, OURS)
    written = [{**item, "Sid": ours[index].sid} for index, item in enumerate(policy["Statement"])]
    return {**policy, "Statement": written}, ours


@on_any_machine
@given(documents(), st.data())
def test_what_aws_makes_of_ours_is_left_as_it_is(policy: Written, data: st.DataObject) -> None:
    written, ours = as_contributed({**policy, "Version": "2012-10-17"})
    shown = data.draw(rewritings(written))
    assert contribute(shown, ours, OURS) is shown


@st.composite
def touched_by_somebody(draw: Draw, written: Written) -> Written:
    touched = copy.deepcopy(written)
    draw(st.sampled_from(STATEMENT_CHANGES))(draw, draw(st.sampled_from(touched["Statement"])))
    return touched


@on_any_machine
@given(documents(), st.data())
def test_a_single_change_of_ours_is_mended(policy: Written, data: st.DataObject) -> None:
    written, ours = as_contributed({**policy, "Version": "2012-10-17"})
    touched = data.draw(touched_by_somebody(written))
    assert not holds(minified(touched), ours, OURS)
    mended = contribute(minified(touched), ours, OURS)
    assert holds(mended, ours, OURS)
    assert equivalent(parse(mended), parse(written))


@on_any_machine
@given(foreign_policies(), contributions(OURS), contributions(THEIRS))
def test_contributors_need_not_know_of_each_other(
    policy: Written, ours: tuple[Statement, ...], theirs: tuple[Statement, ...]
) -> None:
    assume(fits(policy, (*ours, *theirs)))
    text = minified(policy)
    one = contribute(contribute(text, ours, OURS), theirs, THEIRS)
    other = contribute(contribute(text, theirs, THEIRS), ours, OURS)
    for merged in (one, other):
        assert holds(merged, ours, OURS)
        assert holds(merged, theirs, THEIRS)
        assert foreign(merged) == policy["Statement"]
        assert withdraw(merged, OURS) == contribute(text, theirs, THEIRS)
        assert withdraw(merged, THEIRS) == contribute(text, ours, OURS)
    assert sorted(map(minified, listed(one))) == sorted(map(minified, listed(other)))


@on_any_machine
@given(contributions(), st.booleans())
def test_the_last_statements_are_never_taken_out(ours: tuple[Statement, ...], in_list: bool) -> None:  # noqa: FBT001 - drawn, not passed by people
    written: object = [plainly(statement) for statement in ours] if in_list else plainly(ours[0])
    text = minified({"Version": "2012-10-17", "Statement": written})
    assert is_contributed(text, OURS)
    assert withdraw(text, OURS) is None
