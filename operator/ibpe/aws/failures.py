"""Turns everything that the SDK can raise into an `AwsError`. The only place that knows botocore's exceptions."""

import re
from typing import Final
from xml.etree.ElementTree import ParseError

import botocore.exceptions as sdk
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from ibpe.aws.errors import AwsError, classify

PARSER_FAULTS: Final = (LookupError, AttributeError, TypeError)
"""What botocore's parsers let through on XML that is well formed and not AWS's (found by feeding them such)."""
SDK_FAILURES: Final = (
    sdk.BotoCoreError,
    sdk.ClientError,
    ResponseParserError,
    ParseError,  # a body that is no XML, where botocore doesn't notice
    HTTPError,
    OSError,
    ValueError,  # json's, an endpoint that is no URL, and a date that is none
    *PARSER_FAULTS,
)
"""What a call through the SDK raises when AWS or the way to it fails; anything else is a fault of our own."""

_CODES: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((sdk.CredentialRetrievalError, sdk.MetadataRetrievalError), "CredentialRetrieval"),
    (
        (
            sdk.NoCredentialsError,
            sdk.PartialCredentialsError,
            sdk.NoAuthTokenError,
            sdk.TokenRetrievalError,
            sdk.UnknownCredentialError,
            sdk.ProfileNotFound,
            sdk.SSOError,
            sdk.LoginError,
        ),
        "NoCredentials",
    ),
    ((sdk.NoRegionError, sdk.InvalidRegionError, sdk.UnknownRegionError), "InvalidRegion"),
    ((sdk.EndpointConnectionError, sdk.ConnectTimeoutError, sdk.ProxyConnectionError), "ConnectionFailed"),
    ((sdk.ReadTimeoutError,), "Timeout"),
    ((sdk.ConnectionError, sdk.HTTPClientError, HTTPError, OSError), "ConnectionLost"),
    ((sdk.ParamValidationError,), "InvalidParameter"),
    ((ResponseParserError, ParseError, *PARSER_FAULTS), "NotAnAwsAnswer"),
)
"""First match wins; our own words are explained at AwsError.code."""

_ADDRESS: Final = re.compile(r" object at 0x[0-9a-f]+")


def error_from(operation: str, failure: Exception) -> AwsError:
    """The classified error for what `operation` raised; an exception of no known kind is tried again by its name."""
    if isinstance(failure, sdk.ClientError):
        return _from_answer(operation, failure)
    code = next((code for kinds, code in _CODES if isinstance(failure, kinds)), "")
    if not code:
        code = "NotAnAwsAnswer" if isinstance(failure, ValueError) else type(failure).__name__
    if isinstance(failure, PARSER_FAULTS):
        return classify(operation, code, f"The answer can't be read: {type(failure).__name__}: {failure}")
    # Memory addresses differ on each call: they would make one lasting error look like many.
    return classify(operation, code, _ADDRESS.sub("", str(failure)))


def _from_answer(operation: str, failure: sdk.ClientError) -> AwsError:
    answer = failure.response
    error = answer.get("Error", {})
    metadata = answer.get("ResponseMetadata", {})
    headers = metadata.get("HTTPHeaders", {})
    return classify(
        # Loading credentials may call STS inside of an EC2 call: the error is then of AssumeRoleWithWebIdentity.
        failure.operation_name or operation,
        str(error.get("Code", "")),
        str(error.get("Message", "")),
        int(metadata.get("HTTPStatusCode", 0)),
        str(metadata.get("RequestId") or headers.get("x-amzn-requestid", "")),
    )
