"""Kill -9 of the real process right after each kind of write, with everything else that may happen at that time."""

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.aws.messages import EndpointTruth
from tests.crash.killing import Ending, Killing
from tests.crash.lives import MATRIX, Kind, Variant
from tests.e2e.scene import SERVICES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture
def ending(request: pytest.FixtureRequest, kind: Kind, variant: Variant) -> Ending:
    killing: Killing = request.getfixturevalue("making" if kind.makes else "changing")
    return killing.endings[kind, variant]


@pytest.mark.parametrize(("kind", "variant"), MATRIX, ids=[f"{kind.name}-{variant}" for kind, variant in MATRIX])
def test_after_a_kill_the_end_is_as_without_it(kind: Kind, variant: Variant, ending: Ending) -> None:
    assert not ending.trouble, ending.trouble
    doubled = {role: ids for role, ids in ending.ever.items() if len(ids) > 1}
    assert not doubled, f"made twice: {doubled}; status: {ending.resource}"
    if kind.ends or variant.deleted:
        assert ending.resource is None
        assert not ending.held, f"orphans: {ending.held}"
    else:
        assert ending.resource is not None
        assert wrong(ending.resource["spec"], ending.held) == [], ending.resource["status"]
        assert set(ending.ever) == {"imagebuilder", "s3"}
    assert ending.removed
    assert not ending.left, f"left after the deletion: {ending.left}"


def test_what_was_invisible_stayed_so_beyond_the_restart(making: Killing, changing: Killing) -> None:
    assert min(making.hidden_looks, changing.hidden_looks) >= 4


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
        "private DNS": (interface.private_dns, True),
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
