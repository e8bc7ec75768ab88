"""EC2's and STS's XML: answers, errors and the small pieces that answers are made of."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

from sandbox.aws.errors import AwsFault

_EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"
_STS = "https://sts.amazonaws.com/doc/2011-06-15/"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def element(name: str, value: str | bool | None) -> str:  # noqa: FBT001 - a value to write, not a switch
    """`<name>value</name>`; nothing for None."""
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else escape(value)
    return f"<{name}>{text}</{name}>"


def items(name: str, contents: Iterable[str]) -> str:
    """`<name><item>…</item>…</name>` of contents that are XML already; an empty list is an empty element."""
    inner = "".join(f"<item>{content}</item>" for content in contents)
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"


def texts(name: str, values: Iterable[str]) -> str:
    """A list of plain values."""
    return items(name, map(escape, values))


def ec2_answer(action: str, request_id: str, content: str) -> str:
    """An EC2 answer around its content."""
    return f'{_HEAD}<{action}Response xmlns="{_EC2}"><requestId>{request_id}</requestId>{content}</{action}Response>'


def sts_answer(action: str, request_id: str, content: str) -> str:
    """An STS answer around its result."""
    return (
        f'{_HEAD}<{action}Response xmlns="{_STS}"><{action}Result>{content}</{action}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    )


def fault_answer(service: str, fault: AwsFault, request_id: str) -> str:
    """A fault as the service words it; EC2 has a form of its own."""
    error = element("Code", fault.code) + element("Message", fault.message)
    if service == "ec2":
        return f"{_HEAD}<Response><Errors><Error>{error}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    kind = element("Type", "Sender" if fault.status < 500 else "Receiver")
    return (
        f'{_HEAD}<ErrorResponse xmlns="{_STS}"><Error>{kind}{error}</Error>'
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
