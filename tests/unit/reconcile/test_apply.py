"""Doing: intents that the API server takes, one failure that holds up no other, and what a failed Create leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus, Status
from ibpe.aws.errors import AwsError, classify
from ibpe.aws.gateway import EndpointID, EndpointState, Gateway, ModifyEndpoint
from ibpe.reconcile.actions import Action, Create, Delete, Modify, Retag
from ibpe.reconcile.apply import apply, only
from ibpe.reconcile.contributing import EndpointLocks
from ibpe.reconcile.fields import Field
from ibpe.reconcile.hands import Hands
from ibpe.reconcile.intents import intents
from ibpe.reconcile.memory import Recollection
from ibpe.reconcile.observe import identity_of
from ibpe.reconcile.plan import Applied, Plan, RolePlan
from ibpe.reconcile.wanted import DesiredEndpoint
from tests.unit.reconcile.account import Account
from tests.unit.reconcile.given import (
    A1,
    GROUP,
    IB_ID,
    IMAGE_BUILDER,
    NOW,
    OWNER,
    REGION,
    TABLE,
    VPC,
    desired,
    entry,
    holdings,
    made,
    planned,
    seen,
    status_of,
    wanted,
)

IB = Role.IMAGE_BUILDER
WANT = wanted()
MAKE = Create(IB, 1, WANT, IMAGE_BUILDER)
CHANGE = ModifyEndpoint(
    IB_ID,
    policy="{}",
    private_dns=True,
    ip_address_type="ipv4",
    add_subnet_ids=frozenset({A1}),
    remove_security_group_ids=frozenset({GROUP}),
    add_route_table_ids=frozenset({TABLE}),
)


def plan_of(*actions: Action) -> Plan:
    return Plan(tuple(RolePlan(action.role, actions=(action,)) for action in actions))


@dataclass
class Site(Account):
    """An account that also modifies; `refuse` says which modifications it doesn't take."""

    refuse: Mapping[str, AwsError] = field(default_factory=dict)
    sent: list[ModifyEndpoint] = field(default_factory=list)

    def modify_endpoint(self, request: ModifyEndpoint) -> None:
        self.sent.append(request)
        for name, error in self.refuse.items():
            if getattr(request, name):
                raise error


def done(site: Account, plan: Plan, before: Status | None = None, past: Recollection | None = None) -> Applied:
    before = before or Status()
    identity = identity_of(OWNER, REGION, VPC)
    hands = Hands(
        gateway=cast("Gateway", site),
        owner=OWNER,
        uid="uid-1",
        generation=1,
        vpc_id=VPC,
        services=identity.services,
        past=past or Recollection(),
        locks=EndpointLocks(),
        now=NOW,
        holds=lambda endpoint: identity.role_of(endpoint, {}),
    )
    return apply(hands, plan, before, intents(before, plan))


# Intents


def test_an_intent_remembers_the_attempt_and_the_predecessor() -> None:
    stored = intents(status_of(entry(WANT, attempt=1)), plan_of(replace(MAKE, attempt=2))).endpoint(IB)
    assert (stored.id, stored.state, stored.attempt, stored.previous_ids) == (None, "creating", 2, (IB_ID,))
    assert stored.intent_open


def test_an_intent_that_is_tried_again_stays_as_it_is() -> None:
    once = intents(Status(), plan_of(MAKE))
    assert intents(once, plan_of(MAKE)) == once


def many_tags(prefix: str) -> dict[str, str]:
    return {f"{prefix}{number:02}": "x" for number in range(40)}


@pytest.mark.parametrize("gone", [False, True], ids=["retagged", "made again"])
def test_a_spec_whose_every_tag_was_replaced_has_a_status_that_the_api_server_takes(*, gone: bool) -> None:
    before = status_of(entry(wanted(tags=many_tags("old")), state="absent" if gone else "available"))
    want = desired(tags=many_tags("new"), s3=None)
    have = made(wanted(tags=many_tags("old")))
    plan = planned(want, seen() if gone else seen(holdings(have)), before)
    assert plan.actions
    stored = intents(before, plan)
    Status.model_validate(stored.model_dump())
    assert set(many_tags("old")) <= set(stored.endpoint(IB).tag_keys) or gone, "they are still to be taken off"


# Order and failures


def test_a_create_looks_for_what_is_there_before_it_makes_a_second() -> None:
    site = Site()
    site.hold(made(WANT))
    applied = done(site, plan_of(MAKE))
    assert site.writes() == []
    assert applied.entries[IB].id == IB_ID
    assert applied.made == {}


def test_what_was_made_is_recorded_with_its_time() -> None:
    past, site = Recollection(), Site()
    applied = done(site, plan_of(MAKE), past=past)
    assert applied.made[IB].id == applied.entries[IB].id
    assert past.made_at == {IB: (1, NOW)}
    made_one = site.endpoints[applied.made[IB].id]
    assert (made_one.subnet_ids, made_one.tags, made_one.private_dns) == (WANT.subnet_ids, WANT.tags, True)


def error(code: str, status: int = 400) -> AwsError:
    return classify("CreateVpcEndpoint", code, "As AWS says.", status)


@pytest.mark.parametrize(
    ("code", "status", "before", "state"),
    [
        ("InvalidSubnetID.NotFound", 400, Status(), "absent"),
        ("InvalidSubnetID.NotFound", 400, status_of(EndpointStatus(role=IB, state="creating", attempt=1)), "creating"),
        ("RequestLimitExceeded", 503, Status(), "creating"),
        ("InternalError", 500, Status(), "creating"),
        ("IdempotentParameterMismatch", 400, Status(), "creating"),
    ],
    ids=["refused at once", "refused, but an earlier try may have made it", "throttled", "5xx", "it exists"],
)
def test_a_failed_create_leaves_an_intent_unless_nothing_can_have_come_of_it(
    code: str, status: int, before: Status, state: str
) -> None:
    applied = done(Site(fail={"Create": error(code, status)}), plan_of(MAKE), before)
    assert applied.entries[IB].state == state
    assert [failure.error.code for failure in applied.failures] == [code]
    assert applied.done == []


def test_one_failure_holds_up_no_other_action_and_a_throttle_all_that_follow() -> None:
    remove = Delete(Role.S3, (EndpointID("vpce-x"),), "test")
    other = done(Site(fail={"Create": error("InvalidSubnetID.NotFound")}), plan_of(MAKE, remove))
    assert other.done == [remove]
    throttled = done(Site(fail={"Create": error("RequestLimitExceeded", 503)}), plan_of(MAKE, remove))
    assert throttled.done == []


def test_a_modification_that_is_refused_as_a_whole_is_tried_field_by_field() -> None:
    site = Site(refuse={"private_dns": error("InvalidParameter")})
    action = Modify(IB, CHANGE, (Field.POLICY, Field.PRIVATE_DNS, Field.SUBNETS))
    applied = done(site, plan_of(action))
    assert [failure.fields for failure in applied.failures] == [(Field.PRIVATE_DNS,)]
    assert site.sent[0] == CHANGE
    assert site.sent[1:] == [
        ModifyEndpoint(IB_ID, policy="{}"),
        ModifyEndpoint(IB_ID, private_dns=True),
        ModifyEndpoint(IB_ID, add_subnet_ids=frozenset({A1})),
    ]


def test_a_modification_that_is_throttled_is_not_tried_field_by_field() -> None:
    site = Site(refuse={"private_dns": error("RequestLimitExceeded", 503)})
    applied = done(site, plan_of(Modify(IB, CHANGE, (Field.POLICY, Field.PRIVATE_DNS))))
    assert site.sent == [CHANGE]
    assert applied.failures[0].fields == (Field.POLICY, Field.PRIVATE_DNS)


PARTS: Mapping[Field, ModifyEndpoint] = {
    Field.POLICY: ModifyEndpoint(IB_ID, policy="{}"),
    Field.PRIVATE_DNS: ModifyEndpoint(IB_ID, private_dns=True),
    Field.IP_ADDRESS_TYPE: ModifyEndpoint(IB_ID, ip_address_type="ipv4"),
    Field.SUBNETS: ModifyEndpoint(IB_ID, add_subnet_ids=frozenset({A1})),
    Field.SECURITY_GROUPS: ModifyEndpoint(IB_ID, remove_security_group_ids=frozenset({GROUP})),
    Field.ROUTE_TABLES: ModifyEndpoint(IB_ID, add_route_table_ids=frozenset({TABLE})),
    Field.TAGS: ModifyEndpoint(IB_ID),
}


@pytest.mark.parametrize("name", PARTS)
def test_the_part_of_a_modification_is_of_one_field(name: Field) -> None:
    assert only(CHANGE, name) == PARTS[name]


def test_the_parts_make_the_whole() -> None:
    together: dict[str, Any] = {}
    for part in PARTS.values():
        together |= {key: value for key, value in vars(part).items() if value}
    assert ModifyEndpoint(**together) == CHANGE


def test_a_deletion_that_finds_nothing_is_done_and_remembered_as_accepted_only_where_it_was() -> None:
    past, site = Recollection(), Site()
    site.hold(made(WANT))
    applied = done(site, plan_of(Delete(IB, (IB_ID, EndpointID("vpce-x")), "test")), past=past)
    assert applied.failures == []
    assert past.delete_accepted == {IB_ID: NOW}
    assert done(site, plan_of(Delete(IB, (IB_ID,), "test")), past=past).failures == []
    assert len(site.writes()) == 1, "what AWS took a moment ago is not asked for again"


def test_a_replayed_create_that_names_a_deleted_endpoint_awaits_nothing() -> None:
    site = Site()
    applied = done(site, plan_of(MAKE), status_of(EndpointStatus(role=IB, state="creating", attempt=1)))
    made_id = applied.entries[IB].id
    assert applied.entries[IB].state == "creating"
    assert made_id is not None
    site.endpoints[EndpointID(made_id)] = replace(site.endpoints[EndpointID(made_id)], state=EndpointState.DELETED)
    again = done(site, plan_of(MAKE), status_of(EndpointStatus(role=IB, state="creating", attempt=1)))
    assert (again.entries[IB].id, again.entries[IB].state) == (made_id, "absent")


def test_tags_are_put_before_others_are_taken_off() -> None:
    site = Site()
    site.hold(made(WANT, tags={**WANT.tags, "old": "x"}))
    plan = planned(desired(tags={"team": "a"}, s3=None), seen(holdings(*site.endpoints.values())), with_old())
    assert [type(action) for action in plan.actions] == [Retag]
    done(site, plan, with_old())
    assert site.writes() == [f"PutTags {IB_ID}", f"RemoveTags {IB_ID}"]
    want: DesiredEndpoint = wanted(tags={"team": "a"})
    assert site.endpoints[IB_ID].tags == want.tags


def with_old() -> Status:
    return status_of(entry(WANT, tag_keys=("old",)))
