"""Everything the double remembers: settings, clock, services, accounts and the endpoints of each account and region."""

import threading

from sandbox.aws.accounts import Accounts
from sandbox.aws.clock import Clock
from sandbox.aws.model import Entry
from sandbox.aws.moto_bridge import Moto
from sandbox.aws.roles import Roles
from sandbox.aws.services import ServiceTable
from sandbox.aws.settings import Settings
from sandbox.aws.territory import Territory
from sandbox.aws.topology import Topology, let_vpcs_have_other_owners


class World:
    """The state behind the HTTP server. `lock` is held while a call has its effect: moto's models know no threads."""

    def __init__(self, settings: Settings) -> None:
        let_vpcs_have_other_owners()
        self.lock = threading.RLock()
        self.moto = Moto()
        self.clock = Clock()
        self.accounts = Accounts()
        self.roles = Roles(self.accounts, self.now)
        self.services = ServiceTable()
        self.settings = settings
        self._first_settings = settings
        self._territories: dict[tuple[str, str], Territory] = {}

    def now(self) -> float:
        """The clock's seconds."""
        return self.clock.now()

    def territory(self, account: str, region: str) -> Territory:
        """The endpoints of an account in a region, with every change of state made that was due."""
        key = (account, region)
        if key not in self._territories:
            self._territories[key] = Territory(account, region, Topology(self.moto.ec2(account, region)), self)
        territory = self._territories[key]
        territory.settle()
        return territory

    def territories(self) -> tuple[Territory, ...]:
        """Every account and region that was called so far, settled."""
        return tuple(self.territory(*key) for key in self._territories)

    def find(self, endpoint_id: str) -> tuple[Territory, Entry] | None:
        """An endpoint by id, wherever it is."""
        for territory in self.territories():
            entry = territory.entry(endpoint_id)
            if entry is not None:
                return territory, entry
        return None

    def reset(self) -> None:
        """Back to the beginning: no endpoint, moto's networks as new, the first settings."""
        self._territories.clear()
        self.moto.reset()
        self.clock.resume()
        self.accounts.clear()
        self.roles.clear()
        self.services = ServiceTable()
        self.settings = self._first_settings
