"""`ibpe policy diff`: two policies, statement by statement, and which of them lets more through."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from ibpe.api.fields import RegionName
from ibpe.cli.faults import Fault
from ibpe.cli.policy.documents import DOCUMENT, read_document
from ibpe.cli.policy.options import OUTPUT_OPTION, ROLE_CHOICE, Output, as_data, request_data, spelled
from ibpe.policy.access import Request
from ibpe.policy.difference import ElementChange, PolicyDifference, describe, difference
from ibpe.policy.document import PolicyDocument
from ibpe.policy.needs import imagebuilder_needs, s3_needs
from ibpe.policy.probes import probes
from ibpe.policy.problem import EndpointRole
from ibpe.policy.widening import in_words, widened

DIFFERENT: Final = 1
"""The exit code for policies that aren't the same, as diff(1) has it."""


@dataclass(frozen=True)
class Comparison:
    """How TWO differs from ONE."""

    difference: PolicyDifference
    gained: Request | None
    """A request that TWO allows and ONE does not."""
    lost: Request | None
    """A request that ONE allows and TWO does not."""


@click.command()
@click.argument("one", type=DOCUMENT)
@click.argument("two", type=DOCUMENT)
@click.option("--role", type=ROLE_CHOICE, help="The endpoint: chooses where a file holds a policy for each role.")
@click.option(
    "--region",
    callback=spelled(RegionName),
    metavar="REGION",
    default="us-east-1",
    show_default=True,
    help="The Region of the requests that are tried first.",
)
@OUTPUT_OPTION
@click.pass_context
def command(
    context: click.Context, /, *, one: Path, two: Path, role: EndpointRole | None, region: str, output: Output
) -> None:
    """Compare policy ONE with policy TWO by meaning, and tell whether TWO lets more through, or less.

    Spelling and order don't count; Sids and the Id do. A request that one of them allows and the other doesn't is
    looked for among those of builds and pipelines, and those that the policies' own statements speak of: a request that
    is shown is one, and none is no proof.

    Exit codes: 0 the policies say the same; 1 they don't, or something is wrong (said on standard error).
    """
    if str(one) == str(two) == "-":
        raise Fault("Only one of the two can be standard input; give a file for the other.")
    comparison = compare(read_document(one, role), read_document(two, role), role, region)
    click.echo("\n".join(_lines(comparison)) if output == "text" else as_data(_data(comparison), output))
    context.exit(DIFFERENT if comparison.difference else 0)


def compare(one: PolicyDocument, two: PolicyDocument, role: EndpointRole | None, region: str) -> Comparison:
    """Everything that is said about the two.

    Familiar requests are tried first: they say more than made-up ones. What is lost is told best by a build's own
    request, and what is gained by one that is nobody's business.
    """
    found = difference(one, two)
    if not found:
        return Comparison(found, None, None)
    needed, others = _needed(role, region), _others(role, region)
    return Comparison(
        found,
        gained=widened(one, two, (*others, *needed)),
        lost=widened(two, one, (*needed, *others)),
    )


def _needed(role: EndpointRole | None, region: str) -> tuple[Request, ...]:
    """What builds and pipelines ask for."""
    of_image_builder = imagebuilder_needs(region, marketplace=True) if role != "s3" else ()
    of_s3 = s3_needs(region) if role != "imagebuilder" else ()
    return tuple(need.request for need in (*of_image_builder, *of_s3))


def _others(role: EndpointRole | None, region: str) -> tuple[Request, ...]:
    """What nobody who builds images asks of the endpoints."""
    roles: tuple[EndpointRole, ...] = (role,) if role is not None else ("imagebuilder", "s3")
    return tuple(request for each in roles for request in probes(each, region))


def _lines(comparison: Comparison) -> Iterator[str]:
    found = comparison.difference
    if not found:
        yield "The policies say the same."
        return
    if found.id_change:
        yield f"~ Id is {found.id_change.has[0]} instead of {found.id_change.lacks[0]}"
    yield from (f"~ {change.sentence()}" for change in found.changed)
    yield from (f"- {_named(statement.sid)}{describe(statement)}" for statement in found.missing)
    yield from (f"+ {_named(statement.sid)}{describe(statement)}" for statement in found.extra)
    yield ""
    yield _verdict("TWO", "ONE", comparison.gained)
    yield _verdict("ONE", "TWO", comparison.lost)


def _named(sid: str) -> str:
    return f"statement {sid}: " if sid else "a statement that "


def _verdict(wider: str, narrower: str, example: Request | None) -> str:
    if example is None:
        return f"{wider} allows nothing that {narrower} does not."
    return f"{wider} allows what {narrower} does not, such as {in_words(example)}."


def _data(comparison: Comparison) -> dict[str, Any]:
    found = comparison.difference
    return {
        "same": not found,
        "changed": [
            {"sid": change.desired.sid, "elements": [_element(element) for element in change.elements]}
            for change in found.changed
        ],
        "onlyInOne": [{"sid": statement.sid, "does": describe(statement)} for statement in found.missing],
        "onlyInTwo": [{"sid": statement.sid, "does": describe(statement)} for statement in found.extra],
        "id": _element(found.id_change) if found.id_change else None,
        "allowedByTwoOnly": request_data(comparison.gained) if comparison.gained else None,
        "allowedByOneOnly": request_data(comparison.lost) if comparison.lost else None,
    }


def _element(change: ElementChange) -> dict[str, Any]:
    return {"element": change.element, "onlyInOne": list(change.lacks), "onlyInTwo": list(change.has)}
