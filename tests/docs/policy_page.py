"""The parts of docs/policies.md that are written from the code. `python -m tests.docs.policy_page` writes them anew."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from ibpe.policy.document import PolicyDocument, Statement, plain, size
from ibpe.policy.imagebuilder import PRESETS, imagebuilder_policy
from ibpe.policy.s3 import BASELINES, S3Use, build_statements, s3_policy
from ibpe.policy.sources import SOURCES
from ibpe.policy.statements import Organization
from tests.docs.pages import DOCS

PAGE: Final = DOCS / "policies.md"
REGION: Final = "us-east-1"
ORGANIZATION: Final = Organization("o-a1b2c3d4e5", "o-a1b2c3d4e5")
NOTHING: Final = S3Use(ssm_agent=False)

_PART = re.compile(r"(<!-- written from the code: (?P<name>[a-z0-9-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_NUMBERS: Final[Mapping[str, int]] = {
    source: number for number, source in enumerate(dict.fromkeys(each.source for each in SOURCES.values()), start=1)
}


def written_anew(page: str) -> str:
    """The page with every such part as the code has it now."""
    parts = {
        "presets": _presets(),
        "organization-toggles": _organization_toggles(),
        "baselines": _baselines(),
        "s3-toggles": _s3_toggles(),
        "sources": (f"{number}. {source}" for source, number in _NUMBERS.items()),
    }
    names = [found["name"] for found in _PART.finditer(page)]
    assert sorted(names) == sorted(parts), f"the page has the parts {names}"
    return _PART.sub(lambda found: "".join((found[1], "\n", "\n".join(parts[found["name"]]), "\n\n", found[3])), page)


def _presets() -> Iterator[str]:
    for preset in PRESETS:
        if preset != "Custom":
            yield from _chapter(preset, imagebuilder_policy(preset, REGION, organization=ORGANIZATION))


def _baselines() -> Iterator[str]:
    for baseline in BASELINES:
        organization = ORGANIZATION if baseline == "Organization" else None
        yield from _chapter(baseline, s3_policy(baseline, REGION, organization=organization))


def _chapter(name: str, document: PolicyDocument) -> Iterator[str]:
    yield from (f"### {name}", "")
    if any(statement.sid for statement in document.statements):
        yield from ("| Statement | Why |", "|---|---|")
        yield from (_row(statement) for statement in document.statements)
        yield ""
    yield from (f"<details><summary>The document, {size(document)} characters</summary>", "")
    yield from ("```json", _document(document), "```", "", "</details>", "")


def _row(statement: Statement) -> str:
    source = SOURCES[statement.sid]
    return f"| `{statement.sid}` | {source.why} [{_NUMBERS[source.source]}] |"


def _organization_toggles() -> Iterator[str]:
    yield from ("| Field | Statement | Why | Allows |", "|---|---|---|---|")
    plain_ = imagebuilder_policy("Organization", REGION, organization=ORGANIZATION)
    toggles = {
        "marketplace": imagebuilder_policy("Organization", REGION, organization=ORGANIZATION, marketplace=True),
        "awsServices": imagebuilder_policy("Organization", REGION, organization=ORGANIZATION, aws_services=True),
    }
    for field, document in toggles.items():
        yield from _toggle_rows(field, [each for each in document.statements if each not in plain_.statements])


def _s3_toggles() -> Iterator[str]:
    yield from ("| Field | Statement | Why | Allows |", "|---|---|---|---|")
    without = build_statements(REGION, NOTHING)
    for field in fields(S3Use):
        if field.name == "environment":
            continue
        value: Any = ("your-bucket",) if field.name.endswith("buckets") else True
        statements = build_statements(REGION, replace(NOTHING, **{field.name: value}))
        yield from _toggle_rows(_camel(field.name), [each for each in statements if each not in without])


def _toggle_rows(field: str, statements: Sequence[Statement]) -> Iterator[str]:
    for statement in statements:
        source = SOURCES[statement.sid]
        allows = f"{_code(statement.actions.values)} on {_code(statement.resources.values)}"
        yield f"| `{field}` | `{statement.sid}` | {source.why} [{_NUMBERS[source.source]}] | {allows} |"


def _code(values: Sequence[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _document(document: PolicyDocument) -> str:
    return json.dumps(plain(document), indent=2)


if __name__ == "__main__":
    PAGE.write_text(written_anew(PAGE.read_text()))
