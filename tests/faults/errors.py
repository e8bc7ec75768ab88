"""What AWS, and the way to it, can answer instead of what was asked: the fact sheet's error table as tests read it.

Written from the fact sheet and the sources that it names, apart from the product's own table. R: passes by itself;
U: somebody must act outside the spec; T: nothing helps but another spec.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from sandbox.aws.faults import Fault
from sandbox.aws.network import Network
from tests.faults.calls import Call

Class = Literal["R", "U", "T"]

IDENTITY = "GetCallerIdentity"
CREATE, MODIFY, DELETE = "CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints"
PUT_TAGS, REMOVE_TAGS = "CreateTags", "DeleteTags"
ANY = "*"
ALONE = frozenset({"unauthorized", "request-limit", "closed", "hung"})
SERVICE = "com.amazonaws.us-west-2.imagebuilder"
PAGE = (
    "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center>"
    "<hr><center>nginx</center></body></html>"
)


@dataclass(frozen=True)
class Row:
    """One kind of trouble. `message` may name {vpc}, {subnet}, {table}, {group} of the network at hand."""

    name: str
    expected: Class
    code: str = ""
    message: str = ""
    at: frozenset[str] = field(default=frozenset())
    """The calls that AWS answers so: an operation, or an operation and a role; empty: every call to EC2."""
    status: int = 400
    body: str | None = None
    """Answered as it is, in place of an error of AWS's."""
    effect: Literal["error", "raw", "close", "hang"] = "error"

    @property
    def in_turn(self) -> bool:
        """Whether it can meet every call, and is overcome as another trouble is that is tried by itself."""
        return self.at in (frozenset(), frozenset({ANY})) and self.name not in ALONE

    def can_meet(self, call: Call) -> bool:
        """Whether AWS can answer this call so."""
        if call.unsuccessful and self.effect != "error":
            return False
        if not self.at:
            return not call.unsuccessful or self.name in {"unauthorized", "internal-error", "never-seen"}
        return bool(self.at & {call.action, call.name, ANY if not call.unsuccessful else call.name})

    def fault(self, call: Call, network: Network, endpoint_id: str) -> Fault:
        """The fault that answers this call so, for as long as it stands."""
        message = self.text(network, endpoint_id)
        if call.unsuccessful:
            body = _UNSUCCESSFUL.format(id=endpoint_id, code=self.code, message=message)
            return Fault(
                action=call.action,
                effect="raw",
                parameters=call.parameters,
                status=200,
                body=body,
                content_type="text/xml",
            )
        fault = Fault(action=call.action, effect=self.effect, parameters=call.parameters, status=self.status)
        if self.effect == "error":
            return fault.model_copy(update={"code": self.code, "message": message})
        return fault if self.body is None else fault.model_copy(update={"body": self.body})

    def text(self, network: Network, endpoint_id: str) -> str:
        """AWS's message about this network."""
        return self.message.format(
            vpc=network.vpc_id,
            subnet=network.subnet_ids[0],
            table=network.route_table_id,
            group=network.security_group_id,
            endpoint=endpoint_id,
            service=SERVICE,
        )


_UNSUCCESSFUL = (
    '<?xml version="1.0" encoding="UTF-8"?><DeleteVpcEndpointsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
    "<requestId>6b0c1d8e-0000-4000-8000-000000000000</requestId><unsuccessful><item><resourceId>{id}</resourceId>"
    "<error><code>{code}</code><message>{message}</message></error></item></unsuccessful></DeleteVpcEndpointsResponse>"
)

_INTERFACE = frozenset({"create-imagebuilder", "modify"})
_GATEWAY = frozenset({"create-s3", "modify"})
_CHANGE = frozenset({CREATE, MODIFY})
_MAKING = frozenset({"create-imagebuilder", "create-s3"})


def _parameter(name: str, expected: Class, message: str, at: frozenset[str]) -> Row:
    return Row(name, expected, "InvalidParameter", message, at)


PARAMETER_ROWS = (
    _parameter(
        "private-dns-conflict",
        "U",
        "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
        "imagebuilder.us-west-2.amazonaws.com in the VPC {vpc}",
        _INTERFACE,
    ),
    _parameter(
        "private-dns-conflict, reworded",
        "U",
        "Private DNS names conflict: imagebuilder.us-west-2.amazonaws.com is a DNS name in {vpc} already",
        _INTERFACE,
    ),
    _parameter(
        "zone-not-supported",
        "T",
        "The VPC endpoint service {service} does not support the availability zone of the subnet: {subnet}.",
        _INTERFACE,
    ),
    _parameter(
        "zone-not-supported, reworded",
        "T",
        "Subnet {subnet} is in an Availability Zone that is not supported by {service}",
        _INTERFACE,
    ),
    _parameter("group-in-another-vpc", "T", "Security group {group} and {vpc} are in different networks.", _INTERFACE),
    _parameter("policy-too-long", "T", "The policy exceeds the maximum length of 20480 characters", _CHANGE),
    _parameter(
        "idempotent-operation",
        "R",
        "Cannot modify VPC Endpoint {endpoint}: there is an idempotent operation going on",
        frozenset({MODIFY}),
    ),
    _parameter(
        "dns-attributes-off",
        "U",
        "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for "
        "{vpc}",
        _INTERFACE,
    ),
    _parameter(
        "dns-attributes-off, reworded",
        "U",
        "enableDnsHostnames must be true on VPC {vpc} before private DNS names can be turned on",
        _INTERFACE,
    ),
    _parameter(
        "type-mismatch",
        "T",
        "Endpoint type (Gateway) does not match available service types ([Interface]).",
        frozenset({CREATE}),
    ),
    _parameter(
        "private-dns-not-offered",
        "T",
        "Private DNS can't be enabled because the service {service} does not provide a private DNS name.",
        _INTERFACE,
    ),
    _parameter(
        "inbound-resolver",
        "U",
        "To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC {vpc} must have a Gateway endpoint for the "
        "service.",
        _INTERFACE,
    ),
    _parameter("subnets-for-a-gateway", "T", "Subnet IDs are only supported for Interface type VPC Endpoints", _CHANGE),
    _parameter(
        "tables-for-an-interface", "T", "Route table IDs are only supported for Gateway type VPC Endpoints", _CHANGE
    ),
    _parameter("unknown-parameter", "T", "Value (17) for parameter frobnication is out of range.", _CHANGE),
    _parameter(
        "gateway-in-use",
        "U",
        "Gateway endpoint cannot be deleted while Interface endpoint vpce-0f00f00f00f00f00f has "
        "PrivateDnsOnlyForInboundResolverEndpoint set to true",
        frozenset({"delete-unsuccessful"}),
    ),
)

THING_ROWS = (
    Row(
        "route-already-exists",
        "U",
        "RouteAlreadyExists",
        "route table {table} already has a route with destination-prefix-list-id pl-68a54001",
        _GATEWAY,
    ),
    Row(
        "duplicate-zone",
        "T",
        "DuplicateSubnetsInSameZone",
        "Found another VPC endpoint subnet in the availability zone of {subnet}",
        _INTERFACE,
    ),
    Row("group-not-found", "T", "InvalidGroup.NotFound", "The security group '{group}' does not exist", _INTERFACE),
    Row(
        "group-not-found, other code",
        "T",
        "InvalidSecurityGroupId.NotFound",
        "The security group ID '{group}' does not exist",
        _INTERFACE | {"DescribeSecurityGroups"},
    ),
    Row(
        "policy-invalid",
        "T",
        "InvalidPolicyDocument",
        "The Policy Document is not valid. Syntax error at position (1,75)",
        _CHANGE,
    ),
    Row("service-name", "T", "InvalidServiceName", "The Vpc Endpoint Service '{service}' does not exist",
        frozenset({CREATE, "DescribeVpcEndpointServices"})),
    Row("vpc-not-found", "T", "InvalidVpcID.NotFound", "The vpc ID '{vpc}' does not exist",
        _MAKING | {"DescribeVpcs", "DescribeVpcAttribute"}),
    Row("vpc-not-found, other case", "T", "InvalidVpcId.NotFound", "The Vpc Id {vpc} does not exist", _MAKING),
    Row("subnet-not-found", "T", "InvalidSubnetID.NotFound", "The subnet ID '{subnet}' does not exist",
        _INTERFACE | {"DescribeSubnets"}),
    Row("table-not-found", "R", "InvalidRouteTableId.NotFound", "The routeTable ID '{table}' does not exist",
        _GATEWAY | {"DescribeRouteTables"}),
    Row("endpoint-not-shown", "R", "InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '{endpoint}' does not exist",
        frozenset({MODIFY, PUT_TAGS, REMOVE_TAGS})),
)  # fmt: skip

STATE_ROWS = (
    Row("operation-in-progress", "R", "OperationInProgress", "VpcEndpoint modify operation in progress",
        frozenset({MODIFY, DELETE, "delete-unsuccessful"})),
    Row("concurrent-tag-access", "R", "ConcurrentTagAccess", "Tags of {endpoint} are being changed.",
        frozenset({CREATE, PUT_TAGS, REMOVE_TAGS})),
    Row("incorrect-state", "R", "IncorrectState", "The endpoint {endpoint} is not in a state for this.",
        frozenset({MODIFY, DELETE, "delete-unsuccessful"})),
    Row("dependency", "R", "DependencyViolation", "resource {endpoint} has a dependent object",
        frozenset({DELETE, "delete-unsuccessful"})),
    Row("idempotent-mismatch", "R", "IdempotentParameterMismatch", "Client token was used with other parameters",
        _MAKING),
    Row("dry-run", "R", "DryRunOperation", "Request would have succeeded, but DryRun flag is set.",
        frozenset({CREATE, MODIFY, DELETE, PUT_TAGS, REMOVE_TAGS}), status=412),
)  # fmt: skip

LIMIT_ROWS = (
    Row("endpoint-limit", "U", "VpcEndpointLimitExceeded", "The maximum number of VPC endpoints has been reached.",
        frozenset({CREATE})),
    Row("groups-limit", "U", "SecurityGroupsPerInterfaceLimitExceeded",
        "The maximum number of security groups per interface has been reached.", _INTERFACE),
    Row("route-limit", "U", "RouteLimitExceeded", "The maximum number of routes of {table} has been reached.",
        _GATEWAY),
    Row("tag-limit", "U", "TagLimitExceeded", "The maximum number of Tags has been reached.",
        frozenset({CREATE, PUT_TAGS})),
    Row("tag-policy", "U", "TagPolicyViolation",
        "The tag policy does not allow the specified value for the following tag key: 'team'.",
        frozenset({CREATE, PUT_TAGS})),
)  # fmt: skip

ENCODED = "Zm9vYmFy" * 30

ACCESS_ROWS = (
    Row("unauthorized", "U", "UnauthorizedOperation",
        f"You are not authorized to perform this operation. Encoded authorization failure message: {ENCODED}",
        status=403),
    Row("unauthorized, in full", "U", "UnauthorizedOperation",
        "You are not authorized to perform this operation. User: arn:aws:sts::123456789012:assumed-role/ibpe/pod is "
        "not authorized to perform: ec2:DescribeVpcs on resource: {vpc} with an explicit deny in a service control "
        "policy.",
        frozenset({"DescribeVpcs"}), status=403),
    Row("auth-failure", "U", "AuthFailure", "AWS was not able to validate the provided access credentials", status=401),
    Row("opt-in", "U", "OptInRequired", "You are not subscribed to this service.", status=401),
    Row("expired", "U", "ExpiredToken", "The security token included in the request is expired", frozenset({ANY})),
    Row("expired, other code", "U", "ExpiredTokenException", "The security token included in the request is expired",
        frozenset({IDENTITY, MODIFY})),
    Row("clock-skew", "U", "RequestExpired", "Request has expired.", frozenset({ANY})),
    Row("key-unknown", "U", "InvalidClientTokenId", "The security token included in the request is invalid.",
        frozenset({ANY}), status=403),
    Row("signature", "U", "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided.", frozenset({ANY}), status=403),
    Row("sts-denied", "U", "AccessDenied",
        "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: sts:GetCallerIdentity with an explicit "
        "deny in an identity-based policy", frozenset({IDENTITY}), status=403),
    Row("identity-token", "U", "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://oidc",
        frozenset({IDENTITY})),
)  # fmt: skip

PASSING_ROWS = (
    Row("request-limit", "R", "RequestLimitExceeded", "Request limit exceeded.", frozenset({ANY}), status=503),
    Row("throttling", "R", "Throttling", "Rate exceeded", frozenset({ANY})),
    Row("throttling, exception", "R", "ThrottlingException", "Rate exceeded", frozenset({IDENTITY, CREATE})),
    Row("throttling, requests", "R", "RequestThrottled", "Too many requests", frozenset({CREATE, DELETE})),
    Row("internal-error", "R", "InternalError", "An internal error has occurred", status=500),
    Row("unavailable", "R", "ServiceUnavailable", "The service is unavailable. Please try again shortly.",
        frozenset({ANY}), status=503),
    Row("html-502", "R", status=502, body=PAGE, effect="raw", at=frozenset({ANY})),
    Row("closed", "R", effect="close", at=frozenset({ANY})),
    Row("hung", "R", effect="hang", at=frozenset({ANY})),
    Row("never-seen", "R", "FrobnicationFailed", "The frobnicator of {vpc} is upset."),
    Row("html-200", "R", status=200, body="<html><body>Please sign in to the proxy</body></html>", effect="raw",
        at=frozenset({ANY})),
    Row("never-seen, 5xx", "R", "FrobnicatorDown", "The frobnicator is down.", frozenset({CREATE, MODIFY}), status=507),
)  # fmt: skip

ROWS = (*PARAMETER_ROWS, *THING_ROWS, *STATE_ROWS, *LIMIT_ROWS, *ACCESS_ROWS, *PASSING_ROWS)


def rows_for(call: Call) -> Iterator[Row]:
    """Everything that AWS can answer to a call."""
    return (row for row in ROWS if row.can_meet(call))
