"""Policies as people keep them: each way of writing is read alike, and what is wrong is one sentence."""

import json
from pathlib import Path

import pytest
import yaml

from ibpe.cli.faults import Fault
from ibpe.cli.policy.documents import read_document
from ibpe.policy.document import plain
from ibpe.policy.problem import EndpointRole

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "A", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}],
}
OTHER = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
BOTH = {"imagebuilder": OTHER, "s3": POLICY}


def written(directory: Path, text: str) -> Path:
    file = directory / "policy.json"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(POLICY),
        "\ufeff\n" + json.dumps(POLICY, indent=2),
        json.dumps(json.dumps(POLICY)),
        yaml.safe_dump(POLICY),
        "# a comment\nVersion: 2012-10-17\n" + yaml.safe_dump({"Statement": POLICY["Statement"]}),
        json.dumps({"s3": POLICY}),
        json.dumps(BOTH),
        "# 123 of 20480 characters\n" + yaml.safe_dump(BOTH),
    ],
    ids=[
        "json",
        "byte-order-mark",
        "aws-cli",
        "yaml",
        "unquoted-version",
        "rendered",
        "rendered-both",
        "rendered-yaml",
    ],
)
def test_every_way_of_keeping_a_policy_is_read_alike(tmp_path: Path, text: str) -> None:
    assert plain(read_document(written(tmp_path, text), "s3")) == POLICY


def test_a_policy_for_one_role_needs_no_choice(tmp_path: Path) -> None:
    assert plain(read_document(written(tmp_path, json.dumps({"s3": POLICY})))) == POLICY


@pytest.mark.parametrize(
    ("text", "role", "message"),
    [
        (
            json.dumps({"Statement": [{**POLICY["Statement"][0], "Condition": {"StringEqual": {"a:b": "c"}}}]}),  # type: ignore[dict-item]  # it is one
            None,
            'Statement[0].Condition: "StringEqual" is not a condition operator; did you mean "StringEquals"?',
        ),
        ("", None, "policy.json holds no documents; give a file that holds one policy."),
        ("- a\n", None, "policy.json is not a policy; write an object with Version and Statement."),
        ("{}", None, "policy.json: policy: it has no Statement; "),
        ('\ufeff{"Statement": [],}', None, "policy.json: line 1 column 18: not JSON: "),
        ("hello", None, "policy.json is not a policy; write an object with Version and Statement."),
        ('"hello"', None, "policy.json: line 1 column 1: not JSON: Expecting value;"),
        ("a: 1\n---\nb: 2\n", None, "policy.json holds 2 documents; give a file that holds one policy."),
        ('{"Statement": [],}', None, "policy.json: line 1 column 18: not JSON: "),
        ('{"Version": "2012-10-17", "Version": "x"}', None, 'the key "Version" stands twice in one object'),
        ('{"s3": {"Statement": [], "Statement": []}}', None, "the key Statement stands twice"),
        ("Statement:\n  - Effect: [\n", None, "policy.json, line 3, column 1: not valid YAML: "),
        (json.dumps(BOTH), None, "policy.json holds policies for imagebuilder and s3; choose one with --role."),
        (json.dumps({"s3": POLICY}), "imagebuilder", "policy.json holds no policy for imagebuilder; it holds one for"),
        ('{"s3": 1}', None, "policy.json is not a policy; write an object"),
        ("[" * 5000, None, "nested too deeply"),
        ('{"a":' * 100000, None, "nested too deeply"),
        (
            json.dumps({"Statement": [{**POLICY["Statement"][0], "Action": "s3: GetObject"}]}),  # type: ignore[dict-item]  # it is one
            None,
            'policy.json: Statement[0].Action: there is a space in "s3: GetObject"; write "s3:GetObject".',
        ),
    ],
    ids=[
        "operator",
        *(
            "empty",
            "list",
            "empty-object",
            "trailing-comma-after-mark",
            "word",
            "json-word",
            "two-documents",
            "trailing-comma",
            "repeated-key",
            "repeated-key-within",
        ),
        *("bad-yaml", "no-role-chosen", "role-not-there", "role-without-policy", "deep-yaml", "deep-json", "space"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, text: str, role: EndpointRole | None, message: str) -> None:
    with pytest.raises(Fault) as fault:
        read_document(written(tmp_path, text), role)
    assert message in fault.value.message
    assert "\n" not in fault.value.message
    assert not fault.value.message.endswith(("?.", ".."))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"There is no file .*/none; check the path"):
        read_document(tmp_path / "none")
