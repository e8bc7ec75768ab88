"""Making an endpoint just once: the look before it, its ClientToken, and what a failed Create leaves of its intent."""

from ibpe.api.names import Role
from ibpe.aws.errors import AwsError, ErrorClass
from ibpe.aws.gateway import CreateEndpoint, Endpoint, EndpointType
from ibpe.policy.document import PolicyDocument, render
from ibpe.reconcile.actions import Create, Resolve
from ibpe.reconcile.hands import Hands
from ibpe.reconcile.plan import Applied
from ibpe.reconcile.wanted import ENDPOINT_TYPES

ALREADY_MADE = "IdempotentParameterMismatch"
ACCESS_REASONS = frozenset(
    {"AccessDenied", "AccountNotReady", "ClockSkew", "CredentialsExpired", "CredentialsInvalid", "IdentityTokenInvalid"}
    | {"NoCredentials"}
)


def create(hands: Hands, action: Create, applied: Applied, *, fresh: bool) -> None:
    """Make an endpoint, unless it is there already; `fresh`: its intent is. Raises AwsError."""
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


def resolve(hands: Hands, action: Resolve, applied: Applied) -> None:
    """Send the Create of an intent again, to have its id. Raises AwsError."""
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
