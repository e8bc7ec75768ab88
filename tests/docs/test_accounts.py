"""The page about the accounts file against the model of that file, and against the file that people copy."""

import json
import re
from collections.abc import Iterator

import yaml
from click.testing import CliRunner
from pydantic import BaseModel

from ibpe.cli.root import cli
from ibpe.runtime.accounts_file import AccountEntry, GrantEntry, VpcsEntry, read
from tests.docs.pages import DOCS, REPOSITORY, blocks, rows, section

PAGE = DOCS / "accounts.md"
EXAMPLE = REPOSITORY / "examples" / "configuration" / "accounts.yaml"


def _rows(model: type[BaseModel], place: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        required = "required" if field.is_required() else ""
        yield f"| `{place}.{field.alias or name}` | {required} | {field.description} |".replace("|  |", "| |")


def test_the_table_is_the_model() -> None:
    expected = [*_rows(AccountEntry, "accounts[]"), *_rows(GrantEntry, "grants[]"), *_rows(VpcsEntry, "grants[].vpcs")]
    assert [row for row in rows(section(PAGE, "The file")) if "`" in row.split(" | ")[0]] == expected


def test_the_page_shows_the_file_that_is_there_to_be_copied() -> None:
    shown = [text for text in blocks(PAGE, "yaml") if "grants:" in text]
    assert [yaml.safe_load(text) for text in shown] == [yaml.safe_load(EXAMPLE.read_text())]
    assert read(EXAMPLE.read_text(), "any").roles["network"].external_id == "ibpe-7f3c"


def test_the_trust_policy_of_the_page_asks_for_the_external_id_of_the_file() -> None:
    (command,) = re.findall(r"^\$ ibpe (iam-trust member .*?) >", "\n".join(blocks(PAGE, "console")), re.MULTILINE)
    done = CliRunner().invoke(cli, command.split())
    assert done.exit_code == 0, done.output
    external_id = read(EXAMPLE.read_text(), "any").roles["network"].external_id
    assert json.loads(done.output)["Statement"][0]["Condition"] == {"StringEquals": {"sts:ExternalId": external_id}}
