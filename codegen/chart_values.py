"""The chart's values.yaml: each value, its default and the `# --` comment above it. Knows YAML's layout, not Helm."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

CHART: Final = Path(__file__).parent.parent / "charts" / "imagebuilder-private-endpoint-operator"
_KEY: Final = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z]\w*):")


@dataclass(frozen=True)
class Value:
    """One value as a user sets it: `leaderElection.enabled`."""

    path: str
    default: object
    text: str


def values() -> Iterator[Value]:
    """Every value that has a comment, in the file's order."""
    text = (CHART / "values.yaml").read_text()
    defaults = yaml.safe_load(text)
    parents: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            begins = stripped.startswith("# --")
            comment = [*([] if begins else comment), stripped.removeprefix("# --" if begins else "#").strip()]
        elif (found := _KEY.match(line)) is not None:
            indent = len(found["indent"])
            parents = [*(parent for parent in parents if parent[0] < indent), (indent, found["key"])]
            if comment:
                path = [name for _, name in parents]
                yield Value(".".join(path), _at(defaults, path), " ".join(comment))
            comment = []


def _at(defaults: Any, path: list[str]) -> object:
    for name in path:
        defaults = defaults[name]
    found: object = defaults
    return found
