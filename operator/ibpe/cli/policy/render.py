"""`ibpe policy render`: the policy documents that a resource asks for."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import click

from ibpe.api.names import Role
from ibpe.cli.manifests import FILE_OPTION
from ibpe.cli.policy.resources import requested
from ibpe.policy.document import SIZE_LIMIT, PolicyDocument, plain, size


@click.command()
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
def command(file: Path, name: str | None, output: Literal["json", "yaml"]) -> None:
    """Print the policy documents that a resource asks for, by role: imagebuilder, s3.

    With the mode Contribute, the document for s3 holds the statements that are contributed; in the endpoint, their Sids
    begin with a mark of the cluster and the resource. Roles for which the resource writes no policy are absent.
    """
    _, documents = requested(file, name)
    click.echo(_as_json(documents) if output == "json" else _as_yaml(documents), nl=False)


def _as_json(documents: Mapping[Role, PolicyDocument]) -> str:
    return json.dumps({role.value: plain(document) for role, document in documents.items()}, indent=2) + "\n"


def _as_yaml(documents: Mapping[Role, PolicyDocument]) -> str:
    import yaml  # noqa: PLC0415 -- only this output needs it

    return "".join(
        f"# {size(document)} of {SIZE_LIMIT} characters\n"
        + yaml.safe_dump({role.value: plain(document)}, sort_keys=False, width=120, allow_unicode=True)
        for role, document in documents.items()
    )
