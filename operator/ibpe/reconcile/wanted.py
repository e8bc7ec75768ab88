"""What a spec asks for, as values: endpoints to make, and somebody else's to look at. `reconcile.desire` makes them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NewType

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG, RETAINED_TAG, ROLE_TAG, Role
from ibpe.aws.gateway import EndpointID, EndpointType, RouteTableID, SecurityGroupID, SubnetID, VpcID
from ibpe.policy.canonical import digest
from ibpe.policy.document import PolicyDocument, PolicyError, Statement
from ibpe.policy.needs import Callers, Need, imagebuilder_needs, s3_needs
from ibpe.policy.s3 import USUAL, S3Use
from ibpe.reconcile.fields import Field
from ibpe.reconcile.ports import Key

ClientToken = NewType("ClientToken", str)


ENDPOINT_TYPES: Mapping[Role, EndpointType] = {
    Role.IMAGE_BUILDER: EndpointType.INTERFACE,
    Role.S3: EndpointType.GATEWAY,
}
"""What is made for each role."""


@dataclass(frozen=True)
class Owner:
    """Who we are to AWS: the values of our tags."""

    cluster: str
    key: Key

    def tags(self, role: Role) -> Mapping[str, str]:
        """The tags on everything that we make."""
        return {CLUSTER_TAG: self.cluster, OWNER_TAG: str(self.key), ROLE_TAG: role.value}

    def retained_tag(self) -> Mapping[str, str]:
        """The tag that marks what was left for this resource to take back."""
        return {RETAINED_TAG: str(self.key)}

    def client_token(self, uid: str, role: Role, attempt: int) -> ClientToken:
        """The ClientToken of an attempt: 64 ASCII characters, AWS's limit.

        Parameters are not in it: a crash, an edit of the spec and a Describe that lags would make a second endpoint.
        """
        return ClientToken(hashlib.sha256(f"{self.cluster}\n{uid}\n{role}\n{attempt}".encode()).hexdigest())


@dataclass(frozen=True)
class Passage:
    """What has to pass through an endpoint. Which requests these are hangs on the account, which looking tells."""

    role: Role
    region: str
    callers: Callers
    use: S3Use = USUAL
    marketplace: bool = False

    def needs(self, account: str, endpoint_id: str = "") -> tuple[Need, ...]:
        """The requests, with this account in their ARNs, through this endpoint where it is there."""
        return _needs(self, account, endpoint_id or self.callers.endpoint_id)


@lru_cache(maxsize=16)
def _needs(passage: Passage, account: str, endpoint_id: str) -> tuple[Need, ...]:
    callers = replace(passage.callers, account=account, endpoint_id=endpoint_id)
    if passage.role is Role.S3:
        return s3_needs(passage.region, passage.use, callers)
    return imagebuilder_needs(passage.region, callers, marketplace=passage.marketplace)


@dataclass(frozen=True)
class DesiredEndpoint:
    """One endpoint that the spec asks for."""

    role: Role
    services: tuple[str, ...]
    """PrivateLink service names, likeliest first: partitions disagree with their own documentation."""
    type: EndpointType
    vpc_id: VpcID
    policy: PolicyDocument | PolicyError
    """A policy that can't be made is a refusal of this endpoint, not of the whole resource."""
    tags: Mapping[str, str]
    """Ours and the user's."""
    user_tag_keys: tuple[str, ...]
    passage: Passage
    subnet_ids: frozenset[SubnetID] = frozenset()
    security_group_ids: frozenset[SecurityGroupID] = frozenset()
    route_table_ids: frozenset[RouteTableID] = frozenset()
    private_dns: bool = False
    ip_address_type: str = "ipv4"

    def fields(self) -> Mapping[Field, str]:
        """Each field that is ours to keep, with a digest of what it should be."""
        values: dict[Field, str] = {Field.TAGS: _digest(*(f"{key}={value}" for key, value in self.tags.items()))}
        if isinstance(self.policy, PolicyDocument):
            values[Field.POLICY] = digest(self.policy)
        if self.type is EndpointType.GATEWAY:
            values[Field.ROUTE_TABLES] = _digest(*self.route_table_ids)
        else:
            values[Field.SUBNETS] = _digest(*self.subnet_ids)
            values[Field.SECURITY_GROUPS] = _digest(*self.security_group_ids)
            values[Field.PRIVATE_DNS] = _digest(str(self.private_dns))
            values[Field.IP_ADDRESS_TYPE] = _digest(self.ip_address_type)
        return values

    def digest(self) -> str:
        """All fields in one digest."""
        return _digest(*(f"{name}={value}" for name, value in self.fields().items()))


@dataclass(frozen=True)
class Contribution:
    """What somebody else's policy is to hold of ours."""

    statements: tuple[Statement, ...] | PolicyError
    """Under Sids of ours."""
    mark: str


@dataclass(frozen=True)
class SharedEndpoint:
    """Somebody else's endpoint, named in the spec: looked at, and contributed to or not."""

    role: Role
    endpoint_id: EndpointID
    services: tuple[str, ...]
    type: EndpointType
    passage: Passage
    contribution: Contribution | None = None
    """None: it is never written."""
    private_dns: bool = False
    """Whether builds count on its private DNS name."""
    knows_builds: bool = True
    """Whether the spec tells where builds run."""

    def fields(self) -> Mapping[Field, str]:
        """Each field that is ours to keep, with a digest of what it should be: of the policy, our statements."""
        if self.contribution is None or isinstance(self.contribution.statements, PolicyError):
            return {}
        return {Field.POLICY: digest(PolicyDocument(self.contribution.statements))}


Wanted = DesiredEndpoint | SharedEndpoint


@dataclass(frozen=True)
class Desired:
    """All that a spec asks for, and what the checks need of it."""

    owner: Owner
    region: str
    vpc_id: VpcID
    endpoints: tuple[DesiredEndpoint, ...]
    """Those that are made."""
    build_subnet_ids: frozenset[SubnetID]
    exclusive_s3: bool
    """Whether the S3 endpoint serves builds only, so that nobody else's traffic may be caught by it."""
    shared: tuple[SharedEndpoint, ...] = ()
    """Those that are somebody else's."""
    mark: str = ""
    """What the Sids of our statements in others' policies begin with."""

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """All of them, in the order of roles."""
        return tuple(sorted((*self.endpoints, *self.shared), key=lambda each: list(Role).index(each.role)))

    def endpoint(self, role: Role) -> DesiredEndpoint | None:
        """The endpoint to make in a role, if the spec asks for one."""
        return next((endpoint for endpoint in self.endpoints if endpoint.role is role), None)

    def share(self, role: Role) -> SharedEndpoint | None:
        """Somebody else's endpoint in a role, if the spec names one."""
        return next((shared for shared in self.shared if shared.role is role), None)


def _digest(*values: str) -> str:
    return hashlib.sha256("\n".join(sorted(values)).encode()).hexdigest()[:16]
