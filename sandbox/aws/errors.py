"""EC2's errors as EC2 words them, one constructor a kind. Codes and messages: the project's AWS fact sheet.

Knows no request and no state; whoever refuses a call says why with one of these.
"""

from typing import Final

FORBIDDEN: Final = 403


class AwsFault(Exception):  # noqa: N818 - AWS calls what a service answers with a fault; "error" is the part of it that has a code
    """A refusal that goes to the caller: EC2's code, its message, the HTTP status (400 unless told)."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def missing_parameter(name: str) -> AwsFault:
    """A required parameter was not sent."""
    return AwsFault("MissingParameter", f"The request must contain the parameter {name}")


def invalid_parameter(message: str) -> AwsFault:
    """`InvalidParameter` spans many refusals; the message tells which."""
    return AwsFault("InvalidParameter", message)


def invalid_value(message: str) -> AwsFault:
    """A parameter whose value has the wrong form."""
    return AwsFault("InvalidParameterValue", message)


def vpc_not_found(vpc_id: str) -> AwsFault:
    """No such VPC in this account and region."""
    return AwsFault("InvalidVpcID.NotFound", f"The vpc ID '{vpc_id}' does not exist")


def subnet_not_found(subnet_id: str) -> AwsFault:
    """No such subnet in this account and region."""
    return AwsFault("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")


def group_not_found(group_id: str) -> AwsFault:
    """No such security group in this account and region."""
    return AwsFault("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")


def route_table_not_found(table_id: str) -> AwsFault:
    """No such route table in this account and region."""
    return AwsFault("InvalidRouteTableId.NotFound", f"The routeTable ID '{table_id}' does not exist")


def endpoint_not_found(endpoint_id: str) -> AwsFault:
    """Describe's and Modify's code; DeleteVpcEndpoints answers `InvalidVpcEndpoint.NotFound` in an item."""
    return AwsFault("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{endpoint_id}' does not exist")


def endpoint_malformed(endpoint_id: str) -> AwsFault:
    """The id has not the form vpce-<hex digits>."""
    return AwsFault("InvalidVpcEndpointId.Malformed", f"The Vpc Endpoint Id '{endpoint_id}' is malformed")


def service_not_found(name: str) -> AwsFault:
    """A service name that PrivateLink doesn't have in this region."""
    return AwsFault("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")


def policy_not_valid(line: int, column: int) -> AwsFault:
    """What EC2 says about any endpoint policy it can't use; the position is all the help there is."""
    return AwsFault(
        "InvalidPolicyDocument", f"The Policy Document is not valid. Syntax error at position ({line},{column})"
    )


def limit_exceeded(code: str, message: str) -> AwsFault:
    """A quota is used up."""
    return AwsFault(code, message)


def dependency_violation(kind: str, resource_id: str) -> AwsFault:
    """Something still uses the resource that is to be deleted."""
    if kind == "resource":
        return AwsFault("DependencyViolation", f"resource {resource_id} has a dependent object")
    return AwsFault("DependencyViolation", f"The {kind} '{resource_id}' has dependencies and cannot be deleted.")


def internal_error() -> AwsFault:
    """The service itself failed."""
    return AwsFault("InternalError", "An internal error has occurred", 500)


def dry_run() -> AwsFault:
    """DryRun's way to say yes."""
    return AwsFault("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


def operation_in_progress() -> AwsFault:
    """Another change of the same endpoint has not ended yet."""
    return AwsFault("OperationInProgress", "VpcEndpoint modify operation in progress")


def unauthorized(service: str, action: str, encoded: str) -> AwsFault:
    """The answer to a call that IAM denies: EC2 has a code of its own and an encoded message."""
    if service != "ec2":
        return AwsFault("AccessDenied", f"User is not authorized to perform: {service}:{action}", FORBIDDEN)
    return AwsFault(
        "UnauthorizedOperation",
        f"You are not authorized to perform this operation: no identity-based policy allows the ec2:{action} action."
        f" Encoded authorization failure message: {encoded}",
        FORBIDDEN,
    )
