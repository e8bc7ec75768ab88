"""Reading text and YAML from files, as people name them. Knows nothing of what the files hold."""

import sys
from pathlib import Path
from typing import Final

from ibpe.api.strict_yaml import NotYaml, documents
from ibpe.cli.faults import Fault

STANDARD_INPUT: Final = "-"


def named(file: Path) -> str:
    """The file as a message names it."""
    return "standard input" if str(file) == STANDARD_INPUT else str(file)


def text_of(file: Path) -> str:
    """The text of a file (`-`: standard input). Raises Fault: no such file, not text, not readable."""
    try:
        return sys.stdin.read() if str(file) == STANDARD_INPUT else file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise Fault(f"There is no file {file}; check the path.") from None
    except UnicodeDecodeError:
        raise Fault(f"{named(file)} is not text in UTF-8; give a file of text.") from None
    except OSError as error:
        raise Fault(f"{file} can't be read: {error.strerror}.") from None


def yaml_documents(text: str, source: str) -> list[object]:
    """The documents in a text. Raises Fault, which names the source, line and column, for what is not YAML."""
    try:
        return documents(text)
    except NotYaml as problem:
        place = ", " if str(problem).startswith("line ") else ": "
        raise Fault(f"{source}{place}{problem}") from None
