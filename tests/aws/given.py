"""What the tests of the double begin with: endpoints made by boto3, and the code of a call that is refused."""

from collections.abc import Callable

from botocore.exceptions import ClientError
from mypy_boto3_ec2 import EC2Client
from mypy_boto3_ec2.type_defs import VpcEndpointTypeDef

from sandbox.aws.network import Network

IMAGE_BUILDER = "com.amazonaws.us-east-1.imagebuilder"
S3 = "com.amazonaws.us-east-1.s3"
SSM = "com.amazonaws.us-east-1.ssm"


def interface(ec2: EC2Client, network: Network, service: str = IMAGE_BUILDER, *, private_dns: bool = True) -> str:
    made = ec2.create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=network.vpc_id,
        ServiceName=service,
        SubnetIds=list(network.subnet_ids),
        SecurityGroupIds=[network.security_group_id],
        PrivateDnsEnabled=private_dns,
    )
    return made["VpcEndpoint"]["VpcEndpointId"]


def gateway(ec2: EC2Client, network: Network) -> str:
    made = ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName=S3, RouteTableIds=[network.route_table_id])
    return made["VpcEndpoint"]["VpcEndpointId"]


def described(ec2: EC2Client, endpoint_id: str) -> VpcEndpointTypeDef:
    return ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"][0]


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    """Code and message of the error that a call must end in."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError("the call was not refused")
