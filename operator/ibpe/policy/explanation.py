"""What each statement of a policy does and why the operator writes it, and what a policy can't do. For people."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import product
from typing import Final

from ibpe.partitions import object_arn
from ibpe.policy import buckets
from ibpe.policy.access import Caller, Request, Verdict, decide
from ibpe.policy.canonical import canonical_statement, equivalent
from ibpe.policy.contribution import SID_PREFIX
from ibpe.policy.document import PolicyDocument, Statement
from ibpe.policy.imagebuilder import PRESETS, full_access, imagebuilder_policy
from ibpe.policy.phrases import in_words
from ibpe.policy.problem import EndpointRole
from ibpe.policy.s3 import ENVIRONMENTS, S3Use, environment_warning, s3_policy
from ibpe.policy.sources import SOURCES
from ibpe.policy.statements import Organization

UNLOGGED_CALLS: Final = (
    "With a policy other than the default one, some failed calls (such as those that fail with RequestLimitExceeded) "
    "may be missing from CloudTrail and CloudWatch."
)
"""Source: EC2 Image Builder user guide, "EC2 Image Builder and interface VPC endpoints (AWS PrivateLink)"."""

_CONTRIBUTED: Final = re.compile(SID_PREFIX + r"[0-9a-f]{12}(?P<sid>.*)")
_PLACEHOLDER: Final = "buckets-of-the-user"
_ORGANIZATION: Final = Organization("o-aaaaaaaaaa", "o-aaaaaaaaaa")
_DESTRUCTIVE: Final = (
    "imagebuilder:DeleteImage",
    "imagebuilder:DeleteComponent",
    "imagebuilder:StartResourceStateUpdate",
    "imagebuilder:CreateLifecyclePolicy",
    "imagebuilder:UpdateLifecyclePolicy",
)
"""Calls that delete images and components, and those that make Image Builder delete AMIs, snapshots and containers."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One statement, explained."""

    name: str
    """Its Sid, or its place: `Statement[2]`."""
    words: str
    """What it does, in a sentence."""
    why: str
    """Why the operator writes it; for a statement that isn't the operator's, that it isn't."""
    source: str = ""
    """The page that says so; empty for a statement that isn't the operator's."""


def explain(document: PolicyDocument, role: EndpointRole, region: str) -> tuple[Explanation, ...]:
    """Every statement, in the document's order."""
    return tuple(_explanation(statement, index, role, region) for index, statement in enumerate(document.statements))


def unmarked(sid: str) -> str:
    """The Sid that a contributed statement was written with; any other as it is."""
    contributed = _CONTRIBUTED.fullmatch(sid)
    return contributed["sid"] if contributed else sid


def limits(document: PolicyDocument, role: EndpointRole, region: str) -> tuple[str, ...]:
    """What the policy can't do although it reads as if it did, and what comes with it. May be empty."""
    return tuple(_limits(document) if role == "imagebuilder" else _doubtful_buckets(document, region))


def _explanation(statement: Statement, index: int, role: EndpointRole, region: str) -> Explanation:
    sid = unmarked(statement.sid)
    name = statement.sid or f"Statement[{index}]"
    words = f"{in_words(statement)}."
    known = SOURCES.get(sid)
    if known is None:
        return Explanation(name, words, "Not one of the operator's own statements.")
    if not any(_alike(statement, own) for own in _own(role, region) if own.sid == sid):
        why = f"Its Sid is the operator's {sid}, but it does not say what the operator writes for {region}."
        return Explanation(name, words, why)
    return Explanation(name, words, known.why, known.source)


@cache
def _own(role: EndpointRole, region: str) -> frozenset[Statement]:
    """Every statement that the operator writes of itself for this endpoint."""
    if role == "imagebuilder":
        documents = [
            imagebuilder_policy(preset, region, organization=_ORGANIZATION, marketplace=more, aws_services=more)
            for preset, more in [*((preset, False) for preset in PRESETS if preset != "Custom"), ("Organization", True)]
        ]
    else:
        documents = [
            s3_policy("Organization", region, _every_use(environment, whole=whole), organization=_ORGANIZATION)
            for environment, whole in product(ENVIRONMENTS, (False, True))
        ]
    return frozenset(statement for document in documents for statement in document.statements)


def _every_use(environment: str, *, whole: bool) -> S3Use:
    switched_on = {field.name: True for field in fields(S3Use) if field.default is False or field.default is True}
    return replace(
        S3Use(environment, log_buckets=(_PLACEHOLDER,), artifact_buckets=(_PLACEHOLDER,), **switched_on),
        all_managed_resources=whole,
    )


def _alike(statement: Statement, own: Statement) -> bool:
    """The same by meaning, but for organizations and buckets, which are the user's to name."""
    one, other = canonical_statement(statement), canonical_statement(own)
    if (one.effect, one.principals, one.actions) != (other.effect, other.principals, other.actions):
        return False
    if [condition[:2] for condition in one.conditions] != [condition[:2] for condition in other.conditions]:
        return False
    of_the_user = any(_PLACEHOLDER in resource for resource in own.resources.values)
    return of_the_user or one.resources == other.resources


def _limits(document: PolicyDocument) -> Iterator[str]:
    denied = {action for action in _DESTRUCTIVE if _explicitly_denied(document, action)}
    if denied:
        yield (
            "A Deny binds calls through this endpoint only: the same call by another way to AWS is not denied by it. "
            "A service control policy or the callers' own permissions bind everywhere."
        )
        yield (
            "Lifecycle policies that exist go on: Image Builder carries them out itself, and no call of theirs passes "
            "here."
        )
        yield (
            "It is about Image Builder's calls: AMIs, snapshots and container images can still go by "
            "ec2:DeregisterImage, ec2:DeleteSnapshot and ecr:BatchDeleteImage, which never pass this endpoint."
        )
    if denied and (left := [action for action in _DESTRUCTIVE if action not in denied]):
        yield f"It leaves what also destroys, or makes others do so: {', '.join(left)}."
    if not equivalent(document, full_access()):
        yield UNLOGGED_CALLS


def _doubtful_buckets(document: PolicyDocument, region: str) -> Iterator[str]:
    """A sentence for each environment whose buckets the policy opens, and which may not be AWS's."""
    opened = [arn for each in document.statements if each.effect == "Allow" for arn in each.resources.values]
    for environment in ENVIRONMENTS:
        warning = environment_warning(environment)
        names = buckets.toe(region, environment), buckets.managed_resources(region, environment)
        if warning and any(arn.startswith(object_arn(region, name, "")) for arn in opened for name in names):
            yield f"{warning.problem[0].upper()}{warning.problem[1:]}: {warning.fix}."


def _explicitly_denied(document: PolicyDocument, action: str) -> bool:
    """Whether a Deny surely meets the call, whoever makes it."""
    request = Request(action, "*", Caller("Identity"), unknown=frozenset({"*"}))
    decision = decide(document, request)
    return decision.verdict is Verdict.DENIED and decision.statement is not None
