"""The policies that a resource asks for, from its file."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ibpe.api.endpoints import S3Mode
from ibpe.api.names import Role
from ibpe.api.spec import InvalidSpec, parse_spec
from ibpe.cli.faults import Fault
from ibpe.cli.files import named
from ibpe.cli.manifests import Manifest, read
from ibpe.policy.document import PolicyDocument, PolicyError
from ibpe.policy.explanation import unmarked
from ibpe.policy.values import ended
from ibpe.reconcile.desire import policies


def requested(file: Path, name: str | None) -> tuple[str, Mapping[Role, PolicyDocument]]:
    """The Region of a resource and its documents by role; roles that the resource does not write are absent.

    With the mode Contribute, the document holds what is contributed. Raises Fault: no such file or resource, several
    resources and no name, an invalid spec, a policy that can't be made.
    """
    manifest = _chosen(read(file), name, named(file))
    try:
        spec = parse_spec(manifest.spec)
        documents = policies(spec)
    except (InvalidSpec, PolicyError) as error:
        raise Fault(ended(f"{manifest.name}: {error}")) from None
    contributes = spec.s3 is not None and spec.s3.mode is S3Mode.CONTRIBUTE
    return spec.region, {
        role: _without_marks(document) if contributes and role is Role.S3 else document
        for role, document in documents.items()
    }


def _without_marks(document: PolicyDocument) -> PolicyDocument:
    """Statements under the Sids that they were written with: the mark holds the uid, which a file doesn't have."""
    return replace(document, statements=tuple(replace(each, sid=unmarked(each.sid)) for each in document.statements))


def _chosen(manifests: tuple[Manifest, ...], name: str | None, source: str) -> Manifest:
    found = [manifest for manifest in manifests if name in {None, manifest.name}]
    names = ", ".join(manifest.name for manifest in manifests)
    if not found:
        raise Fault(f"{source} holds no resource {name}; it holds {names}.")
    if len(found) > 1:
        raise Fault(f"{source} holds several resources ({names}); choose one with --name.")
    return found[0]
