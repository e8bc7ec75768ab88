"""Reading text and YAML from files, as people name them. Knows nothing of what the files hold."""

import sys
from pathlib import Path
from typing import Any, Final

import yaml

from ibpe.cli.faults import Fault

STANDARD_INPUT: Final = "-"


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: a key that stands twice in a mapping is an error, dates stay text."""


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.MarkedYAMLError(
                problem=f"the key {key!r} is not text, put it in quotes", problem_mark=key_node.start_mark
            )
        if key in mapping:
            raise yaml.MarkedYAMLError(problem=f"the key {key} stands twice", problem_mark=key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


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
        return list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Fault(f"{source}{where}: not valid YAML: {error.problem or error.context}.") from None
    except yaml.YAMLError as error:
        raise Fault(f"{source}: not valid YAML: {' '.join(str(error).split())}.") from None
    except RecursionError:
        raise Fault(f"{source}: nested too deeply to be read.") from None
