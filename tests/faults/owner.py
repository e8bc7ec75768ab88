"""Somebody else who has an S3 endpoint in a trial's VPC, by other credentials than the operator's."""

from typing import Any

import boto3

from ibpe.policy.contribution import is_contributed, mark
from sandbox.aws.messages import EndpointTruth
from tests.faults.trial import CLUSTER, REGION, Trial

POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Sid":"Team","Effect":"Allow","Principal":"*","Action":"s3:GetObject",'
    '"Resource":"arn:aws:s3:::team/*"}]}'
)


def somebodys_gateway(trial: Trial) -> str:
    """The id of a gateway on the builds' route table that lets the team's own objects through, and no build."""
    client: Any = boto3.client(
        "ec2",
        endpoint_url=trial.aws.url,
        region_name=REGION,
        aws_access_key_id="AKIAOWNER",
        aws_secret_access_key="secret",  # noqa: S106 -- the double's: any will do
    )
    made = client.create_vpc_endpoint(
        VpcId=trial.network.vpc_id,
        VpcEndpointType="Gateway",
        ServiceName=f"com.amazonaws.{REGION}.s3",
        RouteTableIds=[trial.network.route_table_id],
        PolicyDocument=POLICY,
    )
    return str(made["VpcEndpoint"]["VpcEndpointId"])


def contribution(endpoint_id: str) -> dict[str, Any]:
    """`spec.s3` that contributes to it."""
    return {"mode": "Contribute", "endpointID": endpoint_id}


def shared(trial: Trial) -> EndpointTruth:
    """It, as it is in AWS."""
    (found,) = (each for each in trial.endpoints() if "ibpe.dev/cluster" not in each.tags)
    return found


def holds_ours(trial: Trial, uid: str) -> bool:
    """Whether its policy holds statements of this resource's."""
    return is_contributed(shared(trial).policy, mark(CLUSTER, uid))
