"""Rows of the error table for InvalidParameter and its like: one code for many things, told apart by the message."""

from typing import Final

from ibpe.aws.error_row import ErrorClass, row

_RETRY, _USER, _SPEC = ErrorClass.RETRY, ErrorClass.USER, ErrorClass.SPEC
_PARAMETER: Final = r"InvalidParameter(Value|Combination)?|ValidationError|Invalid(Vpc)?Endpoint(Type|Parameter)"

PARAMETER_ROWS: Final = (
    row(
        _PARAMETER,
        _RETRY,
        "OperationInProgress",
        "Wait: AWS is still working on an earlier change of {endpoint}.",
        phrases=r"idempotent operation|operation (is )?(in progress|going on)|being (modified|created|deleted)",
    ),
    row(
        _PARAMETER,
        _RETRY,
        "ChangeAlreadyMade",
        "Wait: what was asked for {endpoint} has happened already, and AWS doesn't show it yet.",
        phrases=r"(not|n't|already|no longer) (currently )?(associated|attached)"
        r"(?! (with|to) (the )?vpc\b(?! endpoint))",
    ),
    row(
        _PARAMETER,
        _USER,
        "PrivateDnsConflict",
        "Delete the endpoint or the private hosted zone that already answers for {domain} in {vpc},"
        " or set imageBuilder.privateDNS: false.",
        phrases=r"conflicting (private )?dns|dns (domain|name)\b.*\bconflict|conflict\w*.*\bdns (domain|name)",
    ),
    row(
        _PARAMETER,
        _USER,
        "VpcDnsDisabled",
        "Turn on enableDnsSupport and enableDnsHostnames of {vpc}, or set imageBuilder.privateDNS: false.",
        phrases=r"enable_?dns_?(support|host_?names)",
    ),
    row(
        _PARAMETER,
        _SPEC,
        "ZoneNotSupported",
        "Replace {subnets} in imageBuilder.subnets.ids by one in an availability zone where {service} is offered.",
        phrases=r"not (support|offer|availab)\w*.*availability zone|availability zone.*not (support|offer|availab)\w*",
    ),
    row(
        _PARAMETER,
        _USER,
        "GatewayEndpointRequired",
        "Make a gateway endpoint for the service in {vpc} first, or turn that option of the interface endpoint off.",
        phrases=r"InboundResolver.*must have an? .*gateway endpoint",
    ),
    row(
        _PARAMETER,
        _USER,
        "GatewayEndpointInUse",
        "Delete {interface}, or set its PrivateDnsOnlyForInboundResolverEndpoint to false, and this deletion goes on.",
        phrases=r"gateway endpoint.*(cannot|can't|can not) be deleted",
    ),
    row(
        _PARAMETER,
        _SPEC,
        "EndpointTypeMismatch",
        "Report this as a fault of the operator: it asked for an endpoint type that AWS doesn't offer for {service}.",
        phrases=r"endpoint type.*(not match|mismatch|not (supported|available))|only supported for .*endpoint",
    ),
    row(
        _PARAMETER,
        _SPEC,
        "PrivateDnsNotOffered",
        "Set imageBuilder.privateDNS: false: {service} has no private DNS name.",
        phrases=r"(not|n't) (provide|have|support|offer)\w*.*private dns|private dns.*(not|n't) (supported|available)",
    ),
    row(
        _PARAMETER,
        _SPEC,
        "WrongVpc",
        "Name only security groups, subnets and route tables of the endpoint's own VPC: AWS finds {placed} elsewhere.",
        phrases=r"(different|another|other|same) (vpc|network)|(not|n't) (belong|in|part|exist|associated)\w*.*\bvpc\b",
    ),
    row(
        _PARAMETER,
        _SPEC,
        "PolicyInvalid",
        "Shorten or correct the policy: AWS takes at most 20,480 characters, white space included.",
        phrases=r"policy.*(too (long|large|big)|length|size|exceed|maximum)",
    ),
    row(
        _PARAMETER,
        _SPEC,
        "InvalidParameter",
        "Correct the field of the spec that AWS objects to; if none is named, report it as a fault of the operator.",
    ),
)
