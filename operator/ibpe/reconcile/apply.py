"""Doing: the plan's writes to AWS, intents first, each failure kept apart. Decides nothing."""

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus, Ownership, Status
from ibpe.aws.audit import audit_context
from ibpe.aws.errors import AwsError, ErrorClass, classify
from ibpe.aws.gateway import CreateEndpoint, Endpoint, EndpointID, EndpointType, Gateway, ModifyEndpoint, VpcID
from ibpe.policy.contribution import contribute, withdraw
from ibpe.policy.document import PolicyDocument, render
from ibpe.reconcile.actions import Action, Contribute, Create, Delete, Failure, Modify, Resolve, Retag, Withdraw
from ibpe.reconcile.contributing import EndpointLocks, edit_policy
from ibpe.reconcile.fields import Field
from ibpe.reconcile.memory import DELETE_REST, Recollection
from ibpe.reconcile.plan import Plan
from ibpe.reconcile.wanted import ENDPOINT_TYPES, Owner

log = logging.getLogger(__name__)

LONG_AGO = datetime.min.replace(tzinfo=UTC)
ALREADY_MADE = "IdempotentParameterMismatch"
ACCESS_REASONS = frozenset(
    {"AccessDenied", "AccountNotReady", "ClockSkew", "CredentialsExpired", "CredentialsInvalid", "IdentityTokenInvalid"}
    | {"NoCredentials"}
)
NOT_FOUND = frozenset({"InvalidVpcEndpoint.NotFound", "InvalidVpcEndpointId.NotFound"})


@dataclass
class Applied:
    """What became of a plan."""

    entries: dict[Role, EndpointStatus]
    done: list[Action] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    made: dict[Role, Endpoint] = field(default_factory=dict)


@dataclass(frozen=True)
class Hands:
    """All that doing needs, for one resource in one round."""

    gateway: Gateway
    owner: Owner
    uid: str
    generation: int
    vpc_id: VpcID
    services: Mapping[Role, tuple[str, ...]]
    past: Recollection
    locks: EndpointLocks
    now: datetime
    holds: Callable[[Endpoint], Role | None]
    """The role in which an endpoint found by our tags is ours."""
    digests: Mapping[Role, tuple[str, str]] = field(default_factory=dict)
    """Digest of each endpoint's configuration before and after, for the audit log."""

    def audit(self, role: Role) -> AbstractContextManager[None]:
        """Who asks, for the audit log."""
        before, after = self.digests.get(role, ("", ""))
        return audit_context(
            key=str(self.owner.key),
            uid=self.uid,
            generation=self.generation,
            role=role.value,
            digest_before=before,
            digest_after=after,
        )


def intents(status: Status, plan: Plan) -> Status:
    """The status that must be stored before the plan's writes: who is about to be made, and with which tags."""
    entries = {entry.role: entry for entry in status.endpoints}
    for action in plan.actions:
        entry = entries.get(action.role, EndpointStatus(role=action.role))
        if isinstance(action, Create):
            entry = intend(entry, action)
        elif isinstance(action, Contribute):
            ids = dict.fromkeys((*entry.contributed_ids, action.id))
            entry = entry.model_copy(update={"contributed_ids": tuple(ids)})
        elif isinstance(action, Retag):
            keys = sorted({*entry.tag_keys, *action.change.put})
            entry = entry.model_copy(update={"tag_keys": tuple(k for k in keys if not k.startswith("ibpe.dev/"))})
        entries[action.role] = entry
    return status.model_copy(update={"endpoints": in_order(entries)})


def intend(entry: EndpointStatus, action: Create) -> EndpointStatus:
    """The intent to make an endpoint: its predecessor is remembered until AWS shows it gone."""
    previous = entry.made_ids
    return entry.model_copy(
        update={
            "id": None,
            "ownership": Ownership.MANAGED,
            "applied": entry.applied if entry.ownership is Ownership.MANAGED else {},
            "state": "creating",
            "attempt": action.attempt,
            "service_name": action.service_name,
            "previous_ids": previous[-16:],
            "tag_keys": tuple(sorted({*entry.tag_keys, *action.endpoint.user_tag_keys})),
        }
    )


def in_order(entries: Mapping[Role, EndpointStatus]) -> tuple[EndpointStatus, ...]:
    """Entries in the order of roles, so that a status never changes by order alone."""
    return tuple(entries[role] for role in Role if role in entries)


def apply(hands: Hands, plan: Plan, before: Status, stored: Status) -> Applied:
    """Carry out a plan whose intents are stored. `before` is the status without them: which intents are new."""
    applied = Applied({entry.role: entry for entry in stored.endpoints})
    for action in plan.actions:
        with hands.audit(action.role):
            try:
                _carry_out(hands, action, applied, fresh=not before.endpoint(action.role).intent_open)
            except AwsError as error:
                fields = _fields(action)
                applied.failures.append(Failure(action.role, error, fields))
                if error.error_class is ErrorClass.RETRY and error.reason == "Throttled":
                    break
            else:
                applied.done.append(action)
    return applied


def _fields(action: Action) -> tuple[Field, ...]:
    """What a failure of it is about, where that is less than the whole endpoint."""
    match action:
        case Modify(fields=fields):
            return fields
        case Contribute() | Withdraw():
            return (Field.POLICY,)
        case _:
            return ()


def refused_before(plan: Plan, status: Status, error: AwsError) -> Applied:
    """What became of a plan that an error kept from being begun: every role in it has that failure."""
    failures = [Failure(role, error) for role in dict.fromkeys(action.role for action in plan.actions)]
    return Applied({entry.role: entry for entry in status.endpoints}, failures=failures)


def _carry_out(hands: Hands, action: Action, applied: Applied, *, fresh: bool) -> None:
    match action:
        case Create():
            _create(hands, action, applied, fresh=fresh)
        case Resolve():
            _resolve(hands, action, applied)
        case Modify():
            _modify(hands, action, applied)
        case Retag(id=id_, change=change):
            if change.put:
                hands.gateway.put_tags([id_], change.put)
            if change.remove:
                hands.gateway.remove_tags([id_], change.remove)
                _note_removed(applied, action.role, change.remove)
        case Contribute():
            _contribute(hands, action)
        case Withdraw():
            _withdraw(hands, action)
        case Delete(ids=ids):
            delete(hands.gateway, ids, hands.past, hands.now)


def _contribute(hands: Hands, action: Contribute) -> None:
    hands.past.seen_contributed.discard(action.id)
    edit_policy(hands.gateway, hands.locks, action.id, lambda text: contribute(text, action.statements, action.mark))


def _withdraw(hands: Hands, action: Withdraw) -> None:
    if edit_policy(hands.gateway, hands.locks, action.id, lambda text: withdraw(text, action.mark)):
        hands.past.withdrawn_at[action.id] = hands.now


def _note_removed(applied: Applied, role: Role, keys: tuple[str, ...]) -> None:
    """Only now may they be forgotten."""
    entry = applied.entries[role]
    left = tuple(key for key in entry.tag_keys if key not in keys)
    applied.entries[role] = entry.model_copy(update={"tag_keys": left})


def _create(hands: Hands, action: Create, applied: Applied, *, fresh: bool) -> None:
    endpoint = _already_there(hands, action.role)
    if endpoint is None:
        try:
            endpoint = hands.gateway.create_endpoint(_create_request(hands, action))
        except AwsError as error:
            _note_failed_create(hands, action.role, error, applied, fresh=fresh)
            raise
        applied.made[action.role] = endpoint
        hands.past.made_at[action.role] = (action.attempt, hands.now)
    hands.past.unseen_since.pop(action.role.value, None)
    _note_id(applied, action.role, endpoint)


def _already_there(hands: Hands, role: Role) -> Endpoint | None:
    """An endpoint with our tags that the shared snapshot didn't show: the last look before a Create."""
    found = hands.gateway.owned_endpoints(hands.owner.tags(role))
    return next((e for e in found if not e.state.is_gone and hands.holds(e) is role), None)


def _note_failed_create(hands: Hands, role: Role, error: AwsError, applied: Applied, *, fresh: bool) -> None:
    """What a failed Create leaves of its intent.

    A refusal of the very first try proves that nothing was made; of a later one it doesn't. A mismatch of parameters
    proves that the endpoint exists: it is awaited, and given up only beyond the lag bound.
    """
    if error.code == ALREADY_MADE:
        hands.past.unseen_for(role.value, hands.now)
    elif fresh and error.outcome_known and error.error_class is not ErrorClass.RETRY:
        applied.entries[role] = applied.entries[role].model_copy(update={"state": "absent"})


def _note_id(applied: Applied, role: Role, endpoint: Endpoint) -> None:
    """Record what a Create answered; an id that is gone already (a replayed token) is not awaited."""
    state = "absent" if endpoint.state.is_gone else "creating"
    applied.entries[role] = applied.entries[role].model_copy(
        update={"id": endpoint.id, "state": state, "service_name": endpoint.service_name}
    )


def _create_request(hands: Hands, action: Create) -> CreateEndpoint:
    desired = action.endpoint
    interface = desired.type is EndpointType.INTERFACE
    return CreateEndpoint(
        client_token=hands.owner.client_token(hands.uid, action.role, action.attempt),
        vpc_id=desired.vpc_id,
        service_name=action.service_name,
        type=desired.type,
        policy=render(desired.policy) if isinstance(desired.policy, PolicyDocument) else None,
        tags=desired.tags,
        subnet_ids=desired.subnet_ids,
        security_group_ids=desired.security_group_ids,
        route_table_ids=desired.route_table_ids,
        private_dns=desired.private_dns,
        ip_address_type=desired.ip_address_type if interface else None,
    )


def _resolve(hands: Hands, action: Resolve, applied: Applied) -> None:
    endpoint = _already_there(hands, action.role)
    if endpoint is None:
        request = CreateEndpoint(
            client_token=hands.owner.client_token(hands.uid, action.role, action.attempt),
            vpc_id=hands.vpc_id,
            service_name=applied.entries[action.role].service_name or hands.services[action.role][0],
            type=ENDPOINT_TYPES[action.role],
            policy=None,
            tags=hands.owner.tags(action.role),
        )
        try:
            endpoint = hands.gateway.create_endpoint(request)
        except AwsError as error:
            if tells_nothing_new(error):
                hands.past.unseen_for(action.role.value, hands.now)
            raise
    _note_id(applied, action.role, endpoint)


def tells_nothing_new(error: AwsError) -> bool:
    """Whether a Create that was sent again to resolve an intent is answered for good, and the intent only awaited.

    A mismatch proves that the endpoint exists; a quota or a parameter refused now proves nothing about the first try.
    Access withdrawn is different: with it, AWS can't be looked at either.
    """
    refused = error.outcome_known and error.error_class is not ErrorClass.RETRY
    return error.code == ALREADY_MADE or (refused and error.reason not in ACCESS_REASONS)


def _modify(hands: Hands, action: Modify, applied: Applied) -> None:
    """One call for all fields; where AWS refuses it, one for each, so that one bad field holds up no other."""
    try:
        hands.gateway.modify_endpoint(action.change)
    except AwsError as error:
        if error.error_class is ErrorClass.RETRY or len(action.fields) == 1:
            raise
        log.info("%s was refused as a whole (%s); trying its fields one by one", action.change.id, error.code)
        for name in action.fields:
            part = only(action.change, name)
            if part == ModifyEndpoint(action.change.id):
                continue
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


def delete(gateway: Gateway, ids: Iterable[EndpointID], past: Recollection, now: datetime) -> None:
    """DeleteVpcEndpoints, its `Unsuccessful` items taken at their word: HTTP 200 is no deletion. Raises the first.

    What AWS took a moment ago is not asked for again: it may be slow to show it, and the API's bucket is small.
    """
    due = [id_ for id_ in ids if now - past.delete_accepted.get(id_, LONG_AGO) >= DELETE_REST]
    if not due:
        return
    failures = gateway.delete_endpoints(due)
    refused: AwsError | None = None
    for id_, failure in failures.items():
        if failure.code not in NOT_FOUND and id_ not in past.delete_accepted:
            refused = refused or classify("DeleteVpcEndpoints", failure.code, f"{id_}: {failure.message}", 200)
    past.delete_accepted.update(dict.fromkeys((id_ for id_ in due if id_ not in failures), now))
    if refused is not None:
        raise refused
