"""How long a change behind the operator's back stays: from the intruder's call until AWS shows it undone."""

import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from mypy_boto3_ec2 import EC2Client

from bench.figures import Figure, spread
from bench.fleet import PERIOD, REGION, Fleet, NeverCameTrue
from sandbox.aws.messages import EndpointEdit, EndpointTruth
from sandbox.aws.network import Network

WIDE: Final = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]})
POLL: Final = 0.1
SLACK: Final = 2.0
"""Seconds for the look and the repair themselves, on a machine that does everything at once."""
LONGEST: Final = 60.0
REMAKING_LOOKS: Final = 4
"""An endpoint that is made again: seen deleting, seen gone, made, seen available."""


@dataclass(frozen=True)
class Deed:
    """What an intruder does to the endpoint of a role; `remakes` when the endpoint itself goes."""

    name: str
    service: str
    act: Callable[["Intruder", str, Network], object]
    remakes: bool = False


@dataclass(frozen=True)
class Intruder:
    """Somebody else in the same account."""

    ec2: EC2Client
    fleet: Fleet

    def modify(self, endpoint_id: str, **change: object) -> None:
        """ModifyVpcEndpoint."""
        self.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, **change)  # type: ignore[arg-type] # chosen below

    def set_address_type(self, endpoint_id: str) -> None:
        """Past AWS's checks, which want IPv6 subnets for it."""
        self.fleet.stage.aws.control.edit_endpoint(endpoint_id, EndpointEdit(ip_address_type="dualstack"))


DEEDS: Final = (
    Deed(
        "securityGroups",
        "imagebuilder",
        lambda by, id_, net: by.modify(
            id_, AddSecurityGroupIds=[net.other_security_group_id], RemoveSecurityGroupIds=[net.security_group_id]
        ),
    ),
    Deed("subnets", "imagebuilder", lambda by, id_, net: by.modify(id_, RemoveSubnetIds=[net.subnet_ids[0]])),
    Deed("privateDNS", "imagebuilder", lambda by, id_, _: by.modify(id_, PrivateDnsEnabled=False)),
    Deed("ipAddressType", "imagebuilder", lambda by, id_, _: by.set_address_type(id_)),
    Deed("policy of the interface endpoint", "imagebuilder", lambda by, id_, _: by.modify(id_, PolicyDocument=WIDE)),
    Deed("policy of the S3 endpoint", "s3", lambda by, id_, _: by.modify(id_, PolicyDocument=WIDE)),
    Deed("routeTables", "s3", lambda by, id_, net: by.modify(id_, RemoveRouteTableIds=[net.route_table_id])),
    Deed(
        "tags",
        "imagebuilder",
        lambda by, id_, _: by.ec2.create_tags(Resources=[id_], Tags=[{"Key": "team", "Value": "theirs"}]),
    ),
    Deed(
        "interface endpoint deleted",
        "imagebuilder",
        lambda by, id_, _: by.ec2.delete_vpc_endpoints(VpcEndpointIds=[id_]),
        remakes=True,
    ),
    Deed(
        "S3 endpoint deleted", "s3", lambda by, id_, _: by.ec2.delete_vpc_endpoints(VpcEndpointIds=[id_]), remakes=True
    ),
)


@dataclass
class Intrusion:
    """One deed upon one resource, to be done at a time, and how it was before."""

    deed: Deed
    network: Network
    before: EndpointTruth
    due: float
    done_at: float = 0.0


def repair(fleet: Fleet) -> Iterator[Figure]:
    """Every deed upon as many resources as there are for it, at times spread over some looks."""
    fleet.settle()
    taken = run(fleet)
    for deed in DEEDS:
        seconds = taken[deed.name]
        most = PERIOD * (REMAKING_LOOKS if deed.remakes else 1) + SLACK
        yield Figure(f"seconds to undo: {deed.name}", max(seconds), "s", most=most, note=spread(seconds))


def run(fleet: Fleet) -> Mapping[str, list[float]]:
    """The seconds of each intrusion, by the deed's name."""
    intruder = Intruder(fleet.stage.aws.client("ec2", REGION), fleet)
    waiting = _planned(fleet)
    acted: list[Intrusion] = []
    taken: dict[str, list[float]] = defaultdict(list)
    while waiting or acted:
        while waiting and waiting[0].due <= time.monotonic():
            intrusion = waiting.pop(0)
            intrusion.deed.act(intruder, intrusion.before.id, intrusion.network)
            intrusion.done_at = time.monotonic()
            acted.append(intrusion)
        truths, now = _truths(fleet), time.monotonic()
        for intrusion in list(acted):
            if _is_undone(intrusion, truths):
                taken[intrusion.deed.name].append(now - intrusion.done_at)
                acted.remove(intrusion)
            elif now - intrusion.done_at > LONGEST:
                raise NeverCameTrue(f"{intrusion.deed.name} was not undone: {intrusion.before}")
        time.sleep(POLL)
    return taken


def _planned(fleet: Fleet) -> list[Intrusion]:
    """In order of time, spread evenly over some looks, so that no phase of theirs is preferred."""
    truths = _truths(fleet)
    networks = list(fleet.members.values())
    deeds = [DEEDS[number % len(DEEDS)] for number in range(len(networks))]
    random.Random(1).shuffle(deeds)  # noqa: S311 -- no secret; the same in each run
    step = 4 * PERIOD / len(networks)
    return [
        Intrusion(deed, network, truths[network.vpc_id, deed.service], time.monotonic() + number * step)
        for number, (deed, network) in enumerate(zip(deeds, networks, strict=True))
    ]


def _truths(fleet: Fleet) -> Mapping[tuple[str, str], EndpointTruth]:
    """The endpoints that live, by VPC and service."""
    return {
        (each.vpc_id, each.service_name.rpartition(".")[2]): each
        for each in fleet.stage.aws.control.endpoints()
        if each.state == "available"
    }


def _is_undone(intrusion: Intrusion, truths: Mapping[tuple[str, str], EndpointTruth]) -> bool:
    before, now = intrusion.before, truths.get((intrusion.network.vpc_id, intrusion.deed.service))
    if now is None or (now.id != before.id) != intrusion.deed.remakes:
        return False
    return _state(now) == _state(before)


def _state(endpoint: EndpointTruth) -> Mapping[str, object]:
    """What must be as it was: ids that AWS gives anew are left out, and lists have no order."""
    values = endpoint.model_dump(exclude={"id", "network_interface_ids"})
    return {name: frozenset(value) if isinstance(value, tuple) else value for name, value in values.items()}
