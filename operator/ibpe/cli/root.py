"""The root of the command line: which commands there are."""

from typing import Final

import click

from ibpe import __version__
from ibpe.cli.commands import Commands, Lazy

_COMMANDS: Final = {
    "status": Lazy("ibpe.cli.status", "Show how resources are, and what to do."),
    "plan": Lazy("ibpe.cli.plan", "Show what would be done in AWS; do nothing."),
    "policy": Lazy("ibpe.cli.policy", "Render, check, compare and explain endpoint policies."),
    "accounts": Lazy("ibpe.cli.accounts", "Check the file of accounts and of who may use them."),
    "iam-policy": Lazy("ibpe.cli.iam_policy", "Render the IAM policy that the operator needs."),
    "iam-trust": Lazy("ibpe.cli.iam_trust", "Render the trust policy of the operator's IAM role."),
    "uninstall-check": Lazy("ibpe.cli.uninstall_check", "Say whether the operator may be uninstalled."),
    "run": Lazy("ibpe.cli.run", "Run the operator."),
}


@click.group(cls=Commands, lazy=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ibpe")
def cli() -> None:
    """Make an AWS VPC able to run EC2 Image Builder privately, and keep it so.

    Exit codes: 0 done, 1 something is wrong (said in one sentence), 130 interrupted; `plan` also uses 2.
    """
