"""The gateway against the double over HTTP: what is sent, what is read, what is told."""

import logging
from dataclasses import replace

import pytest

from ibpe.aws.audit import audit_context
from ibpe.aws.ec2 import BotoCloud, BotoGateway
from ibpe.aws.errors import AwsError, ErrorClass
from ibpe.aws.gateway import (
    CreateEndpoint,
    Endpoint,
    EndpointID,
    EndpointState,
    EndpointType,
    IngressRule,
    ModifyEndpoint,
    RouteTableID,
    SecurityGroupID,
    SubnetID,
    VpcID,
)
from sandbox.aws import AwsServer, LastError
from sandbox.aws.network import Network, make_network
from tests.aws_seam.noted import Call, Noted

REGION = "us-west-2"
IMAGE_BUILDER = f"com.amazonaws.{REGION}.imagebuilder"
S3 = f"com.amazonaws.{REGION}.s3"
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'
MISSING = EndpointID("vpce-0123456789abcdef0")


@pytest.fixture
def gateway(cloud: BotoCloud) -> BotoGateway:
    return cloud.gateway(REGION)


def interface(network: Network, attempt: int = 1, **tags: str) -> CreateEndpoint:
    return CreateEndpoint(
        client_token=f"interface-{attempt}",
        vpc_id=VpcID(network.vpc_id),
        service_name=IMAGE_BUILDER,
        type=EndpointType.INTERFACE,
        policy=POLICY,
        tags=tags or {"team": "images"},
        subnet_ids=frozenset(SubnetID(each) for each in network.subnet_ids),
        security_group_ids=frozenset({SecurityGroupID(network.security_group_id)}),
        private_dns=True,
        ip_address_type="ipv4",
    )


def s3_gateway(network: Network, attempt: int = 1) -> CreateEndpoint:
    return CreateEndpoint(
        client_token=f"gateway-{attempt}",
        vpc_id=VpcID(network.vpc_id),
        service_name=S3,
        type=EndpointType.GATEWAY,
        policy=None,
        tags={"team": "images"},
        route_table_ids=frozenset({RouteTableID(network.route_table_id)}),
    )


def sent(aws: AwsServer, action: str) -> dict[str, str]:
    return dict(aws.control.calls(action=action)[-1].parameters)


class TestCreate:
    def test_an_interface_endpoint_reads_back_as_it_was_asked_for(self, gateway: BotoGateway, network: Network) -> None:
        asked = interface(network)
        made = gateway.create_endpoint(asked)
        found = gateway.endpoint(made.id)
        assert found is not None
        assert found.type is EndpointType.INTERFACE
        assert found.state is EndpointState.PENDING
        assert (found.vpc_id, found.service_name, found.private_dns) == (asked.vpc_id, IMAGE_BUILDER, True)
        assert (found.subnet_ids, found.security_group_ids) == (asked.subnet_ids, asked.security_group_ids)
        assert (found.tags, found.owner_id, found.ip_address_type) == (asked.tags, "123456789012", "ipv4")
        assert len(found.network_interface_ids) == 2
        assert found.created_at is not None

    def test_a_gateway_endpoint_shows_in_the_route_table(self, gateway: BotoGateway, network: Network) -> None:
        made = gateway.create_endpoint(s3_gateway(network))
        assert made.type is EndpointType.GATEWAY
        tables = gateway.route_tables([VpcID(network.vpc_id)])
        (route,) = tables[RouteTableID(network.route_table_id)].endpoint_routes
        assert (route.endpoint_id, route.prefix_list_id[:3]) == (made.id, "pl-")
        assert tables[RouteTableID(network.main_route_table_id)].endpoint_routes == ()

    @pytest.mark.parametrize("private_dns", [True, False])
    def test_private_dns_is_always_said_and_dns_options_never(
        self, aws: AwsServer, gateway: BotoGateway, network: Network, *, private_dns: bool
    ) -> None:
        gateway.create_endpoint(replace(interface(network), private_dns=private_dns))
        parameters = sent(aws, "CreateVpcEndpoint")
        assert parameters["PrivateDnsEnabled"] == str(private_dns).lower()
        assert parameters["ClientToken"] == "interface-1"
        assert not [name for name in parameters if name.startswith(("DnsOptions", "DryRun"))]

    def test_what_is_not_asked_for_is_not_sent(self, aws: AwsServer, gateway: BotoGateway, network: Network) -> None:
        gateway.create_endpoint(s3_gateway(network))
        names = {name.split(".")[0] for name in sent(aws, "CreateVpcEndpoint")} - {"Action", "Version"}
        expected = {"ClientToken", "VpcId", "ServiceName", "VpcEndpointType", "TagSpecification", "RouteTableId"}
        assert names == expected

    def test_the_same_token_makes_one_endpoint(self, gateway: BotoGateway, network: Network) -> None:
        assert gateway.create_endpoint(interface(network)).id == gateway.create_endpoint(interface(network)).id
        assert len(gateway.list_endpoints()) == 1

    def test_the_same_token_for_something_else_says_that_it_exists(
        self, gateway: BotoGateway, network: Network
    ) -> None:
        gateway.create_endpoint(interface(network))
        with pytest.raises(AwsError) as caught:
            gateway.create_endpoint(replace(interface(network), private_dns=False))
        assert (caught.value.reason, caught.value.error_class) == ("AlreadyCreated", ErrorClass.RETRY)

    def test_a_lost_answer_leaves_the_outcome_open(
        self, aws: AwsServer, gateway: BotoGateway, network: Network
    ) -> None:
        aws.control.lose_answer("CreateVpcEndpoint", times=1)
        with pytest.raises(AwsError) as caught:
            gateway.create_endpoint(interface(network))
        assert (caught.value.code, caught.value.outcome_known) == ("ConnectionLost", False)
        assert len(gateway.list_endpoints()) == 1


class TestChange:
    @pytest.mark.parametrize("field", ["policy", "private_dns", "subnets", "groups"])
    def test_each_field_of_an_interface_endpoint_changes_alone(
        self, aws: AwsServer, gateway: BotoGateway, network: Network, field: str
    ) -> None:
        made = available(aws, gateway, gateway.create_endpoint(interface(network)))
        subnet, other = SubnetID(network.subnet_ids[0]), SecurityGroupID(network.other_security_group_id)
        change, expected = {
            "policy": (ModifyEndpoint(made.id, policy=POLICY.replace('"*","R', '"s3:*","R')), {"policy"}),
            "private_dns": (ModifyEndpoint(made.id, private_dns=False), {"private_dns"}),
            "subnets": (ModifyEndpoint(made.id, remove_subnet_ids=frozenset({subnet})), {"subnet_ids"}),
            "groups": (ModifyEndpoint(made.id, add_security_group_ids=frozenset({other})), {"security_group_ids"}),
        }[field]
        gateway.modify_endpoint(change)
        assert differing(made, available(aws, gateway, made)) == expected

    def test_route_tables_change(self, gateway: BotoGateway, network: Network) -> None:
        made = gateway.create_endpoint(s3_gateway(network))
        old, new = RouteTableID(network.route_table_id), RouteTableID(network.main_route_table_id)
        gateway.modify_endpoint(
            ModifyEndpoint(made.id, add_route_table_ids=frozenset({new}), remove_route_table_ids=frozenset({old}))
        )
        found = gateway.endpoint(made.id)
        assert found is not None
        assert found.route_table_ids == {new}

    def test_only_what_changes_is_sent(self, aws: AwsServer, gateway: BotoGateway, network: Network) -> None:
        made = available(aws, gateway, gateway.create_endpoint(interface(network)))
        gateway.modify_endpoint(ModifyEndpoint(made.id, private_dns=False))
        assert sent(aws, "ModifyVpcEndpoint").keys() - {"Action", "Version"} == {"VpcEndpointId", "PrivateDnsEnabled"}

    def test_tags_are_put_and_taken_off_whatever_their_value(self, gateway: BotoGateway, network: Network) -> None:
        made = gateway.create_endpoint(s3_gateway(network))
        gateway.put_tags([made.id], {"team": "other", "cost": "7"})
        gateway.remove_tags([made.id], ["team", "never-there"])
        found = gateway.endpoint(made.id)
        assert found is not None
        assert found.tags == {"cost": "7"}

    def test_nothing_to_do_is_no_call(self, aws: AwsServer, gateway: BotoGateway) -> None:
        gateway.put_tags([], {"a": "b"})
        gateway.put_tags([MISSING], {})
        gateway.remove_tags([MISSING], [])
        assert gateway.delete_endpoints([]) == {}
        assert not any((gateway.vpcs([]), gateway.subnets([]), gateway.services([])))
        assert aws.control.calls() == ()


class TestDelete:
    def test_what_can_t_be_deleted_is_named_and_the_rest_goes(self, gateway: BotoGateway, network: Network) -> None:
        made = gateway.create_endpoint(s3_gateway(network))
        failed = gateway.delete_endpoints([made.id, MISSING])
        assert failed.keys() == {MISSING}
        assert failed[MISSING].code == "InvalidVpcEndpoint.NotFound"
        found = gateway.endpoint(made.id)
        assert found is None or found.state in {EndpointState.DELETING, EndpointState.DELETED}


class TestRead:
    def test_an_id_that_is_not_there_is_none(self, gateway: BotoGateway) -> None:
        assert gateway.endpoint(MISSING) is None

    def test_all_pages_are_read(self, aws: AwsServer, gateway: BotoGateway, network: Network) -> None:
        made = {gateway.create_endpoint(interface(network)).id, gateway.create_endpoint(s3_gateway(network)).id}
        made |= {
            gateway.create_endpoint(s3_gateway(each, attempt=number)).id
            for number, each in enumerate(aws.control.make_networks(5, region=REGION), start=2)
        }
        aws.control.set(page_size=2)
        before = aws.control.cursor()
        assert {each.id for each in gateway.list_endpoints()} == made
        assert aws.control.counts(since=before) == {"DescribeVpcEndpoints": 4}

    def test_only_endpoints_with_all_tags_are_ours(self, gateway: BotoGateway, network: Network) -> None:
        ours = gateway.create_endpoint(interface(network, cluster="blue", owner="a/x"))
        gateway.create_endpoint(s3_gateway(network))
        assert [each.id for each in gateway.owned_endpoints({"cluster": "blue", "owner": "a/x"})] == [ours.id]
        assert gateway.owned_endpoints({"cluster": "blue", "owner": "a/y"}) == ()

    def test_a_star_in_a_tag_s_value_is_a_star(self, gateway: BotoGateway, network: Network) -> None:
        ours = gateway.create_endpoint(interface(network, cluster="b*"))
        other = replace(s3_gateway(network), tags={"cluster": "blue"})
        gateway.create_endpoint(other)
        assert [each.id for each in gateway.owned_endpoints({"cluster": "b*"})] == [ours.id]

    def test_states_read_alike_in_any_case(self, aws: AwsServer, gateway: BotoGateway, network: Network) -> None:
        made = gateway.create_endpoint(s3_gateway(network))
        aws.control.set(state_case="varied")
        states = {found.state for found in (gateway.endpoint(made.id) for _ in range(4)) if found is not None}
        assert states == {EndpointState.AVAILABLE}

    def test_a_failed_endpoint_says_why(self, aws: AwsServer, gateway: BotoGateway, network: Network) -> None:
        made = gateway.create_endpoint(interface(network))
        aws.control.set_state(made.id, "failed", LastError(code="Oh", message="It broke."))
        found = gateway.endpoint(made.id)
        assert found is not None
        assert found.state.is_dead
        assert found.failure == "Oh: It broke."

    def test_a_vpc_has_its_dns_attributes(self, aws: AwsServer, gateway: BotoGateway, network: Network) -> None:
        ec2 = aws.client("ec2", REGION)
        ec2.modify_vpc_attribute(VpcId=network.vpc_id, EnableDnsHostnames={"Value": False})
        found = gateway.vpcs([VpcID(network.vpc_id), VpcID("vpc-0123456789abcdef0")])
        assert found.keys() == {network.vpc_id}
        vpc = found[VpcID(network.vpc_id)]
        assert (vpc.dns_support, vpc.dns_host_names, vpc.owner_id) == (True, False, "123456789012")
        assert vpc.cidrs[0] == network.cidr

    def test_a_vpc_deleted_between_two_calls_is_absent(
        self, aws: AwsServer, gateway: BotoGateway, network: Network
    ) -> None:
        aws.control.fail("DescribeVpcAttribute", "InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist")
        assert gateway.vpcs([VpcID(network.vpc_id)]) == {}

    def test_subnets_by_id_and_by_vpc(self, aws: AwsServer, gateway: BotoGateway, network: Network) -> None:
        other = make_network(aws.client("ec2", REGION), cidr_prefix="10.9")
        assert gateway.subnets_of([VpcID(network.vpc_id)]).keys() == set(network.subnet_ids)
        asked = [SubnetID(other.subnet_ids[0]), SubnetID("subnet-0123456789abcdef0")]
        (found,) = gateway.subnets(asked).values()
        assert (found.id, found.vpc_id, found.zone) == (other.subnet_ids[0], other.vpc_id, other.zones[0])

    def test_every_kind_of_ingress_is_read(self, aws: AwsServer, gateway: BotoGateway, network: Network) -> None:
        ec2 = aws.client("ec2", REGION)
        group = network.other_security_group_id
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Ipv6Ranges": [{"CidrIpv6": "fd00::/8"}]},
                {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 90, "PrefixListIds": [{"PrefixListId": "pl-1"}]},
                {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": network.security_group_id}]},
            ],
        )
        (found,) = gateway.security_groups([SecurityGroupID(group), SecurityGroupID("sg-0123456789abcdef0")]).values()
        assert set(found.ingress) == {
            IngressRule("tcp", 443, 443, cidrs=("fd00::/8",)),
            IngressRule("tcp", 80, 90, prefix_list_ids=("pl-1",)),
            IngressRule("-1", None, None, security_group_ids=(SecurityGroupID(network.security_group_id),)),
        }

    def test_route_tables_tell_the_main_one_and_who_uses_them(self, gateway: BotoGateway, network: Network) -> None:
        found = gateway.route_tables([VpcID(network.vpc_id)])
        main, own = found[RouteTableID(network.main_route_table_id)], found[RouteTableID(network.route_table_id)]
        assert (main.main, main.subnet_ids) == (True, frozenset())
        assert (own.main, own.subnet_ids) == (False, frozenset(network.subnet_ids))

    def test_a_service_that_aws_does_not_know_is_absent_and_hides_no_other(self, gateway: BotoGateway) -> None:
        found = gateway.services([IMAGE_BUILDER, S3, f"com.amazonaws.{REGION}.nowhere"])
        assert found.keys() == {IMAGE_BUILDER, S3}
        assert found[IMAGE_BUILDER].types == {EndpointType.INTERFACE}
        assert found[IMAGE_BUILDER].private_dns_names == (f"imagebuilder.{REGION}.amazonaws.com",)
        assert found[S3].types == {EndpointType.GATEWAY, EndpointType.INTERFACE}
        assert len(found[IMAGE_BUILDER].zones) > 1

    def test_more_ids_than_a_filter_takes_are_asked_for_in_batches(self, aws: AwsServer, gateway: BotoGateway) -> None:
        gateway.subnets([SubnetID(f"subnet-{number:017x}") for number in range(401)])
        assert aws.control.counts() == {"DescribeSubnets": 3}


class TestTelling:
    def test_each_call_is_observed_with_its_outcome(
        self, aws: AwsServer, cloud: BotoCloud, noted: Noted, network: Network
    ) -> None:
        assert network
        cloud.gateway(REGION).list_endpoints()
        cloud.caller_account()
        aws.control.fail("DescribeVpcEndpoints", "RequestLimitExceeded", status=503, times=1)
        with pytest.raises(AwsError):
            cloud.gateway(REGION).list_endpoints()
        assert noted.calls == [
            Call("ec2", "DescribeVpcEndpoints", "ok", "", REGION),
            Call("sts", "GetCallerIdentity", "ok", "", REGION),
            Call("ec2", "DescribeVpcEndpoints", "RequestLimitExceeded", "123456789012", REGION),
        ]
        assert noted.throttles == [f"ec2 DescribeVpcEndpoints 123456789012 {REGION}"]
        assert all(seconds > 0 for seconds in noted.seconds)

    def test_the_account_is_asked_anew_each_time(self, aws: AwsServer, cloud: BotoCloud) -> None:
        assert cloud.caller_account() == "123456789012"
        aws.control.set_account("AKIAOPERATOR", "210987654321")
        assert cloud.caller_account() == "210987654321"

    def test_every_write_is_in_the_audit_log_with_who_asked_and_no_read_is(
        self, aws: AwsServer, gateway: BotoGateway, network: Network, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "ibpe.audit")
        with audit_context(key="team/builds", generation=3), audit_context(role="s3"):
            made = gateway.create_endpoint(s3_gateway(network))
            gateway.endpoint(made.id)
            gateway.put_tags([made.id], {"a": "b"})
            gateway.remove_tags([made.id], ["a"])
            aws.control.deny(["ec2:ModifyVpcEndpoint", "ModifyVpcEndpoint"])
            with pytest.raises(AwsError):
                gateway.modify_endpoint(ModifyEndpoint(made.id, policy=POLICY))
            gateway.delete_endpoints([made.id])
        lines = [vars(record) for record in caplog.records if record.name == "ibpe.audit"]
        assert [(line["operation"], line["code"]) for line in lines] == [
            ("CreateVpcEndpoint", "ok"),
            ("CreateTags", "ok"),
            ("DeleteTags", "ok"),
            ("ModifyVpcEndpoint", "UnauthorizedOperation"),
            ("DeleteVpcEndpoints", "ok"),
        ]
        for line in lines:
            assert (line["key"], line["generation"], line["role"], line["region"]) == ("team/builds", 3, "s3", REGION)
            assert line["ids"] == [made.id]
            assert line["request_id"]

    def test_a_context_ends_with_its_block(
        self, gateway: BotoGateway, network: Network, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "ibpe.audit")
        with audit_context(key="team/builds"):
            pass
        gateway.create_endpoint(s3_gateway(network))
        assert not hasattr(caplog.records[-1], "key")


def available(aws: AwsServer, gateway: BotoGateway, endpoint: Endpoint) -> Endpoint:
    aws.control.advance_clock(60)
    found = gateway.endpoint(endpoint.id)
    assert found is not None
    assert found.state is EndpointState.AVAILABLE
    return found


def differing(before: Endpoint, after: Endpoint) -> set[str]:
    follows = {"dns_names", "network_interface_ids"}
    return {name for name, value in vars(before).items() if vars(after)[name] != value} - follows
