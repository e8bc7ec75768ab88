"""What a query names, as far as it can be told without a parser of PromQL: metrics, their matchers, grouping labels."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

TARGET: Final = frozenset({"cluster", "namespace", "job", "instance", "pod"})
"""Labels that Prometheus gives a target's series."""
BRING_THEIR_OWN: Final = re.compile(r"ibpe_(resource_|contended)")
"""Families whose `namespace` is not the target's."""
OPEN: Final = frozenset({"watched"})
"""Labels whose values are the user's: one scrape has some of them."""
_METRIC: Final = re.compile(r"\b(?P<name>(?:ibpe|process)_[a-z_]+)\b(?:\{(?P<matchers>[^}]*)\})?")
_MATCHER: Final = re.compile(r'(?P<label>\w+)(?P<how>=~|!~|!=|=)"(?P<value>[^"]*)"')
_GROUPING: Final = re.compile(r"\b(?:by|on) \((?P<labels>[^)]*)\)")


@dataclass(frozen=True)
class Scrape:
    """The series of one scrape: the labels of each, by the name of the sample."""

    series: Mapping[str, tuple[Mapping[str, str], ...]]

    @classmethod
    def of(cls, text: str) -> "Scrape":
        found: dict[str, list[Mapping[str, str]]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found.setdefault(sample.name, []).append(sample.labels)
        return cls({name: tuple(labels) for name, labels in found.items()})

    def labels(self, name: str) -> frozenset[str]:
        """Every label of a metric."""
        return frozenset(label for labels in self.series.get(name, ()) for label in labels)

    def faults(self, query: str) -> Iterator[str]:
        """What a query names and this scrape has not."""
        named = [(found["name"], found["matchers"] or "") for found in _METRIC.finditer(query)]
        for name, matchers in named:
            if name not in self.series:
                yield f"there is no {name}"
            else:
                yield from self._unmatched(name, matchers)
        own = frozenset().union(*(self.labels(name) for name, _ in named))
        given = TARGET - ({"namespace"} if any(BRING_THEIR_OWN.match(name) for name, _ in named) else set())
        for grouping in _GROUPING.finditer(query):
            for label in grouping["labels"].split(", "):
                if label and label not in own | given:  # `on ()` names none
                    yield f"no metric of the query has the label {label}"

    def _unmatched(self, name: str, matchers: str) -> Iterator[str]:
        given = TARGET - ({"namespace"} if BRING_THEIR_OWN.match(name) else set())
        for label, how, value in _MATCHER.findall(matchers):
            if label not in self.labels(name) | given:
                yield f"{name} has no label {label}"
            elif (
                how == "=" and label not in OPEN and not any(labels.get(label) == value for labels in self.series[name])
            ):
                yield f"{name} has no series with {label}={value}"


def without_variables(query: str) -> str:
    """A dashboard's query as Prometheus would get it."""
    return re.sub(r"\$\w+", ".*", query.replace("$__rate_interval", "5m"))
