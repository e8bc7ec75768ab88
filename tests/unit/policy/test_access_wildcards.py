"""Patterns against a plain reading of the same rules, and against text that is written to take long."""

from functools import cache
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibpe.policy.wildcards import arn_parts, arn_pattern, pattern, split_wildcards, text_pattern

TEXTS = st.text(alphabet="ab:\n", max_size=12)
PATTERNS = st.text(alphabet="ab:*?", max_size=12)
Draw = st.DrawFn


@st.composite
def pairs(draw: Draw) -> tuple[str, str]:
    """A pattern, and a text: any, or the pattern with something in place of each wildcard."""
    written = draw(PATTERNS)
    if draw(st.booleans()):
        return written, draw(TEXTS)
    stands_for = {"*": st.text(alphabet="ab:\n", max_size=3), "?": st.sampled_from("ab:\n")}
    return written, "".join(draw(stands_for[sign]) if sign in stands_for else sign for sign in written)


bounded = settings(max_examples=500, deadline=None)


def fits(written: str, text: str, *, colons: bool, across: bool) -> bool:
    """Character by character. With `colons`, a wildcard before the fifth colon keeps out of other segments."""

    @cache
    def rest(at: int, seen: int) -> bool:
        if at == len(written):
            return seen == len(text)
        sign = written[at]
        inside = colons and written[:at].count(":") < 5
        if sign == "*":
            ends_segment = at + 1 == len(written) or written[at + 1] == ":"
            kept = inside and not (across and ends_segment)
            longer = seen < len(text) and not (kept and text[seen] == ":") and rest(at, seen + 1)
            return longer or rest(at + 1, seen)
        if seen == len(text):
            return False
        fitting = (not inside or text[seen] != ":") if sign == "?" else text[seen] == sign
        return fitting and rest(at + 1, seen + 1)

    return rest(0, 0)


@bounded
@given(pairs())
def test_plain_text_fits_as_read_character_by_character(pair: tuple[str, str]) -> None:
    written, text = pair
    assert text_pattern(written).matches(text) is fits(written, text, colons=False, across=False)


@bounded
@given(pairs())
def test_a_resource_fits_as_read_character_by_character(pair: tuple[str, str]) -> None:
    written, text = pair
    assert arn_pattern(written).matches(text) is fits(written, text, colons=True, across=True)


@bounded
@given(pairs())
def test_an_arn_fits_segment_by_segment(pair: tuple[str, str]) -> None:
    written, text = pair
    compiled = pattern(arn_parts(split_wildcards(written), across=False))
    assert compiled.matches(text) is fits(written, text, colons=True, across=False)


@given(PATTERNS)
def test_what_fits_everything_fits_everything(written: str) -> None:
    assert text_pattern(written).everything is (written.strip("*") == "" and written != "")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a*" * 5_000 + "b", "a" * 20_000),
        ("*a" * 5_000 + "b", "a" * 20_000),
        ("arn:" + "a*" * 5_000 + "b:c", "arn:" + "a" * 20_000 + ":c"),
        ("*" * 10_000 + "b", "a" * 20_000),
        ("?*" * 5_000 + "b", "a" * 20_000),
    ],
)
def test_nobody_can_write_a_pattern_that_takes_long(written: str, text: str) -> None:
    began = process_time()
    assert text_pattern(written).matches(text) is False
    assert arn_pattern(written).matches(text) is False
    assert process_time() - began < 5
