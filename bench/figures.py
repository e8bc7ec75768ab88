"""What a measurement came to, and whether it is within its target. Pure, but for `show`."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """One measured value. `most` is the target: None where it is only shown."""

    name: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether it is within its target, or has none."""
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def target(self) -> str:
        """The target in words; empty where there is none."""
        if self.most is not None and self.most == self.least:
            return f"exactly {_number(self.most)}"
        bounds = [f"at most {_number(self.most)}"] if self.most is not None else []
        bounds += [f"at least {_number(self.least)}"] if self.least is not None else []
        return ", ".join(bounds)


def exactly(name: str, value: float, wanted: float, note: str = "") -> Figure:
    """A count that must be this one."""
    return Figure(name, value, most=wanted, least=wanted, note=note)


def spread(seconds: Iterable[float]) -> str:
    """Least, median and most, for a note."""
    ordered = sorted(seconds)
    return f"least {ordered[0]:.1f}, median {median(ordered):.1f}, most {ordered[-1]:.1f} ({len(ordered)} times)"


def show(title: str, figures: Iterable[Figure]) -> None:
    """Print them under a title, one a line."""
    print(f"\n{title}", flush=True)
    for figure in figures:
        mark = " " if not figure.target else "✓" if figure.met else "✗"
        target = f"  [{figure.target}]" if figure.target else ""
        note = f"  {figure.note}" if figure.note else ""
        print(f"  {mark} {figure.name:<58} {_number(figure.value):>9} {figure.unit}{target}{note}", flush=True)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}"
