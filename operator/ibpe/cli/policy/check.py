"""`ibpe policy check`: would builds work behind this policy? Every request of theirs, and what is wrong otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from ibpe.api.fields import RegionName
from ibpe.cli.faults import FAILED
from ibpe.cli.policy.assumptions import Assumptions, with_assumptions
from ibpe.cli.policy.documents import DOCUMENT, read_document
from ibpe.cli.policy.options import OUTPUT_OPTION, ROLE_CHOICE, Output, as_data, request_data, spelled
from ibpe.policy.access import Decision, Verdict, decide
from ibpe.policy.document import SIZE_LIMIT, PolicyDocument, size
from ibpe.policy.lint import lint
from ibpe.policy.needs import Asker, Need
from ibpe.policy.problem import EndpointRole, Problem

_ASKERS: Final[dict[Asker, str]] = {"build": "a build", "pipeline": "a pipeline's user"}
_TELLS: Final = {
    "aws:principalorgid": "--principal-org-id",
    "aws:resourceorgid": "--resource-org-id",
    "aws:principalaccount": "--account",
    "aws:resourceaccount": "--account",
    "aws:sourcevpc": "--vpc",
    "aws:sourcevpce": "--endpoint",
}
"""By condition key, the option that tells its value."""


@dataclass(frozen=True)
class Report:
    """What a policy does to the requests, and what is wrong with it."""

    decisions: tuple[tuple[Need, Decision], ...]
    problems: tuple[Problem, ...]

    def found(self, verdict: Verdict) -> list[tuple[Need, Decision]]:
        """The requests with this verdict."""
        return [(need, decision) for need, decision in self.decisions if decision.verdict is verdict]

    @property
    def passes(self) -> bool:
        """Whether no request is denied, and the policy is one that AWS takes and that does what it says."""
        return not self.found(Verdict.DENIED) and not any(problem.severity == "error" for problem in self.problems)


@click.command()
@click.argument("document", type=DOCUMENT)
@click.option("--role", type=ROLE_CHOICE, required=True, help="The endpoint that DOCUMENT is for.")
@click.option("--region", callback=spelled(RegionName), metavar="REGION", required=True, help="The endpoint's Region.")
@click.option(
    "--only", type=click.Choice(list(_ASKERS)), help="Look at the requests of builds, or of pipelines' users, alone."
)
@with_assumptions
@OUTPUT_OPTION
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    document: Path,
    role: EndpointRole,
    region: str,
    only: Asker | None,
    output: Output,
    **options: Any,
) -> None:
    """Tell whether a policy lets through what builds, and users of pipelines inside the VPC, ask of the endpoint.

    When all is allowed: a line for each request. Else: the denied requests, each with the statement that denies it, or
    the word that none allows it. What depends on a value that isn't known here (say it by an option) counts as allowed.
    Findings about the policy itself are shown too; warnings don't count.

    Exit codes: 0 all is allowed; 1 something is denied, the policy has an error, or something is wrong (said on
    standard error).
    """
    needs = Assumptions.of(options, role).needs(role, region)
    asked = tuple(need for need in needs if only in {None, need.asker})
    report = check(read_document(document, role), role, region, asked)
    click.echo("\n".join(_lines(report)) if output == "text" else as_data(_data(report, role, region), output))
    context.exit(0 if report.passes else FAILED)


def check(document: PolicyDocument, role: EndpointRole, region: str, needs: tuple[Need, ...]) -> Report:
    """What the policy does to these requests, and every finding about it."""
    decisions = tuple((need, decide(document, need.request)) for need in needs)
    return Report(decisions, (*_too_long(document), *lint(document, role, region)))


def _too_long(document: PolicyDocument) -> Iterator[Problem]:
    characters = size(document)
    if characters > SIZE_LIMIT:
        problem = f"it has {characters} characters minified, and an endpoint takes {SIZE_LIMIT}"
        yield Problem("policy", problem, "shorten it: wildcards in Action, fewer Sids")


def _lines(report: Report) -> Iterator[str]:
    denied = report.found(Verdict.DENIED)
    yield from (_line(need, decision) for need, decision in denied or report.decisions)
    yield from (f"{_styled(problem.severity)} {problem}" for problem in report.problems)
    yield _verdict(report)


def _verdict(report: Report) -> str:
    denied, open_ = len(report.found(Verdict.DENIED)), report.found(Verdict.DEPENDS)
    total = f"{len(report.decisions)} requests"
    if not open_:
        return (
            f"{denied} of {total} {'is' if denied == 1 else 'are'} denied." if denied else f"All {total} are allowed."
        )
    keys = {condition.key.lower() for _, decision in open_ for condition in decision.provided}
    told = sorted({_TELLS[key] for key in keys if key in _TELLS})
    verb = "depends" if len(open_) == 1 else "depend"
    say = f": say {', '.join(told)}" if told else ""
    are = "is" if denied <= 1 else "are"
    return f"{denied or 'None'} of {total} {are} denied; {len(open_)} {verb} on what isn't known here{say}."


def _line(need: Need, decision: Decision) -> str:
    request = need.request
    target = "" if request.resource == "*" else f" on {request.resource}"
    reason = str(decision)
    if decision.verdict is not Verdict.DEPENDS:
        reason = reason.removeprefix(f"{decision.verdict} ")
    return f"{_styled(decision.verdict)} {_ASKERS[need.asker]} {need.words} ({request.action}{target}): {reason}"


_COLOURS: Final = {"allowed": "green", "depends": "yellow", "denied": "red", "error": "red", "warning": "yellow"}


def _styled(word: str) -> str:
    return click.style(f"{word:<7}", fg=_COLOURS[word])


def _data(report: Report, role: EndpointRole, region: str) -> dict[str, Any]:
    return {
        "role": role,
        "region": region,
        "passes": report.passes,
        "requests": [
            {
                "asker": need.asker,
                "words": need.words,
                **request_data(need.request),
                "verdict": decision.verdict.value,
                "reason": str(decision),
            }
            for need, decision in report.decisions
        ],
        "problems": [
            {"severity": each.severity, "path": each.path, "problem": each.problem, "fix": each.fix}
            for each in report.problems
        ],
    }
