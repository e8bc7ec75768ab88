"""The typed client of the control API: what a test arranges, asks and waits for."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import TypeAdapter

from sandbox.aws.accounts import DEFAULT_ACCOUNT
from sandbox.aws.call_log import CallFilter, CallRecord
from sandbox.aws.faults import Fault
from sandbox.aws.messages import (
    ClockState,
    EndpointEdit,
    EndpointTruth,
    FaultState,
    NetworksOrder,
    ServiceChange,
)
from sandbox.aws.network import Network
from sandbox.aws.roles import Role
from sandbox.aws.settings import LastError, Settings

_CALLS = TypeAdapter(tuple[CallRecord, ...])
_FAULTS = TypeAdapter(tuple[FaultState, ...])
_ENDPOINTS = TypeAdapter(tuple[EndpointTruth, ...])
_NETWORKS = TypeAdapter(tuple[Network, ...])


class ControlError(Exception):
    """The control API refused, or could not be reached."""


class Control:
    """One server's control API. Every method raises `ControlError`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def is_ready(self) -> bool:
        """Whether the server answers."""
        return bool(self._send("GET", "ready")["ready"])

    def reset(self) -> None:
        """Back to the beginning: no endpoints, no networks, no faults, no log, the settings of the start."""
        self._send("POST", "reset")

    def settings(self) -> Settings:
        """The settings in force."""
        return Settings.model_validate(self._send("GET", "settings"))

    def set(self, **changes: object) -> Settings:
        """Change settings by name (see `Settings`); returns all of them."""
        return Settings.model_validate(self._send("PATCH", "settings", changes))

    def clock(self) -> ClockState:
        """The double's clock."""
        return ClockState.model_validate(self._send("GET", "clock"))

    def hold_clock(self) -> None:
        """Let no endpoint change its state by itself."""
        self._send("POST", "clock", {"held": True})

    def resume_clock(self) -> None:
        """Let time go on from where it was held."""
        self._send("POST", "clock", {"held": False})

    def advance_clock(self, seconds: float) -> None:
        """Let so many seconds have passed."""
        self._send("POST", "clock", {"advance_seconds": seconds})

    def fault(self, fault: Fault) -> FaultState:
        """Arrange a fault; its `id` is for `release` and `remove_fault`."""
        return FaultState.model_validate(self._send("POST", "faults", fault.model_dump(mode="json")))

    def fail(self, action: str, code: str, message: str = "", *, status: int = 400, **more: Any) -> FaultState:
        """Let calls of an action fail with an EC2 error; `skip`, `times`, `parameters` as in `Fault`."""
        return self.fault(
            Fault(action=action, effect="error", code=code, message=message or code, status=status, **more)
        )

    def lose_answer(self, action: str, **more: Any) -> FaultState:
        """Close the connection after calls of an action had their effect."""
        return self.fault(Fault(action=action, effect="close", phase="after", **more))

    def hold_answer(self, action: str, **more: Any) -> FaultState:
        """Keep back the answers to calls of an action, after their effect, until `release`."""
        return self.fault(Fault(action=action, effect="hold", phase="after", **more))

    def delay(self, action: str, seconds: float, **more: Any) -> FaultState:
        """Let calls of an action take longer."""
        return self.fault(Fault(action=action, effect="delay", seconds=seconds, **more))

    def faults(self) -> tuple[FaultState, ...]:
        """Every arranged fault with its counters."""
        return _FAULTS.validate_python(self._send("GET", "faults"))

    def release(self, fault_id: int) -> None:
        """Let go of the calls that a fault holds; it holds no more."""
        self._send("POST", f"faults/{fault_id}/release")

    def remove_fault(self, fault_id: int) -> None:
        """End one fault, and let go of what it holds."""
        self._send("DELETE", f"faults/{fault_id}")

    def clear_faults(self) -> None:
        """End every fault and every denial."""
        self._send("DELETE", "faults")

    def deny(self, actions: Iterable[str]) -> None:
        """Actions (wildcards) that IAM denies from now on; an empty list allows everything again."""
        self._send("PUT", "denied", {"actions": list(actions)})

    def calls(self, **wanted: Any) -> tuple[CallRecord, ...]:
        """The calls that came, in order; the fields of `CallFilter` choose."""
        return _CALLS.validate_python(self._send("GET", _calls_path(wanted))["calls"])

    def wait_for_calls(self, count: int = 1, *, seconds: float = 30.0, **wanted: Any) -> tuple[CallRecord, ...]:
        """As `calls`, once there are so many; raises `ControlError` when there are not within the time."""
        path = _calls_path(wanted, at_least=count, wait_seconds=seconds)
        found = _CALLS.validate_python(self._send("GET", path, seconds=seconds + 10)["calls"])
        if len(found) < count:
            raise ControlError(f"{len(found)} calls of {wanted} within {seconds} s, not {count}")
        return found

    def counts(self, **wanted: Any) -> dict[str, int]:
        """How many calls of each action came; the same choices as `calls`."""
        counted: dict[str, int] = self._send("GET", f"calls/counts?{_query(wanted)}")
        return counted

    def cursor(self) -> int:
        """The last call's sequence number: `since` for what comes after now."""
        last: int = self._send("GET", _calls_path({"since": 2**62}))["last"]
        return last

    def endpoints(self) -> tuple[EndpointTruth, ...]:
        """Every endpoint of every account and region as it is, deleted ones too while they are listed."""
        return _ENDPOINTS.validate_python(self._send("GET", "endpoints"))

    def edit_endpoint(self, endpoint_id: str, edit: EndpointEdit) -> EndpointTruth:
        """Set fields of an endpoint without any check."""
        body = edit.model_dump(mode="json", exclude_unset=True)
        return EndpointTruth.model_validate(self._send("PATCH", f"endpoints/{endpoint_id}", body))

    def set_state(self, endpoint_id: str, state: str, error: LastError | None = None) -> EndpointTruth:
        """Put an endpoint into a state, where it stays."""
        edit = EndpointEdit(state=state) if error is None else EndpointEdit(state=state, last_error=error)
        return self.edit_endpoint(endpoint_id, edit)

    def vanish(self, endpoint_id: str) -> None:
        """Let an endpoint be gone at once, as if it had never been."""
        self._send("DELETE", f"endpoints/{endpoint_id}")

    def set_account(self, access_key: str, account: str) -> None:
        """Let an access key belong to an account from now on."""
        self._send("PUT", f"accounts/{quote(access_key, safe='')}", {"account": account})

    def put_role(self, arn: str, trusted_account: str, external_id: str | None = None, **more: Any) -> None:
        """Let callers of an account, with this external id, act as a role; sessions that were given out go on."""
        role = Role(arn=arn, trusted_account=trusted_account, external_id=external_id, **more)
        self._send("PUT", "roles", role.model_dump())

    def remove_role(self, arn: str) -> None:
        """Delete a role: nobody may act as it any more, but for the sessions that were given out."""
        self._send("DELETE", f"roles/{quote(arn, safe='')}")

    def set_vpc_owner(self, vpc_id: str, account: str | None) -> None:
        """Let a VPC belong to another account, as one that is shared through RAM does; None gives it back."""
        self._send("PUT", f"vpcs/{vpc_id}/owner", {"account": account})

    def limit_zones(self, region: str, service_name: str, zones: Iterable[str] | None) -> None:
        """Let a service support these zones alone; None: all."""
        chosen = None if zones is None else frozenset(zones)
        change = ServiceChange(region=region, name=service_name, zones=chosen)
        self._send("PATCH", "services", change.model_dump(mode="json"))

    def remove_service(self, region: str, service_name: str) -> None:
        """Take a service out of a region."""
        change = ServiceChange(region=region, name=service_name, removed=True)
        self._send("PATCH", "services", change.model_dump(mode="json"))

    def make_networks(
        self, count: int, *, region: str, account: str = DEFAULT_ACCOUNT, subnets: int = 2
    ) -> tuple[Network, ...]:
        """Make many VPCs at once (see `network`), without a call each and without a line in the log."""
        order = NetworksOrder(account=account, region=region, count=count, subnets=subnets)
        return _NETWORKS.validate_python(self._send("POST", "networks", order.model_dump(), seconds=300))

    def _send(self, method: str, path: str, body: Mapping[str, object] | None = None, *, seconds: float = 30) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the URL is that of our own server on loopback
            f"{self._url}/_control/{path}", data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=seconds) as response:  # noqa: S310 - as above
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise ControlError(f"{method} {path}: {error.code} {error.read().decode()}") from None
        except OSError as error:
            raise ControlError(f"{method} {path}: {error}") from error


def _calls_path(wanted: Mapping[str, Any], **more: object) -> str:
    return f"calls?{_query(wanted, **more)}"


def _query(wanted: Mapping[str, Any], **more: object) -> str:
    chosen = CallFilter.model_validate(wanted).model_dump(exclude_unset=True)
    return urlencode({key: value for key, value in (chosen | more).items() if value is not None})
