"""Reading a policy that somebody keeps in a file: JSON, YAML, or what `ibpe policy render` prints."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

import click

from ibpe.cli.faults import Fault
from ibpe.cli.files import named, text_of, yaml_documents
from ibpe.policy.document import PolicyDocument, PolicyError
from ibpe.policy.parse import parse
from ibpe.policy.problem import EndpointRole
from ibpe.policy.values import ended

ROLES: Final[tuple[EndpointRole, ...]] = get_args(EndpointRole)
DOCUMENT: Final = click.Path(path_type=Path, allow_dash=True)
"""The type of an argument that names a policy document."""


def read_document(file: Path, role: EndpointRole | None = None) -> PolicyDocument:
    """The policy in a file (`-`: standard input); `role` chooses where it holds one for each, as `render` prints them.

    Raises Fault with one sentence: no such file, not a policy (with the place and the fix), several policies.
    """
    source = named(file)
    try:
        return parse(_written(text_of(file), source, role))
    except PolicyError as error:
        raise Fault(ended(f"{source}: {error}")) from None


def _written(text: str, source: str, role: EndpointRole | None) -> str | Mapping[str, object]:
    """JSON stays text, so that what is wrong with it is told by line and column; all else becomes plain values."""
    found = _json(text)
    if isinstance(found, str):  # the AWS CLI shows a policy as a string
        return found
    if text.lstrip().startswith("{") and not _by_role(found):
        return text
    documents = [document for document in yaml_documents(text, source) if document is not None]
    if len(documents) != 1:
        raise Fault(f"{source} holds {len(documents) or 'no'} documents; give a file that holds one policy.")
    document = documents[0]
    if not isinstance(document, Mapping):
        raise Fault(f"{source} is not a policy; write an object with Version and Statement.")
    return _chosen(document, source, role) if _by_role(document) else document


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _by_role(document: object) -> bool:
    return isinstance(document, Mapping) and 0 < len(document) == len(document.keys() & set(ROLES))


def _chosen(documents: Mapping[str, object], source: str, role: EndpointRole | None) -> Mapping[str, object]:
    held = " and ".join(documents)
    if role is None and len(documents) > 1:
        raise Fault(f"{source} holds policies for {held}; choose one with --role.")
    chosen = documents.get(role) if role else next(iter(documents.values()))
    if chosen is None:
        raise Fault(f"{source} holds no policy for {role}; it holds one for {held}.")
    if not isinstance(chosen, Mapping):
        raise Fault(f"{source} is not a policy; write an object with Version and Statement.")
    return chosen
