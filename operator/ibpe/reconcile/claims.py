"""What a resource claims of its VPC, and who claims the same. Knows raw specs only, since losers may be invalid."""

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeGuard

from ibpe.reconcile.ports import Claimant, Key


def claims_of(spec: Mapping[str, object]) -> frozenset[str]:
    """The claims of a raw spec: the private DNS name of an interface endpoint, the route tables of a gateway.

    Two resources in one VPC are fine while their claims differ. Lenient: what can't be read claims nothing.
    """
    scope = f"{spec.get('region')}/{spec.get('vpcID')}"
    claims: set[str] = set()
    image_builder = spec.get("imageBuilder")
    if _is_managed(image_builder) and image_builder.get("privateDNS", True) is True:
        claims.add(private_dns_claim(scope, "imagebuilder"))
    s3 = spec.get("s3")
    if _is_managed(s3):
        tables = s3.get("routeTables")
        ids = tables.get("ids") if isinstance(tables, Mapping) else None
        claims.update(route_claim(scope, str(table)) for table in (ids if isinstance(ids, list | tuple) else ()))
    return frozenset(claims)


def _is_managed(part: object) -> TypeGuard[Mapping[str, object]]:
    """Whether it asks for an endpoint of its own: somebody else's endpoint is nothing to claim."""
    return isinstance(part, Mapping) and part.get("mode", "Managed") == "Managed"


def private_dns_claim(scope: str, service: str) -> str:
    """The claim on a service's private DNS name in a VPC (`scope` is `<region>/<vpc id>`)."""
    return f"{scope}/private-dns/{service}"


def route_claim(scope: str, route_table_id: str) -> str:
    """The claim on a route table's route to S3."""
    return f"{scope}/s3-route/{route_table_id}"


class ClaimIndex:
    """Who claims what, kept by the watch and read by the workers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[str, tuple[Claimant, frozenset[str]]] = {}
        self._claimants: dict[str, dict[str, Claimant]] = {}

    def put(self, uid: str, key: Key, created_at: datetime, claims: frozenset[str]) -> frozenset[Key]:
        """Note a resource's claims; returns who waits for a claim that it let go of."""
        with self._lock:
            _, before = self._claims.get(uid, (None, frozenset[str]()))
            claimant = Claimant(created_at, uid, key)
            for claim in claims:
                self._claimants.setdefault(claim, {})[uid] = claimant
            freed = self._withdraw(uid, before - claims)
            self._claims[uid] = (claimant, claims)
            return freed

    def remove(self, uid: str) -> frozenset[Key]:
        """Forget a resource; returns who waits for what it claimed."""
        with self._lock:
            _, claims = self._claims.pop(uid, (None, frozenset[str]()))
            return self._withdraw(uid, claims)

    def claimants(self, claim: str) -> tuple[Claimant, ...]:
        """Who claims it, the first comer first."""
        with self._lock:
            return tuple(sorted(self._claimants.get(claim, {}).values()))

    def uids(self) -> Mapping[str, Key]:
        """Every resource that is known, by uid."""
        with self._lock:
            return {uid: claimant.key for uid, (claimant, _) in self._claims.items()}

    def _withdraw(self, uid: str, claims: Iterable[str]) -> frozenset[Key]:
        waiting: set[Key] = set()
        for claim in claims:
            others = self._claimants.get(claim, {})
            others.pop(uid, None)
            waiting.update(other.key for other in others.values())
            if not others:
                self._claimants.pop(claim, None)
        return frozenset(waiting)
