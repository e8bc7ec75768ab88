"""The command line, `ibpe`: one module a command group. Importing it loads click and nothing heavier."""

from ibpe.cli.root import cli


def main() -> None:
    """The console script; exits."""
    cli()
