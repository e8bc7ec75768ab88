"""`ibpe iam-trust`: who may act as the operator's role, for each way in which a pod comes by one. Calls nothing."""

import click

from ibpe.cli.iam_values import ACCOUNT, AUDIENCE, CLUSTER_ARN, EXTERNAL_ID, ISSUER, ROLE_ARN, SERVICE_ACCOUNT
from ibpe.iam import trust
from ibpe.iam.document import Policy
from ibpe.partitions import AWS, PARTITIONS

_SERVICE_ACCOUNT = click.option(
    "--service-account", required=True, type=SERVICE_ACCOUNT, help="The operator's service account, namespace:name."
)


@click.group()
def command() -> None:
    """Print the trust policy of an IAM role, as JSON: exactly the operator's service account may act as it."""


@command.command()
@click.option("--account", required=True, type=ACCOUNT, help="The account of the cluster's OIDC provider.")
@click.option("--oidc-issuer", required=True, type=ISSUER, help="The cluster's OIDC issuer, as EKS shows it.")
@_SERVICE_ACCOUNT
@click.option("--audience", default=trust.AUDIENCE, show_default=True, type=AUDIENCE, help="The token's audience.")
@click.option(
    "--partition",
    default=AWS.name,
    show_default=True,
    type=click.Choice([partition.name for partition in PARTITIONS]),
    help="The AWS partition.",
)
def irsa(account: str, oidc_issuer: str, service_account: str, audience: str, partition: str) -> None:
    """For IAM roles for service accounts (IRSA)."""
    found = next(each for each in PARTITIONS if each.name == partition)
    _print(trust.irsa(found, account, oidc_issuer, service_account, audience))


@command.command("pod-identity")
@click.option("--cluster-arn", required=True, type=CLUSTER_ARN, help="The EKS cluster.")
@_SERVICE_ACCOUNT
def pod_identity(cluster_arn: str, service_account: str) -> None:
    """For EKS Pod Identity."""
    _print(trust.pod_identity(cluster_arn, service_account))


@command.command()
@click.option("--operator-role", required=True, type=ROLE_ARN, help="The role that the operator runs as.")
@click.option("--external-id", type=EXTERNAL_ID, help="The externalID of the account in the operator's accounts file.")
def member(operator_role: str, external_id: str | None) -> None:
    """For a role in another account, which the operator assumes."""
    _print(trust.member(operator_role, external_id))


def _print(policy: Policy) -> None:
    click.echo(policy.render(), nl=False)
