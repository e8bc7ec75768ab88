"""Laws of how the double reads policies back: the meaning stays, and what it gives it would take again."""

import json

from hypothesis import given
from hypothesis import strategies as st

from sandbox.aws.policies import GATEWAY_DEFAULT, INTERFACE_DEFAULT, Format, check_policy, read_back

FORMS = st.sampled_from(("pretty", "verbatim", "harsh"))


def one_or_many(values: list[str]) -> st.SearchStrategy[str | list[str]]:
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Principal": st.sampled_from(["*", {"AWS": "*"}, {"AWS": ["123456789012"]}, {"Service": "ssm.amazonaws.com"}]),
        "Action": one_or_many(["*", "s3:GetObject", "imagebuilder:Delete*", "s3:List?ucket"]),
        "Resource": one_or_many(["*", "arn:aws:s3:::a/*", "arn:aws:imagebuilder:us-east-1:aws:component/*"]),
    },
    optional={
        "Sid": st.sampled_from(["", "One"]),
        "Condition": st.just({"StringEquals": {"aws:PrincipalOrgID": ["o-1"]}}),
    },
)
POLICIES = st.fixed_dictionaries(
    {"Statement": STATEMENTS | st.lists(STATEMENTS, min_size=1, max_size=3)},
    optional={"Version": st.sampled_from(["2012-10-17", "2008-10-17"])},
).map(json.dumps)


@given(policy=POLICIES, form=FORMS)
def test_what_is_given_back_would_be_taken_again(policy: str, form: Format) -> None:
    check_policy(policy, 20_480)
    check_policy(read_back(policy, form), 20_480)


@given(policy=POLICIES)
def test_pretty_means_what_was_sent(policy: str) -> None:
    assert json.loads(read_back(policy, "pretty")) == json.loads(policy)


@given(policy=POLICIES)
def test_harsh_keeps_every_statement_and_effect(policy: str) -> None:
    def effects(text: str) -> list[str]:
        statements = json.loads(text)["Statement"]
        return [each["Effect"] for each in (statements if isinstance(statements, list) else [statements])]

    assert effects(read_back(policy, "harsh")) == effects(policy)


def test_the_defaults_are_policies() -> None:
    for default in (INTERFACE_DEFAULT, GATEWAY_DEFAULT):
        check_policy(default, 20_480)
