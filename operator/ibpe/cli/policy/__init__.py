"""`ibpe policy`: endpoint policies, from files alone. Knows neither cluster nor AWS; loads commands when used."""

from typing import Final

import click

from ibpe.cli.commands import Commands, Lazy

_COMMANDS: Final = {
    "render": Lazy("ibpe.cli.policy.render", "Print the policies that a resource asks for."),
    "check": Lazy("ibpe.cli.policy.check", "Tell whether a policy lets builds work."),
    "diff": Lazy("ibpe.cli.policy.diff", "Compare two policies by meaning."),
    "explain": Lazy("ibpe.cli.policy.explain", "Say in words what each statement does, and why it is there."),
}


@click.group(cls=Commands, lazy=_COMMANDS)
def command() -> None:
    """Work with endpoint policies. Needs no cluster and no AWS.

    A DOCUMENT is a file, or - for standard input: a policy as JSON or YAML, or what `ibpe policy render` prints.
    """
