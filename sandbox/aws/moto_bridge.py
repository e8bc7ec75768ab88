"""The border to moto's request handling: every call that the double doesn't answer itself goes through here."""

import re
from typing import Any
from urllib.parse import urlencode

from moto.core.base_backend import BackendDict
from moto.core.request import Request
from moto.ec2.models import EC2Backend
from moto.ec2.responses import EC2Response
from moto.sts.responses import TokenResponse

from sandbox.aws.call import Call
from sandbox.aws.errors import AwsFault
from sandbox.aws.moto_speed import quicken

_REQUEST_ID = re.compile(r"(<request_?id>)(.*?)(</request_?id>)", re.IGNORECASE)


class Moto:
    """EC2's state of every account and region, apart from that of any other server in the process; STS's is moto's."""

    def __init__(self) -> None:
        self._ec2: Any
        self.reset()

    def ec2(self, account: str, region: str) -> Any:
        """One account's EC2 in one region."""
        return quicken(self._ec2[account][region])

    def reset(self) -> None:
        """Begin anew: with new backends, since moto's own reset is one for the whole process."""
        self._ec2 = BackendDict(EC2Backend, "ec2")

    def handler(self, service: str) -> Any:
        """What answers a request to a service; None when the double doesn't have it."""
        return {"ec2": _Ec2Response(self), "sts": TokenResponse()}.get(service)


class _Ec2Response(EC2Response):
    """moto's EC2 on backends of one's own in place of the ones that a process shares."""

    def __init__(self, moto: Moto) -> None:
        super().__init__()
        self._moto = moto

    @property
    def ec2_backend(self) -> Any:
        return self._moto.ec2(self.current_account, self.region)


def forward(moto: Moto, call: Call) -> tuple[int, str]:
    """What moto answers: HTTP status and body. The account is the call's, whatever its access key says to moto."""
    handler = moto.handler(call.service)
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
        status, _, body = handler._dispatch(request, url, request.headers)  # noqa: SLF001 - `dispatch` would make its own
    except NotImplementedError:
        raise AwsFault("InvalidAction", f"The action {call.action} is not valid for this web service.") from None
    text = body.decode() if isinstance(body, bytes) else str(body)
    return int(status), _REQUEST_ID.sub(lambda match: f"{match[1]}{call.request_id}{match[3]}", text)
