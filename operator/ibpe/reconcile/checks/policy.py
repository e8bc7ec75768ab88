"""Is the policy one, does it do what it says, and does it let builds through?"""

from ibpe.policy.document import SIZE_LIMIT, PolicyError, size
from ibpe.policy.needs import first_barred
from ibpe.policy.values import ended
from ibpe.reconcile.checks.advice import first_error, policy_field
from ibpe.reconcile.checks.case import Case, Refusal, denial
from ibpe.reconcile.fields import Field


def policy_is_valid(case: Case) -> Refusal | None:
    """Is there a policy, and is it short enough?"""
    policy, where = case.endpoint.policy, policy_field(case.endpoint.role)
    if isinstance(policy, PolicyError):
        return case.refuse("PolicyInvalid", ended(f"{where}: {policy}"), Field.POLICY)
    if size(policy) > SIZE_LIMIT:
        return case.refuse(
            "PolicyTooLong",
            f"{where} makes a policy of {size(policy):,} characters, and AWS takes {SIZE_LIMIT:,}: shorten it, for "
            "example with wildcards in resources.",
            Field.POLICY,
        )
    return None


def policy_does_what_it_says(case: Case) -> Refusal | None:
    """Is every action known, and does every statement reach what it names?"""
    policy = case.endpoint.policy
    if isinstance(policy, PolicyError):
        return None
    problem = first_error(policy, case.endpoint.role, case.desired.region)
    return (
        None
        if problem is None
        else case.refuse("PolicyInvalid", ended(f"{policy_field(case.endpoint.role)}: {problem}"), Field.POLICY)
    )


def policy_lets_builds_through(case: Case) -> Refusal | None:
    """Does it allow everything that a build asks of this endpoint?"""
    policy, live = case.endpoint.policy, case.seen.holdings.of(case.endpoint.role).live
    if isinstance(policy, PolicyError):
        return None
    denied = first_barred(policy, case.endpoint.passage.needs(case.seen.account, live.id if live else ""))
    if denied is None:
        return None
    where = policy_field(case.endpoint.role)
    words = f"{where} would break builds: {denial(*denied)}. Allow it, or except it from the Deny."
    return case.refuse("PolicyDeniesBuilds", words, Field.POLICY)
