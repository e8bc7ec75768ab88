"""`ibpe plan`: what the operator would do for resources in a file. Reads AWS, writes nothing, needs no cluster."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, Literal

import click
import yaml

from ibpe.api.spec import InvalidSpec
from ibpe.api.status import PlannedAction
from ibpe.aws.errors import AwsError
from ibpe.aws.gateway import Cloud
from ibpe.cli.faults import Fault
from ibpe.cli.manifests import FILE_OPTION, NAMESPACE_OPTION, Manifest, read
from ibpe.policy.values import ended
from ibpe.reconcile.ports import Key
from ibpe.reconcile.preview import Preview, preview
from ibpe.reconcile.refusals import Refusal
from ibpe.runtime.accounts_file import InvalidAccounts, load


class Exit(IntEnum):
    """Exit codes, those of `terraform plan -detailed-exitcode`."""

    NOTHING = 0
    FAILED = 1
    CHANGES = 2


Previewer = Callable[[Mapping[str, object], Key], Preview]


@dataclass(frozen=True)
class Outlook:
    """What is said about one resource."""

    manifest: Manifest
    refusals: tuple[str, ...] = ()
    actions: tuple[PlannedAction, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = field(default="")

    @property
    def exit(self) -> Exit:
        """The exit code, were it the only resource."""
        if self.error or self.refusals:
            return Exit.FAILED
        return Exit.CHANGES if self.actions else Exit.NOTHING


_OWN_FIXES: Final = {
    "NoCredentials": "Log in to AWS, or set AWS_PROFILE: reading rights are enough.",
    "AccessDenied": "Ask for ec2:Describe* and sts:GetCallerIdentity.",
}
"""By the error's reason: what helps a person, where the table's fix is for an operator in a cluster."""
_MARKS: Final = {"Create": "+", "Delete": "-"}


@click.command()
@FILE_OPTION
@NAMESPACE_OPTION
@click.option(
    "--cluster-name",
    envvar="IBPE_CLUSTER_NAME",
    help="The operator's own, which tells what is ours by its tags.  [IBPE_CLUSTER_NAME; required]",
)
@click.option(
    "--accounts-file",
    envvar="IBPE_ACCOUNTS_FILE",
    type=click.Path(path_type=Path),
    help="The operator's own, which tells what each namespace may use.  [IBPE_ACCOUNTS_FILE]",
)
@click.option("-o", "--output", type=click.Choice(["json", "yaml"]), help="For programs, in place of the text.")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    file: Path,
    namespace: str | None,
    cluster_name: str | None,
    accounts_file: Path | None,
    output: Literal["json", "yaml"] | None,
) -> None:
    """Show what would be done in AWS for the resources of a file; do nothing.

    Needs AWS credentials that may read (ec2:Describe*, sts:GetCallerIdentity) and no cluster. For a resource with an
    accountRef they have to be that account's; no role is assumed.

    Exit codes: 0 nothing to do; 2 there are changes; 1 refused, or something is wrong.
    """
    manifests = read(file, namespace)
    if not cluster_name:
        raise Fault("Say which cluster's operator it is for: --cluster-name, or IBPE_CLUSTER_NAME.")
    outlooks = look_ahead(manifests, previewer(cluster_name, accounts_file))
    click.echo(as_text(outlooks) if output is None else as_data(outlooks, output))
    context.exit(worst(outlooks))


def previewer(cluster_name: str, accounts_file: Path | None = None) -> Previewer:
    """The real one, with the AWS credentials that the SDK finds. Raises Fault."""
    try:
        grants = load(accounts_file, cluster_name).grants
    except InvalidAccounts as invalid:
        raise Fault(str(invalid)) from None
    # boto3 takes half a second: not for `--help`, nor for a file that can't be read.
    from ibpe.aws.ec2 import BotoCloud  # noqa: PLC0415 -- see above
    from ibpe.aws.session import SessionSettings  # noqa: PLC0415 -- see above

    cloud: Cloud = BotoCloud(SessionSettings(cluster=cluster_name, connections=4))

    def look(spec: Mapping[str, object], key: Key) -> Preview:
        if accounts_file is None and spec.get("accountRef") is not None:
            raise InvalidSpec(
                "accountRef names an account that only the operator's accounts file knows: --accounts-file."
            )
        return preview(spec, key, cloud, cluster_name, grants)

    return look


def look_ahead(manifests: Sequence[Manifest], look: Previewer) -> tuple[Outlook, ...]:
    """Every resource's outlook; what is wrong with one does not keep the others from being looked at."""
    return tuple(_outlook(manifest, look) for manifest in manifests)


def worst(outlooks: Sequence[Outlook]) -> Exit:
    """The exit code for all together."""
    codes = {outlook.exit for outlook in outlooks}
    return next((code for code in (Exit.FAILED, Exit.CHANGES) if code in codes), Exit.NOTHING)


def as_text(outlooks: Sequence[Outlook]) -> str:
    """For a person: one block a resource, and a last line that says what it comes to."""
    blocks = ["\n".join(_lines(outlook)) for outlook in outlooks]
    changes = sum(len(outlook.actions) for outlook in outlooks)
    failed = sum(outlook.exit is Exit.FAILED for outlook in outlooks)
    planned = [f"{changes} change{'s' if changes != 1 else ''} planned"] if changes else []
    held_up = [f"{failed} of {len(outlooks)} can't go ahead"] if failed else []
    total = ", ".join(planned + held_up) or "Nothing to do"
    return "\n\n".join([*blocks, f"{total}. Nothing was changed."])


def as_data(outlooks: Sequence[Outlook], output: Literal["json", "yaml"]) -> str:
    """For a program: a list with one object a resource."""
    data: list[dict[str, Any]] = [
        {
            "namespace": outlook.manifest.namespace,
            "name": outlook.manifest.name,
            "actions": [action.model_dump(mode="json", by_alias=True) for action in outlook.actions],
            "refusals": list(outlook.refusals),
            "notes": list(outlook.notes),
            "error": outlook.error,
        }
        for outlook in outlooks
    ]
    return json.dumps(data, indent=2) if output == "json" else yaml.safe_dump(data, sort_keys=False).rstrip()


def _outlook(manifest: Manifest, look: Previewer) -> Outlook:
    try:
        found = look(manifest.spec, Key(manifest.namespace, manifest.name))
    except InvalidSpec as error:
        return Outlook(manifest, error=ended(str(error)))
    except AwsError as error:
        return Outlook(manifest, error=f"{str(error).rstrip('.')}. {_OWN_FIXES.get(error.reason, error.fix)}")
    return Outlook(
        manifest,
        refusals=tuple(_refusal(refusal) for refusal in found.refusals),
        actions=tuple(found.actions),
        notes=tuple(found.notes),
    )


def _refusal(refusal: Refusal) -> str:
    return f"{refusal.role}: {refusal.message}" if refusal.role else refusal.message


def _lines(outlook: Outlook) -> Iterator[str]:
    yield click.style(str(outlook.manifest), bold=True)
    for action in outlook.actions:
        yield f"  {_MARKS.get(action.action, '~')} {action.action} {action.role.value}: {action.detail}"
    for refusal in outlook.refusals:
        yield f"  {click.style('refused', fg='red')} {refusal}"
    if outlook.error:
        yield f"  {click.style('error', fg='red')} {outlook.error}"
    elif not outlook.actions and not outlook.refusals:
        yield "  nothing to do"
    for note in outlook.notes:
        yield f"  note: {note}"
