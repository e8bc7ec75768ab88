"""The law of the core: for any spec and any prior state, after a few rounds nothing is left to do, and nobody is hurt.

How many examples: see `bounds`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ibpe.api.names import ConditionType
from ibpe.policy.canonical import same_policy
from ibpe.policy.imagebuilder import imagebuilder_policy
from ibpe.policy.s3 import S3Use, s3_policy
from ibpe.policy.statements import Organization
from sandbox.aws.messages import EndpointTruth
from tests.property.bounds import BOUNDED
from tests.property.ground import IMAGE_BUILDER, REGION, S3, Ground
from tests.property.priors import intrusions, predecessors, strangers
from tests.property.specs import specs
from tests.property.world import KEY, OURS, Site, World

BEHAVIOURS = st.fixed_dictionaries(
    {
        "policy_format": st.sampled_from(("pretty", "verbatim", "harsh")),
        "state_case": st.sampled_from(("lower", "varied")),
        "same_zone_swap": st.sampled_from(("refuse", "allow")),
    }
)


@given(data=st.data())
@BOUNDED
def test_any_spec_on_any_prior_state_comes_to_a_fixpoint(site: Site, data: st.DataObject) -> None:
    world = World(site, **data.draw(BEHAVIOURS, "behaviour"))
    kept = [p.happen(world) for p in data.draw(st.lists(strangers(site.ground), max_size=2), "strangers")]
    for predecessor in data.draw(st.lists(predecessors(site.ground), max_size=3), "predecessors"):
        predecessor.happen(world)
    _converges(world, data.draw(specs(site.ground), "first spec"), kept)


@given(data=st.data())
@BOUNDED
def test_any_edit_and_any_intrusion_come_to_a_fixpoint(site: Site, data: st.DataObject) -> None:
    world = World(site, **data.draw(BEHAVIOURS, "behaviour"))
    first = data.draw(specs(site.ground), "first spec")
    world.apply(first)
    world.converge()
    for intrusion in data.draw(st.lists(intrusions(site.ground), max_size=3), "intrusions"):
        intrusion.happen(world)
        world.pass_time(1.0)
    kept = [p.happen(world) for p in data.draw(st.lists(strangers(site.ground), max_size=1), "strangers")]
    if data.draw(st.booleans(), "restarted"):
        world.restart()
    _converges(world, data.draw(st.one_of(st.just(first), specs(site.ground)), "second spec"), kept)


@given(data=st.data())
@BOUNDED
def test_an_aws_that_shows_late_what_was_done_comes_to_the_same_fixpoint(site: Site, data: st.DataObject) -> None:
    lag = {
        "lag_new_seconds": data.draw(st.sampled_from((0.0, 2.5, 12.0)), "a new endpoint is not shown for"),
        "lag_change_seconds": data.draw(st.sampled_from((0.0, 1.5, 4.0)), "a change is not shown for"),
    }
    world = World(site, **data.draw(BEHAVIOURS, "behaviour"), **lag)
    first = data.draw(specs(site.ground), "first spec")
    world.apply(first)
    world.converge()
    for intrusion in data.draw(st.lists(intrusions(site.ground), max_size=2), "intrusions"):
        intrusion.happen(world)
        world.pass_time(13.0)
    if data.draw(st.booleans(), "restarted"):
        world.restart()
    _converges(world, data.draw(st.one_of(st.just(first), specs(site.ground)), "second spec"), ())


def _converges(world: World, spec: Mapping[str, Any], strangers_ids: Sequence[str]) -> None:
    """Apply the spec, let the operator work, and hold what came of it against the law."""
    untouched = world.shown(strangers_ids)
    live_before = {role: _live(world, role) for role in ("imagebuilder", "s3")}
    conflicts = _conflicts(world, spec, strangers_ids)
    world.stalls.clear()
    world.apply(spec)
    world.converge()
    assert world.shown(strangers_ids) == untouched, f"somebody else's endpoint was changed\n{world.story()}"
    if conflicts:
        _refused(world, conflicts, live_before)
    elif _cannot_swap(world, spec):
        assert world.condition(ConditionType.STALLED).reason == "DuplicateSubnetsInSameZone", world.story()
    else:
        assert not world.stalls, f"a user was called for nothing: {world.stalls}\n{world.story()}"
        _settled(world, spec)
    _at_rest(world)


def _settled(world: World, spec: Mapping[str, Any]) -> None:
    story = world.story()
    verdicts = {type_: world.condition(type_).status for type_ in ConditionType}
    assert verdicts[ConditionType.READY] == "True", story
    assert verdicts[ConditionType.RECONCILING] == "False", story
    assert verdicts[ConditionType.STALLED] == "False", story
    assert verdicts[ConditionType.DRIFT_FREE] == "True", story
    assert not world.status.drift, story
    plan = world.plan()
    assert not plan.actions, f"{plan.actions}\n{story}"
    assert not plan.findings, f"{plan.findings}\n{story}"
    for role, part in (("imagebuilder", spec.get("imageBuilder")), ("s3", spec.get("s3"))):
        held = world.ours(role)
        assert len(held) == (part is not None), f"{role}: {[e.id for e in held]}\n{story}"
        if part is not None:
            _as_specified(held[0], part, spec, story)


def _as_specified(endpoint: EndpointTruth, part: Mapping[str, Any], spec: Mapping[str, Any], story: str) -> None:
    """Every field, read off the spec by hand; others' tags may stay."""
    have: dict[str, object] = {"state": endpoint.state}
    want: dict[str, object] = {"state": "available"}
    named = {key: value for key, value in endpoint.tags.items() if not key.startswith("ibpe.dev/") and key != "their"}
    have["tags"], want["tags"] = {k: named.get(k) for k in spec["tags"]}, spec["tags"]
    have["retained"], want["retained"] = "ibpe.dev/retained" in endpoint.tags, False
    if endpoint.service_name == S3:
        have["tables"], want["tables"] = set(endpoint.route_table_ids), set(part["routeTables"]["ids"])
    else:
        have["subnets"], want["subnets"] = set(endpoint.subnet_ids), set(part["subnets"]["ids"])
        have["groups"], want["groups"] = set(endpoint.group_ids), set(part["securityGroups"]["ids"])
        have["dns"], want["dns"] = endpoint.private_dns, part["privateDNS"]
        have["type"], want["type"] = endpoint.ip_address_type, part["ipAddressType"]
    assert have == want, story
    assert _same_policy(part["policy"], endpoint), story


def _same_policy(policy: Mapping[str, Any], endpoint: EndpointTruth) -> bool:
    ids = policy.get("organization")
    organization = Organization(ids["principalOrgID"], ids["resourceOrgID"]) if ids else None
    if endpoint.service_name == S3:
        wanted = s3_policy(
            policy["baseline"],
            REGION,
            S3Use(environment=policy.get("environment", "prod"), ssm_agent=policy.get("ssmAgent", True)),
            organization=organization,
        )
    else:
        wanted = imagebuilder_policy(policy["preset"], REGION, organization=organization, custom=policy.get("document"))
    return same_policy(wanted, endpoint.policy)


def _refused(world: World, conflicts: Mapping[str, str], live_before: Mapping[str, Sequence[str]]) -> None:
    """The user is called, every conflict names whom it is with, and nothing was made against it."""
    story = world.story()
    assert world.condition(ConditionType.READY).status == "False", story
    assert world.condition(ConditionType.STALLED).status == "True", story
    told = " ".join(condition.message for condition in world.status.conditions)
    for role, stranger in conflicts.items():
        assert stranger in told, f"{stranger} is named nowhere\n{story}"
        if not live_before[role]:
            assert not _live(world, role), f"made in spite of {stranger}\n{story}"


def _at_rest(world: World) -> None:
    """A further round writes nothing, to AWS nor to Kubernetes."""
    cursor, before = world.aws.control.cursor(), list(world.resources.writes)
    world.pass_time(30.0)
    world.round()
    assert not world.writes(cursor), f"{world.writes(cursor)}\n{world.story()}"
    assert world.resources.writes == before, world.story()


def _conflicts(world: World, spec: Mapping[str, Any], strangers_ids: Sequence[str]) -> Mapping[str, str]:
    """Role -> a stranger that holds what the spec asks for."""
    found: dict[str, str] = {}
    image_builder, s3 = spec.get("imageBuilder"), spec.get("s3")
    for endpoint in world.endpoints():
        if endpoint.id not in strangers_ids:
            continue
        if image_builder and image_builder["privateDNS"] and _holds_name(endpoint):
            found["imagebuilder"] = endpoint.id
        if s3 and endpoint.service_name == S3 and set(s3["routeTables"]["ids"]) & set(endpoint.route_table_ids):
            found["s3"] = endpoint.id
    return found


def _holds_name(endpoint: EndpointTruth) -> bool:
    return endpoint.service_name == IMAGE_BUILDER and endpoint.private_dns


def _cannot_swap(world: World, spec: Mapping[str, Any]) -> bool:
    """The only subnet is to be replaced by another of its zone, and this AWS does not do that in one call."""
    if world.aws.control.settings().same_zone_swap == "allow" or "imageBuilder" not in spec:
        return False
    live, wanted = world.ours("imagebuilder"), spec["imageBuilder"]["subnets"]["ids"]
    subnets = [*live[0].subnet_ids] if live else []
    return len(subnets) == len(wanted) == 1 and subnets != wanted and _zone(world.ground, *subnets, *wanted)


def _zone(ground: Ground, one: str, other: str) -> bool:
    return any(one in zone and other in zone for zone in ground.by_zone)


def _live(world: World, role: str) -> Sequence[str]:
    """What this resource holds in a role, or left behind for itself to take back."""
    mine = [e for e in world.endpoints() if e.tags.get("ibpe.dev/role") == role and e.state in {"available", "pending"}]
    return [e.id for e in mine if OURS.items() <= dict(e.tags).items() or e.tags.get("ibpe.dev/retained") == str(KEY)]
