from collections.abc import Mapping

import pytest

from ibpe.policy.difference import difference, difference_from_text
from ibpe.policy.document import PolicyDocument
from ibpe.policy.parse import parse
from ibpe.policy.s3 import S3Use, full_access, s3_policy

Plain = Mapping[str, object]

READS: Plain = {
    "Sid": "Reads",
    "Effect": "Allow",
    "Principal": "*",
    "Action": ["s3:GetObject", "s3:ListBucket"],
    "Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"],
    "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a"}},
}
WRITES: Plain = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::a/*"}
OPEN: Plain = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def policy(*statements: Plain, **elements: object) -> PolicyDocument:
    return parse({"Version": "2012-10-17", "Statement": list(statements), **elements})


@pytest.mark.parametrize(
    ("observed", "sentence"),
    [
        pytest.param(policy(READS, WRITES), "the policies say the same", id="same"),
        pytest.param(
            policy({**READS, "Resource": "arn:aws:s3:::a/*"}, WRITES),
            "statement Reads: Resource lacks arn:aws:s3:::b/*",
            id="resource taken away",
        ),
        pytest.param(
            policy({**READS, "Action": ["S3:getobject", "s3:PutObject", "s3:ListBucket"]}, WRITES),
            "statement Reads: Action also has s3:PutObject",
            id="action added, another in other letter case",
        ),
        pytest.param(
            policy({**READS, "Effect": "Deny"}, WRITES),
            "statement Reads: Effect is Deny instead of Allow",
            id="effect turned",
        ),
        pytest.param(
            policy({**READS, "Principal": {"AWS": "123456789012", "Service": "ec2.amazonaws.com"}}, WRITES),
            "statement Reads: Principal lacks * and also has 123456789012, Service ec2.amazonaws.com",
            id="principal narrowed",
        ),
        pytest.param(
            policy({**READS, "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-a", "o-b"]}}}, WRITES),
            "statement Reads: Condition lacks aws:PrincipalOrgID StringEquals o-a"
            " and also has aws:PrincipalOrgID StringEquals o-a or o-b",
            id="condition widened",
        ),
        pytest.param(
            policy({key: value for key, value in READS.items() if key != "Condition"}, WRITES),
            "statement Reads: Condition lacks aws:PrincipalOrgID StringEquals o-a",
            id="condition taken away",
        ),
        pytest.param(
            policy({("NotAction" if key == "Action" else key): value for key, value in READS.items()}, WRITES),
            "statement Reads: Action lacks s3:GetObject, s3:ListBucket"
            " and also has NotAction s3:GetObject, NotAction s3:ListBucket",
            id="action turned into its opposite",
        ),
        pytest.param(
            policy({**READS, "Sid": "Other"}, WRITES), "statement Reads: Sid is Other instead of Reads", id="renamed"
        ),
        pytest.param(
            policy({key: value for key, value in READS.items() if key != "Sid"}, WRITES),
            "statement Reads: Sid is absent instead of Reads",
            id="name taken away",
        ),
        pytest.param(
            policy(READS, {**WRITES, "Resource": "*"}),
            "statement that denies s3:PutObject on arn:aws:s3:::a/* to *:"
            " Resource lacks arn:aws:s3:::a/* and also has *",
            id="statement without a Sid",
        ),
        pytest.param(
            policy(READS),
            "a statement is missing that denies s3:PutObject on arn:aws:s3:::a/* to *",
            id="statement without a Sid is gone",
        ),
        pytest.param(policy(WRITES), "statement Reads is missing", id="statement is gone"),
        pytest.param(
            policy(OPEN, READS, WRITES), "an unexpected statement allows * on * to *", id="statement that opens all"
        ),
        pytest.param(
            policy(READS, WRITES, {**OPEN, "Sid": "Open", "Condition": {"Bool": {"aws:SecureTransport": True}}}),
            "an unexpected statement Open allows * on * to * where aws:SecureTransport Bool true",
            id="statement with a Sid and a condition",
        ),
        pytest.param(policy(READS, WRITES, Id="x"), "Id is x instead of absent", id="Id"),
        pytest.param(
            policy({**READS, "Action": "s3:ListBucket", "Resource": "*"}, OPEN),
            "statement Reads: Action lacks s3:GetObject,"
            " Resource lacks arn:aws:s3:::a/*, arn:aws:s3:::b/* and also has *;"
            " a statement is missing that denies s3:PutObject on arn:aws:s3:::a/* to *;"
            " an unexpected statement allows * on * to *",
            id="several at once",
        ),
    ],
)
def test_a_difference_is_told_by_statement_and_element(observed: PolicyDocument, sentence: str) -> None:
    found = difference(policy(READS, WRITES), observed)
    assert found.sentence() == sentence
    assert bool(found) == (sentence != "the policies say the same")


def test_a_statement_stands_for_one_desired_statement_only() -> None:
    lists = {**WRITES, "Action": "s3:ListBucket"}
    found = difference(policy(WRITES, lists), policy({**WRITES, "Action": "s3:GetObject"}))
    assert found.sentence() == (
        "statement that denies s3:PutObject on arn:aws:s3:::a/* to *:"
        " Action lacks s3:PutObject and also has s3:GetObject;"
        " a statement is missing that denies s3:ListBucket on arn:aws:s3:::a/* to *"
    )


def test_a_statement_without_a_sid_that_differs_in_two_elements_is_another_one() -> None:
    found = difference(policy(WRITES), policy({**WRITES, "Effect": "Allow", "Resource": "*"}))
    assert found.sentence() == (
        "a statement is missing that denies s3:PutObject on arn:aws:s3:::a/* to *;"
        " an unexpected statement allows s3:PutObject on * to *"
    )


def test_a_widened_policy_of_ours_is_told_by_our_own_names() -> None:
    desired = s3_policy("ImageBuilderOnly", "us-west-2", S3Use(ssm_agent=False))
    assert difference(desired, full_access()).sentence() == (
        "statement AllowImageBuilderAccessToAppAndComponentBuckets is missing; "
        "an unexpected statement allows * on * to *"
    )


def test_variables_that_turn_into_plain_text_are_told() -> None:
    statement = {**READS, "Resource": "arn:aws:s3:::${aws:username}/*"}
    old = parse({"Version": "2008-10-17", "Statement": statement})
    assert difference(policy(statement), old).sentence() == (
        "statement Reads: Version is 2008-10-17 instead of 2012-10-17"
    )


def test_variables_on_one_side_are_no_difference_of_versions() -> None:
    observed = policy({**READS, "Resource": "arn:aws:s3:::${aws:username}/*"})
    assert "Version" not in difference(policy(READS), observed).sentence()


def test_text_that_is_no_policy_is_told_as_such() -> None:
    found = difference_from_text(policy(READS), '{"Statement": []}')
    assert found.sentence() == (
        "the policy there can't be read (Statement: it is empty; add a statement; a policy without one allows nothing)"
    )


def test_long_lists_are_counted() -> None:
    desired = policy({**READS, "Resource": [f"arn:{number}" for number in range(9)]})
    observed = policy({**READS, "Resource": "arn:0"})
    assert difference(desired, observed).sentence() == "statement Reads: Resource lacks arn:1, arn:2, arn:3 and 5 more"


def test_differences_that_do_not_fit_are_counted() -> None:
    desired = policy(*({**READS, "Sid": f"S{number}"} for number in range(5)))
    found = difference(desired, policy(WRITES))
    assert found.sentence(80) == "statement S0 is missing; statement S1 is missing; and 4 more"
    assert found.sentence(10) == "statement…"


def test_what_a_foreign_editor_wrote_cannot_break_the_line() -> None:
    observed = policy(READS, {**OPEN, "Sid": "a\nb\u202e"})
    assert difference(policy(READS), observed).sentence() == "an unexpected statement a?b? allows * on * to *"
