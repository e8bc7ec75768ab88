"""Requests in words and as plain values. Decides nothing about them."""

from collections.abc import Mapping
from typing import Any

from ibpe.policy.access import Caller, Request


def asked(request: Request) -> str:
    """`s3:GetObject on arn:… by arn:…, with aws:sourcevpc vpc-…`."""
    target = "" if request.resource == "*" else f" on {request.resource}"
    told = " and ".join(f"{key} {' and '.join(values)}" for key, values in sorted(request.context.items()))
    return f"{request.action}{target} {called_by(request.caller)}{f', with {told}' if told else ''}"


def called_by(caller: Caller) -> str:
    """`by arn:…`, `without credentials`."""
    match caller.kind:
        case "Anonymous":
            return "without credentials"
        case "Service":
            return f"by the service {caller.name}"
        case "Identity":
            account = f" of account {caller.account}" if caller.account else ""
            return f"by {caller.name}" if caller.name else f"by an identity{account}"


def request_data(request: Request) -> dict[str, Any]:
    """A request as plain values."""
    context: Mapping[str, tuple[str, ...]] = request.context
    return {
        "action": request.action,
        "resource": request.resource,
        "caller": {"kind": request.caller.kind, "name": request.caller.name, "account": request.caller.account},
        "context": {key: list(values) for key, values in sorted(context.items())},
    }
