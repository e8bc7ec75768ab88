"""`ibpe status`: how resources are, as a page, a table, JSON or YAML."""

import json
from datetime import UTC, datetime
from typing import Any, Literal

import click
import yaml
from rich.console import Console, RenderableType

from ibpe.api.names import KIND
from ibpe.cli.advice import advice, notes
from ibpe.cli.faults import Fault
from ibpe.cli.page import page, spec_text, table
from ibpe.reconcile.ports import Key, Resource

_PIPE_COLUMNS = 80


@click.command()
@click.argument("name", required=False)
@click.option("-n", "--namespace", help="Default: that of the kubeconfig's context.")
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Resources of all namespaces.")
@click.option("--context", help="Another context of the kubeconfig.")
@click.option("-o", "--output", type=click.Choice(["json", "yaml"]), help="For programs, in place of the page.")
def command(
    *,
    name: str | None,
    namespace: str | None,
    everywhere: bool,
    context: str | None,
    output: Literal["json", "yaml"] | None,
) -> None:
    """Show how resources are and what to do: a page about NAME, or a table of all in the namespace.

    Reads the cluster of KUBECONFIG and nothing else; needs the verbs get and list.
    """
    if everywhere and (name or namespace):
        raise Fault("-A shows a table of all namespaces: leave out NAME and -n.")
    from ibpe.cli.cluster import Cluster  # noqa: PLC0415 -- the kubernetes library takes its time: not for `--help`

    cluster = Cluster.connect(context)
    where = None if everywhere else namespace or cluster.namespace
    if name:
        found = cluster.one(Key(namespace or cluster.namespace, name))
        show([found], page(found, datetime.now(UTC)), output, single=True)
        return
    resources = cluster.many(where)
    if not resources and output is None:
        click.echo(f"No {KIND} in {f'namespace {where}' if where else 'any namespace'}.", err=True)
        return
    show(resources, table(resources, namespaces=everywhere), output, single=False)


def show(
    resources: list[Resource], rendered: RenderableType, output: Literal["json", "yaml"] | None, *, single: bool
) -> None:
    """Write the rendered form, or with `output` the data: one object for a single resource, else a list."""
    if output is None:
        click.echo(as_text(rendered))
        return
    data = [as_data(resource) for resource in resources]
    written: Any = data[0] if single else data
    text = json.dumps(written, indent=2) if output == "json" else yaml.safe_dump(written, sort_keys=False).rstrip()
    click.echo(text)


def as_text(rendered: RenderableType) -> str:
    """The lines without the blanks that rich fills them with, as wide as the terminal, or 80 columns in a pipe."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPE_COLUMNS)
    with console.capture() as captured:
        console.print(rendered)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def as_data(resource: Resource) -> dict[str, Any]:
    """A resource as plain values, with what to do beside its status."""
    from ibpe.kube.translate import wire_status  # noqa: PLC0415 -- as above

    return {
        "namespace": resource.key.namespace,
        "name": resource.key.name,
        "region": spec_text(resource, "region"),
        "vpcID": spec_text(resource, "vpcID"),
        "generation": resource.generation,
        "deleting": resource.deleting,
        "advice": list(advice(resource)),
        "notes": list(notes(resource)),
        "status": wire_status(resource.status),
    }
