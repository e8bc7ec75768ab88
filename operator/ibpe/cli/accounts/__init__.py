"""`ibpe accounts`: the operator's accounts file. Knows neither cluster nor AWS."""

from typing import Final

import click

from ibpe.cli.commands import Commands, Lazy

_COMMANDS: Final = {"check": Lazy("ibpe.cli.accounts.check", "Check an accounts file, and say who may use what.")}


@click.group(cls=Commands, lazy=_COMMANDS)
def command() -> None:
    """Work with the file that says which namespace may use which account, Region and VPC."""
