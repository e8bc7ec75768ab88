"""Reading lists from EC2: every page, by filter, in batches. Knows which call lists what; the session makes it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from ibpe.aws import translate
from ibpe.aws.errors import classify
from ibpe.aws.gateway import Endpoint, EndpointService, RouteTable, SecurityGroup, Subnet
from ibpe.aws.session import Session

Read = TypeVar("Read")
Given = TypeVar("Given")

FILTER_VALUES: Final = 200
"""Values that one filter takes (EC2 API, "Filter": at most 200)."""


@dataclass(frozen=True)
class Listing(Generic[Read]):
    """A call that lists: its name in the API and in botocore, where the items are, and how to read one.

    `page` is the most items that a page may have (EC2 API: MaxResults).
    """

    operation: str
    method: str
    items: str
    read: Callable[[Any], Read]  # the border: botocore's dictionaries, typed in `translate`
    page: int = 1000


def _as_given(item: Any) -> Any:  # the border: read further by the caller
    return item


ENDPOINTS: Final[Listing[Endpoint]] = Listing(
    "DescribeVpcEndpoints", "describe_vpc_endpoints", "VpcEndpoints", translate.endpoint
)
VPCS: Final[Listing[Any]] = Listing("DescribeVpcs", "describe_vpcs", "Vpcs", _as_given)
SUBNETS: Final[Listing[Subnet]] = Listing("DescribeSubnets", "describe_subnets", "Subnets", translate.subnet)
SECURITY_GROUPS: Final[Listing[SecurityGroup]] = Listing(
    "DescribeSecurityGroups", "describe_security_groups", "SecurityGroups", translate.security_group
)
ROUTE_TABLES: Final[Listing[RouteTable]] = Listing(
    "DescribeRouteTables", "describe_route_tables", "RouteTables", translate.route_table, page=100
)
SERVICES: Final[Listing[EndpointService]] = Listing(
    "DescribeVpcEndpointServices", "describe_vpc_endpoint_services", "ServiceDetails", translate.service
)


def list_all(session: Session, region: str, listing: Listing[Read], wanted: Mapping[str, str]) -> tuple[Read, ...]:
    """Everything that has all of these filters' values, all pages. Raises AwsError."""
    filters = [{"Name": name, "Values": [_literal(value)]} for name, value in wanted.items()]
    return read_all(listing.operation, _items(session, region, listing, filters), listing.read)


def list_by(
    session: Session, region: str, listing: Listing[Read], name: str, values: Collection[str]
) -> tuple[Read, ...]:
    """Everything whose field `name` has one of these values, 200 values a call. Raises AwsError."""
    found: list[Read] = []
    remaining = iter(sorted(values))
    while some := list(islice(remaining, FILTER_VALUES)):
        filters = [{"Name": name, "Values": some}]
        found += read_all(listing.operation, _items(session, region, listing, filters), listing.read)
    return tuple(found)


def read_all(operation: str, items: Iterable[Given], read: Callable[[Given], Read]) -> tuple[Read, ...]:
    """Every item in our own type. An answer that lacks what it must have is AwsError NotAnAwsAnswer."""
    try:
        return tuple(read(item) for item in items)
    except (KeyError, AttributeError, TypeError) as missing:
        message = f"AWS's answer can't be read: {type(missing).__name__} {missing}"
        raise classify(operation, "NotAnAwsAnswer", message, http_status=200) from missing


def _items(session: Session, region: str, listing: Listing[Read], filters: list[dict[str, Any]]) -> Iterator[Any]:
    def pages() -> Iterator[Any]:
        client: Any = session.ec2(region)
        paginator = client.get_paginator(listing.method)
        yield from paginator.paginate(Filters=filters, PaginationConfig={"PageSize": listing.page})

    remaining = pages()
    more = True
    while more:
        page = session.ask("ec2", listing.operation, region, lambda: next(remaining))
        yield from page[listing.items]
        more = bool(page.get("NextToken"))


def _literal(value: str) -> str:
    """The value with EC2's wildcards taken literally (EC2 API, "Filter": `*`, `?`, escaped by a backslash)."""
    return "".join(f"\\{character}" if character in "*?\\" else character for character in value)
