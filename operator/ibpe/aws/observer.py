"""What wants to know of every call to AWS: metrics, mostly. The seam, and its empty form."""

from typing import Protocol


class Observer(Protocol):
    """Called by the thread that made the call, after it ended; must be quick and must not raise."""

    def called(self, *, service: str, operation: str, code: str, account: str, region: str, seconds: float) -> None:
        """One HTTP request ended. `code` is "ok" or the error's; `account` is "" until GetCallerIdentity answered."""

    def throttled(self, *, service: str, operation: str, account: str, region: str) -> None:
        """AWS asked to slow down; `called` is called too."""


class Observers:
    """Several observers as one."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def called(self, *, service: str, operation: str, code: str, account: str, region: str, seconds: float) -> None:
        """Each is told."""
        for each in self._observers:
            each.called(
                service=service, operation=operation, code=code, account=account, region=region, seconds=seconds
            )

    def throttled(self, *, service: str, operation: str, account: str, region: str) -> None:
        """Each is told."""
        for each in self._observers:
            each.throttled(service=service, operation=operation, account=account, region=region)


class Unobserved:
    """An observer that notes nothing."""

    def called(self, *, service: str, operation: str, code: str, account: str, region: str, seconds: float) -> None:
        """Nothing."""

    def throttled(self, *, service: str, operation: str, account: str, region: str) -> None:
        """Nothing."""
