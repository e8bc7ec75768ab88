from datetime import UTC, datetime

import pytest

from bench.figures import Figure, exactly, show
from bench.rest import first_tier
from sandbox.aws.call_log import CallRecord


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("shown only", 1e9), True),
        (Figure("at most", 150, most=150), True),
        (Figure("past it", 150.1, most=150), False),
        (Figure("at least", 1, least=2), False),
        (exactly("writes", 0, 0), True),
        (exactly("writes", 1, 0), False),
    ],
    ids=lambda value: value.name if isinstance(value, Figure) else "",
)
def test_a_figure_knows_whether_it_is_within_its_target(figure: Figure, *, met: bool) -> None:
    assert figure.met is met


def test_what_is_past_its_target_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    show("Rest", [exactly("writes", 2, 0), Figure("seconds", 1.5, "s")])
    first, second = capsys.readouterr().out.splitlines()[2:]
    assert first.split() == ["✗", "writes", "2", "[exactly", "0]"]
    assert second.split() == ["seconds", "1.50", "s"]


def _calls(*actions: str) -> list[CallRecord]:
    return [
        CallRecord(
            sequence=number,
            action=action,
            service="ec2",
            parameters={},
            access_key="k",
            account="a",
            region="r",
            user_agent="u",
            request_id="i",
            monotonic=0.0,
            wall=datetime.now(UTC),
        )
        for number, action in enumerate(actions, 1)
    ]


LOOK = ("GetCallerIdentity", "DescribeVpcEndpoints")


@pytest.mark.parametrize(
    ("calls", "size", "met"),
    [
        ((*LOOK, *LOOK, *LOOK), 1, True),
        (("DescribeVpcEndpoints", *LOOK, *LOOK, "GetCallerIdentity"), 500, True),
        ((*LOOK, "DescribeVpcEndpoints", *LOOK), 500, False),
        ((*LOOK, "DescribeVpcEndpoints", *LOOK), 501, True),
        ((*LOOK,), 1, False),
    ],
    ids=["one page", "cut off at both ends", "a page too many", "two pages for more", "no whole look"],
)
def test_pages_are_counted_in_whole_looks(calls: tuple[str, ...], size: int, *, met: bool) -> None:
    (figure,) = first_tier(_calls(*calls), size)
    assert figure.met is met
