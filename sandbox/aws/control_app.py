"""The control API, `/_control/…`: JSON over HTTP for what a test arranges and asks. `control` is its typed client."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox.aws.app import AwsApplication
from sandbox.aws.call_log import CallFilter
from sandbox.aws.edit import edited, truth
from sandbox.aws.faults import ArrangedFault, Fault
from sandbox.aws.messages import (
    ClockChange,
    ClockState,
    EndpointEdit,
    FaultState,
    NetworksOrder,
    ServiceChange,
)
from sandbox.aws.network_bulk import make_networks
from sandbox.aws.roles import Role
from sandbox.aws.settings import Settings

Answer = BaseModel | Mapping[str, object] | list[object]

_RULES: Final = Map(
    [
        Rule("/_control/ready", methods=["GET"], endpoint="ready"),
        Rule("/_control/reset", methods=["POST"], endpoint="reset"),
        Rule("/_control/settings", methods=["GET"], endpoint="get_settings"),
        Rule("/_control/settings", methods=["PATCH"], endpoint="patch_settings"),
        Rule("/_control/clock", methods=["GET"], endpoint="get_clock"),
        Rule("/_control/clock", methods=["POST"], endpoint="change_clock"),
        Rule("/_control/faults", methods=["GET"], endpoint="list_faults"),
        Rule("/_control/faults", methods=["POST"], endpoint="add_fault"),
        Rule("/_control/faults", methods=["DELETE"], endpoint="clear_faults"),
        Rule("/_control/faults/<int:number>", methods=["DELETE"], endpoint="remove_fault"),
        Rule("/_control/faults/<int:number>/release", methods=["POST"], endpoint="release_fault"),
        Rule("/_control/denied", methods=["GET"], endpoint="get_denied"),
        Rule("/_control/denied", methods=["PUT"], endpoint="put_denied"),
        Rule("/_control/calls", methods=["GET"], endpoint="list_calls"),
        Rule("/_control/calls", methods=["DELETE"], endpoint="clear_calls"),
        Rule("/_control/calls/counts", methods=["GET"], endpoint="count_calls"),
        Rule("/_control/endpoints", methods=["GET"], endpoint="list_endpoints"),
        Rule("/_control/endpoints/<endpoint_id>", methods=["PATCH"], endpoint="edit_endpoint"),
        Rule("/_control/endpoints/<endpoint_id>", methods=["DELETE"], endpoint="vanish_endpoint"),
        Rule("/_control/accounts/<access_key>", methods=["PUT"], endpoint="put_account"),
        Rule("/_control/roles", methods=["PUT"], endpoint="put_role"),
        Rule("/_control/roles/<path:arn>", methods=["DELETE"], endpoint="remove_role"),
        Rule("/_control/vpcs/<vpc_id>/owner", methods=["PUT"], endpoint="put_vpc_owner"),
        Rule("/_control/services", methods=["PATCH"], endpoint="change_service"),
        Rule("/_control/networks", methods=["POST"], endpoint="order_networks"),
    ]
)


class ControlApplication:
    """Answers the control API of one server."""

    def __init__(self, aws: AwsApplication) -> None:
        self._aws = aws

    def answer(self, request: Request) -> Response:
        """The JSON answer; what is wrong with a request is told as `{"error": …}` with its HTTP status."""
        try:
            name, arguments = _RULES.bind_to_environ(request.environ).match()
            handler: Callable[..., Answer] = getattr(self, f"_{name}")
            return _json(handler(request, **arguments))
        except ValidationError as error:
            return _json({"error": str(error)}, 400)
        except HTTPException as error:
            return _json({"error": error.description or error.name}, error.code or 500)

    def _ready(self, _: Request) -> Answer:
        return {"ready": True}

    def _reset(self, _: Request) -> Answer:
        with self._aws.world.lock:
            self._aws.world.reset()
        self._aws.faults.clear()
        self._aws.calls.clear()
        return {}

    def _get_settings(self, _: Request) -> Answer:
        return self._aws.world.settings

    def _patch_settings(self, request: Request) -> Answer:
        with self._aws.world.lock:
            current = self._aws.world.settings.model_dump()
            self._aws.world.settings = Settings.model_validate(current | _object(request))
            return self._aws.world.settings

    def _get_clock(self, _: Request) -> Answer:
        clock = self._aws.world.clock
        return ClockState(now=clock.now(), held=clock.held)

    def _change_clock(self, request: Request) -> Answer:
        change, clock = ClockChange.model_validate(_object(request)), self._aws.world.clock
        if change.held is True:
            clock.hold()
        clock.advance(change.advance_seconds)
        if change.held is False:
            clock.resume()
        return self._get_clock(request)

    def _list_faults(self, _: Request) -> Answer:
        return [_state(arranged) for arranged in self._aws.faults.all()]

    def _add_fault(self, request: Request) -> Answer:
        return _state(self._aws.faults.add(Fault.model_validate(_object(request))))

    def _clear_faults(self, _: Request) -> Answer:
        self._aws.faults.clear()
        return {}

    def _remove_fault(self, _: Request, number: int) -> Answer:
        return _found(self._aws.faults.remove(number), f"no fault {number}")

    def _release_fault(self, _: Request, number: int) -> Answer:
        return _found(self._aws.faults.release(number), f"no fault {number}")

    def _get_denied(self, _: Request) -> Answer:
        return {"actions": list(self._aws.faults.denied())}

    def _put_denied(self, request: Request) -> Answer:
        actions = _object(request).get("actions")
        if not isinstance(actions, list) or not all(isinstance(action, str) for action in actions):
            raise BadRequest("actions: a list of names is needed")
        self._aws.faults.deny(actions)
        return self._get_denied(request)

    def _list_calls(self, request: Request) -> Answer:
        arguments = request.args.to_dict()
        at_least, wait = int(arguments.pop("at_least", 0)), float(arguments.pop("wait_seconds", 0))
        found = self._aws.calls.find(CallFilter.model_validate(arguments), at_least, min(wait, 60.0))
        return {"last": self._aws.calls.last(), "calls": list(found)}

    def _count_calls(self, request: Request) -> Answer:
        return self._aws.calls.counts(CallFilter.model_validate(request.args.to_dict()))

    def _clear_calls(self, _: Request) -> Answer:
        self._aws.calls.clear()
        return {}

    def _list_endpoints(self, _: Request) -> Answer:
        with self._aws.world.lock:
            return [truth(each) for territory in self._aws.world.territories() for each in territory.endpoints()]

    def _edit_endpoint(self, request: Request, endpoint_id: str) -> Answer:
        edit = EndpointEdit.model_validate(_object(request))
        with self._aws.world.lock:
            found = self._aws.world.find(endpoint_id)
            if found is None:
                raise NotFound(f"no endpoint {endpoint_id}")
            territory, entry = found
            territory.force(entry, edited(entry.endpoint, edit))
            return truth(entry.endpoint)

    def _vanish_endpoint(self, _: Request, endpoint_id: str) -> Answer:
        with self._aws.world.lock:
            found = self._aws.world.find(endpoint_id)
            if found is None:
                raise NotFound(f"no endpoint {endpoint_id}")
            found[0].vanish(found[1])
        return {}

    def _put_account(self, request: Request, access_key: str) -> Answer:
        account = _object(request).get("account")
        if not isinstance(account, str) or len(account) != 12 or not account.isdigit():
            raise BadRequest("account: 12 digits are needed")
        self._aws.world.accounts.put(access_key, account)
        return {}

    def _put_role(self, request: Request) -> Answer:
        role = Role.model_validate(_object(request))
        with self._aws.world.lock:
            self._aws.world.roles.put(role)
        return role

    def _remove_role(self, _: Request, arn: str) -> Answer:
        with self._aws.world.lock:
            return _found(self._aws.world.roles.remove(arn), f"no role {arn}")

    def _put_vpc_owner(self, request: Request, vpc_id: str) -> Answer:
        account = _object(request).get("account")
        if account is not None and not isinstance(account, str):
            raise BadRequest("account: 12 digits or null are needed")
        with self._aws.world.lock:
            owners = [each.topology.set_vpc_owner(vpc_id, account) for each in self._aws.world.territories()]
        return _found(any(owners), f"no VPC {vpc_id}")

    def _change_service(self, request: Request) -> Answer:
        change = ServiceChange.model_validate(_object(request))
        with self._aws.world.lock:
            if change.removed:
                self._aws.world.services.remove(change.region, change.name)
            else:
                self._aws.world.services.limit_zones(change.region, change.name, change.zones)
        return {}

    def _order_networks(self, request: Request) -> Answer:
        order = NetworksOrder.model_validate(_object(request))
        with self._aws.world.lock:
            backend = self._aws.world.moto.ec2(order.account, order.region)
            return list(make_networks(backend, order))


def _object(request: Request) -> dict[str, object]:
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    return body


def _state(arranged: ArrangedFault) -> FaultState:
    return FaultState(id=arranged.id, fault=arranged.fault, met=arranged.met, hits=arranged.hits)


def _found(there: bool, otherwise: str) -> Answer:  # noqa: FBT001 - the answer to the question that the caller asked
    if not there:
        raise NotFound(otherwise)
    return {}


def _json(answer: Answer, status: int = 200) -> Response:
    return Response(json.dumps(_plain(answer)), status, content_type="application/json")


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
