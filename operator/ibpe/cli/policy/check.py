"""`ibpe policy check`: would builds work behind this policy? Every request of theirs, and what is wrong otherwise."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

import click

from ibpe.api.fields import RegionName
from ibpe.cli.faults import FAILED, Fault
from ibpe.cli.policy.assumptions import Assumptions, with_assumptions
from ibpe.cli.policy.documents import DOCUMENT, read_document
from ibpe.cli.policy.options import OUTPUT_OPTION, ROLE_CHOICE, Output, as_data, spelled
from ibpe.cli.policy.report import ASKERS, Finding, Report, data, lines
from ibpe.policy.access import Verdict, decide
from ibpe.policy.document import SIZE_LIMIT, PolicyDocument, size
from ibpe.policy.lint import lint
from ibpe.policy.needs import EXAMPLE_ACCOUNT, Asker, Need
from ibpe.policy.problem import EndpointRole, Problem
from ibpe.policy.s3 import environment_warning

_ACCOUNT_IN_ARN: Final = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[0-9]{12}:.*", re.ASCII)


@click.command()
@click.argument("document", type=DOCUMENT)
@click.option("--role", type=ROLE_CHOICE, required=True, help="The endpoint that DOCUMENT is for.")
@click.option("--region", callback=spelled(RegionName), metavar="REGION", required=True, help="The endpoint's Region.")
@click.option(
    "--only", type=click.Choice(list(ASKERS)), help="Look at the requests of builds, or of pipelines' users, alone."
)
@click.option("--strict", is_flag=True, help="Fail for all that isn't surely allowed, whoever asks.")
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
    strict: bool,
    output: Output,
    **options: Any,
) -> None:
    """Tell whether a policy lets through what builds, and users of pipelines inside the VPC, ask of the endpoint.

    What a build is denied fails the check. What a pipeline's user is denied is shown, and counts with --strict or
    --only pipeline. What depends on a value that isn't known here (say it by an option) counts with --strict. Findings
    about the policy itself are shown too: an error fails the check, a warning doesn't.

    A check that passes has a line for each request; else there is one for each that is denied, with the statement that
    denies it, or the word that none allows it.

    Exit codes: 0 the check passes; 1 it fails, or something is wrong (said on standard error).
    """
    assumed = Assumptions.of(options, role)
    asked = tuple(need for need in assumed.needs(role, region) if only in {None, need.asker})
    if not asked:
        raise Fault("Users of pipelines ask nothing of the S3 endpoint; leave --only out.")
    written = read_document(document, role)
    deciding = frozenset(ASKERS) if strict else frozenset({only or "build"})
    findings = tuple(_finding(written, need, deciding=need.asker in deciding, strict=strict) for need in asked)
    report = Report(findings, tuple(_problems(written, role, region, assumed)))
    click.echo("\n".join(lines(report)) if output == "text" else as_data(data(report, role, region), output))
    context.exit(0 if report.passes else FAILED)


def _finding(document: PolicyDocument, need: Need, *, deciding: bool, strict: bool) -> Finding:
    decision = decide(document, need.request)
    failing = {Verdict.DENIED, Verdict.DEPENDS} if strict else {Verdict.DENIED}
    return Finding(need, decision, fails=deciding and decision.verdict in failing)


def _problems(document: PolicyDocument, role: EndpointRole, region: str, assumed: Assumptions) -> Iterator[Problem]:
    """What is wrong with the policy, and what makes the answer less sure."""
    yield from _too_long(document)
    yield from lint(document, role, region)
    warning = environment_warning(assumed.use.environment)
    if warning:
        yield warning
    if role == "imagebuilder" and not assumed.callers.account and _names_accounts(document):
        problem = f"the policy names accounts in ARNs, and what is asked for here lies in account {EXAMPLE_ACCOUNT}"
        yield Problem("--account", problem, "say your own account by it, or what is told may not hold", "warning")


def _names_accounts(document: PolicyDocument) -> bool:
    """Whether a resource or a principal is of a certain account."""
    resources = chain.from_iterable(each.resources.values for each in document.statements)
    principals = chain.from_iterable(each.principals.values for each in document.statements)
    return _any_of_an_account(resources) or _any_of_an_account(each.value for each in principals)


def _any_of_an_account(arns: Iterable[str]) -> bool:
    return any(_ACCOUNT_IN_ARN.fullmatch(arn) for arn in arns)


def _too_long(document: PolicyDocument) -> Iterator[Problem]:
    characters = size(document)
    if characters > SIZE_LIMIT:
        problem = f"it has {characters} characters minified, and an endpoint takes {SIZE_LIMIT}"
        yield Problem("policy", problem, "shorten it: wildcards in Action, fewer Sids")
