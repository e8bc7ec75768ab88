import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ibpe.policy.contribution import allows_all, contribute, holds, is_contributed, mark, marked, withdraw
from ibpe.policy.document import PolicyDocument, PolicyError, Statement, plain
from ibpe.policy.parse import parse, parse_statements

OURS = mark("blue", "8f0e")
THEIRS = mark("blue", "8f0f")


def statement(sid: str, resource: str = "arn:aws:s3:::a/*", **elements: object) -> dict[str, object]:
    named = {"Sid": sid} if sid else {}
    return {**named, "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource, **elements}


def ours(*written: Mapping[str, object], mark_: str = OURS) -> tuple[Statement, ...]:
    return marked(parse_statements(written, "additionalStatements"), mark_)


def policy(*written: Mapping[str, object], **elements: object) -> str:
    return json.dumps({"Version": "2012-10-17", **elements, "Statement": list(written)}, separators=(",", ":"))


def listed(text: str) -> list[Any]:
    found = json.loads(text)["Statement"]
    return found if isinstance(found, list) else [found]


def sids(text: str) -> Sequence[str]:
    return [item.get("Sid", "") for item in listed(text)]


def written(statement_: Statement) -> dict[str, object]:
    text = json.dumps(plain(PolicyDocument((statement_,)))["Statement"])
    (item,) = json.loads(text)
    assert isinstance(item, dict)
    return item


READ = ours(statement("Read"))
READ_AND_LOG = ours(statement("Read"), statement("Log", "arn:aws:s3:::log/*", Action="s3:PutObject"))
FOREIGN = statement("Finance", "arn:aws:s3:::finance/*")
OTHER_FOREIGN = statement("", "arn:aws:s3:::other/*")


# Marks and Sids.


def test_a_mark_is_letters_and_digits_and_stays_the_same_for_ever() -> None:
    assert mark("blue", "8f0e") == "IBPE5af89c1f3bf7"


def test_cluster_and_uid_both_make_the_mark() -> None:
    marks = {mark("blue", "1"), mark("blue", "2"), mark("green", "1"), mark("blue1", ""), mark("", "blue1")}
    assert len(marks) == 5
    assert all(re.fullmatch("IBPE[0-9a-f]{12}", mark_) for mark_ in marks)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (["Read", "Log"], ["Read", "Log"]),
        (["", "Read", ""], ["1", "Read", "2"]),
        (["", "1"], ["2", "1"]),
        (["my-statement", "my statement", "mystatement2"], ["mystatement", "mystatement2", "mystatement22"]),
        (["Zugriff-für-alle", "---", "読む"], ["Zugrifffralle", "1", "2"]),
    ],
    ids=[
        "its own Sid goes behind the mark",
        "without a Sid a number does",
        "a number that is somebody's Sid is left to it",
        "what comes out alike is told apart",
        "only letters and digits of ASCII are left",
    ],
)
def test_sids_of_ours(own: list[str], expected: list[str]) -> None:
    written = [parse_statements([statement(sid)], "x")[0] for sid in own]
    assert [item.sid for item in marked(written, OURS)] == [OURS + name for name in expected]


def test_marking_changes_nothing_but_the_sid() -> None:
    (plain_one,) = parse_statements([statement("Read", Condition={"Bool": {"aws:SecureTransport": True}})], "x")
    (marked_one,) = marked([plain_one], OURS)
    assert written(marked_one) == {**written(plain_one), "Sid": f"{OURS}Read"}


# Putting in.


def test_new_statements_go_to_the_end_in_their_order() -> None:
    merged = contribute(policy(FOREIGN, OTHER_FOREIGN, Id="theirs"), READ_AND_LOG, OURS)
    assert json.loads(merged) == {
        "Version": "2012-10-17",
        "Id": "theirs",
        "Statement": [FOREIGN, OTHER_FOREIGN, *map(written, READ_AND_LOG)],
    }


def test_the_result_is_minified() -> None:
    spread = json.dumps(json.loads(policy(FOREIGN)), indent=4)
    assert contribute(spread, READ, OURS) == contribute(policy(FOREIGN), READ, OURS)
    assert not re.search(r'[\s](?=([^"]*"[^"]*")*[^"]*$)', contribute(spread, READ, OURS))


STRANGE = (
    r'{ "Sid" : "with  space, 3\"  long, \\ and \u00e9 or é [{]}:", "Effect":"Allow","Principal":{"AWS":["*"]},'
    '"Action":["S3:getobject"] ,"NotResource":"arn:aws:s3:::a/*","Condition":{"NumericLessThan":'
    '{"s3:max-keys":[1.0e400, 1.10,-0, 123456789012345678901234567890]},"Bool":{"aws:SecureTransport":true},'
    r'"StringLike":{"x":["\ud800","\/",""]}},"NewElement":null}'
)
STRANGE_MINIFIED = (
    r'{"Sid":"with  space, 3\"  long, \\ and \u00e9 or é [{]}:","Effect":"Allow","Principal":{"AWS":["*"]},'
    '"Action":["S3:getobject"],"NotResource":"arn:aws:s3:::a/*","Condition":{"NumericLessThan":'
    '{"s3:max-keys":[1.0e400,1.10,-0,123456789012345678901234567890]},"Bool":{"aws:SecureTransport":true},'
    r'"StringLike":{"x":["\ud800","\/",""]}},"NewElement":null}'
)


def test_foreign_statements_keep_their_spelling_to_the_character() -> None:
    text = f'{{"Statement" :\n[{STRANGE},\t{STRANGE}], "Id": "\\u0041"}}'
    merged = contribute(text, READ, OURS)
    assert merged.startswith(f'{{"Statement":[{STRANGE_MINIFIED},{STRANGE_MINIFIED},{{"Sid":"{OURS}Read",')
    assert merged.endswith('}],"Id":"\\u0041"}')
    assert withdraw(merged, OURS) == f'{{"Statement":[{STRANGE_MINIFIED},{STRANGE_MINIFIED}],"Id":"\\u0041"}}'


def test_a_statement_alone_becomes_a_list_when_another_joins_it() -> None:
    merged = contribute(json.dumps({"Statement": FOREIGN}), READ, OURS)
    assert json.loads(merged) == {"Statement": [FOREIGN, *map(written, READ)]}


def test_a_statement_of_ours_that_is_alone_stays_alone_when_it_is_mended() -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": statement(f"{OURS}Read", "*")})
    assert json.loads(contribute(text, READ, OURS)) == {"Version": "2012-10-17", "Statement": written(READ[0])}


@pytest.mark.parametrize(
    "text",
    [
        policy(FOREIGN, *map(written, READ)),
        json.dumps(json.loads(policy(*map(written, READ), FOREIGN)), indent=2),
        policy({**written(READ[0]), "Principal": {"AWS": ["*"]}, "Action": ["S3:GETOBJECT"]}),
        json.dumps({"Statement": written(READ[0])}),
    ],
    ids=["as we write it", "spread, and at another place", "as AWS may rewrite it", "in a policy of the old version"],
)
def test_the_very_text_comes_back_where_nothing_is_to_change(text: str) -> None:
    assert holds(text, READ, OURS)
    assert contribute(text, READ, OURS) is text


def test_what_somebody_did_to_ours_is_mended_at_its_place() -> None:
    touched = {**written(READ[0]), "Resource": "arn:aws:s3:::elsewhere/*"}
    text = policy(FOREIGN, touched, OTHER_FOREIGN)
    assert not holds(text, READ, OURS)
    assert contribute(text, READ, OURS) == policy(FOREIGN, written(READ[0]), OTHER_FOREIGN)


def test_a_statement_of_ours_that_no_longer_can_be_read_is_mended() -> None:
    text = policy({"Sid": f"{OURS}Read", "Effect": "Maybe"}, FOREIGN)
    assert contribute(text, READ, OURS) == policy(written(READ[0]), FOREIGN)


def test_what_ours_no_longer_hold_goes() -> None:
    text = contribute(policy(FOREIGN), READ_AND_LOG, OURS)
    assert not holds(text, READ, OURS)
    assert contribute(text, READ, OURS) == policy(FOREIGN, *map(written, READ))


@pytest.mark.parametrize("second", [written(READ[0]), statement(f"{OURS}Read", "*")], ids=["alike", "not alike"])
def test_of_a_statement_of_ours_that_is_there_twice_one_is_left(second: dict[str, object]) -> None:
    text = policy(written(READ[0]), FOREIGN, second)
    assert not holds(text, READ, OURS)
    assert contribute(text, READ, OURS) == policy(written(READ[0]), FOREIGN)


def test_a_statement_of_ours_that_is_there_twice_does_not_stand_for_another() -> None:
    text = policy(written(READ[0]), written(READ[0]))
    assert not holds(text, READ_AND_LOG, OURS)
    assert contribute(text, READ_AND_LOG, OURS) == policy(*map(written, READ_AND_LOG))


@pytest.mark.parametrize(
    "sid",
    [
        THEIRS + "Read",
        OURS,
        f"{OURS}-Read",
        f"{OURS}Read ",
        f"{OURS}Réad",
        f"{OURS.lower()}Read",
        f"{OURS.upper()}Read",
        f" {OURS}Read",
        f"X{OURS}Read",
        "IBPE",
        "IBPERead",
        OURS[:-1] + "Read",
    ],
)
def test_a_sid_that_only_looks_like_ours_is_somebody_elses(sid: str) -> None:
    foreign = statement(sid, "arn:aws:s3:::foreign/*")
    text = policy(foreign, foreign)
    assert not is_contributed(text, OURS)
    merged = contribute(text, READ, OURS)
    assert merged == policy(foreign, foreign, *map(written, READ))
    assert withdraw(merged, OURS) == text


@pytest.mark.parametrize("sid", [None, 7, True, [OURS + "Read"], {}])
def test_a_sid_that_is_no_string_is_somebody_elses(sid: object) -> None:
    text = policy({**FOREIGN, "Sid": sid})
    assert withdraw(contribute(text, READ, OURS), OURS) == text


def test_the_unmarked_and_the_repeated_are_not_contributed() -> None:
    unmarked = parse_statements([statement("Read")], "x")
    for statements in (unmarked, ours(statement("Read"), mark_=THEIRS), (*READ, *READ)):
        with pytest.raises(ValueError, match="Sids of IBPE"):
            contribute(policy(FOREIGN), statements, OURS)


# Versions.

VARIABLE = ours(statement("Home", "arn:aws:s3:::home/${aws:username}/*"))


@pytest.mark.parametrize("version", [{}, {"Version": "2008-10-17"}], ids=["absent", "old"])
def test_variables_are_refused_where_they_would_be_plain_text(version: Mapping[str, str]) -> None:
    for text in (
        json.dumps({**version, "Statement": [FOREIGN]}),
        json.dumps({**version, "Statement": [written(VARIABLE[0])]}),
    ):
        assert not holds(text, VARIABLE, OURS)
        with pytest.raises(PolicyError) as caught:
            contribute(text, VARIABLE, OURS)
        assert str(caught.value) == (
            f"Version: the policy is of version 2008-10-17, in which the ${{…}} of statement {OURS}Home is plain text; "
            'have the endpoint\'s owner write "2012-10-17", or take ${…} out of additionalStatements'
        )


def test_variables_are_contributed_where_they_mean_something() -> None:
    assert contribute(policy(FOREIGN), VARIABLE, OURS) == policy(FOREIGN, written(VARIABLE[0]))


@pytest.mark.parametrize("version", [{}, {"Version": "2008-10-17"}, {"Version": "2012-10-17"}])
def test_the_version_is_never_changed(version: Mapping[str, str]) -> None:
    merged = contribute(json.dumps({**version, "Statement": [FOREIGN]}), READ, OURS)
    assert {key: value for key, value in json.loads(merged).items() if key != "Statement"} == version


# Taking out.


def test_taking_out_leaves_everybody_elses() -> None:
    text = contribute(contribute(policy(FOREIGN, Id="x"), READ, OURS), ours(statement("Read"), mark_=THEIRS), THEIRS)
    assert sids(text) == ["Finance", f"{OURS}Read", f"{THEIRS}Read"]
    left = withdraw(text, OURS)
    assert left is not None
    assert sids(left) == ["Finance", f"{THEIRS}Read"]
    assert withdraw(left, THEIRS) == policy(FOREIGN, Id="x")


def test_what_holds_nothing_of_ours_stays_the_very_text() -> None:
    spread = json.dumps(json.loads(policy(FOREIGN)), indent=4)
    assert withdraw(spread, OURS) is spread


@pytest.mark.parametrize(
    "text",
    [policy(*map(written, READ_AND_LOG)), json.dumps({"Statement": written(READ[0])})],
    ids=["in a list", "alone"],
)
def test_where_only_ours_are_left_nothing_is_taken_out(text: str) -> None:
    assert withdraw(text, OURS) is None


def test_contributing_nothing_takes_out_but_never_the_last() -> None:
    assert contribute(policy(FOREIGN, *map(written, READ)), (), OURS) == policy(FOREIGN)
    with pytest.raises(PolicyError, match="nothing would be left"):
        contribute(policy(*map(written, READ)), (), OURS)


# What is no policy.


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1 column 1: not JSON: Expecting value; write the policy as one JSON object"),
        ('{"Statement": [}', "line 1 column 16: not JSON: Expecting value; write the policy as one JSON object"),
        ("[]", "policy: [] is not an object; write an object with Version and Statement"),
        ("{}", 'policy: it has no Statement; add "Statement": [{"Effect": …, "Principal": …, …}]'),
        ('{"Statement": []}', "Statement: it is empty; add a statement; a policy without one allows nothing"),
        (
            '{"Statement": [{}, "x"]}',
            'Statement[1]: "x" is not an object; write an object with Effect, Principal, Action …',
        ),
        ('{"Statement": 7}', "Statement: 7 is not an object; write an object with Effect, Principal, Action …"),
        (
            '{"Statement": {}, "Statement": {}}',
            'policy: the key "Statement" stands twice in one object; keep one of them',
        ),
        ("[" * 100_000, "policy: nested too deeply to be a policy; write the policy as one JSON object"),
    ],
    ids=["empty", "torn", "list", "no statement", "empty list", "not an object", "a number", "twice", "deep"],
)
def test_what_is_no_policy_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(sentence)):
        contribute(text, READ, OURS)
    with pytest.raises(PolicyError, match=re.escape(sentence)):
        withdraw(text, OURS)
    assert not is_contributed(text, OURS)
    assert not holds(text, READ, OURS)
    assert not allows_all(text, OURS)


def test_a_value_that_is_nested_too_deeply_to_be_quoted_is_refused_all_the_same() -> None:
    nested: object = ()
    for _ in range(10_000):
        nested = (nested,)
    with pytest.raises(PolicyError, match=re.escape("x[0]: … is not an object")):
        parse_statements([nested], "x")


# AWS's default.

ALL = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize(
    "statement_",
    [
        ALL,
        {**ALL, "Sid": "Everything", "Principal": {"AWS": ["*"]}, "Action": ["*"], "Resource": ["*"]},
        {**ALL, "Action": "S3:*"},
        {**ALL, "Action": ["s3:GetObject", "*"], "Resource": ["arn:aws:s3:::a/*", "*"], "Condition": {}},
        {**ALL, "Sid": f"{THEIRS}1"},
    ],
    ids=["default", "as it may be rewritten", "all of S3", "and some more", "another contributor's"],
)
def test_a_policy_that_allows_all(statement_: Mapping[str, object]) -> None:
    assert allows_all(policy(FOREIGN, statement_), OURS)
    assert allows_all(json.dumps({"Version": "2008-10-17", "Statement": statement_}), OURS)


@pytest.mark.parametrize(
    "statement_",
    [
        {**ALL, "Effect": "Deny"},
        {**ALL, "Principal": {"AWS": "123456789012"}},
        {**ALL, "Action": "s3:Get*"},
        {**ALL, "Resource": "arn:aws:s3:::*"},
        {**ALL, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
        {"Effect": "Allow", "NotPrincipal": "*", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Principal": "*", "NotAction": "*", "Resource": "*"},
        {"Effect": "Allow", "Principal": "*", "Action": "*", "NotResource": "*"},
        {**ALL, "Sid": f"{OURS}1"},
        {**ALL, "Unknown": "x"},
    ],
    ids=[
        *("denies", "one account", "reads only", "buckets only", "a condition"),
        *("nobody", "no action", "no resource", "our own", "can't be read"),
    ],
)
def test_a_policy_that_does_not_allow_all(statement_: Mapping[str, object]) -> None:
    assert not allows_all(policy(statement_), OURS)


def test_what_is_contributed_is_read_by_everybody_as_it_was_meant() -> None:
    merged = parse(contribute(policy(FOREIGN), READ_AND_LOG, OURS))
    assert merged.statements[1:] == READ_AND_LOG


def test_a_byte_order_mark_before_the_policy_is_passed_over() -> None:
    text = policy(FOREIGN)
    shared = contribute(f"\ufeff{text}", READ, OURS)
    assert shared == contribute(text, READ, OURS)
    assert withdraw(f"\ufeff{shared}", OURS) == text


def test_a_sid_that_is_null_is_somebody_elses_and_stays() -> None:
    text = policy({**FOREIGN, "Sid": None})
    assert withdraw(contribute(text, READ, OURS), OURS) == text
