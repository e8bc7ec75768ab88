"""From a spec to the endpoints that it asks for. Pure: knows neither what exists nor who else asks."""

from collections.abc import Mapping

from ibpe.api.endpoints import S3, ImageBuilder, ImageBuilderMode, S3Mode
from ibpe.api.names import Role
from ibpe.api.policies import ImageBuilderPolicy, Organization, S3Policy
from ibpe.api.spec import Spec
from ibpe.aws.gateway import EndpointID, RouteTableID, SecurityGroupID, SubnetID, VpcID
from ibpe.partitions import service_names
from ibpe.policy import statements
from ibpe.policy.contribution import mark, marked
from ibpe.policy.document import PolicyDocument, PolicyError, Statement
from ibpe.policy.imagebuilder import imagebuilder_policy
from ibpe.policy.needs import Callers
from ibpe.policy.s3 import S3Use, contributed_statements, s3_policy
from ibpe.reconcile.ports import Key
from ibpe.reconcile.wanted import ENDPOINT_TYPES, Contribution, Desired, DesiredEndpoint, Owner, Passage, SharedEndpoint


def desire(spec: Spec, owner: Owner, uid: str) -> Desired:
    """What the spec of a resource asks for.

    Build subnets default to the endpoint's own: where else would builds run.
    """
    ours = mark(owner.cluster, uid)
    endpoints: list[DesiredEndpoint] = []
    shared: list[SharedEndpoint] = []
    image_builder, s3 = spec.image_builder, spec.s3
    if image_builder is not None and image_builder.mode is ImageBuilderMode.MANAGED and image_builder.policy:
        endpoints.append(_image_builder(spec, image_builder, image_builder.policy, owner))
    elif image_builder is not None and image_builder.endpoint_id:
        shared.append(_existing_image_builder(spec, image_builder, EndpointID(image_builder.endpoint_id)))
    if s3 is not None and s3.mode is S3Mode.MANAGED and s3.policy:
        endpoints.append(_s3(spec, s3, s3.policy, owner))
    elif s3 is not None and s3.endpoint_id:
        shared.append(_shared_s3(spec, s3, EndpointID(s3.endpoint_id), ours))
    builds = spec.builds.subnets if spec.builds else image_builder.subnets if image_builder else None
    return Desired(
        owner=owner,
        region=spec.region,
        vpc_id=VpcID(spec.vpc_id),
        endpoints=tuple(endpoints),
        build_subnet_ids=frozenset(SubnetID(subnet) for subnet in builds.ids) if builds else frozenset(),
        exclusive_s3=s3 is not None and s3.policy is not None and s3.policy.baseline == "ImageBuilderOnly",
        shared=tuple(shared),
        mark=ours,
    )


def policies(spec: Spec) -> Mapping[Role, PolicyDocument]:
    """The policy documents that a spec asks for, or the statements that it contributes; raises PolicyError."""
    wanted = desire(spec, Owner("", Key("", "")), "")
    documents: dict[Role, PolicyDocument] = {}
    for each in wanted.wanted:
        policy = each.policy if isinstance(each, DesiredEndpoint) else _contributed(each)
        if isinstance(policy, PolicyError):
            raise policy
        if policy is not None:
            documents[each.role] = policy
    return documents


def _contributed(shared: SharedEndpoint) -> PolicyDocument | PolicyError | None:
    if shared.contribution is None:
        return None
    statements = shared.contribution.statements
    return statements if isinstance(statements, PolicyError) else PolicyDocument(statements)


def _image_builder(
    spec: Spec, image_builder: ImageBuilder, policy: ImageBuilderPolicy, owner: Owner
) -> DesiredEndpoint:
    subnets, groups = image_builder.subnets, image_builder.security_groups
    return DesiredEndpoint(
        role=Role.IMAGE_BUILDER,
        services=service_names(spec.region, "imagebuilder"),
        type=ENDPOINT_TYPES[Role.IMAGE_BUILDER],
        vpc_id=VpcID(spec.vpc_id),
        policy=_image_builder_policy(spec, policy),
        tags={**spec.tags, **owner.tags(Role.IMAGE_BUILDER)},
        user_tag_keys=tuple(sorted(spec.tags)),
        subnet_ids=frozenset(SubnetID(subnet) for subnet in (subnets.ids if subnets else ())),
        security_group_ids=frozenset(SecurityGroupID(group) for group in (groups.ids if groups else ())),
        private_dns=image_builder.private_dns,
        ip_address_type=image_builder.ip_address_type,
        passage=Passage(
            Role.IMAGE_BUILDER, spec.region, _callers(spec, policy.organization), marketplace=policy.marketplace
        ),
    )


def _existing_image_builder(spec: Spec, image_builder: ImageBuilder, endpoint_id: EndpointID) -> SharedEndpoint:
    return SharedEndpoint(
        role=Role.IMAGE_BUILDER,
        endpoint_id=endpoint_id,
        services=service_names(spec.region, "imagebuilder"),
        type=ENDPOINT_TYPES[Role.IMAGE_BUILDER],
        passage=Passage(Role.IMAGE_BUILDER, spec.region, _callers(spec, None, endpoint_id)),
        private_dns=image_builder.private_dns,
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
        passage=Passage(Role.S3, spec.region, _callers(spec, policy.organization), use_of(policy)),
    )


def _shared_s3(spec: Spec, s3: S3, endpoint_id: EndpointID, ours: str) -> SharedEndpoint:
    policy = s3.policy or S3Policy()
    use = use_of(policy)
    contribution = None
    if s3.mode is S3Mode.CONTRIBUTE:
        contribution = Contribution(_statements(spec, use, policy, ours), ours)
    return SharedEndpoint(
        role=Role.S3,
        endpoint_id=endpoint_id,
        services=service_names(spec.region, "s3"),
        type=ENDPOINT_TYPES[Role.S3],
        passage=Passage(Role.S3, spec.region, _callers(spec, None, endpoint_id), use),
        contribution=contribution,
        knows_builds=spec.builds is not None or spec.image_builder is not None,
    )


def use_of(policy: S3Policy) -> S3Use:
    """What builds use of S3, as the spec says."""
    return S3Use(
        environment=policy.environment,
        all_managed_resources=policy.all_managed_resources,
        ssm_agent=policy.ssm_agent,
        amazon_linux_repositories=policy.amazon_linux_repositories,
        windows_downloads=policy.windows_downloads,
        patching=policy.patching,
        distributor=policy.distributor,
        cloud_watch_agent=policy.cloud_watch_agent,
        ecr_layers=policy.ecr_layers,
        log_buckets=tuple(sorted(policy.log_buckets)),
        artifact_buckets=tuple(sorted(policy.artifact_buckets)),
    )


def _callers(spec: Spec, organization: Organization | None, endpoint_id: str = "") -> Callers:
    """What a spec tells of those who call: members of the organization that it names, from its VPC."""
    return Callers(
        principal_org_id=organization.principal_org_id if organization else "",
        resource_org_id=organization.resource_org_id if organization else "",
        vpc_id=spec.vpc_id,
        endpoint_id=endpoint_id,
    )


def _statements(spec: Spec, use: S3Use, policy: S3Policy, ours: str) -> tuple[Statement, ...] | PolicyError:
    try:
        return marked(contributed_statements(spec.region, use, policy.additional_statements), ours)
    except PolicyError as error:
        return error


def _image_builder_policy(spec: Spec, policy: ImageBuilderPolicy) -> PolicyDocument | PolicyError:
    try:
        return imagebuilder_policy(
            policy.preset.value,
            spec.region,
            organization=_organization(policy.organization),
            marketplace=policy.marketplace,
            aws_services=policy.aws_services,
            custom=policy.document,
            additional_statements=policy.additional_statements,
        )
    except PolicyError as error:
        return error


def _s3_policy(spec: Spec, policy: S3Policy) -> PolicyDocument | PolicyError:
    try:
        return s3_policy(
            policy.baseline.value if policy.baseline else "",
            spec.region,
            use_of(policy),
            organization=_organization(policy.organization),
            additional_statements=policy.additional_statements,
        )
    except PolicyError as error:
        return error


def _organization(ids: Organization | None) -> statements.Organization | None:
    return statements.Organization(ids.principal_org_id, ids.resource_org_id) if ids else None
