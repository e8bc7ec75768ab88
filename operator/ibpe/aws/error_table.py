"""The one table from AWS's error codes to what they ask of the operator. Data only: `aws.errors` reads it.

Sources: EC2 API "Error codes", and messages that AWS's users quote in public issues. Codes are matched without regard
to case (`InvalidVpcID` and `InvalidVpcId` both occur), messages by key phrases: AWS rewords them without notice.
"""

from typing import Final

from ibpe.aws.error_row import ErrorClass, row
from ibpe.aws.parameter_errors import PARAMETER_ROWS

_RETRY, _USER, _SPEC = ErrorClass.RETRY, ErrorClass.USER, ErrorClass.SPEC

NOT_FOUND_ROWS: Final = (
    row(
        r"Invalid(Security)?Group(Id)?\.NotFound",
        _SPEC,
        "SecurityGroupNotFound",
        "Replace {groups}, which AWS doesn't know, in imageBuilder.securityGroups.ids.",
    ),
    row(
        r"InvalidVpcId\.NotFound",
        _SPEC,
        "VpcNotFound",
        "Make this resource anew with the right vpcID, or give the operator the account that has {vpc} in this region.",
    ),
    row(
        r"InvalidSubnetId\.NotFound",
        _SPEC,
        "SubnetNotFound",
        "Replace {subnets}, which AWS doesn't know, in imageBuilder.subnets.ids.",
    ),
    # A table just made may not be seen yet; one that stays unknown is refused by the prerequisites, not by this row.
    row(
        r"InvalidRouteTableId\.NotFound",
        _RETRY,
        "RouteTableNotFound",
        "Wait in case {tables} is new; if it does not exist, replace it in s3.routeTables.ids.",
    ),
    row(
        r"InvalidVpcEndpoint(Id)?\.NotFound",
        _RETRY,
        "EndpointNotFound",
        "Wait: AWS doesn't show {endpoint} at the moment, and the next look decides.",
    ),
    row(r"InvalidRoute(\..+)?", _RETRY, "RouteInTransition", "Wait: AWS is still changing the routes of {tables}."),
    row(
        r"Invalid\w+\.Malformed", _SPEC, "MalformedID", "Correct the id in the spec that AWS calls malformed: {things}."
    ),
    row(
        r"InvalidServiceName(\..+)?",
        _SPEC,
        "ServiceNotFound",
        "Use a region that offers {service}: AWS has no endpoint service of that name here.",
    ),
)

CONFLICT_ROWS: Final = (
    row(
        r"RouteAlreadyExists",
        _USER,
        "RouteConflict",
        "Delete the gateway endpoint that already serves {tables}, or take {tables} out of s3.routeTables.ids.",
    ),
    row(
        r"DuplicateSubnetsInSameZone",
        _SPEC,
        "DuplicateSubnetsInSameZone",
        "Name one subnet at most in each zone in imageBuilder.subnets.ids: {subnets} shares one with another. To "
        "replace an endpoint's only subnet by one of the same zone, name a subnet of another zone first.",
    ),
    row(
        r"InvalidPolicyDocument(\..+)?|MalformedPolicyDocument(\..+)?",
        _SPEC,
        "PolicyInvalid",
        "Correct the policy in the spec: AWS can't read it{position}.",
    ),
    row(
        r"IdempotentParameterMismatch",
        _RETRY,
        "AlreadyCreated",
        "Wait: an earlier request of ours made the endpoint, and it is brought in line with the spec next.",
        refused=True,
    ),
    row(
        r"DependencyViolation|ResourceInUse(Exception)?",
        _RETRY,
        "DependencyViolation",
        "Wait until nothing uses {things} any more; an endpoint's network interfaces go some minutes after it.",
    ),
    row(
        r"OperationInProgress|ConcurrentTagAccess|IncorrectState|IncorrectInstanceState|ResourceNotReady",
        _RETRY,
        "OperationInProgress",
        "Wait: AWS is still working on an earlier change of {endpoint}.",
    ),
    row(
        r"DryRunOperation",
        _RETRY,
        "DryRun",
        "Wait: AWS only tried the call and changed nothing, so it is repeated.",
        refused=True,
    ),
    row(
        r"InsufficientFreeAddressesInSubnet",
        _USER,
        "SubnetFull",
        "Free an address in {subnets}, or name a subnet with free addresses.",
    ),
)

THROTTLE_ROWS: Final = (
    row(
        r"(EC2)?Thrott(l|el)(ing|ed)(Exception)?|Throttling\..+|Request(Limit(Exceeded)?|Thrott(l|el)ed(Exception)?)"
        r"|RequestLimitExceeded(Exception)?|TooManyRequests(Exception)?|BandwidthLimitExceeded|SlowDown"
        r"|PriorRequestNotComplete",
        _RETRY,
        "Throttled",
        "Wait: AWS limits how often this account may call {action}, and the operator slows down by itself.",
        refused=True,
    ),
)

ACCOUNT_ROWS: Final = (
    row(
        r"ExpiredToken(Exception)?|TokenRefreshRequired|ExpiredCredentials",
        _USER,
        "CredentialsExpired",
        "Give the operator fresh AWS credentials: those in use have expired.",
    ),
    row(
        r"RequestExpired|RequestTimeTooSkewed|InvalidClockSkew",
        _USER,
        "ClockSkew",
        "Set the clock of the operator's node: AWS finds the request's time too far from its own.",
    ),
    row(
        r"InvalidClientTokenId|SignatureDoesNotMatch|InvalidSignature(Exception)?|UnrecognizedClient(Exception)?"
        r"|InvalidAccessKeyId|IncompleteSignature|MissingAuthenticationToken|InvalidToken|InvalidSecurity",
        _USER,
        "CredentialsInvalid",
        "Give the operator valid AWS credentials: AWS doesn't accept those in use.",
    ),
    row(
        r"InvalidIdentityToken(Exception)?|IDPRejectedClaim|IDPCommunicationError",
        _USER,
        "IdentityTokenInvalid",
        "Check the IAM role's trust policy and the cluster's OIDC provider: AWS refuses the service account's token.",
    ),
    row(
        r"AuthFailure",
        _USER,
        "CredentialsInvalid",
        "Give the operator valid AWS credentials: AWS doesn't accept those in use.",
        phrases=r"validate the (provided )?(access )?credentials|access key",
    ),
    # STS says the same of a role that is not there, that trusts somebody else, or that wants another external id.
    row(
        r"AccessDenied(Exception)?",
        _USER,
        "AccessDenied",
        "Check that {role} exists, that its trust policy names the operator's IAM role and the external id of the "
        "accounts file, and that the operator's IAM role may call sts:AssumeRole for it{denial}.",
        phrases=r"perform: sts:AssumeRole on resource",
    ),
    row(
        r"AccountMismatch",
        _USER,
        "AccountMismatch",
        "Correct the account's accountID or roleARN in the operator's accounts file: nothing is done with a role of "
        "another account.",
        refused=True,
    ),
    row(
        r"UnauthorizedOperation|AccessDenied(Exception)?|UnauthorizedAccess|AuthFailure|NotAuthorized|Forbidden",
        _USER,
        "AccessDenied",
        "Allow {action} for {principal}{denial}.",
    ),
    row(
        r"OptInRequired|SubscriptionRequiredException|PendingVerification|Blocked|AccountDisabled|RegionDisabled(Exception)?",
        _USER,
        "AccountNotReady",
        "Enable this region and EC2 for the account, or finish its verification, with AWS.",
    ),
    row(
        r"TagPolicyViolation",
        _USER,
        "TagPolicyViolation",
        "Set tags in the spec that the organization's tag policy allows, or change that policy.",
    ),
    # After throttling: RequestLimitExceeded and BandwidthLimitExceeded are no quotas.
    row(
        r"\w+LimitExceeded(Exception)?|\w+LimitReached",
        _USER,
        "QuotaExceeded",
        "Raise that quota of the account in Service Quotas, or delete what uses it up.",
    ),
    row(
        r"NoCredentials",
        _USER,
        "NoCredentials",
        "Give the operator AWS credentials: annotate its service account with an IAM role, or set the SDK's variables.",
    ),
    row(
        r"CredentialRetrieval",
        _RETRY,
        "CredentialsUnavailable",
        "Check the operator's source of AWS credentials: it was found, and did not give any.",
    ),
    row(r"InvalidRegion", _SPEC, "InvalidRegion", "Correct region: it is no name of an AWS region."),
)

NETWORK_ROWS: Final = (
    row(
        r"Timeout",
        _RETRY,
        "AwsUnreachable",
        "Wait, or check the operator's way to AWS: {action} got no answer in time.",
    ),
    row(
        r"ConnectionFailed",
        _RETRY,
        "AwsUnreachable",
        "Wait, or check DNS, routes, proxies and firewalls between the operator and AWS: no connection came about.",
        refused=True,
    ),
    row(
        r"ConnectionLost",
        _RETRY,
        "AwsUnreachable",
        "Wait, or check proxies and firewalls between the operator and AWS: the connection broke off.",
    ),
    row(
        r"NotAnAwsAnswer",
        _RETRY,
        "AwsUnreachable",
        "Wait, or check proxies between the operator and AWS: what answered {action} does not speak AWS's protocol.",
    ),
    row(
        r"InternalError|InternalFailure|InternalServerError|ServiceUnavailable(Exception)?|Unavailable|InsufficientCapacity",
        _RETRY,
        "AwsUnavailable",
        "Wait: AWS has a fault of its own with {action}.",
    ),
)

TABLE: Final = (*PARAMETER_ROWS, *NOT_FOUND_ROWS, *CONFLICT_ROWS, *THROTTLE_ROWS, *ACCOUNT_ROWS, *NETWORK_ROWS)
"""First match wins. Order matters where a code has several rows, and between THROTTLE_ROWS and the quota row."""

UNKNOWN: Final = row(
    r".*",
    _RETRY,
    "UnexpectedAwsError",
    "Wait; if it stays, look {code} up in EC2's error codes, or ask AWS Support{request}.",
)
"""A code that no row names, below 500: tried again, and shown with its request id."""
