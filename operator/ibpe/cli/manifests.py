"""Reading resources from YAML files, as `-f` names them. Knows YAML and our kind, not what a spec means."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from ibpe.api.names import API_VERSION, GROUP, KIND
from ibpe.cli.faults import Fault

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True)
class Manifest:
    """One resource of our kind as somebody wrote it."""

    namespace: str
    name: str
    spec: Mapping[str, object]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


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


def read(file: Path, namespace: str | None = None) -> tuple[Manifest, ...]:
    """Our resources in a file of one or many documents (`-`: standard input), in their order; others are passed over.

    `namespace` is for those that name none. Raises Fault: no such file, not YAML (line and column), none of our kind.
    """
    source = "standard input" if str(file) == "-" else str(file)
    documents = [document for document in _load(_text(file), source) if document is not None]
    objects = [item for document in documents for item in _items(document, source)]
    found = tuple(
        _manifest(written, namespace or DEFAULT_NAMESPACE, source) for written in objects if _is_ours(written, source)
    )
    if not found:
        kinds = ", ".join(sorted({f"{written.get('kind') or 'an object without kind'}" for written in objects}))
        held = f"it holds {kinds}" if kinds else "it is empty"
        raise Fault(f"{source} holds no {KIND} ({API_VERSION}); {held}.")
    return found


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Fault(f"There is no file {file}; check the path.") from None
    except UnicodeDecodeError:
        raise Fault(f"{file} is not text in UTF-8; give a YAML file.") from None
    except OSError as error:
        raise Fault(f"{file} can't be read: {error.strerror}.") from None


def _load(text: str, source: str) -> list[object]:
    try:
        return list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Fault(f"{source}{where}: not valid YAML: {error.problem or error.context}.") from None
    except yaml.YAMLError as error:
        raise Fault(f"{source}: not valid YAML: {' '.join(str(error).split())}.") from None
    except RecursionError:
        raise Fault(f"{source}: nested too deeply to be a manifest.") from None


def _items(document: object, source: str) -> Iterator[Mapping[str, Any]]:
    """The object itself, or those in a `kind: List`, as `kubectl get -o yaml` writes it."""
    if not isinstance(document, Mapping):
        raise Fault(f"{source}: a document is not an object; write apiVersion, kind, metadata and spec.")
    if document.get("kind") == "List" and isinstance(document.get("items"), list):
        for item in document["items"]:
            yield from _items(item, source)
    else:
        yield document


def _is_ours(written: Mapping[str, Any], source: str) -> bool:
    if written.get("kind") != KIND:
        return False
    version = written.get("apiVersion")
    if version == API_VERSION:
        return True
    if isinstance(version, str) and version.partition("/")[0] != GROUP:
        return False
    raise Fault(f"{source}: apiVersion {version} of {KIND} is not known; write {API_VERSION}.")


def _manifest(written: Mapping[str, Any], namespace: str, source: str) -> Manifest:
    metadata = written.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(metadata, Mapping) or not isinstance(name, str) or not name:
        raise Fault(f"{source}: a {KIND} has no metadata.name; add it.")
    spec = written.get("spec")
    if not isinstance(spec, Mapping):
        raise Fault(f"{source}: {name} has no spec; add it.")
    given = metadata.get("namespace")
    return Manifest(given if isinstance(given, str) and given else namespace, name, spec)


FILE_OPTION = click.option(
    "-f",
    "--filename",
    "file",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    help="A YAML file of one or many documents; - reads standard input.",
)
NAMESPACE_OPTION = click.option("-n", "--namespace", help="For resources that name no namespace; default: default.")
