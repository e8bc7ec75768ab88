"""The runnable parts of a page: each `sh` block, and the `text` block behind it, which its last command prints."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"^```(?P<kind>[a-z]*)\n(?P<text>.*?)^```$(?P<after>\n*)", re.MULTILINE | re.DOTALL)
_IDS = re.compile(r"\b(vpc|vpce|subnet|sg|rtb|eni)-[0-9a-f]{8,17}\b")
_TIMES = re.compile(r"\b\d+(\.\d+)?\s?(ms|s|m|h|m\d+s)\b")


class Step(NamedTuple):
    """One block of commands."""

    commands: str
    shown: str | None
    """What the page says that the last command prints."""


def steps(page: Path) -> list[Step]:
    """The steps of a page, in order."""
    return list(_steps(page.read_text()))


def _steps(text: str) -> Iterator[Step]:
    for block in _BLOCK.finditer(text):
        if block["kind"] == "sh":
            behind = _BLOCK.match(text, block.end())
            yield Step(block["text"], behind["text"] if behind and behind["kind"] == "text" else None)


def not_printed(shown: str, printed: str) -> list[str]:
    """Lines of a page that did not come out, in their order; ids, times and the width of columns don't count.

    An ellipsis stands for any words. Lines that the page leaves out are no fault.
    """
    missing = []
    lines = iter([_plain(line) for line in printed.splitlines()])
    for line in filter(None, map(_plain, shown.splitlines())):
        pattern = re.compile(re.escape(line).replace("…", ".*"))
        if not any(pattern.fullmatch(each) for each in lines):
            missing.append(line)
            lines = iter(())
    return missing


def _plain(line: str) -> str:
    return " ".join(_TIMES.sub("<time>", _IDS.sub(r"\1-…", line)).split())
