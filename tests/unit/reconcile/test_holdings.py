"""Which endpoints are ours: tags, VPC and service must agree, and a forged tag is never enough."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus
from ibpe.aws.gateway import Endpoint, EndpointID, EndpointState, EndpointType, VpcID
from ibpe.reconcile.holdings import Holdings, Identity, hold
from ibpe.reconcile.observe import identity_of
from tests.unit.reconcile.given import IB_ID, OTHER_VPC, OWNER, REGION, S3, S3_ID, VPC, entry, made, tagged, wanted

IDENTITY = identity_of(OWNER, REGION, VPC)
TAKING_BACK = replace(IDENTITY, takes_back=frozenset(Role))
OURS = made(wanted())
RECORDED = entry(wanted())
RETAINED = {"ibpe.dev/retained": "team-a/images", "ibpe.dev/role": "imagebuilder"}


def held(*endpoints: Endpoint, entries: tuple[EndpointStatus, ...] = (), identity: Identity = TAKING_BACK) -> Holdings:
    return hold(endpoints, entries, identity)


def live(*endpoints: Endpoint, entries: tuple[EndpointStatus, ...] = ()) -> str | None:
    found = held(*endpoints, entries=entries).of(Role.IMAGE_BUILDER).live
    return found.id if found else None


def test_an_endpoint_whose_tags_vpc_and_service_agree_is_ours_without_a_record() -> None:
    assert live(OURS) == IB_ID
    assert held(made(wanted(Role.S3))).of(Role.S3).live


@pytest.mark.parametrize(
    "forged",
    [
        replace(OURS, vpc_id=OTHER_VPC),
        replace(OURS, service_name=S3),
        replace(OURS, service_name=f"com.amazonaws.{REGION}.ssm"),
        replace(OURS, tags=tagged("s3")),
        replace(OURS, tags=tagged("imagebuilder") | {"ibpe.dev/cluster": "green"}),
        replace(OURS, tags=tagged("imagebuilder") | {"ibpe.dev/owner": "team-b/images"}),
        replace(OURS, tags={"ibpe.dev/cluster": "blue", "ibpe.dev/owner": "team-a/images"}),
        replace(OURS, tags={"ibpe.dev/cluster": "blue", "ibpe.dev/role": "imagebuilder"}),
        replace(OURS, tags={"ibpe.dev/owner": "team-a/images", "ibpe.dev/role": "imagebuilder"}),
        replace(OURS, tags={}),
    ],
    ids=[
        *("another VPC", "S3's service", "another service", "the other role's tag", "another cluster"),
        *("another owner", "no role", "no owner", "no cluster", "no tags"),
    ],
)
def test_a_stranger_is_nobody_of_ours_and_no_stranger_of_the_status(forged: Endpoint) -> None:
    found = held(forged)
    assert found.all == ()
    assert found.of(Role.IMAGE_BUILDER).stranger is None


@pytest.mark.parametrize(
    ("tags", "ours"),
    [
        (tagged("imagebuilder"), True),
        ({"ibpe.dev/cluster": "blue"}, True),
        ({"ibpe.dev/owner": "team-a/images"}, True),
        (tagged("ssm"), True),
        ({}, False),
        ({"Name": "images", "ibpe.dev/role": "imagebuilder"}, False),
        (tagged("imagebuilder") | {"ibpe.dev/cluster": "green"}, False),
        (tagged("imagebuilder") | {"ibpe.dev/owner": "team-b/images"}, False),
        ({"ibpe.dev/cluster": "blue", "ibpe.dev/owner": "team-b/images"}, False),
        (RETAINED, True),
        (RETAINED | {"ibpe.dev/cluster": "green"}, False),
        (RETAINED | {"ibpe.dev/owner": "team-b/images"}, False),
    ],
    ids=str,
)
def test_a_recorded_id_is_ours_while_one_tag_survives_and_none_says_otherwise(
    tags: Mapping[str, str], *, ours: bool
) -> None:
    found = held(replace(OURS, tags=tags), entries=(RECORDED,)).of(Role.IMAGE_BUILDER)
    assert (found.live is not None, found.stranger is not None) == (ours, not ours)


@pytest.mark.parametrize("change", [{"vpc_id": OTHER_VPC}, {"service_name": S3}], ids=str)
def test_a_recorded_id_of_another_vpc_or_service_is_a_stranger(change: Mapping[str, VpcID]) -> None:
    found = held(replace(OURS, **change), entries=(RECORDED,)).of(Role.IMAGE_BUILDER)  # type: ignore[arg-type] # by name
    assert found.live is None
    assert found.stranger is not None


def test_the_status_decides_the_role_where_the_role_tag_was_changed() -> None:
    found = held(replace(OURS, tags=tagged("s3")), entries=(RECORDED,))
    assert found.of(Role.IMAGE_BUILDER).live
    assert found.of(Role.S3).live is None


def test_what_this_very_resource_left_behind_is_taken_back() -> None:
    assert live(replace(OURS, tags=RETAINED)) == IB_ID
    assert live(replace(OURS, tags={**RETAINED, "ibpe.dev/retained": "team-b/images"})) is None
    assert live(replace(OURS, tags={**RETAINED, "ibpe.dev/cluster": "green"})) is None
    assert live(replace(OURS, tags={**RETAINED, "ibpe.dev/owner": "team-b/images"})) is None
    assert live(replace(OURS, tags={"ibpe.dev/retained": "team-a/images"})) is None, "which role would it have?"


def test_what_was_left_behind_is_nobody_s_where_the_spec_asks_for_no_endpoint_of_its_own() -> None:
    left = replace(OURS, tags=RETAINED)
    other_role = replace(IDENTITY, takes_back=frozenset({Role.S3}))
    for identity in (IDENTITY, other_role):
        assert held(left, identity=identity).all == ()
        assert held(left, entries=(RECORDED,), identity=identity).all == (left,), "until its tags are off for good"


def test_a_role_of_another_version_is_reported_and_never_ours() -> None:
    newer = replace(OURS, tags=tagged("ssm"))
    found = held(newer)
    assert found.unknown_roles == (newer,)
    assert found.all == ()
    assert held(replace(newer, tags=tagged("ssm") | {"ibpe.dev/owner": "team-b/images"})).unknown_roles == ()
    assert held(replace(newer, tags=tagged("ssm") | {"ibpe.dev/cluster": "green"})).unknown_roles == ()


def test_the_tags_of_what_we_just_made_may_lag() -> None:
    bare = replace(OURS, tags={})
    assert live(bare, entries=(RECORDED,)) is None
    assert live(bare, entries=(RECORDED.model_copy(update={"state": "creating"}),)) == IB_ID
    theirs = replace(OURS, tags={"ibpe.dev/cluster": "green"})
    assert live(theirs, entries=(RECORDED.model_copy(update={"state": "creating"}),)) is None


def test_tags_that_go_with_a_deletion_make_no_stranger() -> None:
    found = held(replace(OURS, tags={}, state=EndpointState.DELETING), entries=(RECORDED,))
    assert found.of(Role.IMAGE_BUILDER).leaving
    assert found.of(Role.IMAGE_BUILDER).stranger is None


def test_an_endpoint_of_another_type_is_not_ours_whatever_its_tags() -> None:
    copied = replace(made(wanted(Role.S3)), type=EndpointType.INTERFACE)
    assert held(copied).of(Role.S3).live is None


def test_a_deleted_endpoint_counts_as_absent() -> None:
    found = held(replace(OURS, state=EndpointState.DELETED), entries=(RECORDED,))
    assert found.all == ()
    assert found.of(Role.IMAGE_BUILDER).stranger is None


@pytest.mark.parametrize(
    ("state", "where"),
    [
        ("available", "live"),
        ("pending", "live"),
        ("pendingacceptance", "live"),
        ("partial", "live"),
        ("unknown", "live"),
        ("deleting", "leaving"),
        ("failed", "dead"),
        ("rejected", "dead"),
        ("expired", "dead"),
    ],
)
def test_each_state_has_its_place(state: str, where: str) -> None:
    found = held(replace(OURS, state=EndpointState(state))).of(Role.IMAGE_BUILDER)
    places = {"live": found.live is not None, "leaving": bool(found.leaving), "dead": bool(found.dead)}
    assert [name for name, there in places.items() if there] == [where]
    assert len(found.all) == 1


def second(**changes: object) -> Endpoint:
    return replace(OURS, id=EndpointID("vpce-00000002"), **changes)  # type: ignore[arg-type] # by name


@pytest.mark.parametrize(
    ("one", "other", "entries", "chosen"),
    [
        (OURS, second(), (), IB_ID),
        (OURS, second(created_at=OURS.created_at - timedelta(1) if OURS.created_at else None), (), "vpce-00000002"),
        (replace(OURS, state=EndpointState.PENDING), second(), (), "vpce-00000002"),
        (replace(OURS, state=EndpointState.PENDING), second(), (RECORDED,), IB_ID),
        (replace(OURS, created_at=None), second(), (), "vpce-00000002"),
        (OURS, second(), (entry(wanted(), id="vpce-00000002"),), "vpce-00000002"),
        (OURS, second(state=EndpointState.FAILED), (entry(wanted(), id="vpce-00000002"),), IB_ID),
    ],
    ids=[
        *("smaller id where all else is the same", "older", "one that works", "the recorded one"),
        *("one of known age", "the recorded one, though it has the greater id", "the recorded one is dead"),
    ],
)
def test_of_two_the_choice_is_the_same_whatever_the_order(
    one: Endpoint, other: Endpoint, entries: tuple[EndpointStatus, ...], chosen: str
) -> None:
    smaller = replace(one, id=EndpointID("vpce-00000001")) if one is OURS and not entries and chosen == IB_ID else one
    chosen = smaller.id if smaller is not one else chosen
    for order in ((smaller, other), (other, smaller)):
        found = held(*order, entries=entries).of(Role.IMAGE_BUILDER)
        assert found.live is not None
        assert found.live.id == chosen
        assert len(found.all) == 2
        assert len(found.surplus) + len(found.dead) == 1


def test_an_earlier_id_of_the_status_is_still_ours() -> None:
    late = entry(wanted(), previous_ids=("vpce-00000002",))
    found = held(OURS, second(tags={"ibpe.dev/cluster": "blue"}), entries=(late,)).of(Role.IMAGE_BUILDER)
    assert [e.id for e in found.surplus] == ["vpce-00000002"]


def test_without_a_vpc_tags_and_service_must_still_agree() -> None:
    nowhere = identity_of(OWNER, REGION, None)
    assert hold((replace(OURS, vpc_id=OTHER_VPC),), (), nowhere).of(Role.IMAGE_BUILDER).live
    assert hold((replace(OURS, service_name=S3),), (), nowhere).all == ()


def test_roles_do_not_mix() -> None:
    found = held(OURS, made(wanted(Role.S3)))
    assert {role: holding.live.id for role, holding in found.by_role.items() if holding.live} == {
        Role.IMAGE_BUILDER: IB_ID,
        Role.S3: S3_ID,
    }
    assert len(found.all) == 2
