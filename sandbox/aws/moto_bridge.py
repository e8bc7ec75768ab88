"""The border to moto's request handling: every call that the double doesn't answer itself goes through here."""

from typing import Any
from urllib.parse import urlencode

from moto.core.request import Request
from moto.ec2.responses import EC2Response
from moto.sts.responses import TokenResponse

from sandbox.aws.call import Call
from sandbox.aws.errors import AwsFault

_HANDLERS: dict[str, Any] = {"ec2": EC2Response, "sts": TokenResponse}


def forward(call: Call) -> tuple[int, str]:
    """What moto answers: HTTP status and body. The account is the call's, whatever its access key says to moto."""
    handler = _HANDLERS.get(call.service)
    if handler is None:
        raise AwsFault("InvalidAction", f"The service {call.service} is not offered by this double.")
    url = f"https://{call.service}.{call.region}.amazonaws.com/"
    scope = f"Credential={call.access_key}/20200101/{call.region}/{call.service}/aws4_request"
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Moto-Account-Id": call.account,
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
    }
    request = Request.from_primitives("POST", url, headers, urlencode(call.parameters.flat).encode())
    try:
        status, _, body = handler.dispatch(request, url, request.headers)
    except NotImplementedError:
        raise AwsFault("InvalidAction", f"The action {call.action} is not valid for this web service.") from None
    return int(status), body.decode() if isinstance(body, bytes) else str(body)
