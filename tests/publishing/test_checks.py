"""Each thing that must hold before a release is asked for, and said with what to do."""

from dataclasses import replace

import pytest

from publishing.checks import Candidate, problems

GOOD = Candidate(
    tag="v1.2.3",
    base=f"python:3.13-slim-trixie@sha256:{'0f' * 32}",
    package_version="1.2.3",
    chart_version="1.2.3",
    app_version="1.2.3",
    changelog="# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-12-01\n",
    changes="",
)


def test_a_candidate_in_order_has_no_problem() -> None:
    assert list(problems(GOOD)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tag": "1.2.3"}, "is not a version, v1.2.3"),
        ({"tag": "v1.2"}, "is not a version"),
        (
            {"package_version": "1.2.4", "app_version": "1.2.4", "chart_version": "1.2.4"},
            "__init__.py says 1.2.4, the tag",
        ),
        ({"app_version": "1.2.2"}, "appVersion is 1.2.2"),
        ({"chart_version": "1.2.2"}, "Chart.yaml's version is 1.2.2"),
        ({"changelog": "## [Unreleased]\n"}, "CHANGELOG.md has no heading for 1.2.3"),
        ({"base": "python:3.13-slim-trixie"}, "is not given by digest"),
        ({"base": "python@sha256:123"}, "is not given by digest"),
        ({"base": ""}, "is not given by digest"),
        ({"changes": " M README.md"}, "changes that no commit has"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_problem_is_said(change: dict[str, str], said: str) -> None:
    assert any(said in each for each in problems(replace(GOOD, **change)))


def test_every_problem_is_said_at_once() -> None:
    assert len(list(problems(replace(GOOD, base="", changelog="", changes="?? x")))) == 3
