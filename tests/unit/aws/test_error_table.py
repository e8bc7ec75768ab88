"""Every row of the fact sheet's error table. The rows are written out here, apart from the product's own table."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibpe.aws.errors import MESSAGE_LIMIT, AwsError, ErrorClass, classify

RETRY, USER, SPEC = ErrorClass.RETRY, ErrorClass.USER, ErrorClass.SPEC


class Row(NamedTuple):
    code: str
    message: str
    expected: ErrorClass
    named: str = ""
    """What the fix sentence must name."""


ROWS = [
    Row(
        "InvalidParameter",
        "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
        "imagebuilder.us-west-2.amazonaws.com in the VPC vpc-0a1b2c3d",
        USER,
        "imagebuilder.us-west-2.amazonaws.com",
    ),
    Row(
        "RouteAlreadyExists",
        "route table rtb-0a1b2c3d already has a route with destination-prefix-list-id pl-68a54001",
        USER,
        "rtb-0a1b2c3d",
    ),
    Row(
        "InvalidParameter",
        "The VPC endpoint service com.amazonaws.us-west-2.imagebuilder does not support the availability zone of the "
        "subnet: subnet-0a1b2c3d.",
        SPEC,
        "subnet-0a1b2c3d",
    ),
    Row(
        "DuplicateSubnetsInSameZone",
        "Found another VPC endpoint subnet in the availability zone of subnet-0a1b2c3d",
        SPEC,
        "subnet-0a1b2c3d",
    ),
    Row("InvalidParameter", "Security group sg-0a1b2c3d and the VPC vpc-0a1b are in different networks", SPEC, "sg-0a"),
    Row("InvalidGroup.NotFound", "The security group 'sg-0a1b2c3d' does not exist", SPEC, "sg-0a1b2c3d"),
    Row("InvalidSecurityGroupId.NotFound", "The security group ID 'sg-0a1b2c3d' does not exist", SPEC, "sg-0a1b2c3d"),
    Row("InvalidSecurityGroupID.NotFound", "The security group ID 'sg-0a1b2c3d' does not exist", SPEC, "sg-0a1b2c3d"),
    Row("InvalidPolicyDocument", "The Policy Document is not valid. Syntax error at position (1,75)", SPEC, "1,75"),
    Row("InvalidParameter", "The policy exceeds the maximum length of 20480 characters", SPEC, "20,480"),
    Row("VpcEndpointLimitExceeded", "The maximum number of VPC endpoints has been reached.", USER, "quota"),
    Row("SecurityGroupsPerInterfaceLimitExceeded", "The maximum number of security groups has been reached.", USER),
    Row("RouteLimitExceeded", "The maximum number of routes has been reached.", USER),
    Row("TagLimitExceeded", "The maximum number of tags has been reached.", USER),
    Row("UnauthorizedOperation", "You are not authorized to perform this operation.", USER, "ec2:CreateVpcEndpoint"),
    Row("AuthFailure", "AWS was not able to validate the provided access credentials", USER, "credentials"),
    Row("OptInRequired", "You are not subscribed to this service.", USER),
    Row("TagPolicyViolation", "The tag policy does not allow the specified value for the tag key 'team'.", USER, "tag"),
    Row("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", RETRY),
    Row("RequestLimitExceeded", "Request limit exceeded.", RETRY),
    Row("OperationInProgress", "VpcEndpoint modify operation in progress", RETRY),
    Row("ConcurrentTagAccess", "Concurrent tag access", RETRY),
    Row("IncorrectState", "The endpoint is in an incorrect state for the request.", RETRY),
    Row(
        "InvalidParameter",
        "Cannot modify VPC Endpoint vpce-0a1b2c3d: there is an idempotent operation going on",
        RETRY,
        "vpce-0a1b2c3d",
    ),
    Row("InvalidParameter", "Subnet subnet-0a1b is not associated with vpce-0a1b2c3d", RETRY, "vpce-0a1b2c3d"),
    Row("InvalidParameter", "sg-0a1b isn't currently associated with vpce-0a1b2c3d", RETRY, "vpce-0a1b2c3d"),
    Row("InvalidParameter", "sg-0a1b is not attached to the VPC endpoint vpce-0a1b2c3d", RETRY, "vpce-0a1b2c3d"),
    Row("InvalidParameter", "sg-0a1b is not associated with vpc-0a1b2c3d", SPEC),
    Row("InvalidParameterValue", "Route table rtb-0a1b is already associated to vpce-0a1b2c3d", RETRY, "vpce-0a1b2c3d"),
    Row(
        "InvalidParameter",
        "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for "
        "vpc-0a1b2c3d",
        USER,
        "vpc-0a1b2c3d",
    ),
    Row(
        "InvalidServiceName",
        "The Vpc Endpoint Service 'com.amazonaws.us-west-2.imagebuilder' does not exist",
        SPEC,
        "com.amazonaws.us-west-2.imagebuilder",
    ),
    Row("InvalidVpcID.NotFound", "The vpc ID 'vpc-0a1b2c3d' does not exist", SPEC, "vpc-0a1b2c3d"),
    Row("InvalidVpcId.NotFound", "The Vpc Id vpc-0a1b2c3d does not exist", SPEC, "vpc-0a1b2c3d"),
    Row("InvalidSubnetID.NotFound", "The subnet ID 'subnet-0a1b2c3d' does not exist", SPEC, "subnet-0a1b2c3d"),
    Row("InvalidRouteTableId.NotFound", "The routeTable ID 'rtb-0a1b2c3d' does not exist", RETRY, "rtb-0a1b2c3d"),
    Row("InvalidRouteTableID.NotFound", "The routeTable ID 'rtb-0a1b2c3d' does not exist", RETRY, "rtb-0a1b2c3d"),
    Row("InvalidRoute.NotFound", "no route with destination-prefix-list-id pl-1 in rtb-0a1b2c3d", RETRY),
    Row(
        "InvalidParameter",
        "Endpoint type (Gateway) does not match available service types ([Interface]).",
        SPEC,
        "type",
    ),
    Row(
        "InvalidParameter",
        "Private DNS can't be enabled because the service com.amazonaws.us-west-2.s3 does not provide a private DNS "
        "name.",
        SPEC,
        "privateDNS: false",
    ),
    Row(
        "InvalidParameter",
        "To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC vpc-0a1b2c3d must have a Gateway endpoint "
        "for the service.",
        USER,
        "vpc-0a1b2c3d",
    ),
    Row("InvalidParameter", "Subnet IDs are only supported for Interface type VPC Endpoints", SPEC),
    Row("InvalidParameter", "Route table IDs are only supported for Gateway type VPC Endpoints", SPEC),
    Row(
        "InvalidParameter",
        "Gateway endpoint cannot be deleted while Interface endpoint vpce-0a1b2c3d has "
        "PrivateDnsOnlyForInboundResolverEndpoint set to true",
        USER,
        "vpce-0a1b2c3d",
    ),
    Row("DependencyViolation", "resource sg-0a1b2c3d has a dependent object", RETRY, "sg-0a1b2c3d"),
    Row("IdempotentParameterMismatch", "The client token was used with other parameters.", RETRY),
    Row("ExpiredToken", "The security token included in the request is expired", USER, "fresh"),
    Row("ExpiredTokenException", "The security token included in the request is expired", USER, "fresh"),
    Row("RequestExpired", "Request has expired.", USER, "clock"),
    Row("InvalidClientTokenId", "The security token included in the request is invalid.", USER, "credentials"),
    Row("SignatureDoesNotMatch", "The request signature we calculated does not match.", USER, "credentials"),
    Row("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", USER, "sts:AssumeRoleWithWebId"),
    Row(
        "AccessDenied",
        "User: arn:aws:sts::123456789012:assumed-role/ibpe/pod is not authorized to perform: sts:AssumeRole on "
        "resource: arn:aws:iam::111122223333:role/network/ibpe",
        USER,
        "Check that arn:aws:iam::111122223333:role/network/ibpe exists, that its trust policy names",
    ),
    Row(
        "AccessDenied",
        "User: arn:aws:sts::123456789012:assumed-role/ibpe/pod is not authorized to perform: sts:AssumeRole on "
        "resource: arn:aws:iam::111122223333:role/ibpe with an explicit deny in a service control policy",
        USER,
        "service control policy",
    ),
    Row("AccountMismatch", "arn:aws:sts::1:assumed-role/x/y is not in account 2.", USER, "accountID or roleARN"),
    Row("InvalidIdentityToken", "No OpenIDConnect provider found in your account", USER, "OIDC"),
    Row("NoCredentials", "Unable to locate credentials", USER, "service account"),
    Row("Throttling", "Rate exceeded", RETRY),
    Row("ThrottlingException", "Rate exceeded", RETRY),
    Row("RequestThrottled", "Rate exceeded", RETRY),
    Row("RequestThrottledException", "Rate exceeded", RETRY),
    Row("Timeout", "Read timeout", RETRY),
    Row("ConnectionFailed", "Could not connect", RETRY),
    Row("ConnectionLost", "Connection was closed", RETRY),
    Row("NotAnAwsAnswer", "<html>", RETRY),
    Row("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id 'vpce-0a1b2c3d' does not exist", RETRY, "vpce-0a1b2c3d"),
    Row("InvalidVpcEndpoint.NotFound", "The Vpc Endpoint Id 'vpce-0a1b2c3d' does not exist", RETRY, "vpce-0a1b2c3d"),
    Row("InvalidSubnetID.Malformed", 'Invalid id: "subnet-x1"', SPEC),
    # Not in the sheet: no row matches.
    Row("InvalidParameter", "The moon is not in the right phase.", SPEC),
    Row("SomethingNobodyKnows", "What is this?", RETRY, "SomethingNobodyKnows"),
]
REWORDED = [
    Row(
        "InvalidParameter",
        "Private DNS cannot be enabled: A CONFLICTING DNS domain (imagebuilder.us-west-2.amazonaws.com) exists in "
        "vpc-0a1b2c3d.",
        USER,
        "vpc-0a1b2c3d",
    ),
    Row(
        "InvalidParameter", "VPC vpc-0a1b must have EnableDnsHostNames and EnableDnsSupport turned on.", USER, "vpc-0a"
    ),
    Row("InvalidParameter", "Availability Zone us-west-2d is not supported by service com.amazonaws.x.y", SPEC, "zone"),
    Row("InvalidParameter", "Another operation in progress for vpce-0a1b2c3d", RETRY, "vpce-0a1b2c3d"),
    Row("InvalidParameter", "The given endpoint type does NOT match what the service has", SPEC, "type"),
    Row("InvalidParameter", "Service S doesn't support private DNS names", SPEC, "privateDNS: false"),
    Row("InvalidParameter", "sg-0a1b2c3d doesn't belong to VPC vpc-0a1b2c3d", SPEC, "sg-0a1b2c3d"),
    Row("invalidvpcid.notfound", "no vpc-0a1b2c3d here", SPEC, "vpc-0a1b2c3d"),
    Row("Client.RequestLimitExceeded", "slow down", RETRY),
    Row("InvalidPolicyDocument", "Malformed: error at Position (3, 14)", SPEC, "3, 14"),
]


@pytest.mark.parametrize("row", ROWS + REWORDED, ids=lambda row: f"{row.code}: {row.message[:50]}")
def test_each_error_asks_for_what_the_fact_sheet_says(row: Row) -> None:
    error = classify("CreateVpcEndpoint", row.code, row.message, 400, "req-1")
    assert error.error_class is row.expected
    assert row.named in error.fix
    assert error.fix.endswith(".")
    assert error.request_id == "req-1"


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.code == "InvalidParameter"], ids=lambda row: row.message[:50]
)
def test_only_the_row_without_a_known_phrase_falls_back_to_the_general_reason(row: Row) -> None:
    general = classify("CreateVpcEndpoint", row.code, row.message).reason == "InvalidParameter"
    assert general == ("moon" in row.message)


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "Throttling", "ThrottledException", "SlowDown"])
def test_throttling_is_told_apart_from_a_quota_and_had_no_effect(code: str) -> None:
    error = classify("ModifyVpcEndpoint", code, "Request limit exceeded.", 503)
    assert (error.reason, error.throttled, error.outcome_known) == ("Throttled", True, True)
    assert classify("CreateVpcEndpoint", "VpcEndpointLimitExceeded", "", 400).reason == "QuotaExceeded"


@pytest.mark.parametrize("code", ["502", "", "InternalError", "Unavailable", "SomethingNobodyKnows"])
def test_a_5xx_may_have_had_its_effect_and_is_tried_again(code: str) -> None:
    error = classify("CreateVpcEndpoint", code, "An internal error has occurred", 502)
    assert (error.error_class, error.outcome_known) == (RETRY, False)


@pytest.mark.parametrize(
    ("code", "known"),
    [("Timeout", False), ("ConnectionLost", False), ("NotAnAwsAnswer", False), ("ConnectionFailed", True)],
)
def test_without_an_answer_the_outcome_is_known_only_when_nothing_was_sent(code: str, known: bool) -> None:  # noqa: FBT001 -- the case
    assert classify("CreateVpcEndpoint", code, "").outcome_known is known


def test_a_4xx_had_no_effect_whatever_its_code() -> None:
    assert classify("CreateVpcEndpoint", "SomethingNobodyKnows", "", 400).outcome_known


def test_an_unknown_code_is_shown_with_its_request_id() -> None:
    assert "req-77" in classify("CreateVpcEndpoint", "SomethingNobodyKnows", "", 400, "req-77").fix


ENCODED = "4IJ0AUHoCrWlQ8mK2Yw_-" * 20
DENIED = (
    "You are not authorized to perform this operation. User: arn:aws:sts::123456789012:assumed-role/ibpe/pod is not "
    "authorized to perform: ec2:CreateVpcEndpoint on resource: arn:aws:ec2:us-west-2:123456789012:vpc/vpc-0a1b2c3d "
    "with an explicit deny in a service control policy"
)


@pytest.mark.parametrize(
    "message",
    [
        f"{DENIED}. Encoded authorization failure message: {ENCODED}",
        f"{DENIED}. encoded message {ENCODED}",
        f"{DENIED}: {ENCODED}",
    ],
)
def test_an_encoded_authorization_message_is_for_the_log_alone(message: str) -> None:
    error = classify("CreateVpcEndpoint", "UnauthorizedOperation", message, 403)
    assert ENCODED not in f"{error}{error.fix}"
    assert error.encoded_authorization == ENCODED
    assert error.message.startswith(DENIED)


def test_a_proxy_s_whole_page_is_cut_to_what_a_person_reads() -> None:
    message = classify("CreateVpcEndpoint", "NotAnAwsAnswer", "<p>\n  word " * 1000).message
    assert len(message) == MESSAGE_LIMIT
    assert message.endswith("…")
    assert "  " not in message


def test_a_denial_names_the_action_who_lacks_it_and_the_policy_that_denies() -> None:
    fix = classify("CreateVpcEndpoint", "UnauthorizedOperation", DENIED, 403).fix
    assert "ec2:CreateVpcEndpoint" in fix
    assert "arn:aws:sts::123456789012:assumed-role/ibpe/pod" in fix
    assert "service control policy" in fix


@given(
    code=st.text(max_size=40), message=st.text(max_size=2000), status=st.sampled_from([0, 200, 400, 403, 429, 500, 503])
)
def test_nothing_that_answers_breaks_the_classification(code: str, message: str, status: int) -> None:
    error = classify("ModifyVpcEndpoint", code, message, status, "req-1")
    assert isinstance(error, AwsError)
    assert len(error.message) <= MESSAGE_LIMIT
    assert error.reason.isalnum()
    assert "{" not in error.fix.replace(code.strip(), "")


@given(message=st.text(max_size=300))
def test_classifying_is_a_function(message: str) -> None:
    one, other = (classify("ModifyVpcEndpoint", "InvalidParameter", message, 400) for _ in range(2))
    assert vars(one) == vars(other)
