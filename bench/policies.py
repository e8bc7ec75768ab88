"""How long it takes to see that a policy that reads differently is the same one. Needs neither cluster nor AWS."""

import json
import time
from collections.abc import Iterator

from bench.figures import Figure, exactly
from ibpe.policy.canonical import digest, same_policy
from ibpe.policy.document import PolicyDocument, render, size
from ibpe.policy.parse import parse

COUNT = 1000
CHARACTERS = 4096
CHARACTERS_AS_DESIRED = 4608
"""The other hand writes accounts' ids, which are shorter."""
MOST_SECONDS = 1.0
MOST_PARSES = 60.0
"""Comparing may cost so many times what the JSON parser needs for the same text: a ratio holds on any machine."""


def measure() -> Iterator[Figure]:
    """1,000 different policies of 4 KB, each compared with what AWS would show of it."""
    pairs = [(parse(json.dumps(document)), _reformatted(document)) for document in map(_policy, range(COUNT))]
    yield from _premises(pairs)
    parsing = _seconds_to_parse(pairs)
    began = time.process_time()
    same = sum(same_policy(desired, observed) for desired, observed in pairs)
    comparing = time.process_time() - began
    yield exactly("found to be the same, of 1,000 that read differently", same, COUNT)
    others = [observed for _, observed in pairs[1:]] + [_reformatted(_policy(COUNT))]
    alike = sum(same_policy(desired, other) for (desired, _), other in zip(pairs, others, strict=True))
    yield exactly("found to be the same, of 1,000 that are not", alike, 0)
    yield Figure("seconds of processor time to read and compare 1,000", comparing, "s", most=MOST_SECONDS)
    yield Figure("the same as a multiple of parsing the JSON", comparing / parsing, "x", most=MOST_PARSES)


def _premises(pairs: list[tuple[PolicyDocument, str]]) -> Iterator[Figure]:
    """That what is measured is what was promised: long policies, all different, none read as it is desired."""
    least = min(min(size(desired), size(parse(observed))) for desired, observed in pairs)
    yield Figure("characters in the shortest of them, minified", least, least=CHARACTERS)
    yield exactly("different policies", len({digest(desired) for desired, _ in pairs}), COUNT)
    spelled_alike = sum(render(desired) == render(parse(observed)) for desired, observed in pairs)
    yield exactly("that are spelled alike on both sides", spelled_alike, 0)


def _seconds_to_parse(pairs: list[tuple[PolicyDocument, str]]) -> float:
    began = time.process_time()
    for _, observed in pairs:
        json.loads(observed)
    return time.process_time() - began


def _policy(number: int) -> dict[str, object]:
    """A policy of more than 4 KB, with principals, conditions and lists; each number's differs."""
    statements: list[dict[str, object]] = []
    document: dict[str, object] = {"Version": "2012-10-17", "Statement": statements}
    while len(json.dumps(document, separators=(",", ":"))) < CHARACTERS_AS_DESIRED:
        place = f"{number}-{len(statements)}"
        statements.append(
            {
                "Sid": f"Statement{len(statements)}",
                "Effect": "Allow",
                "Principal": {"AWS": ["arn:aws:iam::123456789012:root", "arn:aws:iam::210987654321:role/builds"]},
                "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
                "Resource": [f"arn:aws:s3:::bucket-{place}", f"arn:aws:s3:::bucket-{place}/*"],
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": [f"o-{place}", "o-a1b2c3d4e5"]}},
            }
        )
    return document


def _reformatted(document: object) -> str:
    """The same policy in another hand: lists turned round, other letter case, an account's id for its root."""
    text = json.dumps(_turned_round(document), indent=2)
    text = text.replace("s3:GetObject", "S3:getobject").replace("aws:PrincipalOrgID", "AWS:principalorgid")
    return text.replace("arn:aws:iam::123456789012:root", "123456789012")


def _turned_round(value: object) -> object:
    if isinstance(value, dict):
        return {key: _turned_round(item) for key, item in reversed(value.items())}
    return [_turned_round(item) for item in reversed(value)] if isinstance(value, list) else value
