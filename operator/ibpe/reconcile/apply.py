"""Doing: the plan's writes to AWS, intents first, each failure kept apart. Decides nothing."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from ibpe.api.names import Role
from ibpe.api.status import Status
from ibpe.aws.errors import AwsError, ErrorClass, classify
from ibpe.aws.gateway import EndpointID, Gateway, ModifyEndpoint
from ibpe.aws.limits import MODIFY
from ibpe.policy.contribution import contribute, withdraw
from ibpe.reconcile.actions import Action, Contribute, Create, Delete, Failure, Modify, Resolve, Retag, Withdraw
from ibpe.reconcile.contributing import edit_policy
from ibpe.reconcile.contributions import begin_waiting
from ibpe.reconcile.creating import create, resolve
from ibpe.reconcile.fields import Field
from ibpe.reconcile.hands import Hands
from ibpe.reconcile.memory import DELETE_REST, Recollection
from ibpe.reconcile.plan import Applied, Plan

log = logging.getLogger(__name__)

LONG_AGO = datetime.min.replace(tzinfo=UTC)
NOT_FOUND = frozenset({"InvalidVpcEndpoint.NotFound", "InvalidVpcEndpointId.NotFound"})


def apply(hands: Hands, plan: Plan, before: Status, stored: Status) -> Applied:
    """Carry out a plan whose intents are stored. `before` is the status without them: which intents are new."""
    applied = Applied({entry.role: entry for entry in stored.endpoints})
    for action in plan.actions:
        with hands.audit(action.role):
            try:
                did = _carry_out(hands, action, applied, fresh=not before.endpoint(action.role).intent_open)
            except AwsError as error:
                applied.failures.append(_failure(action, error))
                if error.error_class is ErrorClass.RETRY and error.reason == "Throttled":
                    break
            else:
                applied.done.extend((action,) if did else ())
    return applied


def _failure(action: Action, error: AwsError) -> Failure:
    """The failure, and what it is about, where that is not the whole of the role's own endpoint."""
    match action:
        case Modify(fields=fields):
            return Failure(action.role, error, fields)
        case Contribute(id=id_) | Withdraw(id=id_):
            return Failure(action.role, error, (Field.POLICY,), id_)
        case _:
            return Failure(action.role, error)


def refused_before(plan: Plan, status: Status, error: AwsError) -> Applied:
    """What became of a plan that an error kept from being begun: every role in it has that failure."""
    failures = [Failure(role, error) for role in dict.fromkeys(action.role for action in plan.actions)]
    return Applied({entry.role: entry for entry in status.endpoints}, failures=failures)


def _carry_out(hands: Hands, action: Action, applied: Applied, *, fresh: bool) -> bool:
    """Whether there was anything to do, as AWS is now; raises AwsError."""
    match action:
        case Create():
            create(hands, action, applied, fresh=fresh)
        case Resolve():
            resolve(hands, action, applied)
        case Modify():
            _modify(hands, action, applied)
        case Retag(id=id_, change=change):
            if change.put:
                hands.gateway.put_tags([id_], change.put)
            if change.remove:
                hands.gateway.remove_tags([id_], change.remove)
                _note_removed(applied, action.role, change.remove)
        case Contribute():
            return _contribute(hands, action)
        case Withdraw():
            return _withdraw(hands, action)
        case Delete(ids=ids):
            delete(hands.gateway, ids, hands.past, hands.now)
    return True


def _contribute(hands: Hands, action: Contribute) -> bool:
    begin_waiting(hands.past, action.id)
    return edit_policy(
        hands.gateway, hands.locks, action.id, lambda text: contribute(text, action.statements, action.mark)
    )


def _withdraw(hands: Hands, action: Withdraw) -> bool:
    written = edit_policy(hands.gateway, hands.locks, action.id, lambda text: withdraw(text, action.mark))
    if written:
        hands.past.withdrawn_at[action.id] = hands.now
    return written


def _note_removed(applied: Applied, role: Role, keys: tuple[str, ...]) -> None:
    """Only now may they be forgotten."""
    entry = applied.entries[role]
    left = tuple(key for key in entry.tag_keys if key not in keys)
    applied.entries[role] = entry.model_copy(update={"tag_keys": left})


def _modify(hands: Hands, action: Modify, applied: Applied) -> None:
    """One call for all fields; where AWS refuses it, one for each, so that one bad field holds up no other."""
    change, refusal = hands.past.apart.get(action.role, (None, None))
    if refusal is not None and change == action.change:
        _modify_apart(hands, action, applied, refusal, turns=1)
        return
    try:
        hands.gateway.modify_endpoint(action.change)
    except AwsError as error:
        if error.error_class is ErrorClass.RETRY or len(action.fields) == 1:
            raise
        log.info("%s was refused as a whole (%s); trying its fields one by one", action.change.id, error.code)
        hands.past.apart[action.role] = action.change, error
        _modify_apart(hands, action, applied, error, turns=0)
    else:
        hands.past.apart.pop(action.role, None)


def _modify_apart(hands: Hands, action: Modify, applied: Applied, refusal: AwsError, *, turns: int) -> None:
    """Each field in a call of its own, as far as there are turns beyond those at hand; who waited longest goes first.

    A field that has to wait has no answer but the refusal of the whole.
    """
    tried = hands.past.tried_at
    for name in sorted(action.fields, key=lambda name: tried.get((action.role, name), LONG_AGO)):
        part = only(action.change, name)
        if part == ModifyEndpoint(action.change.id):
            continue
        if not turns and hands.turn(MODIFY):
            applied.failures.append(Failure(action.role, refusal, (name,)))
            continue
        turns, tried[action.role, name] = 0, hands.now
        try:
            hands.gateway.modify_endpoint(part)
        except AwsError as refused:
            applied.failures.append(Failure(action.role, refused, (name,)))


def only(change: ModifyEndpoint, name: Field) -> ModifyEndpoint:
    """The part of a modification that is about one field."""
    part = ModifyEndpoint(change.id)
    match name:
        case Field.POLICY:
            return replace(part, policy=change.policy)
        case Field.PRIVATE_DNS:
            return replace(part, private_dns=change.private_dns)
        case Field.IP_ADDRESS_TYPE:
            return replace(part, ip_address_type=change.ip_address_type)
        case Field.SUBNETS:
            return replace(part, add_subnet_ids=change.add_subnet_ids, remove_subnet_ids=change.remove_subnet_ids)
        case Field.SECURITY_GROUPS:
            return replace(
                part,
                add_security_group_ids=change.add_security_group_ids,
                remove_security_group_ids=change.remove_security_group_ids,
            )
        case Field.ROUTE_TABLES:
            return replace(
                part,
                add_route_table_ids=change.add_route_table_ids,
                remove_route_table_ids=change.remove_route_table_ids,
            )
        case _:
            return part


def due_deletions(ids: Iterable[EndpointID], past: Recollection, now: datetime) -> tuple[EndpointID, ...]:
    """Of these, the ones whose deletion AWS did not take a moment ago."""
    return tuple(id_ for id_ in ids if now - past.delete_accepted.get(id_, LONG_AGO) >= DELETE_REST)


def delete(gateway: Gateway, ids: Iterable[EndpointID], past: Recollection, now: datetime) -> None:
    """DeleteVpcEndpoints, its `Unsuccessful` items taken at their word: HTTP 200 is no deletion. Raises the first.

    What AWS took a moment ago is not asked for again: it may be slow to show it, and the API's bucket is small.
    """
    asked = due_deletions(ids, past, now)
    if not asked:
        return
    failures = gateway.delete_endpoints(asked)
    refused: AwsError | None = None
    for id_, failure in failures.items():
        if failure.code not in NOT_FOUND and id_ not in past.delete_accepted:
            refused = refused or classify("DeleteVpcEndpoints", failure.code, f"{id_}: {failure.message}", 200)
    past.delete_accepted.update(dict.fromkeys((id_ for id_ in asked if id_ not in failures), now))
    if refused is not None:
        raise refused
