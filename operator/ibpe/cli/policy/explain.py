"""`ibpe policy explain`: each statement in plain words, why it is there, and what the policy can't do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click

from ibpe.api.fields import RegionName
from ibpe.cli.faults import Fault
from ibpe.cli.policy.documents import DOCUMENT, read_document
from ibpe.cli.policy.options import OUTPUT_OPTION, ROLE_CHOICE, Output, as_data, spelled
from ibpe.policy.document import SIZE_LIMIT, PolicyDocument, size
from ibpe.policy.explanation import Explanation, explain, limits
from ibpe.policy.problem import EndpointRole


@dataclass(frozen=True)
class Page:
    """What is said about one endpoint's policy."""

    role: EndpointRole
    characters: int
    statements: tuple[Explanation, ...]
    limits: tuple[str, ...]


@click.command()
@click.argument("document", type=DOCUMENT, required=False)
@click.option("--role", type=ROLE_CHOICE, help="The endpoint that DOCUMENT is for.")
@click.option("--region", callback=spelled(RegionName), metavar="REGION", help="The endpoint's Region, with DOCUMENT.")
@click.option("-f", "--filename", "file", type=DOCUMENT, help="A resource's file, in place of DOCUMENT.")
@click.option("--name", help="The resource of this name, where the file holds several.")
@OUTPUT_OPTION
def command(
    *,
    document: Path | None,
    role: EndpointRole | None,
    region: str | None,
    file: Path | None,
    name: str | None,
    output: Output,
) -> None:
    """Say what each statement of a policy does and why it is there, and what the policy can't do.

    Of DOCUMENT with --role and --region, or of the policies that a resource asks for with -f.
    """
    if (document is None) == (file is None):
        raise Fault("Name a DOCUMENT, or a resource's file with -f; one of the two.")
    if document is not None:
        if role is None or region is None:
            raise Fault("Say which endpoint DOCUMENT is for: --role and --region.")
        if name is not None:
            raise Fault("--name chooses a resource of -f; leave it out.")
        pages = [_page(read_document(document, role), role, region)]
    else:
        if region is not None:
            raise Fault("The Region of a resource is its own; leave --region out.")
        pages = _of_a_resource(cast("Path", file), name, role)
    click.echo("\n\n".join(map(_as_text, pages)) if output == "text" else as_data(_data(pages), output))


def _of_a_resource(file: Path, name: str | None, role: EndpointRole | None) -> list[Page]:
    from ibpe.cli.policy.resources import requested  # noqa: PLC0415 -- the spec's models: not for a DOCUMENT

    region, documents = requested(file, name)
    pages = [_page(document, its.value, region) for its, document in documents.items() if role in {None, its.value}]
    if not pages:
        raise Fault(f"The resource writes no policy{f' for {role}' if role else ''}; there is nothing to explain.")
    return pages


def _page(document: PolicyDocument, role: EndpointRole, region: str) -> Page:
    return Page(role, size(document), explain(document, role, region), limits(document, role, region))


def _as_text(page: Page) -> str:
    return "\n".join(_lines(page))


def _lines(page: Page) -> Iterator[str]:
    yield click.style(f"{page.role}: {page.characters} of {SIZE_LIMIT} characters", bold=True)
    for statement in page.statements:
        yield f"\n{click.style(statement.name, bold=True)}"
        yield f"  {statement.words}"
        yield f"  Why: {statement.why}"
        if statement.source:
            yield f"  Source: {statement.source}"
    if page.limits:
        yield "\nGood to know"
        yield from (f"- {sentence}" for sentence in page.limits)


def _data(pages: Sequence[Page]) -> dict[str, Any]:
    return {
        page.role: {
            "characters": page.characters,
            "statements": [
                {"name": each.name, "does": each.words, "why": each.why, "source": each.source}
                for each in page.statements
            ],
            "limits": list(page.limits),
        }
        for page in pages
    }
