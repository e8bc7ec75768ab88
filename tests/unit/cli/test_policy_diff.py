"""`ibpe policy diff`: by meaning, as diff(1) exits, and which of the two lets more through."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from ibpe.cli.root import cli

READ = {"Sid": "Read", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::one/*"}
WRITE = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::one/*"}


def policy(*statements: object, **more: object) -> dict[str, object]:
    return {"Version": "2012-10-17", **more, "Statement": list(statements)}


def diff(directory: Path, one: object, two: object, *arguments: str) -> Result:
    files = [directory / "one.json", directory / "two.yaml"]
    files[0].write_text(json.dumps(one))
    files[1].write_text(yaml.safe_dump(two))
    return CliRunner().invoke(cli, ["policy", "diff", *map(str, files), *arguments])


def test_two_spellings_of_one_policy_are_the_same(tmp_path: Path) -> None:
    spelled = {**READ, "Principal": {"AWS": ["*"]}, "Action": ["S3:getobject"]}
    done = diff(tmp_path, policy(READ), policy(spelled))
    assert (done.exit_code, done.stdout) == (0, "The policies say the same.\n")


def test_each_difference_is_a_line_and_more_is_told_with_a_request(tmp_path: Path) -> None:
    done = diff(tmp_path, policy(READ, WRITE), policy({**READ, "Resource": "*"}))
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        "~ statement Read: Resource lacks arn:aws:s3:::one/* and also has *",
        "- a statement that allows s3:PutObject on arn:aws:s3:::one/* to *",
        "",
    ]
    assert lines[3].startswith("TWO allows what ONE does not, such as s3:GetObject on ")
    assert lines[4].startswith("ONE allows what TWO does not, such as s3:PutObject on arn:aws:s3:::one/")


def test_less_is_no_more(tmp_path: Path) -> None:
    deny = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    done = diff(tmp_path, policy(READ), policy(READ, deny, Id="mine"))
    assert done.exit_code == 1
    assert done.stdout.splitlines()[:4] == [
        "~ Id is mine instead of absent",
        "+ statement No: denies s3:* on * to *",
        "",
        "TWO allows nothing that ONE does not.",
    ]


def test_a_familiar_request_is_told_rather_than_a_made_up_one_and_no_more_of_it_than_matters(tmp_path: Path) -> None:
    open_ = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
    within = policy({**READ, "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}})
    lines = diff(tmp_path, within, open_, "--role", "s3", "--region", "cn-north-1").stdout.splitlines()
    assert lines[-2].startswith(
        "TWO allows what ONE does not, such as s3:PutObject on arn:aws-cn:s3:::somebody-elses/example"
    )
    lines = diff(tmp_path, open_, within, "--role", "s3", "--region", "cn-north-1").stdout.splitlines()
    assert "s3:GetObject on arn:aws-cn:s3:::ec2imagebuilder-toe-cn-north-1-prod/" in lines[-1]
    assert "aws:principaltype" not in lines[-1]
    lines = diff(tmp_path, within, open_, "--role", "imagebuilder").stdout.splitlines()
    assert "such as imagebuilder:DeleteImage on arn:aws:imagebuilder:us-east-1:" in lines[-2]


def test_another_sid_is_a_difference_though_it_allows_no_more(tmp_path: Path) -> None:
    done = diff(tmp_path, policy(READ), policy({**READ, "Sid": "Reading"}))
    assert done.exit_code == 1
    assert "TWO allows nothing that ONE does not." in done.stdout
    assert "ONE allows nothing that TWO does not." in done.stdout


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_for_programs(tmp_path: Path, output: str) -> None:
    done = diff(tmp_path, policy(READ), policy({**READ, "Action": ["s3:GetObject", "s3:PutObject"]}), "-o", output)
    assert done.exit_code == 1
    data: dict[str, Any] = yaml.safe_load(done.stdout)
    assert data["same"] is False
    assert data["changed"] == [
        {"sid": "Read", "elements": [{"element": "Action", "onlyInOne": [], "onlyInTwo": ["s3:PutObject"]}]}
    ]
    assert data["allowedByTwoOnly"]["action"] == "s3:PutObject"
    assert data["allowedByTwoOnly"]["resource"].startswith("arn:aws:s3:::one/")
    assert data["allowedByOneOnly"] is None


def test_for_programs_that_compare_equal_policies(tmp_path: Path) -> None:
    data = json.loads(diff(tmp_path, policy(READ), policy(READ), "-o", "json").stdout)
    assert data == {
        "same": True,
        "changed": [],
        "onlyInOne": [],
        "onlyInTwo": [],
        "id": None,
        "allowedByTwoOnly": None,
        "allowedByOneOnly": None,
    }


def test_the_roles_of_what_render_prints_are_compared_one_at_a_time(tmp_path: Path) -> None:
    both = {"imagebuilder": policy(WRITE), "s3": policy(READ)}
    assert diff(tmp_path, both, policy(READ), "--role", "s3").exit_code == 0
    done = diff(tmp_path, both, policy(READ))
    assert (done.exit_code, done.stdout) == (1, "")
    assert "choose one with --role" in done.stderr


def test_standard_input_can_be_one_of_the_two() -> None:
    done = CliRunner().invoke(cli, ["policy", "diff", "-", "-"], input=json.dumps(policy(READ)))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "error: Only one of the two can be standard input; give a file for the other.\n"
