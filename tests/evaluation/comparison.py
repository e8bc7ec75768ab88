"""Holds `ibpe.policy.access` against the reference evaluator for one policy and call."""

from ibpe.policy.access import Caller, Decision, Request, Verdict, decide
from ibpe.policy.document import PolicyDocument
from tests.evaluation.reference import Call, Reference


def request_of(call: Call) -> Request:
    context = {key.lower(): values for key, values in call.context.items()}
    return Request(call.action, call.resource, Caller(call.kind, call.name, call.account), context)


def call_of(request: Request) -> Call:
    """The request without what isn't known of it."""
    caller = request.caller
    return Call(request.action, request.resource, caller.kind, caller.name, caller.account, request.context)


def assert_agreement(reference: Reference, document: PolicyDocument, call: Call) -> Decision:
    """The decision, which is what the documentation says, and rests on a statement that speaks of the call.

    `document` is the reference's policy, parsed. Where the documentation can be read in several ways, any of their
    rulings will do.
    """
    decision, possible = decide(document, request_of(call)), reference.rulings(call)
    expected = {Verdict.ALLOWED if ruling.allowed else Verdict.DENIED for ruling in possible}
    if len(expected) > 1:
        expected.add(Verdict.DEPENDS)
    assert decision.verdict in expected, (
        f"{call} under {reference.policy}: {decision}, but the documentation has {possible}"
    )
    _assert_the_statement_rules_so(reference, document, call, decision)
    return decision


def _assert_the_statement_rules_so(
    reference: Reference, document: PolicyDocument, call: Call, decision: Decision
) -> None:
    if decision.statement is None:
        assert decision.verdict is Verdict.DENIED
        return
    if decision.verdict is not Verdict.DEPENDS:
        assert decision.statement.effect == ("Allow" if decision.verdict is Verdict.ALLOWED else "Deny")
    named = [index for index, each in enumerate(document.statements) if each == decision.statement]
    assert any(reference.may_apply(index, call) for index in named), (
        f"{decision.statement} was named for {call}, of which it doesn't speak"
    )
