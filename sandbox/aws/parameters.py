"""The flat parameters of an EC2 query request (`SubnetId.1=…`), read as the typed values they stand for."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sandbox.aws.errors import invalid_value, missing_parameter

_MEMBER = re.compile(r"(\d+)(?:\.(.+))?")


@dataclass(frozen=True)
class Parameters:
    """Parameters by their full wire name."""

    flat: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """One value; None when it was not sent."""
        return self.flat.get(name)

    def required(self, name: str) -> str:
        """One value; raises `MissingParameter` when absent or empty."""
        value = self.flat.get(name)
        if not value:
            raise missing_parameter(name)
        return value

    def flag(self, name: str) -> bool | None:
        """A boolean; None when it was not sent."""
        value = self.flat.get(name)
        if value is None:
            return None
        if value.lower() not in {"true", "false"}:
            raise invalid_value(f"Invalid value '{value}' for {name}. Must be true or false")
        return value.lower() == "true"

    def number(self, name: str) -> int | None:
        """A whole number; None when it was not sent."""
        value = self.flat.get(name)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            raise invalid_value(f"Value ( {value} ) for parameter {name} is invalid.") from None

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of values in the order of their numbers (`Name.1`, `Name.2`, …)."""
        members = ((self._member(key, name), value) for key, value in self.flat.items())
        numbered = [(member[0], value) for member, value in members if member and member[1] is None]
        return tuple(value for _, value in sorted(numbered, key=lambda pair: pair[0]))

    def unique(self, name: str) -> tuple[str, ...]:
        """As `texts`, each value once."""
        return tuple(dict.fromkeys(self.texts(name)))

    def structures(self, name: str) -> "tuple[Parameters, ...]":
        """A list of structures (`Name.1.Field`), each with its own parameters."""
        found: dict[int, dict[str, str]] = {}
        for key, value in self.flat.items():
            member = self._member(key, name)
            if member and member[1] is not None:
                found.setdefault(member[0], {})[member[1]] = value
        return tuple(Parameters(found[number]) for number in sorted(found))

    def structure(self, name: str) -> "Parameters":
        """One structure (`Name.Field`); empty when it was not sent."""
        prefix = f"{name}."
        return Parameters({k.removeprefix(prefix): v for k, v in self.flat.items() if k.startswith(prefix)})

    def has_any(self, *names: str) -> bool:
        """Whether one of these was sent, as a value, a list or a structure."""
        return any(key == name or key.startswith(f"{name}.") for key in self.flat for name in names)

    def without(self, names: Iterable[str]) -> Mapping[str, str]:
        """The flat parameters but for these."""
        left_out = set(names)
        return {key: value for key, value in self.flat.items() if key not in left_out}

    @staticmethod
    def _member(key: str, name: str) -> tuple[int, str | None] | None:
        if not key.startswith(f"{name}."):
            return None
        match = _MEMBER.fullmatch(key[len(name) + 1 :])
        return (int(match[1]), match[2]) if match else None
