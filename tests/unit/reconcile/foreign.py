"""Somebody else's S3 gateway, which a spec contributes to or only looks at; `given` has the rest.

Each function takes what is to be other than usual.
"""

from dataclasses import replace
from typing import Any

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus
from ibpe.aws.gateway import Endpoint, EndpointID
from ibpe.policy import contribution
from ibpe.policy.document import Statement
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.wanted import Contribution, Desired, SharedEndpoint
from tests.unit.reconcile.given import A1, B1, desired, made, seen, wanted

THEIRS, OTHERS = EndpointID("vpce-0000f0e1"), EndpointID("vpce-0000f0e2")
BUILDS = {"subnets": {"ids": [A1, B1]}}
TEAM = '{"Sid":"Team","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::team/*"}'
LOCK = '{"Sid":"Lock","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"*"}'
ALL = '{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}'
MARK = contribution.mark("blue", "5f3c0d6e-0000-4000-8000-000000000001")
STRAY = TEAM.replace("Team", f"{MARK}Stray")
"""Of ours by its Sid, and nothing that any spec asks for."""


def policy(*statements: str) -> str:
    """A policy of these statements, each as JSON."""
    return f'{{"Version":"2012-10-17","Statement":[{",".join(statements)}]}}'


def contributing(endpoint_id: EndpointID = THEIRS, **more: Any) -> Desired:
    """What a spec asks for that contributes to it; `more` goes into `s3.policy`."""
    s3 = {"mode": "Contribute", "endpointID": endpoint_id, "policy": more}
    return desired(imageBuilder=None, builds=BUILDS, s3=s3)


def existing(endpoint_id: EndpointID = THEIRS) -> Desired:
    """What a spec asks for that only looks at it."""
    return desired(imageBuilder=None, builds=BUILDS, s3={"mode": "Existing", "endpointID": endpoint_id})


def shared(want: Desired) -> SharedEndpoint:
    """Its S3 endpoint."""
    found = want.share(Role.S3)
    assert found is not None
    return found


def share(want: Desired) -> Contribution:
    """What it contributes."""
    found = shared(want).contribution
    assert found is not None
    return found


def ours(want: Desired) -> tuple[Statement, ...]:
    """Its statements, under Sids of ours."""
    statements = share(want).statements
    assert isinstance(statements, tuple)
    return statements


def with_ours(text: str, want: Desired) -> str:
    """A policy with its statements in it."""
    return contribution.contribute(text, ours(want), share(want).mark)


def gateway(text: str, **changes: Any) -> Endpoint:
    """Somebody else's gateway with this policy, on the builds' route table."""
    endpoint = replace(made(wanted(Role.S3)), id=THEIRS, policy=text, tags={"Name": "shared"})
    return replace(endpoint, **changes)


def sight(*endpoints: Endpoint, **changes: Any) -> Observation:
    """An observation of a healthy VPC in which the spec names these; what holds our statements is told as such."""
    sharing = tuple(each for each in endpoints if contribution.is_contributed(each.policy, MARK))
    usual: dict[str, Any] = {"named": {each.id: each for each in endpoints}, "contributions": sharing}
    return seen(**{**usual, **changes})


def contributed(want: Desired, **changes: Any) -> EndpointStatus:
    """The status entry of an endpoint that was contributed to in full."""
    usual: dict[str, Any] = {
        "role": Role.S3,
        "ownership": "Contributed",
        "id": shared(want).endpoint_id,
        "state": "available",
        "applied": {str(name): value for name, value in shared(want).fields().items()},
        "contributed_ids": (shared(want).endpoint_id,),
    }
    return EndpointStatus.model_validate({**usual, **changes})
