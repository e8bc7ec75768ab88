"""The `console` blocks: commands that need AWS or a cluster with nodes are held against the programs' own options."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from ibpe.cli.root import cli
from sandbox.kube import binaries, tools
from tests.docs.pages import PAGES, REPOSITORY, blocks

PROGRAMS = ("ibpe", "kubectl", "helm")
_SEPARATOR = re.compile(r"(?:\s\|\s|\s&&\s|\s;\s|\$\()")
_GIVEN = (str, bool, list, tuple)
"""What click's parser gives for what was typed; for what was not, None or a mark of its own."""
_FLAG = re.compile(r"^\s+(?:-(?P<short>\w), )?--(?P<long>[\w-]+)(?P<value>='?[^:]*:| \w+|)", re.MULTILINE)


def _commands(page: Path) -> Iterator[list[str]]:
    """What is typed at the prompts of a page, split into words, for our programs alone."""
    for block in blocks(page, "console"):
        joined = block.replace("\\\n", " ")
        for line in joined.splitlines():
            if line.startswith("$ "):
                for part in _SEPARATOR.split(line.removeprefix("$ ")):
                    words = shlex.split(part.split(" > ")[0].rstrip(")"), comments=True)
                    if words and words[0] in PROGRAMS:
                        yield words


CASES = [(page, words) for page in PAGES for words in _commands(page)]


def _fault_of_ibpe(words: list[str]) -> str | None:
    """None, or what the command line would say of the words; values are not looked at."""
    command: click.Command = cli
    context = click.Context(cli, info_name="ibpe")
    rest = words
    while isinstance(command, click.Group):
        if not rest or (found := command.get_command(context, rest[0])) is None:
            return f"there is no command {rest[:1]}"
        context, command, rest = click.Context(found, info_name=rest[0], parent=context), found, rest[1:]
    try:
        given, arguments, _ = command.make_parser(context).parse_args(list(rest))
    except click.UsageError as error:
        return error.format_message()
    if arguments:
        return f"too many arguments: {arguments}"
    left_out = [
        each.name
        for each in command.params
        if each.required and not getattr(each, "envvar", None) and not isinstance(given.get(str(each.name)), _GIVEN)
    ]
    return f"left out: {left_out}" if left_out else None


@cache
def _help(program: str, *words: str) -> str:
    paths = {"kubectl": lambda: binaries.ensure().kubectl, "helm": lambda: tools.ensure("helm")}
    done = subprocess.run(
        [str(paths[program]()), *words, "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout


@cache
def _options_for_all(program: str) -> str:
    if program == "helm":
        return _help("helm")
    return subprocess.run(
        [str(binaries.ensure().kubectl), "options"], capture_output=True, text=True, timeout=60, check=True
    ).stdout


def _flags(text: str) -> dict[str, bool]:
    """By how they are written: whether a value follows."""
    found = {}
    for flag in _FLAG.finditer(text):
        takes_one = flag["value"].strip(":") not in {"", "=false", "=true"}
        found[f"--{flag['long']}"] = takes_one
        if flag["short"]:
            found[f"-{flag['short']}"] = takes_one
    return found


def _fault(program: str, words: list[str]) -> str | None:
    """None, or the flag or command that the program doesn't have."""
    flags, named, path = _flags(_options_for_all(program)), list(words), list[str]()
    while named:
        word = named.pop(0)
        if word == "--":
            break
        if word.startswith("-") and word != "-":
            name, _, value = word.partition("=")
            if name not in flags:
                return f"{program} {' '.join(path)} has no option {name}"
            if flags[name] and not value and named:
                named.pop(0)
        elif len(path) < 2 and re.search(rf"^  +{re.escape(word)}\s", _help(program, *path), re.MULTILINE):
            path.append(word)
            flags.update(_flags(_help(program, *path)))
        elif not path:
            return f"{program} has no command {word}"
    return None


@pytest.mark.kube
@pytest.mark.parametrize(
    ("page", "words"), CASES, ids=[f"{page.relative_to(REPOSITORY)}-{' '.join(words)[:60]}" for page, words in CASES]
)
def test_the_program_takes_what_the_page_types(page: Path, words: list[str]) -> None:
    program, *rest = words
    fault = _fault_of_ibpe(rest) if program == "ibpe" else _fault(program, rest)
    assert fault is None, f"{page.name}: {' '.join(words)}: {fault}"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("ibpe polcy render", "no command"),
        ("ibpe plan --file cr.yaml", "No such option"),
        ("ibpe plan -n default", "left out"),
        ("ibpe policy diff one.json", "left out"),
        ("ibpe plan -f cr.yaml another", "too many"),
        ("kubectl gett pods", "no command"),
        ("kubectl --namespace x get pods --selectr a=b", "no option"),
        ("kubectl rollout status --revison=2 deployment/x", "no option"),
        ("helm install a b --sett x=y", "no option"),
    ],
)
def test_what_no_program_takes_is_found(typed: str, fault: str) -> None:
    program, *rest = typed.split()
    found = _fault_of_ibpe(rest) if program == "ibpe" else _fault(program, rest)
    assert found is not None
    assert fault in found
