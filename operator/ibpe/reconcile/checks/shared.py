"""Can builds use somebody else's endpoint? Each question about what AWS shows of it; nothing here is ours to change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG, Role
from ibpe.aws.gateway import Endpoint, EndpointState, EndpointType, RouteTableID, SubnetID
from ibpe.policy.access import Decision, Verdict, decide
from ibpe.policy.contribution import contribute, withdraw
from ibpe.policy.document import SIZE_LIMIT, PolicyDocument, PolicyError, Statement
from ibpe.policy.needs import Need, first_barred
from ibpe.policy.parse import parse
from ibpe.policy.values import ended
from ibpe.reconcile.checks.advice import first_error
from ibpe.reconcile.checks.case import Refusal, asked, carries, denial
from ibpe.reconcile.checks.security_groups import not_let_in
from ibpe.reconcile.checks.subnets import builds_subnets_exist
from ibpe.reconcile.compare import listed
from ibpe.reconcile.fields import Field
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.wanted import Desired, SharedEndpoint

WAITING = frozenset({EndpointState.PENDING, EndpointState.AVAILABLE})
IN_ANOTHER_VPC = "EndpointInAnotherVpc"
PERHAPS_OUR_DOING = frozenset({"PrivateDnsOff", "BuildsNotRouted"})
"""Refusals that an endpoint of our own may be the cause of: it holds the name or the route until it is gone."""


@dataclass(frozen=True)
class SharedCase:
    """What a check looks at: somebody else's endpoint, as the spec names it and as AWS shows it."""

    desired: Desired
    wanted: SharedEndpoint
    endpoint: Endpoint
    seen: Observation

    @property
    def part(self) -> str:
        """The part of the spec that names it."""
        return part_of(self.wanted)

    def refuse(self, reason: str, message: str, *fields: Field) -> Refusal:
        """A refusal of this endpoint; by default it forbids nothing, since nothing of it is ours."""
        return Refusal(reason, message, self.wanted.role, frozenset(fields))


SharedCheck = Callable[[SharedCase], Refusal | None]


def shared_refusals(desired: Desired, seen: Observation) -> tuple[Refusal, ...]:
    """The first refusal of every endpoint of somebody else's: later questions make no sense before the first holds."""
    found: list[Refusal] = []
    for wanted in desired.shared:
        endpoint = seen.named.get(wanted.endpoint_id)
        if endpoint is None:
            message = (
                f"{wanted.endpoint_id} does not exist in account {seen.account}, {desired.region}: correct "
                f"{part_of(wanted)}.endpointID."
            )
            found.append(Refusal("EndpointNotFound", message, wanted.role, frozenset({Field.POLICY})))
            continue
        case = SharedCase(desired, wanted, endpoint, seen)
        refusal = next((refusal for check in CHECKS if (refusal := check(case)) is not None), None)
        if refusal is not None:
            found.append(refusal)
    return tuple(found)


def part_of(wanted: SharedEndpoint) -> str:
    """`imageBuilder` or `s3`."""
    return "imageBuilder" if wanted.role is Role.IMAGE_BUILDER else "s3"


def build_subnets_exist(case: SharedCase) -> Refusal | None:
    """Are the builds' subnets in the VPC?"""
    return builds_subnets_exist(case.refuse, case.desired, case.seen.facts)


def is_the_right_one(case: SharedCase) -> Refusal | None:
    """Is it in this VPC, for this service, of this type?"""
    endpoint, where = case.endpoint, f"{case.part}.endpointID"
    if endpoint.vpc_id != case.desired.vpc_id:
        words = f"{endpoint.id} is in {endpoint.vpc_id}, not in {case.desired.vpc_id}: correct {where}."
        return case.refuse(IN_ANOTHER_VPC, words, Field.POLICY)
    if endpoint.service_name not in case.wanted.services:
        words = f"{endpoint.id} is for {endpoint.service_name}, not for {case.wanted.services[0]}: correct {where}."
        return case.refuse("EndpointOfAnotherService", words, Field.POLICY)
    if endpoint.type is not case.wanted.type:
        words = f"{endpoint.id} is no {case.wanted.type} endpoint: name one that is in {where}."
        return case.refuse("EndpointOfAnotherType", words, Field.POLICY)
    return None


def is_somebody_elses(case: SharedCase) -> Refusal | None:
    """Does nobody's operator, ours included, keep its policy as a whole?"""
    endpoint = case.endpoint
    if case.seen.is_ours(case.wanted.role, endpoint.id):
        words = (
            f"{endpoint.id} was made by this very resource, and nobody would own it in this mode: set {case.part}.mode "
            "to Managed, or delete the resource with deletionPolicy Retain and make it anew."
        )
        return case.refuse("EndpointIsOurs", words, Field.POLICY)
    managed = CLUSTER_TAG in endpoint.tags and OWNER_TAG in endpoint.tags
    if case.wanted.contribution is None or not managed:
        return None
    words = (
        f"{endpoint.id} is managed ({carries(endpoint)}), which would take our statements out again: use the mode "
        "Existing, and have what builds need added to that resource."
    )
    return case.refuse("EndpointIsManaged", words, Field.POLICY)


def is_alive(case: SharedCase) -> Refusal | None:
    """Is it available, or about to be?"""
    endpoint = case.endpoint
    if endpoint.state in WAITING:
        return None
    failure = f" ({endpoint.failure})" if endpoint.failure else ""
    way = f"have its owner mend it, or name another in {case.part}.endpointID"
    words = f"{endpoint.id} is {endpoint.state}{failure}: {way}."
    return case.refuse("EndpointNotAvailable", words, Field.POLICY)


def contribution_is_valid(case: SharedCase) -> Refusal | None:
    """Are our statements a policy's, and do they fit into the one that is there?"""
    share, endpoint = case.wanted.contribution, case.endpoint
    if share is None:
        return None
    if isinstance(share.statements, PolicyError):
        return case.refuse("PolicyInvalid", ended(f"s3.policy: {share.statements}"), Field.POLICY)
    problem = first_error(PolicyDocument(share.statements), case.wanted.role, case.desired.region)
    if problem is not None:
        return case.refuse("PolicyInvalid", ended(f"s3.policy: {problem}"), Field.POLICY)
    denies = next((statement.sid for statement in share.statements if statement.effect == "Deny"), None)
    if denies is not None:
        words = (
            f"s3.policy.additionalStatements: {denies.removeprefix(share.mark)} is a Deny, which would bind everybody "
            f"who uses {endpoint.id}: take it out; what may pass there is for its owner to limit."
        )
        return case.refuse("PolicyInvalid", words, Field.POLICY)
    try:
        merged = contribute(endpoint.policy, share.statements, share.mark)
        parse(merged)  # ours may be there twice, or broken, as long as they are about to be mended
    except PolicyError as error:
        words = f"Nothing can be added to the policy of {endpoint.id}: {error}. Have its owner write it anew."
        return case.refuse("PolicyUnreadable", words, Field.POLICY)
    if len(merged) > SIZE_LIMIT:
        words = (
            f"With our statements, the policy of {endpoint.id} would have {len(merged):,} characters, and AWS takes "
            f"{SIZE_LIMIT:,}: have its owner shorten it, or turn off what builds don't need in s3.policy."
        )
        return case.refuse("PolicyTooLong", words, Field.POLICY)
    return None


def policy_lets_builds_through(case: SharedCase) -> Refusal | None:
    """Does the policy, with what we contribute and without what we no longer do, let through all that a build asks?"""
    try:
        text = _in_the_end(case)
        denied = _barred(parse(text), case.wanted.passage.needs(case.seen.account))
    except PolicyError as error:
        words = ended(f"The policy of {case.endpoint.id} can't be read, so nobody knows whether builds pass: {error}")
        return case.refuse("PolicyUnreadable", words)
    if denied is None:
        return None
    need, decision = denied
    if decision.statement is not None:
        return _denying_statement(case, need, decision.statement)
    alone = case.wanted.contribution is None and text != case.endpoint.policy
    still = " Until then they stay, so that builds pass." if alone else ""
    words = (
        f"The policy of {case.endpoint.id} does not let builds through{' without our statements' if alone else ''}: "
        f"{denial(need, decision)}. Have its owner add what `ibpe policy render` prints, {_or_contribute(case)}.{still}"
    )
    return case.refuse("PolicyDeniesBuilds", words)


def _barred(policy: PolicyDocument, needs: Sequence[Need]) -> tuple[Need, Decision] | None:
    """What no build passes without, or what somebody went out of their way to deny to some builds."""
    asked_by_builds = (need for need in needs if need.asker == "build")
    return first_barred(policy, needs) or next(
        (
            (need, decision)
            for need in asked_by_builds
            if (decision := decide(policy, need.request)).verdict is Verdict.DENIED and decision.statement is not None
        ),
        None,
    )


def _in_the_end(case: SharedCase) -> str:
    """The policy with our statements where the spec contributes them, else without those of before. Raises PolicyError.

    Those of before stay where nothing else would be left.
    """
    share, text = case.wanted.contribution, case.endpoint.policy
    if share is None:
        return withdraw(text, case.desired.mark) or text
    return text if isinstance(share.statements, PolicyError) else contribute(text, share.statements, share.mark)


def _denying_statement(case: SharedCase, need: Need, statement: Statement) -> Refusal:
    named = f'statement "{statement.sid}"' if statement.sid else "a statement without a Sid"
    words = (
        f"{named[0].upper()}{named[1:]} of {case.endpoint.id} denies {asked(need)}: have its owner except that from "
        "the Deny, which no statement of ours can overrule."
    )
    return case.refuse("ForeignDeny", words)


def _or_contribute(case: SharedCase) -> str:
    return "or use the mode Contribute" if case.wanted.role is Role.S3 else "or use the mode Managed"


def has_interfaces(case: SharedCase) -> Refusal | None:
    """Does an interface endpoint have an address to be reached at?"""
    if case.endpoint.type is not EndpointType.INTERFACE or case.endpoint.subnet_ids:
        return None
    words = f"{case.endpoint.id} is in no subnet, so nothing reaches it: have its owner add one."
    return case.refuse("EndpointWithoutSubnet", words)


def answers_by_name(case: SharedCase) -> Refusal | None:
    """Do builds reach it by Image Builder's public name?"""
    if not case.wanted.private_dns:
        return None
    endpoint, vpc = case.endpoint, case.seen.facts.vpc
    if not endpoint.private_dns:
        words = (
            f"{endpoint.id} has private DNS off, so builds don't find it by Image Builder's name: have its owner turn "
            "it on, or set imageBuilder.privateDNS to false if builds are told its own name."
        )
        return case.refuse("PrivateDnsOff", words)
    if vpc is not None and not (vpc.dns_support and vpc.dns_host_names):
        words = f"{vpc.id} has enableDnsSupport or enableDnsHostnames off, which private DNS needs: turn both on."
        return case.refuse("VpcDnsDisabled", words)
    return None


def lets_https_in(case: SharedCase) -> Refusal | None:
    """Do its security groups let the builds in on 443?"""
    if case.endpoint.type is not EndpointType.INTERFACE:
        return None
    ids, family = case.endpoint.security_group_ids, case.endpoint.ip_address_type
    words = not_let_in(ids, family, build_subnets(case.desired, case.seen), case.seen.facts)
    return case.refuse("HttpsNotLetIn", words) if words else None


def builds_are_routed(case: SharedCase) -> Refusal | None:
    """Do the builds' route tables lead to a gateway endpoint?"""
    endpoint = case.endpoint
    if endpoint.type is not EndpointType.GATEWAY:
        return None
    if not endpoint.route_table_ids:
        words = f"{endpoint.id} is on no route table, so nothing is routed to it: have its owner add the builds' ones."
        return case.refuse("BuildsNotRouted", words)
    outside = {
        subnet: table
        for subnet in sorted(build_subnets(case.desired, case.seen))
        if (table := _table_of(case, subnet)) is not None and table not in endpoint.route_table_ids
    }
    if not outside:
        return None
    where = ", ".join(f"{subnet} (by {table})" for subnet, table in outside.items())
    words = f"{endpoint.id} does not serve {where}: have its owner add {listed(set(outside.values()))} to it."
    return case.refuse("BuildsNotRouted", words)


def build_subnets(desired: Desired, seen: Observation) -> frozenset[SubnetID]:
    """Where builds run: where the spec says, else in the subnets of the Image Builder endpoint that it names."""
    image_builder = desired.share(Role.IMAGE_BUILDER)
    endpoint = seen.named.get(image_builder.endpoint_id) if image_builder is not None else None
    return desired.build_subnet_ids or (endpoint.subnet_ids if endpoint is not None else frozenset())


def _table_of(case: SharedCase, subnet: SubnetID) -> RouteTableID | None:
    """The route table of a subnet: its own, else the VPC's main one."""
    tables = case.seen.facts.route_tables.values()
    own = next((table.id for table in tables if subnet in table.subnet_ids), None)
    return own or next((table.id for table in tables if table.main), None)


CHECKS: tuple[SharedCheck, ...] = (
    build_subnets_exist,
    is_the_right_one,
    is_somebody_elses,
    is_alive,
    contribution_is_valid,
    policy_lets_builds_through,
    has_interfaces,
    lets_https_in,
    answers_by_name,
    builds_are_routed,
)
"""Last come those of PERHAPS_OUR_DOING: that they refuse says that all else is well."""
