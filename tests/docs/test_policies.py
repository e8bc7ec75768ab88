import json
import re
from dataclasses import fields

import pytest

from ibpe.api.policies import ImageBuilderPreset, S3Baseline, S3Policy
from ibpe.cli.policy import command
from ibpe.policy.document import SIZE_LIMIT, PolicyError
from ibpe.policy.explanation import UNLOGGED_CALLS
from ibpe.policy.parse import parse
from ibpe.policy.s3 import S3Use
from ibpe.policy.sources import SOURCES
from tests.docs.pages import blocks, first_cells, section
from tests.docs.policy_page import PAGE, written_anew

_INVALID = '{\n  "Statement": [\n    {\n      "Effect": "Allow",\n      "Principal": "*",\n      "Action": "*",\n      '
_SPACE = {"Effect": "Deny", "Principal": "*", "Action": "imagebuilder: DeleteImage", "Resource": "*"}


def test_what_is_written_from_the_code_is_fresh() -> None:
    page = PAGE.read_text()
    assert page == written_anew(page), "run `python -m tests.docs.policy_page`"


def test_every_document_on_the_page_is_a_policy() -> None:
    documents = [parse(text) for text in blocks(PAGE, "json")]
    presets = [preset for preset in ImageBuilderPreset if preset is not ImageBuilderPreset.CUSTOM]
    assert len(documents) == len(presets) + len(S3Baseline)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("The Image Builder endpoint: `imageBuilder.policy.preset`", [preset.value for preset in ImageBuilderPreset]),
        ("The S3 gateway endpoint: `s3.policy.baseline`", [baseline.value for baseline in S3Baseline]),
    ],
    ids=["presets", "baselines"],
)
def test_every_choice_is_told_in_a_line(title: str, words: list[str]) -> None:
    assert set(words) <= first_cells(section(PAGE, title))


def test_every_toggle_of_the_spec_has_its_row() -> None:
    names = {field.name for field in fields(S3Use)} - {"environment"}
    aliases = {S3Policy.model_fields[name].alias or "" for name in names}
    assert aliases <= first_cells(section(PAGE, "The S3 gateway endpoint: `s3.policy.baseline`"))


def test_every_statement_is_on_the_page_with_its_reason() -> None:
    page = PAGE.read_text()
    assert [sid for sid, source in SOURCES.items() if f"`{sid}` | {source.why}" not in page] == []


def test_every_command_is_in_the_table() -> None:
    written = first_cells(section(PAGE, "The command line"))
    for name in command.list_commands(None):  # type: ignore[arg-type]  # it looks at no context
        assert any(cell.startswith(f"ibpe policy {name} ") for cell in written)


def test_every_option_that_the_page_names_is_one() -> None:
    known = {option for name in ("render", "check", "diff", "explain") for option in _options(name)}
    named = set(re.findall(r"--[a-z][a-z-]+", section(PAGE, "The command line")))
    assert {"--strict", "--only"} <= named
    assert named - known == set()


def _options(name: str) -> list[str]:
    loaded = command.get_command(None, name)  # type: ignore[arg-type]  # it looks at no context
    assert loaded is not None
    return [option for each in loaded.params for option in (*each.opts, *each.secondary_opts)]


def test_the_refusals_are_quoted_as_they_are() -> None:
    (quoted,) = (block for block in blocks(PAGE, "") if "there is a space" in block)
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    said = []
    for text in (json.dumps({"Statement": [allowed, _SPACE]}), f'{_INVALID}"Resource": "*",\n    }}\n  ]\n}}'):
        with pytest.raises(PolicyError) as refused:
            parse(text)
        said.append(str(refused.value))
    assert said[0] in quoted.splitlines()
    assert _without_place(said[1]) in map(_without_place, quoted.splitlines())


def _without_place(sentence: str) -> str:
    return re.sub(r"line \d+ column \d+", "line", sentence)


def test_the_limit_and_the_note_about_cloudtrail_are_the_codes() -> None:
    page = " ".join(PAGE.read_text().replace("`", "").split())
    assert f"{SIZE_LIMIT:,} characters" in page
    assert UNLOGGED_CALLS.removeprefix("With a policy other than the default one, ").rstrip(".") in page
