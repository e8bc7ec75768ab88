"""One finding about a policy, as lint reports it."""

from dataclasses import dataclass
from typing import Literal

EndpointRole = Literal["imagebuilder", "s3"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: where (`Statement[1].Action`), what is wrong, what to do."""

    path: str
    problem: str
    fix: str
    severity: Literal["error", "warning"] = "error"
    """error: AWS refuses it, or it surely does not do what it says; the policy is refused (PolicyValid=False).
    warning: said, and applied all the same."""

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; {self.fix}"
