"""Laws of policy equality, on generated policies."""

import json
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibpe.policy.canonical import canonical, digest, equivalent, same_policy
from ibpe.policy.difference import difference, difference_from_text
from ibpe.policy.document import PolicyError, plain, render, size
from ibpe.policy.parse import parse
from tests.unit.policy.policies import Written, changed, documents, rewritings

on_any_machine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Laws hold or they don't; how long an example takes depends on what else the machine does."""

ELEMENTS = (
    "Version",
    "Id",
    "Statement",
    "Sid",
    "Effect",
    "Principal",
    "Action",
    "Resource",
    "Condition",
    "AWS",
    "Bool",
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(("*", "Allow", "s3:*", "arn:a", "2012-10-17")),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ELEMENTS) | SCALARS, inner, max_size=6),
    max_leaves=12,
)


@on_any_machine
@given(st.dictionaries(st.sampled_from(ELEMENTS), ANYTHING), documents(), st.sampled_from(ELEMENTS), ANYTHING)
def test_whatever_is_written_is_read_or_refused(
    anything: Written, document: Written, element: str, value: object
) -> None:
    spoilt = {**document, "Statement": [{**document["Statement"][0], element: value}]}
    for source in (anything, spoilt, json.dumps(spoilt, skipkeys=True)):
        with suppress(PolicyError):
            read = parse(source)
            assert parse(render(read)) == read


@on_any_machine
@given(documents(), st.data())
def test_no_rewriting_is_a_difference(document: Written, data: st.DataObject) -> None:
    desired = parse(document)
    text = data.draw(rewritings(document))
    assert same_policy(desired, text)
    assert digest(parse(text)) == digest(desired)
    assert not difference_from_text(desired, text)


@on_any_machine
@given(documents(), st.data())
def test_a_single_change_that_matters_is_always_a_difference(document: Written, data: st.DataObject) -> None:
    desired = parse(document)
    other = data.draw(changed(document))
    text = data.draw(rewritings(other))
    assert not same_policy(desired, text)
    assert digest(parse(text)) != digest(desired)
    assert difference_from_text(desired, text)


@on_any_machine
@given(documents(), documents(), documents(), st.data())
def test_equality_is_an_equivalence(one: Written, two: Written, three: Written, data: st.DataObject) -> None:
    a = parse(one)
    b = parse(data.draw(st.one_of(rewritings(one), rewritings(two))))
    c = parse(data.draw(st.one_of(rewritings(one), rewritings(two), rewritings(three))))
    assert equivalent(a, a)
    assert equivalent(a, b) == equivalent(b, a)
    assert not (equivalent(a, b) and equivalent(b, c)) or equivalent(a, c)
    assert equivalent(a, b) == (canonical(a) == canonical(b)) == (hash(canonical(a)) == hash(canonical(b)))


@on_any_machine
@given(documents(), documents())
def test_a_difference_is_empty_exactly_for_equivalent_policies(one: Written, two: Written) -> None:
    a, b = parse(one), parse(two)
    assert bool(difference(a, b)) != equivalent(a, b)
    assert not difference(a, a)


@on_any_machine
@given(documents())
def test_what_is_rendered_reads_back_as_it_was(document: Written) -> None:
    read = parse(document)
    assert parse(render(read)) == read
    assert json.loads(render(read)) == plain(read)
    assert size(read) == len(render(read)) <= len(json.dumps(document))


@on_any_machine
@given(documents(), st.data())
def test_a_difference_has_each_statement_in_one_place(document: Written, data: st.DataObject) -> None:
    desired = parse(document)
    observed = parse(data.draw(st.one_of(changed(document), documents())))
    found = difference(desired, observed)
    named = [*found.missing, *(change.desired for change in found.changed)]
    assert len(named) == len(set(named))
    assert set(named) <= set(desired.statements)
    assert {*found.extra, *(change.observed for change in found.changed)} <= set(observed.statements)
    assert all(change.elements for change in found.changed)


@on_any_machine
@given(documents(), documents(), st.integers(1, 200))
def test_a_sentence_is_one_line_and_never_longer_than_asked(one: Written, two: Written, limit: int) -> None:
    sentence = difference(parse(one), parse(two)).sentence(limit)
    assert 0 < len(sentence) <= limit
    assert sentence.isprintable()
