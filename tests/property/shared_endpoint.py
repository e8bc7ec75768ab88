"""What a shared S3 endpoint is tried with: what resources contribute to it, and an AWS and an API server that fail.

Statements are written by hand: nothing here asks the product what it wants.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ibpe.api.status import Status
from ibpe.aws.gateway import EndpointID, ModifyEndpoint
from ibpe.policy.canonical import CanonicalStatement, canonical_statement
from ibpe.policy.parse import parse_statements
from ibpe.reconcile.ports import Key, Resource
from tests.crash.fakes import FakeAws
from tests.crash.fuse import Fuse
from tests.crash.surroundings import REGION, SUBNETS, VPC
from tests.kubernetes_fake import FakeResources

CLUSTER = "blue"
KEYS = tuple(Key("team-a", f"images-{number}") for number in range(5))
SHARED = EndpointID("vpce-f0000000000000001")
Written = dict[str, Any]  # JSON, which has no narrower type
Edit = Callable[[str], str]


def allow(sid: str, action: str, *resources: str) -> Written:
    """A statement as people write it."""
    arns = [f"arn:aws:s3:::{resource}" for resource in resources]
    return {"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": action, "Resource": arns}


READ = allow(
    "AllowImageBuilderAccessToAppAndComponentBuckets",
    "s3:GetObject",
    f"ec2imagebuilder-toe-{REGION}-prod/*",
    f"ec2imagebuilder-managed-resources-{REGION}-prod/components/*",
)
AGENT = allow("AllowSSMAgentDownload", "s3:GetObject", f"amazon-ssm-{REGION}/*")
TOOLS = allow("Tools", "s3:Get*", "tools/*")
OPEN: Written = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
"""AWS's default."""


class Variant:
    """A resource's `s3.policy`, and the statements that come of it, their Sids without the mark."""

    def __init__(self, policy: Mapping[str, Any], *statements: Written) -> None:
        self.policy, self.statements = policy, statements

    def __repr__(self) -> str:
        return f"VARIANTS[{VARIANTS.index(self)}]"


VARIANTS = (
    Variant({"ssmAgent": False}, READ),
    Variant({"ssmAgent": True}, READ, AGENT),
    Variant({"ssmAgent": False, "additionalStatements": [TOOLS]}, READ, TOOLS),
)


CONTRIBUTED_SIDS = frozenset(item["Sid"] for variant in VARIANTS for item in variant.statements)


def spec(variant: Variant) -> Mapping[str, Any]:
    return {
        "region": REGION,
        "vpcID": VPC,
        "builds": {"subnets": {"ids": list(SUBNETS[:2])}},
        "s3": {"mode": "Contribute", "endpointID": SHARED, "policy": variant.policy},
    }


def listed(text: str) -> list[Written]:
    """A policy's statements."""
    found = json.loads(text)["Statement"]
    return found if isinstance(found, list) else [found]


@dataclass
class Window:
    """What somebody writes between the operator's read and its next write, and what became of it."""

    edit: Edit
    placed: str | None = None
    """The policy that it made, once it was written."""
    overwritten: bool = False


class SharedAws(FakeAws):
    """An AWS in which somebody may write just before the operator's write arrives, after all that it read."""

    window: Window | None = None

    @property
    def policy(self) -> str:
        """What the shared endpoint's policy is."""
        return next(endpoint.policy for endpoint in self.truth() if endpoint.id == SHARED)

    def edit(self, edit: Edit) -> str:
        """The owner edits the policy."""
        self.intrude(SHARED, policy=edit(self.policy))
        return self.policy

    def modify_endpoint(self, request: ModifyEndpoint) -> None:
        assert request.policy != self.policy, "a write that changes nothing"
        window, self.window = self.window, None
        if window is None:
            return super().modify_endpoint(request)
        window.placed = self.edit(window.edit)
        try:
            super().modify_endpoint(request)
        finally:
            window.overwritten = self.policy == request.policy
        return None


class FusedResources(FakeResources):
    """An API server whose writes, too, may be the last thing that the operator does."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse
        self.releasing: Callable[[Resource], None] = lambda _resource: None

    def add_finalizer(self, resource: Resource) -> Resource:
        with self._fuse.kubernetes("add finalizer"):
            return super().add_finalizer(resource)

    def remove_finalizer(self, resource: Resource) -> None:
        with self._fuse.kubernetes("remove finalizer"):
            self.releasing(resource)
            super().remove_finalizer(resource)

    def write_status(self, resource: Resource, status: Status) -> Resource:
        with self._fuse.kubernetes("write status"):
            return super().write_status(resource, status)


def as_list(written: Any) -> list[Any]:
    return written if isinstance(written, list) else [written]


def is_of(marks: Collection[str], item: Written) -> bool:
    sid = item.get("Sid", "")
    return sid[:16] in marks and sid[16:].isalnum()


def meaning(item: Written) -> CanonicalStatement:
    """What a statement says to AWS, however it is spelled."""
    (statement,) = parse_statements([item], "Statement")
    return canonical_statement(statement)


def allows_everything(item: Written) -> bool:
    """As AWS's default does, however it is spelled."""
    return bool(
        item["Effect"] == "Allow"
        and item.get("Principal") == "*"
        and {"*", "s3:*"} & set(as_list(item.get("Action", [])))
        and "*" in as_list(item.get("Resource", []))
        and not item.get("Condition")
    )
