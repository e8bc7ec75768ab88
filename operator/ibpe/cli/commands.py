"""A click group that loads a command's module when it is used, and ends with exit codes that scripts can rely on."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, cast

import click

from ibpe.cli.faults import FAILED, INTERRUPTED


class Lazy(NamedTuple):
    """A command that is not loaded yet."""

    module: str
    summary: str
    """What `--help` of the group says of it; the command's own help is in its module, as its attribute `command`."""


class Commands(click.Group):
    """The group of all commands."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Names in the order in which they were given: the most used first."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's signature
        """The command of a name, loaded now."""
        found = self._lazy.get(cmd_name)
        return cast("click.Command", import_module(found.module).command) if found else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's signature
        """The list in `--help`, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in self._lazy.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 -- click's signature
        **extra: Any,
    ) -> Any:
        """As click's, but for the exit codes: 1 for every fault, 130 for Ctrl-C, quietly."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.Abort:
            sys.exit(INTERRUPTED)
        except click.ClickException as fault:
            fault.show()
            sys.exit(FAILED)
        sys.exit(code if isinstance(code, int) else 0)
