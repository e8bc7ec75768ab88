"""`ibpe accounts check`: whether the operator would take the file, and what it grants. Reads files alone."""

from collections.abc import Iterator
from pathlib import Path

import click

from ibpe.api.names import OWN_ACCOUNT
from ibpe.cli.faults import Fault
from ibpe.cli.files import named, text_of
from ibpe.reconcile.grants import Account, Grant, Grants, Vpcs
from ibpe.runtime.accounts_file import InvalidAccounts, read


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("-n", "--namespace", help="Say what this namespace may use, and nothing else.")
def command(file: Path, namespace: str | None) -> None:
    """Check the accounts file FILE (-: standard input), and say who may use what.

    Exit codes: 0 the operator takes it; 1 it does not, and why.
    """
    try:
        grants = read(text_of(file), cluster="").grants
    except InvalidAccounts as invalid:
        raise Fault(f"{named(file)}: {invalid}") from None
    lines = tuple(_lines(grants, namespace))
    click.echo("\n".join(lines) if lines else f"Namespace {namespace} may use nothing.")


def _lines(grants: Grants, namespace: str | None) -> Iterator[str]:
    for name in (*grants.accounts, OWN_ACCOUNT):
        given = [grant for grant in grants.grants if name in grant.accounts]
        mine = given if namespace is None else [grant for grant in given if grant.is_for(namespace)]
        who = "; ".join(_who(grant) for grant in mine) or "nobody"
        if mine or namespace is None:
            yield f"{_account(name, grants.accounts.get(name))}: {who}"


def _account(name: str, account: Account | None) -> str:
    if account is None:
        return f"{name} (the operator's own account)"
    return f"{name} ({account.id}, {' and '.join(sorted(account.regions)) or 'every Region'})"


def _who(grant: Grant) -> str:
    return f"{', '.join(sorted(grant.namespaces))} in {_vpcs(grant.vpcs)}"


def _vpcs(vpcs: Vpcs | None) -> str:
    if vpcs is None:
        return "every VPC"
    tags = " and ".join(f"{key}={value}" for key, value in sorted(vpcs.tags.items()))
    return " or ".join((*sorted(vpcs.ids), *([f"VPCs with the tag {tags}"] if tags else [])))
