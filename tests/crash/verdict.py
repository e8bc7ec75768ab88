"""How what AWS holds differs from a spec, read off it by hand: no code of the product's decides."""

from collections.abc import Mapping
from typing import Any

from sandbox.aws.messages import EndpointTruth
from tests.e2e.scene import SERVICES


def wrong(spec: Mapping[str, Any], held: tuple[EndpointTruth, ...]) -> list[str]:
    """How what AWS holds differs from the spec, read off it by hand."""
    by_role = {SERVICES[each.service_name]: each for each in held}
    if len(by_role) != len(held) or set(by_role) != {"imagebuilder", "s3"}:
        return [f"AWS holds {held}"]
    interface, gateway = by_role["imagebuilder"], by_role["s3"]
    want, tags = spec["imageBuilder"], spec.get("tags", {})
    pairs = {
        "states": ({each.state.lower() for each in held}, {"available"}),
        "subnets": (set(interface.subnet_ids), set(want["subnets"]["ids"])),
        "groups": (set(interface.group_ids), set(want["securityGroups"]["ids"])),
        "private DNS": (interface.private_dns, want["privateDNS"]),
        "route tables": (set(gateway.route_table_ids), set(spec["s3"]["routeTables"]["ids"])),
        "preset": (preset(interface), want["policy"]["preset"]),
        **{f"tags of {role}": (others(each), tags) for role, each in by_role.items()},
    }
    return [f"{name}: {found} instead of {wanted}" for name, (found, wanted) in pairs.items() if found != wanted]


def others(endpoint: EndpointTruth) -> dict[str, str]:
    """The tags that aren't the operator's own."""
    return {key: value for key, value in endpoint.tags.items() if not key.startswith("ibpe.dev/")}


def preset(endpoint: EndpointTruth) -> str:
    """Which preset the policy comes from."""
    if "o-abcdef1234" in endpoint.policy:
        return "Organization"
    return "DenyDeletion" if "imagebuilder:DeleteImage" in endpoint.policy else "FullAccess"
