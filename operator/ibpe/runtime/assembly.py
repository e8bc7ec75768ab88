"""The product's own story: AWS, what is seen of it, and the reconciler on top. The one place that joins them."""

from ibpe.aws.ec2 import BotoCloud
from ibpe.aws.inventory import Inventory
from ibpe.aws.limits import Limits
from ibpe.aws.observer import Observers
from ibpe.aws.prerequisites import Prerequisites
from ibpe.aws.session import SessionSettings
from ibpe.reconcile.accounts import Accounts
from ibpe.reconcile.observe import Eyes
from ibpe.reconcile.ports import Key
from ibpe.reconcile.reconciler import Reconciler
from ibpe.runtime.accounts_file import Configured, load
from ibpe.runtime.process import Ground, Story, View

THREADS_PER_REGION = 2
"""The AWS watch's own, which use the same connections as the workers."""
PREREQUISITES_SLACK = 1.5
"""A reconcile looks by itself only when the second watch is this much behind its period."""


class Views:
    """What sees each account that somebody may use: its own connections, watch and memory."""

    def __init__(self, ground: Ground, configured: Configured) -> None:
        self._ground = ground
        self._configured = configured
        settings = ground.settings
        self._limits = Limits(settings.aws_write_burst, settings.aws_writes_per_second)
        self._observer = Observers(ground.metrics, self._limits)
        ground.metrics.show_levels(self._limits.levels)
        self._own = self._cloud(None)
        self._made: dict[str, View] = {}
        self.accounts = Accounts(configured.grants, self._make, ground.interest)

    def of(self, name: str) -> View:
        """What sees the account of this name; nothing is called."""
        self.accounts.eyes(name)
        return self._made[name]

    def _make(self, name: str) -> Eyes:
        """Called once for each name, by one thread at a time."""
        settings = self._ground.settings
        cloud = self._cloud(name) if name in self._configured.roles else self._own
        inventory = Inventory(cloud, cluster=settings.cluster_name)
        prerequisites: Prerequisites[Key] = Prerequisites(cloud)
        self._made[name] = View(inventory, prerequisites, lambda: cloud.account)
        return Eyes(
            cloud=cloud,
            inventory=inventory,
            prerequisites=prerequisites,
            resources=self._ground.resources,
            siblings=self._ground.claims,
            prerequisites_max_age=PREREQUISITES_SLACK * settings.prerequisites_seconds,
            account=name,
            grants=self._configured.grants,
            own_account=lambda: self._own.account,
            turns=self._limits,
        )

    def _cloud(self, name: str | None) -> BotoCloud:
        """Under the operator's own credentials, or those of the account's role, assumed with them."""
        settings = self._ground.settings
        session_settings = SessionSettings(
            cluster=settings.cluster_name,
            connections=settings.workers + THREADS_PER_REGION,
            connect_timeout=settings.aws_connect_timeout_seconds,
            read_timeout=settings.aws_read_timeout_seconds,
        )
        if name is None:
            return BotoCloud(session_settings, self._observer, self._ground.permit)
        role = self._configured.roles[name]
        return BotoCloud(session_settings, self._observer, self._ground.permit, role=role, own=self._own)


def compose(ground: Ground) -> Story:
    """Everything real, on the ground that the process provides. Raises InvalidAccounts."""
    views = Views(ground, load(ground.settings.accounts_file, ground.settings.cluster_name))
    reconciler = Reconciler(
        cluster=ground.settings.cluster_name,
        accounts=views.accounts,
        resources=ground.resources,
        events=ground.events,
        interest=ground.interest,
        watcher=ground.metrics,
    )
    return Story(
        reconcile=reconciler.reconcile,
        forget=reconciler.forget,
        forget_key=views.accounts.forget,
        view=views.of,
    )
