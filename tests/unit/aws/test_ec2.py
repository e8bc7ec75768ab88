"""The gateway above a session that answers what a test says: what is made of AWS's answers, and what is not asked."""

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from ibpe.aws.ec2 import BotoGateway
from ibpe.aws.errors import AwsError
from ibpe.aws.gateway import CreateEndpoint, EndpointID, EndpointType, Vpc, VpcID

REGION = "us-west-2"
REQUEST = CreateEndpoint(
    "token", VpcID("vpc-1"), "com.amazonaws.us-west-2.imagebuilder", EndpointType.INTERFACE, None, {}
)


class Answers:
    """Stands for `aws.session.Session`: canned answers by operation, in EC2's shapes."""

    def __init__(self, **answers: Mapping[str, Any]) -> None:
        self.account = ""
        self.answers = answers
        self.asked: list[str] = []

    def ask(self, _service: str, operation: str, _region: str, call: Callable[[], Any]) -> Any:
        self.asked.append(operation)
        call()
        return self.answers[operation]

    def ec2(self, _region: str) -> Any:
        def paginate(**_: object) -> Iterator[None]:
            yield None

        done = SimpleNamespace(paginate=paginate)
        return SimpleNamespace(
            describe_vpc_endpoints=lambda **_: None,
            create_vpc_endpoint=lambda **_: None,
            describe_vpc_attribute=lambda **_: None,
            get_paginator=lambda _: done,
        )


def gateway(answers: Answers) -> BotoGateway:
    return BotoGateway(answers, REGION)  # type: ignore[arg-type]  # a session, as far as it is used


def test_an_answer_without_its_list_of_endpoints_is_none_of_aws_s() -> None:
    with pytest.raises(AwsError) as caught:
        gateway(Answers(DescribeVpcEndpoints={})).endpoint(EndpointID("vpce-1"))
    assert (caught.value.code, caught.value.operation) == ("NotAnAwsAnswer", "DescribeVpcEndpoints")


@pytest.mark.parametrize("answer", [{}, {"VpcEndpoint": {}}, {"VpcEndpoint": None}], ids=["none", "empty", "null"])
def test_a_creation_that_names_no_endpoint_may_have_made_one(answer: Mapping[str, Any]) -> None:
    with pytest.raises(AwsError) as caught:
        gateway(Answers(CreateVpcEndpoint=answer)).create_endpoint(REQUEST)
    assert caught.value.code == "NotAnAwsAnswer"
    assert not caught.value.outcome_known


def vpcs_of(account: str, owner: str) -> tuple[Vpc, Answers]:
    answers = Answers(
        DescribeVpcs={"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": owner}]},
        DescribeVpcAttribute={"EnableDnsSupport": {"Value": True}, "EnableDnsHostnames": {"Value": True}},
    )
    answers.account = account
    return gateway(answers).vpcs([VpcID("vpc-1")])[VpcID("vpc-1")], answers


def test_the_attributes_of_a_vpc_that_another_account_shares_are_not_asked_for() -> None:
    vpc, answers = vpcs_of("111111111111", "222222222222")
    assert (vpc.owner_id, vpc.dns_support, vpc.dns_host_names) == ("222222222222", False, False)
    assert answers.asked == ["DescribeVpcs"]


@pytest.mark.parametrize("account", ["111111111111", ""], ids=["our own", "not told yet"])
def test_the_attributes_of_our_own_vpc_are_asked_for(account: str) -> None:
    vpc, answers = vpcs_of(account, "111111111111")
    assert (vpc.dns_support, vpc.dns_host_names) == (True, True)
    assert answers.asked == ["DescribeVpcs", "DescribeVpcAttribute", "DescribeVpcAttribute"]
