"""One request to AWS: who calls what, where, with which parameters. Reads the wire; answers nothing."""

import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from sandbox.aws.parameters import Parameters

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Call:
    """A query request after its signature was read (it is not verified)."""

    service: str
    action: str
    parameters: Parameters
    access_key: str
    region: str
    account: str
    user_agent: str
    request_id: str


@dataclass(frozen=True)
class Credential:
    """What a SigV4 Authorization header says about the caller."""

    access_key: str
    region: str
    service: str


def read_credential(authorization: str) -> Credential:
    """The scope of a signature; an unsigned request counts as EC2's in us-east-1."""
    match = _CREDENTIAL.search(authorization)
    return Credential(match[1], match[2], match[3]) if match else Credential("AKIAEXAMPLE", "us-east-1", "ec2")


def read_form(body: bytes, query: str) -> Mapping[str, str]:
    """The parameters of a form body, and of the query string when there is no body."""
    return dict(parse_qsl(body.decode() or query, keep_blank_values=True))


def new_request_id() -> str:
    """An id as AWS gives to each request."""
    return str(uuid.uuid4())


def new_id(prefix: str) -> str:
    """A resource id: `vpce-0` and 16 more hex digits, as EC2's long ids."""
    return f"{prefix}-0{secrets.token_hex(8)}"
