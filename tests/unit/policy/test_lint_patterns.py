"""Laws of patterns, against all short texts."""

from fnmatch import fnmatchcase
from itertools import product
from time import perf_counter

from hypothesis import given, settings
from hypothesis import strategies as st

from ibpe.policy.findings.patterns import Hole, Tokens, meet, takes_in_action, takes_in_resource, tokens

LETTERS = "ab/"
TEXTS = tuple("".join(letters) for length in range(6) for letters in product(LETTERS, repeat=length))
PATTERNS = st.text(alphabet="ab/*?", max_size=3)


@settings(max_examples=300)
@given(PATTERNS, PATTERNS)
def test_patterns_meet_where_a_text_fits_both(one: str, other: str) -> None:
    both = any(fnmatchcase(text, one) and fnmatchcase(text, other) for text in TEXTS)
    assert meet(tokens(one), tokens(other)) is both
    assert meet(tokens(other), tokens(one)) is both


@settings(max_examples=300)
@given(PATTERNS, PATTERNS)
def test_a_pattern_that_takes_in_another_fits_all_its_texts(one: str, other: str) -> None:
    fitting = [text for text in TEXTS if fnmatchcase(text, other)]
    for takes_in in (takes_in_action, takes_in_resource):
        if takes_in(one, other):
            assert all(fnmatchcase(text, one) for text in fitting)


def test_a_bucket_is_no_object() -> None:
    bucket: Tokens = (*"arn:aws:s3:::", Hole.NO_SLASH)
    assert meet(bucket, tokens("arn:aws:s3:::mine"))
    assert meet(bucket, tokens("arn:aws:s3:::m*"))
    assert not meet(bucket, tokens("arn:aws:s3:::mine/*"))


def test_a_variable_may_stand_for_anything() -> None:
    assert meet(tokens("arn:${aws:PrincipalTag/x}:b"), tokens("arn:anything:b"))
    assert not takes_in_resource("arn:aws:s3:::${aws:username}", "arn:aws:s3:::mine")
    assert takes_in_resource("arn:aws:s3:::${aws:username}", "arn:aws:s3:::${aws:username}")


def test_what_would_take_too_long_to_tell_apart_may_meet() -> None:
    before = perf_counter()
    assert meet(tokens("*a" * 5_000 + "b"), tokens("*c" * 5_000 + "d"))
    assert perf_counter() - before < 2
    assert not meet(tokens("*a" * 20 + "b"), tokens("*a" * 20 + "c"))
