"""The endpoints of one account in one region: stored, moved by the clock, and mirrored into moto's network.

Whoever calls it holds the world's lock. Knows no requests and no XML.
"""

import heapq
from dataclasses import dataclass, replace
from typing import Protocol

from sandbox.aws.model import (
    AVAILABLE,
    DELETED,
    DELETING,
    FAILED,
    PENDING,
    VANISHED,
    Due,
    Endpoint,
    Entry,
    Lag,
)
from sandbox.aws.services import GATEWAY, INTERFACE
from sandbox.aws.settings import Settings
from sandbox.aws.topology import Topology


class Behaviour(Protocol):
    """What moves endpoints: the settings and the time."""

    settings: Settings

    def now(self) -> float:
        """The clock's seconds."""


@dataclass(frozen=True)
class Token:
    """A client token once used: the parameters that came with it, and what they made."""

    parameters: tuple[tuple[str, str], ...]
    entry: Entry


class Territory:
    """One account's VPC endpoints in one region."""

    def __init__(self, account: str, region: str, topology: Topology, behaviour: Behaviour) -> None:
        self.account = account
        self.region = region
        self.topology = topology
        self.tokens: dict[str, Token] = {}
        self._entries: dict[str, Entry] = {}
        self._behaviour = behaviour
        self._sequence = 0
        self._agenda: list[tuple[float, int, Due, Entry]] = []

    def entries(self) -> tuple[Entry, ...]:
        """Every entry, oldest first."""
        return tuple(self._entries.values())

    def entry(self, endpoint_id: str) -> Entry | None:
        """The entry of an id, whatever its state; None once it left the list."""
        return self._entries.get(endpoint_id)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint, as it really is."""
        return tuple(entry.endpoint for entry in self._entries.values())

    def settle(self) -> None:
        """Make every change of state whose time has come."""
        now = self._behaviour.now()
        while self._agenda and self._agenda[0][0] <= now:
            _, _, due, entry = heapq.heappop(self._agenda)
            if entry.due is due and self._entries.get(entry.endpoint.id) is entry:
                self._arrive(entry, due)

    def add(self, endpoint: Endpoint) -> Entry:
        """Take in a new endpoint: its interfaces and routes are made, and its time begins."""
        settings, now = self._behaviour.settings, self._behaviour.now()
        self._sequence += 1
        entry = Entry(self._sequence, endpoint)
        if settings.lag_new_calls or settings.lag_new_seconds:
            entry.new_lag = Lag(settings.lag_new_calls, now + settings.lag_new_seconds)
        self._entries[endpoint.id] = entry
        self._mirror(entry)
        self.topology.put_tags(endpoint.id, endpoint.tags)
        if endpoint.type == INTERFACE:
            self._schedule(entry, settings.pending_seconds, FAILED if settings.creations_fail_with else AVAILABLE)
        return entry

    def change(self, entry: Entry, changed: Endpoint) -> None:
        """Replace an endpoint's value; Describe may go on showing the old one for a while."""
        before, settings = entry.endpoint, self._behaviour.settings
        entry.endpoint = changed
        if settings.lag_change_calls or settings.lag_change_seconds:
            entry.before = entry.before or before
            until = self._behaviour.now() + settings.lag_change_seconds
            entry.change_lag = Lag(settings.lag_change_calls, until)
        self._mirror(entry)
        if before.tags != entry.endpoint.tags:
            self.topology.put_tags(before.id, entry.endpoint.tags)

    def return_to_pending(self, entry: Entry) -> None:
        """A change of subnets takes an interface endpoint out of `available` for a moment."""
        seconds = self._behaviour.settings.modify_pending_seconds
        if seconds > 0:
            entry.endpoint = replace(entry.endpoint, state=PENDING)
            self._schedule(entry, seconds, AVAILABLE)

    def delete(self, entry: Entry) -> None:
        """Begin to delete; an endpoint that is on its way out already stays on it."""
        if entry.endpoint.state not in {DELETING, DELETED}:
            entry.endpoint = replace(entry.endpoint, state=DELETING)
            self._schedule(entry, self._behaviour.settings.deleting_seconds, DELETED)

    def force(self, entry: Entry, edited: Endpoint) -> None:
        """Set an endpoint's fields from outside. A new state stays until it is changed; `deleted` ages as ever."""
        state_changed = edited.state != entry.endpoint.state
        if state_changed:
            entry.due = None
        entry.endpoint = edited
        self._mirror(entry)
        self.topology.put_tags(edited.id, edited.tags)
        if state_changed and edited.state == DELETED:
            self._schedule(entry, self._behaviour.settings.deleted_listed_seconds, VANISHED)

    def vanish(self, entry: Entry) -> None:
        """Remove an endpoint at once and without a trace."""
        entry.endpoint = replace(entry.endpoint, state=DELETED)
        self._mirror(entry)
        self._forget(entry)

    def _schedule(self, entry: Entry, seconds: float, state: str, since: float | None = None) -> None:
        due = Due((self._behaviour.now() if since is None else since) + seconds, state)
        entry.due = due
        self._sequence += 1
        heapq.heappush(self._agenda, (due.at, self._sequence, due, entry))

    def _arrive(self, entry: Entry, due: Due) -> None:
        entry.due = None
        if due.state == VANISHED:
            self._forget(entry)
            return
        entry.endpoint = replace(entry.endpoint, state=due.state)
        if due.state == FAILED and (reason := self._behaviour.settings.creations_fail_with):
            entry.endpoint = replace(entry.endpoint, last_error=(reason.code, reason.message))
        if due.state == DELETED:
            self._mirror(entry)
            self._schedule(entry, self._behaviour.settings.deleted_listed_seconds, VANISHED, since=due.at)

    def _forget(self, entry: Entry) -> None:
        self._entries.pop(entry.endpoint.id, None)
        self.topology.put_tags(entry.endpoint.id, {})

    def _mirror(self, entry: Entry) -> None:
        """Make moto's interfaces and routes be those of this endpoint."""
        if entry.endpoint.type == GATEWAY:
            self._mirror_routes(entry.endpoint)
        elif entry.endpoint.type == INTERFACE:
            self._mirror_interfaces(entry)

    def _mirror_routes(self, endpoint: Endpoint) -> None:
        prefix_list = self.topology.prefix_list(endpoint.service_name)
        wanted = set(endpoint.route_table_ids) if endpoint.holds_claims else set()
        for table in self.topology.route_tables_of(endpoint.vpc_id):
            routed = endpoint.id in table.prefix_list_routes.values()
            if routed and table.id not in wanted:
                self.topology.remove_routes(table.id, endpoint.id)
            elif not routed and table.id in wanted and prefix_list:
                self.topology.add_route(table.id, prefix_list, endpoint.id)

    def _mirror_interfaces(self, entry: Entry) -> None:
        endpoint = entry.endpoint
        wanted = endpoint.subnet_ids if endpoint.holds_claims else ()
        interfaces = dict(endpoint.network_interfaces)
        for subnet_id in {each for each in interfaces if each not in wanted or self._has_moved(endpoint, each)}:
            self.topology.remove_interface(interfaces.pop(subnet_id))
        for subnet_id in wanted:
            if subnet_id not in interfaces:
                interfaces[subnet_id] = self.topology.add_interface(endpoint, subnet_id)
            else:
                self.topology.set_interface_groups(interfaces[subnet_id], endpoint.group_ids)
        zones = {subnet_id: self._zone(subnet_id) for subnet_id in endpoint.subnet_ids}
        entry.endpoint = replace(endpoint, network_interfaces=interfaces, zones=zones)

    def _has_moved(self, endpoint: Endpoint, subnet_id: str) -> bool:
        """Whether the interface has another address than the one chosen for it: a new address replaces it."""
        chosen = endpoint.addresses.get(subnet_id)
        return chosen is not None and chosen != self.topology.interface_address(endpoint.network_interfaces[subnet_id])

    def _zone(self, subnet_id: str) -> str:
        subnet = self.topology.subnet(subnet_id)
        return subnet.zone if subnet else ""
