"""`python -m sandbox.intruder`: somebody who changes the endpoints in AWS, and knows nothing of the operator."""

import json
from typing import Final

import boto3
import click
from mypy_boto3_ec2 import EC2Client
from mypy_boto3_ec2.type_defs import VpcEndpointTypeDef

OPEN_POLICY: Final = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}


@click.group()
def main() -> None:
    """Change an endpoint behind the operator's back."""


@main.command("delete-endpoint")
def delete_endpoint() -> None:
    """Delete the interface endpoint for Image Builder."""
    ec2 = _ec2()
    found = _endpoint(ec2, "imagebuilder")["VpcEndpointId"]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[found])
    click.echo(f"deleted {found}")


@main.command("open-policy")
def open_policy() -> None:
    """Let the S3 endpoint's policy allow everything."""
    ec2 = _ec2()
    found = _endpoint(ec2, "s3")["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=found, PolicyDocument=json.dumps(OPEN_POLICY))
    click.echo(f"opened the policy of {found}")


def _ec2() -> EC2Client:
    return boto3.client("ec2")


def _endpoint(ec2: EC2Client, service: str) -> VpcEndpointTypeDef:
    """The one that is not on its way out; ClickException when there is none."""
    shown = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    for endpoint in shown:
        if endpoint["ServiceName"].endswith(f".{service}") and endpoint["State"].lower() in {"available", "pending"}:
            return endpoint
    raise click.ClickException(f"AWS shows no endpoint for {service}")


if __name__ == "__main__":
    main()
