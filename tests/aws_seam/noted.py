"""An observer that remembers what it was told."""

from typing import NamedTuple


class Call(NamedTuple):
    service: str
    operation: str
    code: str
    account: str
    region: str


class Noted:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.seconds: list[float] = []
        self.throttles: list[str] = []

    def called(self, *, service: str, operation: str, code: str, account: str, region: str, seconds: float) -> None:
        self.calls.append(Call(service, operation, code, account, region))
        self.seconds.append(seconds)

    def throttled(self, *, service: str, operation: str, account: str, region: str) -> None:
        self.throttles.append(f"{service} {operation} {account} {region}")
