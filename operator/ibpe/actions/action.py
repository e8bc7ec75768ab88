"""What is known of one action."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a service, as the Service Authorization Reference lists it."""

    name: str
    """Without its service: `GetComponent`."""
    access: str
    """Access level: `Read`, `List`, `Write`, `Tagging, Write`, `Permissions management, Write`."""
    resource_types: tuple[str, ...] = ()
    """Names of the resource types it is authorized on; none: on `*` alone."""
