"""What `ibpe policy check` found: which requests a policy lets through, and whether that will do. In words and data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

from ibpe.cli.policy.options import request_data
from ibpe.policy.access import Decision, Verdict
from ibpe.policy.needs import Asker, Need
from ibpe.policy.problem import EndpointRole, Problem

ASKERS: Final[dict[Asker, str]] = {"build": "a build", "pipeline": "a pipeline's user"}
_ALL_OF_THEM: Final[dict[Asker, str]] = {"build": "builds", "pipeline": "pipelines' users"}
_TELLS: Final = {
    "aws:principalorgid": "--principal-org-id",
    "aws:resourceorgid": "--resource-org-id",
    "aws:principalaccount": "--account",
    "aws:resourceaccount": "--account",
    "aws:sourcevpc": "--vpc",
    "aws:sourcevpce": "--endpoint",
}
"""By condition key, the option that tells its value."""
_COLOURS: Final = {"allowed": "green", "depends": "yellow", "denied": "red", "error": "red", "warning": "yellow"}


@dataclass(frozen=True)
class Finding:
    """A request, and what the policy makes of it."""

    need: Need
    decision: Decision
    fails: bool
    """Whether the check fails because of it."""


@dataclass(frozen=True)
class Report:
    """What a policy does to the requests, and what is wrong with it."""

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> int:
        """How much is wrong with the policy itself: AWS refuses it, or it doesn't do what it says."""
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def passes(self) -> bool:
        """Whether nothing fails the check."""
        return not self.errors and not any(finding.fails for finding in self.findings)


def lines(report: Report) -> Iterator[str]:
    """Each request, or where some fail the check just what is not allowed; then what is wrong, and the verdict."""
    failing = [finding for finding in report.findings if finding.fails]
    denied = [each for each in report.findings if each.decision.verdict is Verdict.DENIED and not each.fails]
    yield from map(_line, (*failing, *denied) if failing else report.findings)
    yield from (f"{_styled(problem.severity)} {problem}" for problem in report.problems)
    yield verdict(report)


def verdict(report: Report) -> str:
    """`Passed.` or `Failed.`, and what of each asker's requests becomes."""
    sentences = ["Passed." if report.passes else "Failed."]
    if report.errors:
        sentences.append(f"The policy has {'an error' if report.errors == 1 else f'{report.errors} errors'}.")
    for asker in ASKERS:
        asked = [finding for finding in report.findings if finding.need.asker == asker]
        if asked:
            sentences.append(_of(asked, _ALL_OF_THEM[asker]))
    return " ".join(sentences)


def data(report: Report, role: EndpointRole, region: str) -> dict[str, Any]:
    """The same as plain values, every request included."""
    return {
        "role": role,
        "region": region,
        "passes": report.passes,
        "summary": verdict(report),
        "requests": [
            {
                "asker": finding.need.asker,
                "words": finding.need.words,
                **request_data(finding.need.request),
                "verdict": finding.decision.verdict.value,
                "reason": str(finding.decision),
                "fails": finding.fails,
            }
            for finding in report.findings
        ],
        "problems": [
            {"severity": each.severity, "path": each.path, "problem": each.problem, "fix": each.fix}
            for each in report.problems
        ],
    }


def _line(finding: Finding) -> str:
    need, decision = finding.need, finding.decision
    target = "" if need.request.resource == "*" else f" on {need.request.resource}"
    reason = str(decision)
    if decision.verdict is not Verdict.DEPENDS:
        reason = reason.removeprefix(f"{decision.verdict} ")
    mark = "(not counted) " if decision.verdict is Verdict.DENIED and not finding.fails else ""
    said = f"{ASKERS[need.asker]} {need.words} ({need.request.action}{target})"
    return f"{_styled(decision.verdict)} {mark}{said}: {reason}"


def _of(asked: Sequence[Finding], whose: str) -> str:
    """What becomes of one asker's requests, in a sentence or two."""
    denied = [finding for finding in asked if finding.decision.verdict is Verdict.DENIED]
    open_ = [finding for finding in asked if finding.decision.verdict is Verdict.DEPENDS]
    requests, sure = f"{len(asked)} requests of {whose}", len(asked) - len(open_) - len(denied)
    if denied:
        counted = "" if any(finding.fails for finding in denied) else ", which only --strict counts"
        first = f"{len(denied)} of {requests} {'is' if len(denied) == 1 else 'are'} denied{counted}"
    elif open_:
        first = f"None of {requests} is {'denied' if sure else 'sure to be allowed'}"
    else:
        return f"All {requests} are allowed."
    if not open_:
        return f"{first}."
    rest = ("all" if not denied else "all others") if not sure else str(len(open_))
    depend = "depends" if rest == "1" else "depend"
    denying = "" if sure else _denying(open_)
    return f"{first}; {rest} {depend} on what isn't known here{_options(open_)}.{denying}"


def _denying(open_: Sequence[Finding]) -> str:
    """Where every one of them hangs on a Deny: that it may meet them all."""
    if any(each.decision.statement is None or each.decision.statement.effect == "Allow" for each in open_):
        return ""
    named = {_place(each.decision) for each in open_}
    return f" {named.pop()} may deny them all." if len(named) == 1 else " Each of them may meet a Deny."


def _place(decision: Decision) -> str:
    sid = decision.statement.sid if decision.statement else ""
    return f'Statement "{sid}"' if sid else f"Statement[{decision.index}]"


def _options(open_: Sequence[Finding]) -> str:
    keys = {condition.key.lower() for finding in open_ for condition in finding.decision.provided}
    told = sorted({_TELLS[key] for key in keys if key in _TELLS})
    return f": say {', '.join(told)}" if told else ""


def _styled(word: str) -> str:
    return click.style(f"{word:<7}", fg=_COLOURS[word])
