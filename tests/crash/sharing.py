"""Somebody else's S3 endpoints in a world: what they hold, and the laws of who may change what of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ibpe.aws.gateway import Endpoint, EndpointID, EndpointState, EndpointType, RouteTableID
from ibpe.policy.contribution import SID_PREFIX, mark
from tests.crash.surroundings import ACCOUNT, S3, VPC

TEAM = (
    '{"Sid":"Team","Effect":"Allow","Principal":{"AWS":"*"},"Action":["s3:GetObject"],"Resource":"arn:aws:s3:::team/*"}'
)
FOREIGN_POLICY = f'{{"Statement":[{TEAM}],"Version":"2012-10-17"}}'
OPEN_POLICY = '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'


def _shared(number: int, policy: str) -> Endpoint:
    return Endpoint(
        id=EndpointID(f"vpce-f000000000000001{number}"),
        vpc_id=VPC,
        service_name=S3,
        type=EndpointType.GATEWAY,
        state=EndpointState.AVAILABLE,
        owner_id=ACCOUNT,
        policy=policy,
        route_table_ids=frozenset({RouteTableID(f"rtb-f000000000000001{number}")}),
        tags={"Name": "shared"},
    )


SHARED, OTHER, OPEN = _shared(1, FOREIGN_POLICY), _shared(2, FOREIGN_POLICY), _shared(3, OPEN_POLICY)
EVERY = (SHARED, OTHER, OPEN)


def marks(endpoint: Endpoint) -> set[str]:
    """Whose statements its policy holds, by the beginnings of their Sids."""
    length = len(mark("", ""))
    sids = [str(statement.get("Sid", "")) for statement in json.loads(endpoint.policy)["Statement"]]
    return {sid[:length] for sid in sids if sid.startswith(SID_PREFIX)}


def complaints(spec: Mapping[str, Any] | None, ours: str, truth: Iterable[Endpoint]) -> Iterator[str]:
    """Where the statements of a mark are not where the spec wants them; None: it wants them nowhere."""
    s3 = (spec or {}).get("s3") or {}
    wanted = {s3["endpointID"]} if s3.get("mode") == "Contribute" and s3["endpointID"] != OPEN.id else set()
    for endpoint in truth:
        there = ours in marks(endpoint)
        if there is not (endpoint.id in wanted):
            yield f"our statements are{'' if there else ' not'} in {endpoint.id}: {endpoint.policy}"


def check_untouched(truth: Iterable[Endpoint]) -> None:
    """Nothing of them but our own statements ever changes, and nobody else's is rewritten or moved."""
    for shared, now in zip(EVERY, truth, strict=True):
        assert replace(now, policy=shared.policy) == shared, f"{now} was {shared}"
        others = [s for s in json.loads(now.policy)["Statement"] if not str(s.get("Sid", "")).startswith(SID_PREFIX)]
        assert others == json.loads(shared.policy)["Statement"], f"{now.policy} was {shared.policy}"
        if not marks(now):
            assert now.policy == shared.policy, "taken out, they leave no trace"
        assert (shared is not SHARED) or TEAM in now.policy, "as its owner spelled it"
