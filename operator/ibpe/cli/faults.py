"""What ends a command: one sentence on standard error, never a traceback. Knows no cluster and no cloud."""

from typing import IO, Any, Final

import click

FAILED: Final = 1
"""Exit code of everything that went wrong, misuse included: 2 is taken, `ibpe plan` says "changes" with it."""
INTERRUPTED: Final = 130
"""128 + SIGINT, as shells have it."""


class Fault(click.ClickException):
    """Something that the person at the terminal can put right; the message is one sentence with the fix."""

    exit_code = FAILED

    def show(self, file: IO[Any] | None = None) -> None:
        """Write `error: <message>` to standard error."""
        click.echo(f"{click.style('error:', fg='red', bold=True)} {self.message}", file=file, err=file is None)
