"""`ibpe policy`: the endpoint policies of a resource, from its file alone. Knows neither cluster nor AWS."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import click

from ibpe.api.names import Role
from ibpe.api.spec import InvalidSpec, parse_spec
from ibpe.cli.faults import Fault
from ibpe.cli.manifests import FILE_OPTION, Manifest, read
from ibpe.policy.document import SIZE_LIMIT, PolicyDocument, PolicyError, plain, size
from ibpe.reconcile.desire import policies

Output = Literal["json", "yaml"]


@click.group()
def command() -> None:
    """Work with the endpoint policies that resources ask for."""


@command.command()
@FILE_OPTION
@click.option("--name", help="The resource of this name, where the file holds several.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["json", "yaml"]),
    default="yaml",
    show_default=True,
    help="json: one object, role -> policy document, nothing else; yaml: the same, with sizes as comments.",
)
def render(file: Path, name: str | None, output: Output) -> None:
    """Print the policy documents that a resource would give its endpoints, by role: imagebuilder, s3.

    Needs no cluster and no AWS. Roles that the resource does not manage are absent.
    """
    documents = _policies(_chosen(read(file), name, str(file)))
    click.echo(_as_json(documents) if output == "json" else _as_yaml(documents), nl=False)


def _chosen(manifests: tuple[Manifest, ...], name: str | None, file: str) -> Manifest:
    found = [manifest for manifest in manifests if name in {None, manifest.name}]
    names = ", ".join(manifest.name for manifest in manifests)
    if not found:
        raise Fault(f"{file} holds no resource {name}; it holds {names}.")
    if len(found) > 1:
        raise Fault(f"{file} holds several resources ({names}); choose one with --name.")
    return found[0]


def _policies(manifest: Manifest) -> Mapping[Role, PolicyDocument]:
    try:
        return policies(parse_spec(manifest.spec))
    except (InvalidSpec, PolicyError) as error:
        raise Fault(f"{manifest.name}: {error}.") from None


def _as_json(documents: Mapping[Role, PolicyDocument]) -> str:
    return json.dumps({role.value: plain(document) for role, document in documents.items()}, indent=2) + "\n"


def _as_yaml(documents: Mapping[Role, PolicyDocument]) -> str:
    import yaml  # noqa: PLC0415 -- only this output needs it

    return "".join(
        f"# {size(document)} of {SIZE_LIMIT} characters\n"
        + yaml.safe_dump({role.value: plain(document)}, sort_keys=False, width=120, allow_unicode=True)
        for role, document in documents.items()
    )
