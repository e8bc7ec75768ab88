"""Writes docs/reference/command-line.md: every command with its arguments and options, from click's own description."""

import inspect
import re
from collections.abc import Iterator
from typing import Final

import click

from ibpe.cli.root import cli

OPENING: Final = """# The command line

`ibpe run` is the operator; the other commands are for people and pipelines. `-h` shows the same as this page. \
Exit codes: 0 done, 1 something is wrong (said in one sentence), 130 interrupted; where a command has more, it says so.

Made from the commands by `make crds`; not written by hand.
"""


def command_page() -> str:
    """The page's text."""
    return "\n".join([OPENING, *_sections(cli, click.Context(cli, info_name="ibpe"))]).rstrip() + "\n"


def _sections(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield from _section(command, inner)
        if isinstance(command, click.Group):
            yield from _sections(command, inner)


def _section(command: click.Command, context: click.Context) -> Iterator[str]:
    yield from (f"## `{context.command_path}`", "")
    if not isinstance(command, click.Group):
        usage = " ".join(command.collect_usage_pieces(context))
        yield from (f"Usage: `{context.command_path} {usage}`", "")
    yield from (_paragraphs(command.help or ""), "")
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if options:
        yield from ("| Option | |", "|---|---|", *(_row(option, context) for option in options), "")


def _paragraphs(text: str) -> str:
    """The help's paragraphs, each in one line; names in capitals and commands stay as they are."""
    return "\n\n".join(" ".join(each.split()) for each in inspect.cleandoc(text).split("\n\n"))


def _row(option: click.Option, context: click.Context) -> str:
    _, said = option.get_help_record(context) or ("", "")
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" `{option.make_metavar(context)}`"
    text = re.sub(r"\s+", " ", said).replace("|", "\\|")
    return f"| {names}{value.replace('|', chr(92) + '|')} | {text} |"
