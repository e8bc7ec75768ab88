"""What is wrong with a document that AWS would take, or refuse without saying why. Facts about endpoint policies.

Whether it lets builds through is not asked here: `needs` and `access` know.
"""

from collections.abc import Iterator

from ibpe.policy.document import DEFAULT_VERSION, PolicyDocument
from ibpe.policy.findings.actions import action_problems
from ibpe.policy.findings.conditions import condition_problems
from ibpe.policy.findings.overlap import overlap_problems
from ibpe.policy.findings.principals import principal_problems
from ibpe.policy.findings.resources import resource_problems
from ibpe.policy.problem import EndpointRole, Problem

__all__ = ["EndpointRole", "Problem", "lint"]


def lint(document: PolicyDocument, role: EndpointRole, region: str) -> Iterator[Problem]:
    """Every finding about the policy of this endpoint in this region: by statement, then between them."""
    yield from _variables_without_effect(document)
    for index, statement in enumerate(document.statements):
        path = f"Statement[{index}]"
        yield from principal_problems(statement, path, role, region)
        yield from action_problems(statement, path, role)
        yield from resource_problems(statement, path, role, region)
        yield from condition_problems(statement, path)
    yield from overlap_problems(document.statements)


def _variables_without_effect(document: PolicyDocument) -> Iterator[Problem]:
    """IAM user guide, "IAM JSON policy elements: Version": in the old version `${…}` is plain text."""
    if document.uses_variables and document.effective_version == DEFAULT_VERSION:
        written = f'"{document.version}"' if document.version else "the one that counts when none is written"
        yield Problem("Version", f"${{…}} is plain text in this version, {written}", 'write "Version": "2012-10-17"')
