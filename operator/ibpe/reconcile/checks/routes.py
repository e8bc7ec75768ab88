"""Can these route tables have the route to S3, and whom does it catch?"""

from collections.abc import Iterable

from ibpe.api.names import Role
from ibpe.aws.gateway import EndpointType, RouteTable, RouteTableID, SubnetID
from ibpe.reconcile.checks.case import Case, Refusal, carries, rivals_for, verb
from ibpe.reconcile.compare import listed
from ibpe.reconcile.fields import Field


def tables_exist(case: Case) -> Refusal | None:
    """Are the route tables in the VPC?"""
    missing = [id_ for id_ in case.endpoint.route_table_ids if id_ not in case.seen.facts.route_tables]
    if not missing:
        return None
    return case.refuse(
        "RouteTableNotFound",
        f"{listed(missing)} of s3.routeTables.ids {verb(missing)} not exist in {case.desired.vpc_id}: "
        "correct s3.routeTables.ids.",
        Field.ROUTE_TABLES,
    )


def routes_are_free(case: Case) -> Refusal | None:
    """Does an endpoint that isn't ours already route one of the tables to S3?"""
    if case.endpoint.type is not EndpointType.GATEWAY:
        return None
    for other in rivals_for(case):
        taken = other.route_table_ids & case.endpoint.route_table_ids
        if other.type is EndpointType.GATEWAY and taken:
            return case.refuse(
                "RouteAlreadyExists",
                f"{listed(taken)} already {_route(taken)} to S3 through {other.id} ({carries(other)}): take it out of "
                f"s3.routeTables.ids, or take it off {other.id} first.",
                Field.ROUTE_TABLES,
            )
    return None


def table_is_the_builds_own(case: Case) -> Refusal | None:
    """Would a policy for builds alone catch somebody else's S3 traffic? (It beats a route to 0.0.0.0/0.)"""
    if case.endpoint.role is not Role.S3 or not case.desired.exclusive_s3:
        return None
    for id_ in sorted(case.endpoint.route_table_ids):
        table = case.seen.facts.route_tables.get(id_)
        if table is None:
            continue
        strangers = _served(case, table) - case.desired.build_subnet_ids
        if not table.main and not strangers:
            continue
        whom = (
            f"{listed(strangers)}, which builds.subnets does not name" if strangers else "every new subnet of the VPC"
        )
        what = f"{id_}, the VPC's main route table, serves" if table.main else f"{id_} serves"
        return case.refuse(
            "RouteTableShared",
            f"{what} {whom}, and the baseline ImageBuilderOnly would cut off all their other S3 traffic: give the "
            "builds a route table of their own, choose the baseline Organization or FullAccess, or name those subnets "
            "in builds.subnets if builds run there.",
            Field.ROUTE_TABLES,
        )
    return None


def _served(case: Case, table: RouteTable) -> frozenset[SubnetID]:
    """The subnets that use a table; the main one serves every subnet without an association of its own."""
    if not table.main:
        return table.subnet_ids
    associated = {id_ for other in case.seen.facts.route_tables.values() for id_ in other.subnet_ids}
    own = {id_ for id_, subnet in case.seen.facts.subnets.items() if subnet.vpc_id == table.vpc_id}
    return table.subnet_ids | frozenset(own - associated)


def _route(tables: Iterable[RouteTableID]) -> str:
    return "routes" if len(list(tables)) == 1 else "route"
