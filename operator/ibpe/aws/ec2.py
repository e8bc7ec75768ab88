"""EC2 and STS through boto3: implements `gateway.Gateway` and `gateway.Cloud`. Each call is sent once.

Shapes of the SDK end here, in `listings` and in `translate`.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ibpe.aws import listings, translate
from ibpe.aws.accounts import AssumedRole
from ibpe.aws.audit import record_done, record_failed
from ibpe.aws.errors import AwsError
from ibpe.aws.gateway import (
    AccountID,
    Cloud,
    CreateEndpoint,
    DeleteFailure,
    Endpoint,
    EndpointID,
    EndpointService,
    Gateway,
    ModifyEndpoint,
    RouteTable,
    RouteTableID,
    SecurityGroup,
    SecurityGroupID,
    Subnet,
    SubnetID,
    Vpc,
    VpcID,
)
from ibpe.aws.listings import list_all, list_by, read_all
from ibpe.aws.observer import Observer
from ibpe.aws.requests import create_parameters, modify_parameters, tag_list
from ibpe.aws.role import Role
from ibpe.aws.session import Answer, Session, SessionSettings, request_id_of

if TYPE_CHECKING:
    # Types only: the stubs are no dependency of the product.
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.literals import VpcAttributeNameType
    from mypy_boto3_ec2.type_defs import TagTypeDef, VpcTypeDef

_GONE: Final = frozenset({"invalidvpcendpointid.notfound", "invalidvpcendpoint.notfound"})


class BotoGateway(Gateway):
    """EC2 in one region. Thread-safe."""

    def __init__(self, session: Session, region: str) -> None:
        self.region = region
        self._session = session

    def list_endpoints(self) -> tuple[Endpoint, ...]:
        """All pages of DescribeVpcEndpoints, without a filter."""
        return list_all(self._session, self.region, listings.ENDPOINTS, {})

    def endpoint(self, endpoint_id: EndpointID) -> Endpoint | None:
        """DescribeVpcEndpoints by id; None for NotFound."""
        operation = "DescribeVpcEndpoints"
        try:
            answer = self._ask(operation, lambda ec2: ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id]))
        except AwsError as error:
            if error.code.casefold() in _GONE:
                return None
            raise
        (found,) = read_all(
            operation, [answer], lambda given: [translate.endpoint(each) for each in given["VpcEndpoints"]]
        )
        return next((each for each in found if each.id == endpoint_id), None)

    def owned_endpoints(self, tags: Mapping[str, str]) -> tuple[Endpoint, ...]:
        """All pages of DescribeVpcEndpoints, with a filter for each tag."""
        wanted = {f"tag:{key}": value for key, value in tags.items()}
        return list_all(self._session, self.region, listings.ENDPOINTS, wanted)

    def create_endpoint(self, request: CreateEndpoint) -> Endpoint:
        """CreateVpcEndpoint; a Describe straight after may not show the endpoint yet."""
        operation = "CreateVpcEndpoint"
        parameters = create_parameters(request)
        try:
            answer = self._ask(operation, lambda ec2: ec2.create_vpc_endpoint(**parameters))
            (made,) = read_all(operation, [answer], lambda given: translate.endpoint(given["VpcEndpoint"]))
        except AwsError as error:
            record_failed(operation, self.region, (), error)
            raise
        record_done(operation, self.region, (made.id,), request_id_of(answer))
        return made

    def modify_endpoint(self, request: ModifyEndpoint) -> None:
        """ModifyVpcEndpoint."""
        parameters = modify_parameters(request)
        self._write("ModifyVpcEndpoint", (request.id,), lambda ec2: ec2.modify_vpc_endpoint(**parameters))

    def delete_endpoints(self, ids: Collection[EndpointID]) -> Mapping[EndpointID, DeleteFailure]:
        """DeleteVpcEndpoints; one call for all."""
        if not ids:
            return {}
        asked = sorted(ids)
        answer = self._write("DeleteVpcEndpoints", asked, lambda ec2: ec2.delete_vpc_endpoints(VpcEndpointIds=asked))
        return {
            EndpointID(each.get("ResourceId", "")): DeleteFailure(
                code=each.get("Error", {}).get("Code", ""), message=each.get("Error", {}).get("Message", "")
            )
            for each in answer.get("Unsuccessful", [])
        }

    def put_tags(self, ids: Collection[EndpointID], tags: Mapping[str, str]) -> None:
        """CreateTags."""
        if ids and tags:
            asked, given = sorted(ids), tag_list(tags)
            self._write("CreateTags", asked, lambda ec2: ec2.create_tags(Resources=asked, Tags=given))

    def remove_tags(self, ids: Collection[EndpointID], keys: Collection[str]) -> None:
        """DeleteTags; without a value, so whatever the value is."""
        if ids and keys:
            asked = sorted(ids)
            named: list[TagTypeDef] = [{"Key": key} for key in sorted(keys)]
            self._write("DeleteTags", asked, lambda ec2: ec2.delete_tags(Resources=asked, Tags=named))

    def vpcs(self, ids: Collection[VpcID]) -> Mapping[VpcID, Vpc]:
        """DescribeVpcs, and DescribeVpcAttribute twice for each: it takes one VPC and one attribute.

        A VPC that another account shares with us is not asked for its attributes: AWS may refuse that, and the refusal
        would fail the whole batch. They are False here.
        """
        given = list_by(self._session, self.region, listings.VPCS, "vpc-id", ids)
        found = (self._with_attributes(each) for each in given)
        return {each.id: each for each in found if each is not None}

    def vpc_tags(self, vpc_id: VpcID) -> Mapping[str, str] | None:
        """DescribeVpcs for one VPC, and nothing else of it."""
        found = list_by(self._session, self.region, listings.VPCS, "vpc-id", (vpc_id,))
        return next((translate.tags(each.get("Tags", ())) for each in found if each.get("VpcId") == vpc_id), None)

    def subnets(self, ids: Collection[SubnetID]) -> Mapping[SubnetID, Subnet]:
        """DescribeSubnets by id."""
        found = list_by(self._session, self.region, listings.SUBNETS, "subnet-id", ids)
        return {each.id: each for each in found}

    def subnets_of(self, vpc_ids: Collection[VpcID]) -> Mapping[SubnetID, Subnet]:
        """DescribeSubnets by VPC."""
        found = list_by(self._session, self.region, listings.SUBNETS, "vpc-id", vpc_ids)
        return {each.id: each for each in found}

    def security_groups(self, ids: Collection[SecurityGroupID]) -> Mapping[SecurityGroupID, SecurityGroup]:
        """DescribeSecurityGroups by id."""
        found = list_by(self._session, self.region, listings.SECURITY_GROUPS, "group-id", ids)
        return {each.id: each for each in found}

    def route_tables(self, vpc_ids: Collection[VpcID]) -> Mapping[RouteTableID, RouteTable]:
        """DescribeRouteTables by VPC."""
        found = list_by(self._session, self.region, listings.ROUTE_TABLES, "vpc-id", vpc_ids)
        return {each.id: each for each in found}

    def services(self, names: Collection[str]) -> Mapping[str, EndpointService]:
        """DescribeVpcEndpointServices by filter: its ServiceNames parameter refuses all names when it lacks one.

        S3 has an interface and a gateway service of the same name: the two are shown as one with both types.
        """
        merged: dict[str, EndpointService] = {}
        for each in list_by(self._session, self.region, listings.SERVICES, "service-name", names):
            merged[each.name] = _both(merged[each.name], each) if each.name in merged else each
        return merged

    def _with_attributes(self, given: "VpcTypeDef") -> Vpc | None:
        account = self._session.account
        if account and given.get("OwnerId", account) != account:
            return translate.vpc(given, dns_support=False, dns_host_names=False)
        try:
            support = self._attribute(given["VpcId"], "enableDnsSupport")
            host_names = self._attribute(given["VpcId"], "enableDnsHostnames")
        except AwsError as error:
            if error.reason == "VpcNotFound":
                return None  # deleted since DescribeVpcs
            raise
        return translate.vpc(given, dns_support=support, dns_host_names=host_names)

    def _attribute(self, vpc_id: str, name: "VpcAttributeNameType") -> bool:
        operation = "DescribeVpcAttribute"
        answer = self._ask(operation, lambda ec2: ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=name))
        (value,) = read_all(operation, [answer], lambda given: translate.vpc_attribute(given, name))
        return value

    def _ask(self, operation: str, call: "Callable[[EC2Client], Answer]") -> Answer:
        return self._session.ask("ec2", operation, self.region, lambda: call(self._session.ec2(self.region)))

    def _write(self, operation: str, ids: Sequence[str], call: "Callable[[EC2Client], Any]") -> Mapping[str, Any]:
        # The border: what EC2 has no output for is None in the stubs, and a mapping with the request id in fact.
        try:
            answer: Mapping[str, Any] = self._ask(operation, call)
        except AwsError as error:
            record_failed(operation, self.region, ids, error)
            raise
        record_done(operation, self.region, ids, request_id_of(answer))
        return answer


def _both(one: EndpointService, other: EndpointService) -> EndpointService:
    return EndpointService(
        name=one.name,
        types=one.types | other.types,
        zones=one.zones | other.zones,
        private_dns_names=tuple(sorted({*one.private_dns_names, *other.private_dns_names})),
        policy_supported=one.policy_supported or other.policy_supported,
    )


class BotoCloud(Cloud):
    """AWS through boto3, under one set of credentials. Thread-safe.

    They are those that the SDK's own chain finds, or the role's that `own`, another cloud, assumes. `permit` stands
    before every write: it returns only where one may be sent.
    """

    def __init__(
        self,
        settings: SessionSettings,
        observer: Observer | None = None,
        permit: Callable[[], None] = lambda: None,
        *,
        role: Role | None = None,
        own: "BotoCloud | None" = None,
    ) -> None:
        self._session = Session(settings, observer, permit=permit)
        if role is not None and own is not None:
            source = AssumedRole(role, own._session)  # noqa: SLF001 -- of the same class
            self._session = Session(settings, observer, source=source, account=role.account, permit=permit)
        self._gateways: dict[str, BotoGateway] = {}
        self._lock = threading.Lock()

    @property
    def account(self) -> str:
        """The account, where it is known without a call; else the empty string."""
        return self._session.account

    def caller_account(self) -> AccountID:
        """GetCallerIdentity, asked anew on every call. Raises AwsError."""
        region = self._session.default_region()
        answer = self._session.ask(
            "sts", "GetCallerIdentity", region, lambda: self._session.sts(region).get_caller_identity()
        )
        (account,) = read_all("GetCallerIdentity", [answer], lambda given: given["Account"])
        self._session.account = account
        return AccountID(account)

    def gateway(self, region: str) -> BotoGateway:
        """The gateway to a region; nothing is called."""
        with self._lock:
            if region not in self._gateways:
                self._gateways[region] = BotoGateway(self._session, region)
                self._session.work_in(region)
            return self._gateways[region]
