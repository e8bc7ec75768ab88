"""Writes that wait for their turn: nothing is begun, nothing left behind, nothing called a failure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import cast

import pytest

from ibpe.api.names import ConditionType, Role
from ibpe.api.spec import parse_spec
from ibpe.api.status import Status
from ibpe.aws.errors import AwsError, classify
from ibpe.aws.gateway import EndpointID, Gateway, ModifyEndpoint
from ibpe.aws.limits import CREATE, DELETE, MODIFY
from ibpe.reconcile.actions import Contribute, Create, Delete, Modify, Resolve, Retag, Withdraw
from ibpe.reconcile.aftermath import Round as Ended
from ibpe.reconcile.aftermath import outcome_of
from ibpe.reconcile.apply import apply
from ibpe.reconcile.compare import TagChange
from ibpe.reconcile.contributing import EndpointLocks
from ibpe.reconcile.fields import Field
from ibpe.reconcile.hands import Hands
from ibpe.reconcile.intents import intents
from ibpe.reconcile.listing import planned as in_words
from ibpe.reconcile.memory import DELETE_REST, Recollection
from ibpe.reconcile.observe import Eyes, identity_of
from ibpe.reconcile.plan import Applied, Plan, RolePlan
from ibpe.reconcile.ports import Outcome
from ibpe.reconcile.refusals import Refusal
from ibpe.reconcile.status import Round, conclude
from ibpe.reconcile.turns import rationed
from tests.unit.reconcile.account import Account
from tests.unit.reconcile.given import (
    A1,
    ACCOUNT,
    IB_ID,
    IMAGE_BUILDER,
    NOW,
    OWNER,
    REGION,
    S3_ID,
    TABLE,
    VPC,
    desired,
    planned,
    resource,
    seen,
    spec,
    wanted,
)

IB, S3 = Role.IMAGE_BUILDER, Role.S3
MAKE = Create(IB, 1, wanted(), IMAGE_BUILDER)
CHANGE = ModifyEndpoint(
    IB_ID, policy="{}", private_dns=True, add_subnet_ids=frozenset({A1}), add_route_table_ids=frozenset({TABLE})
)
EDIT = Modify(IB, CHANGE, (Field.POLICY, Field.PRIVATE_DNS, Field.SUBNETS, Field.ROUTE_TABLES))
REMOVE = Delete(IB, (IB_ID,), "test")
TAG = Retag(IB, IB_ID, TagChange({"a": "b"}, ()))


@dataclass
class Tokens:
    """So many turns of each operation, and 7 s until the next; `asked` is every question."""

    left: Mapping[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, operation: str) -> float:
        self.asked.append(operation)
        return 0.0 if self.asked.count(operation) <= self.left.get(operation, 0) else 7.0


def ration(plan: Plan, past: Recollection | None = None, **left: int) -> tuple[Plan, list[str]]:
    names = {"create": CREATE, "modify": MODIFY, "delete": DELETE}
    tokens = Tokens({names[name]: count for name, count in left.items()})
    return rationed(plan, tokens, past or Recollection(), NOW), tokens.asked


def of(*actions: Create | Resolve | Modify | Retag | Delete | Contribute | Withdraw) -> Plan:
    return Plan((RolePlan(IB, actions=actions),))


def test_a_plan_whose_first_write_has_to_wait_does_nothing_at_all() -> None:
    plan, asked = ration(planned(desired(), seen()))
    assert plan.actions == ()
    assert plan.turn_in == 7.0
    assert asked == [CREATE], "what comes after it takes no token"
    assert intents(Status(), plan) == Status(), "no intent without a Create"
    for role in plan.roles:
        assert role.wait is not None
        assert (role.wait.reason, role.wait.seconds) == ("AwaitingTurn", 7.0)


def test_what_found_its_turn_is_done_and_the_rest_is_held() -> None:
    whole = planned(desired(), seen())
    plan, _ = ration(whole, create=1)
    assert [action.role for action in plan.actions] == [IB]
    assert [entry.role for entry in intents(Status(), plan).endpoints] == [IB]
    assert plan.roles[0] == whole.roles[0], "a role that is done in whole is as planned"
    assert plan.roles[1].held == whole.roles[1].actions
    assert list(in_words(plan)) == list(in_words(whole)), "status.plan still tells of all"


def test_a_plan_that_may_go_on_is_the_same() -> None:
    whole = planned(desired(), seen())
    assert ration(whole, create=2)[0] == whole
    assert ration(Plan(())) == (Plan(()), [])


@pytest.mark.parametrize(
    ("action", "operation"),
    [
        (MAKE, CREATE),
        (Resolve(IB, 1), CREATE),
        (EDIT, MODIFY),
        (Contribute(S3, S3_ID, (), "mark"), MODIFY),
        (Withdraw(S3, S3_ID, "mark", "test"), MODIFY),
        (REMOVE, DELETE),
        (TAG, None),
    ],
    ids=lambda each: type(each).__name__ if not isinstance(each, str) else each,
)
def test_each_action_needs_the_turn_of_its_own_call(
    action: Create | Resolve | Modify | Retag | Delete | Contribute | Withdraw, operation: str | None
) -> None:
    plan, asked = ration(of(action))
    assert asked == ([operation] if operation else [])
    assert (plan.turn_in is None) == (operation is None)


def test_a_deletion_that_aws_took_a_moment_ago_takes_no_turn() -> None:
    past = Recollection(delete_accepted={IB_ID: NOW})
    assert ration(of(REMOVE), past) == (of(REMOVE), [])
    past.delete_accepted[IB_ID] = NOW - DELETE_REST
    assert ration(of(REMOVE), past)[1] == [DELETE]


def test_waiting_is_told_as_reconciling_in_the_same_words_however_long_it_takes() -> None:
    told: list[Status] = []
    want, look, before = desired(), seen(), Status()
    for seconds in (3.0, 700.0):
        plan = rationed(planned(want, look), lambda _, seconds=seconds: seconds, Recollection(), NOW)  # type: ignore[misc]  # mypy can't infer a default in a lambda
        end = Round(generation=1, now=NOW + timedelta(seconds=seconds), account=ACCOUNT, desired=want, plan=plan)
        before = conclude(before, (), end)
        told.append(before)
    assert told[0] == told[1], "a second wait writes nothing"
    conditions = {condition.type: condition for condition in before.conditions}
    busy, stalled = conditions[ConditionType.RECONCILING], conditions[ConditionType.STALLED]
    assert (busy.status, busy.reason) == ("True", "AwaitingTurn")
    assert stalled.status == "False"
    assert not any(character.isdigit() for character in busy.message)


def test_the_key_is_wanted_again_just_when_its_turn_comes_whatever_else_is_refused() -> None:
    refusal_of_another = Refusal("SubnetNotFound", "There is none.", S3)
    plan, _ = ration(of(MAKE))
    work = Ended(
        eyes=cast("Eyes", None),
        resource=resource(),
        spec=parse_spec(spec()),
        desired=desired(),
        seen=seen(),
        refusals=(refusal_of_another,),
        plan=plan,
        past=Recollection(),
        now=NOW,
    )
    assert outcome_of(work, Applied({})) == Outcome(requeue_after=7.0, result="waiting")


# Field by field


@dataclass
class Site(Account):
    """An account that refuses to change private DNS."""

    sent: list[ModifyEndpoint] = field(default_factory=list)
    cured: bool = False

    def modify_endpoint(self, request: ModifyEndpoint) -> None:
        self.sent.append(request)
        if request.private_dns and not self.cured:
            raise refusal()


def refusal() -> AwsError:
    return classify("ModifyVpcEndpoint", "InvalidParameter", "As AWS says.", 400)


def edited(site: Site, past: Recollection, turns: int, action: Modify = EDIT, seconds: float = 0.0) -> Applied:
    identity = identity_of(OWNER, REGION, VPC)
    hands = Hands(
        gateway=cast("Gateway", site),
        owner=OWNER,
        uid="uid-1",
        generation=1,
        vpc_id=VPC,
        services=identity.services,
        past=past,
        locks=EndpointLocks(),
        now=NOW + timedelta(seconds=seconds),
        holds=lambda endpoint: identity.role_of(endpoint, {}),
        turn=Tokens({MODIFY: turns}),
    )
    return apply(hands, of(action), Status(), Status())


def fields_of(request: ModifyEndpoint) -> set[str]:
    return {name for name, value in vars(request).items() if value and name != "id"}


def test_fields_that_find_no_turn_are_not_sent_and_not_called_done() -> None:
    site, past = Site(), Recollection()
    applied = edited(site, past, turns=1)
    assert [fields_of(each) for each in site.sent] == [fields_of(CHANGE), {"policy"}]
    failed = {name for failure in applied.failures for name in failure.fields}
    assert failed == {Field.PRIVATE_DNS, Field.SUBNETS, Field.ROUTE_TABLES}
    assert {failure.error.code for failure in applied.failures} == {"InvalidParameter"}


def test_what_was_refused_as_a_whole_goes_by_field_from_then_on_and_who_waited_goes_first() -> None:
    site, past = Site(), Recollection()
    edited(site, past, turns=0)
    assert [fields_of(each) for each in site.sent] == [fields_of(CHANGE)]
    site.sent.clear()
    for number in range(1, 6):  # with one turn each, which the plan has taken
        edited(site, past, turns=0, seconds=number)
    assert [fields_of(each) for each in site.sent] == [
        {"policy"},
        {"private_dns"},
        {"add_subnet_ids"},
        {"add_route_table_ids"},
        {"policy"},
    ], "one that is refused for ever starves no other"


def test_another_change_is_tried_as_a_whole_again() -> None:
    site, past = Site(), Recollection()
    edited(site, past, turns=0)
    site.cured = True
    site.sent.clear()
    other = replace(CHANGE, policy='{"Id":"2"}')
    assert edited(site, past, turns=0, action=replace(EDIT, change=other)).failures == []
    assert site.sent == [other]
    assert past.apart == {}


def test_ids_of_several_endpoints_go_with_one_turn() -> None:
    both = Delete(IB, (IB_ID, EndpointID("vpce-0000000c")), "test")
    assert ration(of(both), delete=1)[0] == of(both)
