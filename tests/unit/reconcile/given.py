"""What most tests of the core begin with: a healthy VPC, a spec for both endpoints, and these as AWS has them.

Each function takes what is to be other than usual.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ibpe.api.names import Role
from ibpe.api.spec import DriftPolicy, parse_spec
from ibpe.api.status import EndpointStatus, Status
from ibpe.aws.facts import Facts
from ibpe.aws.gateway import (
    AccountID,
    Endpoint,
    EndpointID,
    EndpointService,
    EndpointState,
    EndpointType,
    IngressRule,
    RouteTable,
    RouteTableID,
    SecurityGroup,
    SecurityGroupID,
    Subnet,
    SubnetID,
    Vpc,
    VpcID,
)
from ibpe.policy.document import PolicyDocument, render
from ibpe.reconcile.desire import desire
from ibpe.reconcile.holdings import Holding, Holdings
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.plan import Patience, Plan
from ibpe.reconcile.planning import make_plan
from ibpe.reconcile.ports import Key, Resource
from ibpe.reconcile.refusals import Refusal, refuse
from ibpe.reconcile.wanted import Desired, DesiredEndpoint, Owner

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACCOUNT = AccountID("123456789012")
REGION = "us-west-2"
CLUSTER = "blue"
UID = "5f3c0d6e-0000-4000-8000-000000000001"
KEY = Key("team-a", "images")
OWNER = Owner(CLUSTER, KEY)
TAGS = {"ibpe.dev/cluster": CLUSTER, "ibpe.dev/owner": str(KEY)}
VPC, OTHER_VPC = VpcID("vpc-00000001"), VpcID("vpc-00000002")
IMAGE_BUILDER, S3 = f"com.amazonaws.{REGION}.imagebuilder", f"com.amazonaws.{REGION}.s3"

A1, A2, B1, B2, C1 = (SubnetID(f"subnet-0000000{n}") for n in ("a1", "a2", "b1", "b2", "c1"))
ZONES = {A1: "us-west-2a", A2: "us-west-2a", B1: "us-west-2b", B2: "us-west-2b", C1: "us-west-2c"}
CIDRS = {A1: "10.0.1.0/24", A2: "10.0.2.0/24", B1: "10.0.3.0/24", B2: "10.0.4.0/24", C1: "10.0.5.0/24"}
GROUP, GROUP2 = SecurityGroupID("sg-00000001"), SecurityGroupID("sg-00000002")
TABLE, MAIN = RouteTableID("rtb-00000001"), RouteTableID("rtb-0000000f")
OPEN = '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'
SHUT = OPEN.replace("Allow", "Deny")
IB_ID, S3_ID = EndpointID("vpce-0000000b"), EndpointID("vpce-00000053")


def spec(**changes: Any) -> dict[str, Any]:
    """Both endpoints, valid and without a refusal; `changes` replace whole fields, None leaves one out."""
    whole: dict[str, Any] = {
        "region": REGION,
        "vpcID": VPC,
        "imageBuilder": {
            "subnets": {"ids": [A1, B1]},
            "securityGroups": {"ids": [GROUP]},
            "policy": {"preset": "DenyDeletion"},
        },
        "s3": {"routeTables": {"ids": [TABLE]}, "policy": {"baseline": "ImageBuilderOnly"}},
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def image_builder(**changes: Any) -> dict[str, Any]:
    """`spec.imageBuilder`, changed."""
    return {**spec()["imageBuilder"], **changes}


def desired(**changes: Any) -> Desired:
    """What such a spec asks for."""
    return desire(parse_spec(spec(**changes)), OWNER, UID)


def wanted(role: Role = Role.IMAGE_BUILDER, **changes: Any) -> DesiredEndpoint:
    """One endpoint that such a spec asks for."""
    found = desired(**changes).endpoint(role)
    assert found is not None
    return found


def made(want: DesiredEndpoint, **changes: Any) -> Endpoint:
    """The endpoint exactly as desired, available; `changes` are fields of Endpoint."""
    assert isinstance(want.policy, PolicyDocument)
    endpoint = Endpoint(
        id=IB_ID if want.role is Role.IMAGE_BUILDER else S3_ID,
        vpc_id=want.vpc_id,
        service_name=want.services[0],
        type=want.type,
        state=EndpointState.AVAILABLE,
        owner_id=ACCOUNT,
        policy=render(want.policy),
        subnet_ids=want.subnet_ids,
        security_group_ids=want.security_group_ids,
        route_table_ids=want.route_table_ids,
        private_dns=want.private_dns,
        ip_address_type=want.ip_address_type,
        dns_names=("vpce-0000000b.example",),
        network_interface_ids=("eni-2", "eni-1"),
        tags=dict(want.tags),
        created_at=NOW - timedelta(days=1),
    )
    return replace(endpoint, **changes)


def entry(want: DesiredEndpoint, **changes: Any) -> EndpointStatus:
    """The status entry of an endpoint that was applied in full."""
    usual: dict[str, Any] = {
        "role": want.role,
        "id": IB_ID if want.role is Role.IMAGE_BUILDER else S3_ID,
        "state": "available",
        "service_name": want.services[0],
        "applied": {str(name): value for name, value in want.fields().items()},
        "tag_keys": want.user_tag_keys,
        "attempt": 1,
    }
    return EndpointStatus.model_validate({**usual, **changes})


def status_of(*entries: EndpointStatus, **changes: Any) -> Status:
    """A status with these entries, of an account and generation 1."""
    usual: dict[str, Any] = {"observed_generation": 1, "account_id": ACCOUNT, "endpoints": entries}
    return Status.model_validate({**usual, **changes})


def subnet(id_: SubnetID, **changes: Any) -> Subnet:
    """A subnet of the VPC."""
    return replace(Subnet(id_, VPC, ZONES.get(id_, "us-west-2d"), CIDRS.get(id_, "10.0.9.0/24"), ACCOUNT), **changes)


def group(id_: SecurityGroupID, *rules: IngressRule, vpc_id: VpcID = VPC) -> SecurityGroup:
    """A security group with these rules."""
    return SecurityGroup(id_, vpc_id, rules)


def https(*cidrs: str, **changes: Any) -> IngressRule:
    """A rule for TCP 443."""
    return replace(IngressRule("tcp", 443, 443, cidrs), **changes)


def table(id_: RouteTableID, *subnet_ids: SubnetID, main: bool = False) -> RouteTable:
    """A route table of the VPC."""
    return RouteTable(id_, VPC, main=main, subnet_ids=frozenset(subnet_ids))


def facts(**changes: Any) -> Facts:
    """A VPC in which everything is as it must be. Maps are replaced whole; lists are taken by id."""
    services = {
        name: EndpointService(
            name, frozenset({type_}), frozenset({"us-west-2a", "us-west-2b"}), (), policy_supported=True
        )
        for name, type_ in ((IMAGE_BUILDER, EndpointType.INTERFACE), (S3, EndpointType.GATEWAY))
    }
    usual: dict[str, Any] = {
        "vpc": Vpc(VPC, ACCOUNT, ("10.0.0.0/16",), dns_support=True, dns_host_names=True),
        "subnets": [subnet(A1), subnet(B1)],
        "security_groups": [group(GROUP, https("10.0.0.0/16"))],
        "route_tables": [table(TABLE, A1, B1), table(MAIN, main=True)],
        "services": services,
        "taken_at": 0.0,
    }
    given: dict[str, Any] = {
        name: {thing.id: thing for thing in value} if isinstance(value, list) else value
        for name, value in {**usual, **changes}.items()
    }
    return Facts(**given)


def holdings(*endpoints: Endpoint, **by_role: Holding) -> Holdings:
    """These endpoints in use, each in the role of its service; or whole holdings by role (`imagebuilder`, `s3`)."""
    live = {role_of(endpoint): Holding(role_of(endpoint), live=endpoint) for endpoint in endpoints}
    return Holdings({**live, **{Role(name): holding for name, holding in by_role.items()}})


def role_of(endpoint: Endpoint) -> Role:
    """The role that an endpoint's service has."""
    return Role.S3 if endpoint.service_name == S3 else Role.IMAGE_BUILDER


def seen(held: Holdings | None = None, **changes: Any) -> Observation:
    """An observation of a healthy VPC."""
    usual: dict[str, Any] = {"account": ACCOUNT, "facts": facts(), "holdings": held or Holdings(), "neighbours": ()}
    return Observation(**{**usual, **changes})


def planned(
    want: Desired,
    look: Observation,
    status: Status | None = None,
    *,
    refusals: Iterable[Refusal] | None = None,
    report: bool = False,
    patience: Patience | None = None,
) -> Plan:
    """The plan; refusals are those of the checks unless given."""
    found = tuple(refusals) if refusals is not None else refuse(want, look)
    policy = DriftPolicy.REPORT if report else DriftPolicy.REPAIR
    return make_plan(want, look, status or Status(), found, policy, patience or Patience())


def resource(status: Status | None = None, **changes: Any) -> Resource:
    """The resource with our finalizer on it, as it was read."""
    usual: dict[str, Any] = {
        "key": KEY,
        "uid": "uid-1",
        "generation": 1,
        "resource_version": "7",
        "created_at": NOW - timedelta(days=2),
        "deleted_at": None,
        "spec": spec(),
        "status": status or Status(),
        "finalizers": ("ibpe.dev/aws-resources",),
    }
    return Resource(**{**usual, **changes})


def tagged(role: Role | str, **more: str) -> dict[str, str]:
    """Our tags with a role."""
    return {**TAGS, "ibpe.dev/role": str(role), **more}
