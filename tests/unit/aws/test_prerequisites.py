"""Laws of the second tier: age, batches, who is told of a change, and one copy of each part."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ibpe.aws.errors import AwsError
from ibpe.aws.gateway import (
    AccountID,
    EndpointService,
    EndpointType,
    RouteTable,
    RouteTableID,
    SecurityGroup,
    SecurityGroupID,
    Subnet,
    SubnetID,
    Vpc,
    VpcID,
)
from ibpe.aws.prerequisites import Needs, Prerequisites
from tests.unit.aws.fake_cloud import REGION, Clock, FakeCloud, throttled

DEADLINE = 10.0
ACCOUNT = AccountID("123456789012")
SERVICE = "com.amazonaws.us-west-2.imagebuilder"


def place(cloud: FakeCloud, number: int) -> Needs:
    """A VPC with a subnet, a security group and a route table; returns the needs of a resource in it."""
    vpc, subnet = VpcID(f"vpc-{number:04}"), SubnetID(f"subnet-{number:04}")
    group, table = SecurityGroupID(f"sg-{number:04}"), RouteTableID(f"rtb-{number:04}")
    cloud.known_vpcs[vpc] = Vpc(vpc, ACCOUNT, ("10.0.0.0/16",), dns_support=True, dns_host_names=True)
    cloud.known_subnets[subnet] = Subnet(subnet, vpc, "us-west-2a", "10.0.0.0/24", ACCOUNT)
    cloud.known_groups[group] = SecurityGroup(group, vpc, ())
    cloud.known_tables[table] = RouteTable(table, vpc, main=True, subnet_ids=frozenset())
    cloud.known_services[SERVICE] = EndpointService(
        SERVICE, frozenset({EndpointType.INTERFACE}), frozenset({"us-west-2a"}), (), policy_supported=True
    )
    return Needs(REGION, vpc, frozenset({subnet}), frozenset({group}), frozenset({SERVICE}))


@pytest.fixture
def prerequisites(cloud: FakeCloud, clock: Clock) -> Prerequisites[str]:
    return Prerequisites(cloud, clock=clock)


def waiting(prerequisites: Prerequisites[str]) -> int:
    batch = prerequisites._waiting.get(REGION)  # noqa: SLF001 -- nothing outside tells how many wait
    return len(batch.wanted) if batch else 0


def break_dns(cloud: FakeCloud, needs: Needs) -> None:
    cloud.known_vpcs[needs.vpc_id] = replace(cloud.known_vpcs[needs.vpc_id], dns_support=False)


def test_facts_hold_what_is_named_and_all_that_lies_in_the_vpc(
    cloud: FakeCloud, prerequisites: Prerequisites[str]
) -> None:
    needs, other = place(cloud, 1), place(cloud, 2)
    stranger = SubnetID("subnet-in-vpc-1-but-not-named")
    cloud.known_subnets[stranger] = Subnet(stranger, needs.vpc_id, "us-west-2b", "10.0.1.0/24", ACCOUNT)
    facts = prerequisites.facts("a", replace(needs, subnet_ids=needs.subnet_ids | other.subnet_ids), max_age=0)
    assert facts.vpc == cloud.known_vpcs[needs.vpc_id]
    assert facts.subnets.keys() == {*needs.subnet_ids, *other.subnet_ids, stranger}
    assert facts.security_groups.keys() == needs.security_group_ids
    assert facts.route_tables.keys() == {"rtb-0001"}
    assert facts.services.keys() == {SERVICE}


def test_what_does_not_exist_is_absent(prerequisites: Prerequisites[str]) -> None:
    needs = Needs(REGION, VpcID("vpc-x"), frozenset({SubnetID("subnet-x")}), frozenset({SecurityGroupID("sg-x")}))
    facts = prerequisites.facts("a", needs, max_age=0)
    assert facts.vpc is None
    found = (facts.subnets, facts.security_groups, facts.route_tables, facts.services)
    assert not any(found)


def test_young_facts_are_not_asked_for_again_and_old_ones_are(
    cloud: FakeCloud, clock: Clock, prerequisites: Prerequisites[str]
) -> None:
    needs = place(cloud, 1)
    first = prerequisites.facts("a", needs, max_age=60)
    clock.advance(60)
    asked = cloud.calls.total()
    break_dns(cloud, needs)
    assert prerequisites.facts("a", needs, max_age=60) == first
    assert cloud.calls.total() == asked
    clock.advance(1)
    facts = prerequisites.facts("a", needs, max_age=60)
    assert facts.vpc is not None
    assert not facts.vpc.dns_support
    assert facts.taken_at == clock.now


def test_an_age_of_zero_always_asks(cloud: FakeCloud, prerequisites: Prerequisites[str]) -> None:
    needs = place(cloud, 1)
    prerequisites.facts("a", needs, max_age=0)
    break_dns(cloud, needs)
    facts = prerequisites.facts("a", needs, max_age=0)
    assert facts.vpc is not None
    assert not facts.vpc.dns_support


def test_what_is_known_of_a_vpc_is_told_without_a_call_while_it_is_young(
    cloud: FakeCloud, clock: Clock, prerequisites: Prerequisites[str]
) -> None:
    needs = place(cloud, 1)
    cloud.known_vpcs[needs.vpc_id] = replace(cloud.known_vpcs[needs.vpc_id], tags={"team": "images"})
    assert prerequisites.known_vpc(REGION, needs.vpc_id, 900) is None
    prerequisites.facts("a", needs, max_age=0)
    gone = Needs(REGION, VpcID("vpc-gone"))
    prerequisites.facts("b", gone, max_age=0)
    calls = cloud.calls.total()
    clock.advance(900)
    known, nothing = (prerequisites.known_vpc(REGION, each.vpc_id, 900) for each in (needs, gone))
    assert known is not None
    assert known.vpc == cloud.known_vpcs[needs.vpc_id]
    assert nothing is not None
    assert nothing.vpc is None, "known not to exist"
    clock.advance(1)
    assert prerequisites.known_vpc(REGION, needs.vpc_id, 900) is None
    assert cloud.calls.total() == calls


def test_a_tag_that_goes_from_a_vpc_is_a_change_for_whoever_needs_it(
    cloud: FakeCloud, prerequisites: Prerequisites[str]
) -> None:
    needs = place(cloud, 1)
    cloud.known_vpcs[needs.vpc_id] = replace(cloud.known_vpcs[needs.vpc_id], tags={"team": "images"})
    prerequisites.facts("a", needs, max_age=0)
    cloud.known_vpcs[needs.vpc_id] = replace(cloud.known_vpcs[needs.vpc_id], tags={})
    assert prerequisites.refresh(REGION) == {"a"}


def test_a_need_that_was_never_fetched_is_fetched_however_young_the_rest(
    cloud: FakeCloud, prerequisites: Prerequisites[str]
) -> None:
    needs, other = place(cloud, 1), place(cloud, 2)
    prerequisites.facts("a", needs, max_age=60)
    more = replace(needs, security_group_ids=needs.security_group_ids | other.security_group_ids)
    assert prerequisites.facts("a", more, max_age=60).security_groups.keys() == {"sg-0001", "sg-0002"}


def test_a_pass_names_the_keys_whose_facts_changed_and_names_them_once(
    cloud: FakeCloud, clock: Clock, prerequisites: Prerequisites[str]
) -> None:
    needs, other = place(cloud, 1), place(cloud, 2)
    prerequisites.facts("a", needs, max_age=0)
    prerequisites.facts("also-a", needs, max_age=0)
    prerequisites.facts("b", other, max_age=0)
    clock.advance(600)
    assert prerequisites.refresh(REGION) == frozenset()
    break_dns(cloud, needs)
    clock.advance(600)
    assert prerequisites.refresh(REGION) == {"a", "also-a"}
    assert prerequisites.refresh(REGION) == frozenset()


@pytest.mark.parametrize("gone", ["known_vpcs", "known_subnets", "known_groups", "known_tables", "known_services"])
def test_whatever_goes_is_noticed(cloud: FakeCloud, clock: Clock, prerequisites: Prerequisites[str], gone: str) -> None:
    prerequisites.facts("a", place(cloud, 1), max_age=0)
    getattr(cloud, gone).clear()
    clock.advance(600)
    assert prerequisites.refresh(REGION) == {"a"}


def test_a_change_that_a_neighbour_s_own_look_found_is_told_to_the_others(
    cloud: FakeCloud, clock: Clock, prerequisites: Prerequisites[str]
) -> None:
    needs = place(cloud, 1)
    prerequisites.facts("a", needs, max_age=0)
    prerequisites.facts("b", needs, max_age=0)
    break_dns(cloud, needs)
    clock.advance(1)
    prerequisites.facts("b", needs, max_age=0)
    assert prerequisites.refresh(REGION) == {"a"}


def test_a_pass_over_many_vpcs_takes_few_calls(
    cloud: FakeCloud, clock: Clock, prerequisites: Prerequisites[str]
) -> None:
    for number in range(450):
        prerequisites.facts(str(number), place(cloud, number), max_age=0)
    cloud.calls.clear()
    clock.advance(600)
    prerequisites.refresh(REGION)
    assert dict(cloud.calls) == dict.fromkeys(["subnets_of", "security_groups", "services", "vpcs", "route_tables"], 3)


def test_those_who_wait_are_fetched_together(cloud: FakeCloud, prerequisites: Prerequisites[str]) -> None:
    every = [place(cloud, number) for number in range(9)]
    begun, go = threading.Event(), threading.Event()

    def wait(name: str) -> None:
        if name == "subnets_of":
            begun.set()
            assert go.wait(DEADLINE)

    cloud.before = wait
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(prerequisites.facts, "0", every[0], 60)
        assert begun.wait(DEADLINE)
        others = [pool.submit(prerequisites.facts, str(number), every[number], 60) for number in range(1, 9)]
        end = time.monotonic() + DEADLINE
        while waiting(prerequisites) < 8:
            assert time.monotonic() < end
            threading.Event().wait(0.005)
        go.set()
        assert first.result(DEADLINE).vpc is not None
        assert all(future.result(DEADLINE).vpc is not None for future in others)
    assert cloud.calls["subnets_of"] == 2


def test_a_failure_is_told_to_each_who_waited_and_the_needs_are_remembered(
    cloud: FakeCloud, prerequisites: Prerequisites[str]
) -> None:
    def fail(_: str) -> None:
        raise throttled()

    cloud.before = fail
    with pytest.raises(AwsError) as caught:
        prerequisites.facts("a", place(cloud, 1), max_age=0)
    assert caught.value.throttled
    with pytest.raises(AwsError):
        prerequisites.refresh(REGION)
    assert prerequisites.regions() == {REGION}
    assert prerequisites.failing(REGION)
    cloud.before = lambda _: None
    prerequisites.refresh(REGION)
    assert not prerequisites.failing(REGION)


def test_a_pass_that_breaks_off_goes_on_where_it_stopped_and_forgets_no_change(
    cloud: FakeCloud, clock: Clock, prerequisites: Prerequisites[str]
) -> None:
    every = [place(cloud, number) for number in range(400)]
    for number, needs in enumerate(every):
        prerequisites.facts(str(number), needs, max_age=0)
    break_dns(cloud, every[0])
    break_dns(cloud, every[399])
    clock.advance(600)
    cloud.calls.clear()

    def fail_second(name: str) -> None:
        if cloud.calls[name] == 2:
            raise throttled()

    cloud.before = fail_second
    with pytest.raises(AwsError):
        prerequisites.refresh(REGION)
    cloud.calls.clear()
    clock.advance(60)
    with pytest.raises(AwsError):
        prerequisites.refresh(REGION)
    assert every[399].vpc_id in next(ids for name, ids in cloud.asked[::-1] if name == "vpcs")
    cloud.before = lambda _: None
    clock.advance(60)
    assert prerequisites.refresh(REGION) == {"0", "399"}


def test_what_is_forgotten_is_asked_for_no_more_and_let_go_of(
    cloud: FakeCloud, clock: Clock, prerequisites: Prerequisites[str]
) -> None:
    needs, other = place(cloud, 1), place(cloud, 2)
    prerequisites.facts("a", needs, max_age=0)
    prerequisites.facts("b", other, max_age=0)
    prerequisites.forget("a")
    break_dns(cloud, needs)
    clock.advance(600)
    cloud.asked.clear()
    assert prerequisites.refresh(REGION) == frozenset()
    assert ("vpcs", frozenset({other.vpc_id})) in cloud.asked
    cloud.calls.clear()
    prerequisites.facts("c", needs, max_age=10_000)
    assert cloud.calls["vpcs"] == 1


def test_a_part_that_many_need_is_kept_once(cloud: FakeCloud, clock: Clock, prerequisites: Prerequisites[str]) -> None:
    needs = place(cloud, 1)
    first = prerequisites.facts("a", needs, max_age=60)
    second = prerequisites.facts("b", needs, max_age=60)
    assert first.services[SERVICE] is second.services[SERVICE]
    cloud.known_services[SERVICE] = replace(cloud.known_services[SERVICE])
    clock.advance(600)
    prerequisites.refresh(REGION)
    assert prerequisites.facts("a", needs, max_age=60).services[SERVICE] is first.services[SERVICE]
