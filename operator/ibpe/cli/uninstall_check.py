"""`ibpe uninstall-check`: whether the operator may be uninstalled without leaving resources that nobody can delete.

Knows our finalizer and nothing of AWS; reads one list, writes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import click

from ibpe.api.names import FINALIZER, GROUP, KIND, PLURAL
from ibpe.cli.faults import Fault
from ibpe.reconcile.ports import Key

NAMED: Final = 10
"""Resources that the sentence names before it counts the rest."""


@click.command()
@click.option(
    "--watch-namespaces",
    envvar="IBPE_WATCH_NAMESPACES",
    default="",
    metavar="A,B",
    help="The namespaces that the operator serves; empty: all. [IBPE_WATCH_NAMESPACES]",
)
@click.option("--release", envvar="IBPE_RELEASE", default="RELEASE", help="The release's name, for the advice.")
@click.option(
    "--release-namespace", envvar="IBPE_RELEASE_NAMESPACE", default="NAMESPACE", help="Its namespace, for the advice."
)
@click.option("--context", help="Another context of the kubeconfig.")
def command(*, watch_namespaces: str, release: str, release_namespace: str, context: str | None) -> None:
    """Say whether the operator may be uninstalled: exit code 0 when no resource carries its finalizer, else 1.

    The chart runs it before `helm uninstall`. A resource with the finalizer can't be deleted while no operator runs,
    and its endpoints stay in AWS. Needs the verb list on the resources, and nothing else.
    """
    from ibpe.cli.cluster import Cluster  # noqa: PLC0415 -- the kubernetes library takes its time: not for `--help`

    namespaces = tuple(dict.fromkeys(filter(None, (name.strip() for name in watch_namespaces.split(",")))))
    held = Cluster.connect(context).holding_finalizers(namespaces)
    if held:
        raise Fault(_refusal(held, f"helm uninstall {release} -n {release_namespace} --no-hooks"))
    where = f"namespaces {', '.join(namespaces)}" if namespaces else "any namespace"
    click.echo(f"No {KIND} in {where} carries the finalizer {FINALIZER}: the operator may be uninstalled.")


def _refusal(held: Sequence[Key], override: str) -> str:
    count = f"{len(held)} {PLURAL}.{GROUP} carry" if len(held) > 1 else f"1 {PLURAL}.{GROUP} carries"
    return (
        f"{count} the finalizer {FINALIZER}, which only this operator takes off ({_named(held)}): delete them and wait "
        f"until they are gone (first set spec.deletionPolicy to Retain where the endpoints shall stay in AWS), or keep "
        f"everything as it is with `{override}`, after which none of them can be deleted until the operator is "
        f"installed again with the same clusterName."
    )


def _named(held: Iterable[Key]) -> str:
    names = [str(key) for key in held]
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
