"""DescribeVpcEndpoints' filters: names, values with `*` and `?`, AND between filters, OR between values."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final

from sandbox.aws.errors import invalid_value
from sandbox.aws.model import Endpoint
from sandbox.aws.parameters import Parameters

_FIELDS: Final[Mapping[str, Callable[[Endpoint], str]]] = {
    "vpc-id": lambda endpoint: endpoint.vpc_id,
    "vpc-endpoint-id": lambda endpoint: endpoint.id,
    "vpc-endpoint-type": lambda endpoint: endpoint.type,
    "vpc-endpoint-state": lambda endpoint: endpoint.state,
    "service-name": lambda endpoint: endpoint.service_name,
    "service-region": lambda endpoint: endpoint.service_region,
    "ip-address-type": lambda endpoint: endpoint.ip_address_type,
}
_CASELESS: Final = frozenset({"vpc-endpoint-state", "vpc-endpoint-type"})

Question = Callable[[Endpoint], bool]


def read_filters(parameters: Parameters) -> tuple[Question, ...]:
    """The filters of a request, each as a question; raises `InvalidParameterValue` for a name that EC2 doesn't have."""
    return tuple(_question(each.required("Name"), each.texts("Value")) for each in parameters.structures("Filter"))


def _question(name: str, values: Iterable[str]) -> Question:
    patterns = tuple(wildcard(value.lower() if name in _CASELESS else value) for value in values)
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda endpoint: key in endpoint.tags and _any(patterns, endpoint.tags[key])
    if name == "tag-key":
        return lambda endpoint: any(_any(patterns, key) for key in endpoint.tags)
    if name not in _FIELDS:
        raise invalid_value(f"The filter '{name}' is invalid")
    field = _FIELDS[name]
    if name in _CASELESS:
        return lambda endpoint: _any(patterns, field(endpoint).lower())
    return lambda endpoint: _any(patterns, field(endpoint))


def _any(patterns: Iterable[re.Pattern[str]], text: str) -> bool:
    return any(pattern.fullmatch(text) for pattern in patterns)


@lru_cache(maxsize=1024)
def wildcard(value: str) -> re.Pattern[str]:
    r"""EC2's wildcards: `*` for any text, `?` for one character, a backslash before either for itself."""
    parts = re.findall(r"\\[*?\\]|.", value, flags=re.DOTALL)
    return re.compile("".join({"*": ".*", "?": "."}.get(part, re.escape(part[-1])) for part in parts), re.DOTALL)
