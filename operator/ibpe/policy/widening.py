"""Does one policy allow what another denies? Decided by evaluating requests, never by comparing text."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from ibpe.policy.access import Request, Verdict, decide
from ibpe.policy.document import PolicyDocument
from ibpe.policy.witnesses import completions, witnesses

_LONGEST: Final = 300


def widened(before: PolicyDocument, after: PolicyDocument, requests: Sequence[Request] = ()) -> Request | None:
    """The first request that `after` allows and `before` does not: of those given, and of those that the documents'
    own statements speak of. What isn't known of a given request is filled in, and it keeps of its condition keys those
    without which the policies would not differ.

    What is returned is always such a request: a policy that means the same or less is never called wider. None is no
    proof, for the requests are samples; `witnesses` says which.
    """
    given = (complete for request in requests for complete in _complete(before, after, request))
    tried = chain(given, witnesses(before, after))
    found = next((request for request in tried if _is_wider(before, after, request)), None)
    return found and _with_fewest_keys(before, after, found)


def in_words(request: Request) -> str:
    """The request for people, in a line of 300 characters at most.

    `s3:DeleteObject on arn:aws:s3:::mine/x, called anonymously`.
    """
    what = f"{request.action} on {request.resource}"
    match request.caller.kind:
        case "Anonymous":
            who = "called anonymously"
        case "Service":
            who = f"called by the service {request.caller.name}"
        case "Identity":
            who = f"called by {request.caller.name or 'an identity'}"
    given = ", ".join(f"{key} {' and '.join(values)}" for key, values in sorted(request.context.items()))
    words = " ".join((f"{what}, {who} with {given}" if given else f"{what}, {who}").split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def _complete(before: PolicyDocument, after: PolicyDocument, request: Request) -> Iterable[Request]:
    """The request itself where its verdicts are sure, else with values for what isn't known of it."""
    verdicts = decide(before, request).verdict, decide(after, request).verdict
    if Verdict.DEPENDS not in verdicts:
        return (request,)
    return (
        () if verdicts[0] is Verdict.ALLOWED or verdicts[1] is Verdict.DENIED else completions(before, after, request)
    )


def _with_fewest_keys(before: PolicyDocument, after: PolicyDocument, request: Request) -> Request:
    """The request without the keys that it can do without, so that it tells people what has changed."""
    for key in sorted(request.context):
        context = {name: values for name, values in request.context.items() if name != key}
        fewer = replace(request, context=context)
        request = fewer if _is_wider(before, after, fewer) else request
    return request


def _is_wider(before: PolicyDocument, after: PolicyDocument, request: Request) -> bool:
    return decide(after, request).verdict is Verdict.ALLOWED and decide(before, request).verdict is Verdict.DENIED
