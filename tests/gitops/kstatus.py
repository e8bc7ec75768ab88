"""kstatus as the Kubernetes project's library and Flux's copy of it compute it: what tools that wait make of us."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.kube import tools


def statuses(resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """The status of each resource; both libraries answer the same."""
    asked = "".join(f"{json.dumps(resource)}\n" for resource in resources)
    program = tools.ensure(tools.KSTATUS)
    done = subprocess.run([program], input=asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(answer["kubernetes"] == answer["flux"] for answer in answers), answers
    return [answer["kubernetes"]["status"] for answer in answers]


def kstatus(resource: Mapping[str, Any]) -> str:
    """The status of one."""
    (status,) = statuses([resource])
    return status
