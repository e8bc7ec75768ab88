"""Argo CD's test data: real resources with what differs from run to run written the same each time."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from codegen.argocd import FOLDER
from tests.gitops.argo import Health, health

WRITING: Final = os.environ.get("IBPE_WRITE_GOLDEN") == "1"
TESTS: Final = FOLDER / "health_test.yaml"
MOMENT: Final = "2026-01-01T00:00:00Z"
_DROPPED: Final = ("managedFields", "resourceVersion", "uid")
_ID: Final = re.compile(r"\b(vpc|subnet|sg|rtb|vpce|eni)-[0-9a-f]{17}\b")
_NO_ID: Final = f"-{0:017x}"
_DIGEST: Final = re.compile(r"\b[0-9a-f]{16}\b")
_DNS_PART: Final = re.compile(r"(vpce-[0-9a-f#]+)-[0-9a-f]{8}\b")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_REQUEST: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def recordable(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource with ids numbered in their order, one moment for all times, and its names those of an example."""
    metadata = {key: value for key, value in resource["metadata"].items() if key not in _DROPPED}
    metadata.get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
    if not metadata.get("annotations"):
        metadata.pop("annotations", None)
    text = json.dumps({**resource, "metadata": metadata}, sort_keys=True)
    text = text.replace(metadata["name"], "images").replace(metadata["namespace"], "builds")
    text = _REQUEST.sub("00000000-0000-4000-8000-000000000000", _MOMENT.sub(MOMENT, text))
    text = _DNS_PART.sub(r"\1-00000000", _numbered(_DIGEST, _numbered(_ID, text)))
    found: dict[str, Any] = json.loads(text)
    return found


def _numbered(pattern: re.Pattern[str], text: str) -> str:
    """Each id or digest as a number; a digest begins with a letter, or YAML would take some for numbers."""
    numbers: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        if match[0].endswith(_NO_ID):
            return match[0]
        kind, dash, _ = match[0].rpartition("-")
        number = len(numbers) + 1
        return numbers.setdefault(match[0], f"{kind}-{number:017x}" if dash else f"d{number:015x}")

    return pattern.sub(number, text)


def _shape(resource: Mapping[str, Any]) -> Any:
    """The resource without the ids and digests in it: lists of ids have no order of their own."""
    text = _DIGEST.sub("#", _ID.sub(r"\1-#", json.dumps(recordable(resource), sort_keys=True)))
    return json.loads(text)


def check(name: str, status: str, resource: Mapping[str, Any]) -> None:
    """The recorded resource of that name is as this one; or this one is recorded, when that was asked for."""
    path = FOLDER / "testdata" / f"{name}.yaml"
    if WRITING:
        path.write_text(yaml.safe_dump(recordable(resource), sort_keys=False, width=120))
        _record(path, status)
    assert path.exists(), f"{path.name} is missing: write it with IBPE_WRITE_GOLDEN=1, and read it"
    assert _shape(yaml.safe_load(path.read_text())) == _shape(resource)


def _record(path: Path, status: str) -> None:
    known = {each["inputPath"]: each for each in load()}
    shown = health(yaml.safe_load(path.read_text()))
    assert shown.status == status
    relative = str(path.relative_to(FOLDER))
    known[relative] = {
        "inputPath": relative,
        "healthStatus": {"status": shown.status, "message": shown.message},
    }
    tests = [known[key] for key in sorted(known)]
    TESTS.write_text(yaml.safe_dump({"tests": tests}, sort_keys=False, width=120))


def load() -> list[dict[str, Any]]:
    """The tests of health_test.yaml."""
    found: list[dict[str, Any]] = yaml.safe_load(TESTS.read_text())["tests"] if TESTS.exists() else []
    return found


def expected(test: Mapping[str, Any]) -> Health:
    """What a test of health_test.yaml expects."""
    return Health(**test["healthStatus"])
