"""From a spec to the endpoints that it asks for. Pure: knows neither what exists nor who else asks."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG, RETAINED_TAG, ROLE_TAG, Role
from ibpe.api.spec import S3, ImageBuilder, Organization, S3Mode, S3Policy, Spec
from ibpe.aws.gateway import EndpointType, RouteTableID, SecurityGroupID, SubnetID, VpcID
from ibpe.partitions import service_names
from ibpe.policy import statements
from ibpe.policy.canonical import digest
from ibpe.policy.document import PolicyDocument, PolicyError
from ibpe.policy.imagebuilder import imagebuilder_policy
from ibpe.policy.s3 import s3_policy
from ibpe.reconcile.ports import Key

ClientToken = NewType("ClientToken", str)


class Field(StrEnum):
    """What can differ between an endpoint as desired and as AWS shows it; named as in the spec."""

    ENDPOINT = "endpoint"
    SUBNETS = "subnets"
    SECURITY_GROUPS = "securityGroups"
    ROUTE_TABLES = "routeTables"
    POLICY = "policy"
    PRIVATE_DNS = "privateDNS"
    IP_ADDRESS_TYPE = "ipAddressType"
    TAGS = "tags"


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
class Desired:
    """All that a spec asks for, and what the checks need of it."""

    owner: Owner
    region: str
    vpc_id: VpcID
    endpoints: tuple[DesiredEndpoint, ...]
    build_subnet_ids: frozenset[SubnetID]
    exclusive_s3: bool
    """Whether the S3 endpoint serves builds only, so that nobody else's traffic may be caught by it."""

    def endpoint(self, role: Role) -> DesiredEndpoint | None:
        """The endpoint of a role, if the spec asks for one."""
        return next((endpoint for endpoint in self.endpoints if endpoint.role is role), None)


def desire(spec: Spec, owner: Owner) -> Desired:
    """What the spec asks for. Build subnets default to the endpoint's own: where else would builds run."""
    endpoints: list[DesiredEndpoint] = []
    if spec.image_builder is not None:
        endpoints.append(_image_builder(spec, spec.image_builder, owner))
    s3 = spec.s3 if spec.s3 is not None and spec.s3.mode is S3Mode.MANAGED else None
    if s3 is not None and s3.policy is not None:
        endpoints.append(_s3(spec, s3, s3.policy, owner))
    builds = spec.builds.subnets if spec.builds else spec.image_builder.subnets if spec.image_builder else None
    return Desired(
        owner=owner,
        region=spec.region,
        vpc_id=VpcID(spec.vpc_id),
        endpoints=tuple(endpoints),
        build_subnet_ids=frozenset(SubnetID(subnet) for subnet in builds.ids) if builds else frozenset(),
        exclusive_s3=s3 is not None and s3.policy is not None and s3.policy.baseline == "ImageBuilderOnly",
    )


def policies(spec: Spec) -> Mapping[Role, PolicyDocument]:
    """The policy documents that a spec asks for; raises PolicyError."""
    wanted = desire(spec, Owner("", Key("", ""))).endpoints
    documents: dict[Role, PolicyDocument] = {}
    for endpoint in wanted:
        if isinstance(endpoint.policy, PolicyError):
            raise endpoint.policy
        documents[endpoint.role] = endpoint.policy
    return documents


def _image_builder(spec: Spec, image_builder: ImageBuilder, owner: Owner) -> DesiredEndpoint:
    return DesiredEndpoint(
        role=Role.IMAGE_BUILDER,
        services=service_names(spec.region, "imagebuilder"),
        type=ENDPOINT_TYPES[Role.IMAGE_BUILDER],
        vpc_id=VpcID(spec.vpc_id),
        policy=_image_builder_policy(spec, image_builder),
        tags={**spec.tags, **owner.tags(Role.IMAGE_BUILDER)},
        user_tag_keys=tuple(sorted(spec.tags)),
        subnet_ids=frozenset(SubnetID(subnet) for subnet in image_builder.subnets.ids),
        security_group_ids=frozenset(SecurityGroupID(group) for group in image_builder.security_groups.ids),
        private_dns=image_builder.private_dns,
        ip_address_type=image_builder.ip_address_type,
    )


def _s3(spec: Spec, s3: S3, policy: S3Policy, owner: Owner) -> DesiredEndpoint:
    return DesiredEndpoint(
        role=Role.S3,
        services=service_names(spec.region, "s3"),
        type=ENDPOINT_TYPES[Role.S3],
        vpc_id=VpcID(spec.vpc_id),
        policy=_s3_policy(spec, policy),
        tags={**spec.tags, **owner.tags(Role.S3)},
        user_tag_keys=tuple(sorted(spec.tags)),
        route_table_ids=frozenset(RouteTableID(table) for table in (s3.route_tables.ids if s3.route_tables else ())),
    )


def _image_builder_policy(spec: Spec, image_builder: ImageBuilder) -> PolicyDocument | PolicyError:
    policy = image_builder.policy
    try:
        return imagebuilder_policy(
            policy.preset.value,
            spec.region,
            organization=_organization(policy.organization),
            custom=policy.document,
            additional_statements=policy.additional_statements,
        )
    except PolicyError as error:
        return error


def _s3_policy(spec: Spec, policy: S3Policy) -> PolicyDocument | PolicyError:
    try:
        return s3_policy(
            policy.baseline.value,
            spec.region,
            environment=policy.environment,
            ssm_agent=policy.ssm_agent,
            organization=_organization(policy.organization),
            additional_statements=policy.additional_statements,
        )
    except PolicyError as error:
        return error


def _organization(ids: Organization | None) -> statements.Organization | None:
    return statements.Organization(ids.principal_org_id, ids.resource_org_id) if ids else None


def _digest(*values: str) -> str:
    return hashlib.sha256("\n".join(sorted(values)).encode()).hexdigest()[:16]
