"""IAM before the double: what each call asks for, judged under a policy by the evaluator that was written apart.

Which resources and condition keys a call brings: Service Authorization Reference, "Actions, resources, and condition
keys for Amazon EC2". Private DNS asks Route 53 in the caller's name; the double has no Route 53, so it is asked here.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.aws.call import Call
from sandbox.aws.parameters import Parameters
from sandbox.aws.tags import read_specified_tags
from sandbox.aws.world import World
from tests.evaluation.reference import Call as Asked
from tests.evaluation.reference import Reference

Policy = Mapping[str, Any]
NEEDS_NO_PERMISSION = frozenset({"GetCallerIdentity"})


@dataclass
class Judge:
    """Lets the calls of one access key pass that the policy allows, and remembers what was asked."""

    world: World
    access_key: str
    policy: Policy
    asked: list[Asked] = field(default_factory=list)
    denied: list[Asked] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, call: Call) -> bool:
        """Whether the call may pass."""
        if call.access_key != self.access_key or call.action in NEEDS_NO_PERMISSION:
            return True
        asked = list(asks(self.world, call))
        denied = [each for each in asked if not allows(self.policy, each)]
        with self._lock:
            self.asked += asked
            self.denied += denied
        return not denied


def allows(policy: Policy, asked: Asked) -> bool:
    """An identity policy has no principal: it is about whoever has it."""
    statements = [{**statement, "Principal": "*"} for statement in policy["Statement"]]
    return all(ruling.allowed for ruling in Reference({**policy, "Statement": statements}).rulings(asked))


def asks(world: World, call: Call) -> Iterator[Asked]:
    """Everything that must be allowed for a call to pass."""
    region = {"aws:requestedregion": (call.region,)}
    match call.action:
        case "CreateVpcEndpoint":
            yield from _creation(call, region)
        case "ModifyVpcEndpoint":
            endpoint_id = call.parameters.required("VpcEndpointId")
            yield _on_endpoint(world, call, endpoint_id, region)
            yield from _parts(call, region, "Add", "Remove")
        case "DeleteVpcEndpoints":
            for endpoint_id in call.parameters.texts("VpcEndpointId"):
                yield _on_endpoint(world, call, endpoint_id, region)
        case "CreateTags" | "DeleteTags":
            added = _tags(call.parameters) if call.action == "CreateTags" else {}
            for endpoint_id in call.parameters.texts("ResourceId"):
                yield _on_endpoint(world, call, endpoint_id, {**region, **_requested(added)})
        case _:
            yield Asked(f"{call.service}:{call.action}", "*", "Identity", context=region)
    if call.parameters.flag("PrivateDnsEnabled"):
        yield Asked("route53:AssociateVPCWithHostedZone", "arn:aws:route53:::hostedzone/Z0", "Identity")


def _creation(call: Call, region: Mapping[str, tuple[str, ...]]) -> Iterator[Asked]:
    parameters = call.parameters
    tags = _requested(read_specified_tags(parameters, "vpc-endpoint"))
    service = {"ec2:vpceservicename": (parameters.required("ServiceName"),)}
    endpoint = _arn(call, "vpc-endpoint/vpce-new")
    yield Asked("ec2:CreateVpcEndpoint", endpoint, "Identity", context={**region, **tags, **service})
    yield Asked("ec2:CreateVpcEndpoint", _arn(call, f"vpc/{parameters.required('VpcId')}"), "Identity", context=region)
    yield from _parts(call, region, "")
    if tags:
        created = {"ec2:createaction": ("CreateVpcEndpoint",)}
        yield Asked("ec2:CreateTags", endpoint, "Identity", context={**region, **tags, **created})


def _parts(call: Call, region: Mapping[str, tuple[str, ...]], *prefixes: str) -> Iterator[Asked]:
    kinds = {"SubnetId": "subnet", "SecurityGroupId": "security-group", "RouteTableId": "route-table"}
    for prefix in prefixes:
        for name, kind in kinds.items():
            for id_ in call.parameters.texts(f"{prefix}{name}"):
                yield Asked(f"ec2:{call.action}", _arn(call, f"{kind}/{id_}"), "Identity", context=region)


def _on_endpoint(world: World, call: Call, endpoint_id: str, context: Mapping[str, tuple[str, ...]]) -> Asked:
    entry = world.territory(call.account, call.region).entry(endpoint_id)
    tags = entry.endpoint.tags if entry is not None else {}
    resource = {f"aws:resourcetag/{key}".lower(): (value,) for key, value in tags.items()}
    arn = _arn(call, f"vpc-endpoint/{endpoint_id}")
    return Asked(f"ec2:{call.action}", arn, "Identity", context={**context, **resource})


def _requested(tags: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    return {f"aws:requesttag/{key}".lower(): (value,) for key, value in tags.items()}


def _tags(parameters: Parameters) -> Mapping[str, str]:
    return {tag.required("Key"): tag.text("Value") or "" for tag in parameters.structures("Tag")}


def _arn(call: Call, resource: str) -> str:
    return f"arn:aws:ec2:{call.region}:{call.account}:{resource}"
