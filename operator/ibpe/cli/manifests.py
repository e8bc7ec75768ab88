"""Reading resources from YAML files, as `-f` names them. Knows YAML and our kind, not what a spec means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ibpe.api.names import API_VERSION, GROUP, KIND
from ibpe.cli.faults import Fault
from ibpe.cli.files import named, text_of, yaml_documents

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True)
class Manifest:
    """One resource of our kind as somebody wrote it."""

    namespace: str
    name: str
    spec: Mapping[str, object]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def read(file: Path, namespace: str | None = None) -> tuple[Manifest, ...]:
    """Our resources in a file of one or many documents (`-`: standard input), in their order; others are passed over.

    `namespace` is for those that name none. Raises Fault: no such file, not YAML (line and column), none of our kind.
    """
    source = named(file)
    documents = [document for document in yaml_documents(text_of(file), source) if document is not None]
    objects = [item for document in documents for item in _items(document, source)]
    found = tuple(
        _manifest(written, namespace or DEFAULT_NAMESPACE, source) for written in objects if _is_ours(written, source)
    )
    if not found:
        kinds = ", ".join(sorted({f"{written.get('kind') or 'an object without kind'}" for written in objects}))
        held = f"it holds {kinds}" if kinds else "it is empty"
        raise Fault(f"{source} holds no {KIND} ({API_VERSION}); {held}.")
    return found


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
