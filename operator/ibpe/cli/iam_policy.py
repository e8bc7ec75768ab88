"""`ibpe iam-policy`: what the operator's role must be allowed to do in AWS, and no more. Reads files, calls nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from ibpe.api.names import OWN_ACCOUNT
from ibpe.api.spec import InvalidSpec, Spec, parse_spec
from ibpe.cli.faults import Fault
from ibpe.cli.iam_values import ACCOUNT, CLUSTER_NAME, ENDPOINT, REGION, ROLE_ARN, VPC
from ibpe.cli.manifests import read
from ibpe.iam import duties as kinds
from ibpe.iam.document import INLINE_POLICY_LIMIT, MANAGED_POLICY_LIMIT, Policy
from ibpe.iam.duties import ANY, Duties, MixedPartitions, SharedEndpoint
from ibpe.iam.permissions import permissions


@click.command()
@click.option(
    "--cluster-name",
    required=True,
    envvar="IBPE_CLUSTER_NAME",
    show_envvar=True,
    type=CLUSTER_NAME,
    help="The operator's cluster name: it may change only what carries this name in its tag.",
)
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, allow_dash=True),
    help="Resources that will be applied: only what they use is allowed, in their Regions and VPCs. "
    "Without it (and without --assume-role), all that the operator can make.",
)
@click.option(
    "--account-ref",
    default=OWN_ACCOUNT,
    show_default=True,
    metavar="NAME",
    help="Of the files, only the resources about this account: the name in accountRef, or the operator's own.",
)
@click.option("--everything", is_flag=True, help="All that the operator can make, beside what the other options add.")
@click.option("--account", type=ACCOUNT, help="The account; default: any.")
@click.option("--region", "regions", multiple=True, type=REGION, help="A Region; default: those of the files, or any.")
@click.option("--vpc", "vpcs", multiple=True, type=VPC, help="A VPC; default: those of the files, or any.")
@click.option("--any-vpc", is_flag=True, help="Do not narrow the policy to the VPCs of the files.")
@click.option(
    "--shared-endpoint",
    "ids",
    multiple=True,
    type=ENDPOINT,
    help="Somebody else's endpoint that resources contribute to (s3.mode Contribute); files name theirs themselves.",
)
@click.option("--assume-role", "roles", multiple=True, type=ROLE_ARN, help="A role that it assumes in another account.")
def command(
    cluster_name: str,
    files: tuple[Path, ...],
    account_ref: str,
    everything: bool,  # noqa: FBT001 -- click passes flags so
    account: str | None,
    regions: tuple[str, ...],
    vpcs: tuple[str, ...],
    any_vpc: bool,  # noqa: FBT001 -- click passes flags so
    ids: tuple[str, ...],
    roles: tuple[str, ...],
) -> None:
    """Print the least-privilege IAM policy of the operator's role in one account, as JSON.

    Every option but --cluster-name narrows it. When a resource comes to use more, render it again before you apply the
    resource; when it comes to use less, afterwards: the operator first removes what it made.
    """
    try:
        if everything or not (files or roles):
            duties = kinds.everything(cluster_name)
        elif files:
            duties = kinds.duties_of(cluster_name, _specs(files, account_ref))
        else:
            duties = kinds.only_elsewhere(cluster_name)
        regions = tuple(sorted({*duties.regions, *regions}))
        vpcs = () if any_vpc else tuple(sorted({*duties.vpcs, *vpcs}))
        shared = _shared(duties, regions, ids)
        duties = replace(duties, account=account or ANY, regions=regions, vpcs=vpcs, shared=shared, roles=roles)
    except MixedPartitions as mixed:
        raise Fault(str(mixed)) from None
    policy = permissions(duties)
    click.echo(policy.render(), nl=False)
    _tell_size(policy)


def _specs(files: Iterable[Path], account_ref: str) -> Sequence[Spec]:
    """The specs about one account; a note on standard error tells of the others."""
    found, others = [], set()
    for manifest in (manifest for file in files for manifest in read(file)):
        try:
            spec = parse_spec(manifest.spec)
        except InvalidSpec as problem:
            raise Fault(f"{manifest}: {problem}") from None
        account = spec.account_ref.name if spec.account_ref is not None else OWN_ACCOUNT
        if account == account_ref:
            found.append(spec)
        else:
            others.add(account)
    for account in sorted(others):
        click.echo(f"note: left out what is about the account {account}; --account-ref {account} prints it.", err=True)
    if not found:
        raise Fault(f"No resource in the files is about the account {account_ref}; choose another with --account-ref.")
    return found


def _shared(duties: Duties, regions: tuple[str, ...], ids: Iterable[str]) -> tuple[SharedEndpoint, ...]:
    named = {SharedEndpoint(region, id_) for id_ in ids for region in regions or (ANY,)}
    return tuple(sorted({*duties.shared, *named}))


def _tell_size(policy: Policy) -> None:
    """A note on standard error where IAM would refuse the policy."""
    if policy.size > MANAGED_POLICY_LIMIT:
        click.echo(
            f"note: {policy.size} characters; a managed policy holds {MANAGED_POLICY_LIMIT}, an inline one "
            f"{INLINE_POLICY_LIMIT}. Name fewer Regions and VPCs (--any-vpc), or write a policy for each account.",
            err=True,
        )
