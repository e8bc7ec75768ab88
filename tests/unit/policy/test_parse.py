import json
from collections.abc import Mapping
from datetime import date

import pytest

from ibpe.policy.document import Condition, Match, PolicyError, Principal, plain, render
from ibpe.policy.operators import is_operator
from ibpe.policy.parse import parse, parse_statements

GOOD: Mapping[str, object] = {"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:*", "Resource": "*"}


def document(**statement: object) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": [GOOD, {**GOOD, **statement}]}


def without(element: str) -> dict[str, object]:
    statement = {key: value for key, value in GOOD.items() if key != element}
    return {"Statement": [GOOD, statement]}


def refusal(source: str | Mapping[str, object]) -> str:
    with pytest.raises(PolicyError) as caught:
        parse(source)
    return str(caught.value)


def test_a_document_is_read_with_every_element_it_has() -> None:
    read = parse(
        {
            "Version": "2012-10-17",
            "Id": "builds",
            "Statement": {
                "Sid": "One",
                "Effect": "Deny",
                "NotPrincipal": {"Service": "ec2.amazonaws.com", "AWS": ["123456789012", "arn:aws:iam::1:root"]},
                "NotAction": ["s3:GetObject", "s3:Put*"],
                "NotResource": "arn:aws:s3:::a/*",
                "Condition": {"StringLike": {"aws:PrincipalArn": ["a*", "b*"]}, "Bool": {"aws:SecureTransport": False}},
            },
        }
    )
    (statement,) = read.statements
    assert (read.version, read.id, statement.sid, statement.effect) == ("2012-10-17", "builds", "One", "Deny")
    assert statement.principals == Match(
        (
            Principal("AWS", "123456789012"),
            Principal("AWS", "arn:aws:iam::1:root"),
            Principal("Service", "ec2.amazonaws.com"),
        ),
        excluded=True,
    )
    assert statement.actions == Match(("s3:GetObject", "s3:Put*"), excluded=True)
    assert statement.resources == Match(("arn:aws:s3:::a/*",), excluded=True)
    assert statement.conditions == (
        Condition("StringLike", "aws:PrincipalArn", ("a*", "b*")),
        Condition("Bool", "aws:SecureTransport", ("false",)),
    )


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        pytest.param("", "line 1 column 1: not JSON: Expecting value; write the policy as one JSON object", id="empty"),
        pytest.param(
            '{"Version": "2012-10-17",\n  "Statement": [{"Effect": "Allow",}]\n}',
            "line 2 column 3",  # which column of the two marks varies with Python
            id="trailing comma, as in the page's own example",
        ),
        pytest.param("[" * 100_000, "policy: nested too deeply to be a policy", id="nesting that exhausts the parser"),
        pytest.param("1" * 5000, "policy: it holds a number that is too long", id="number beyond the parser"),
        pytest.param(
            '{"Statement": {"Effect": "Allow", "Effect": "Deny"}}',
            'policy: the key "Effect" stands twice in one object; keep one of them',
            id="a key twice",
        ),
        pytest.param('{"Statement": NaN}', "policy: NaN is not JSON", id="NaN"),
        pytest.param("[]", "policy: [] is not an object; write an object with Version and Statement", id="list"),
        pytest.param("null", "policy: null is not an object", id="null"),
        pytest.param({"Version": "2012-10-17"}, "policy: it has no Statement; add ", id="no Statement"),
        pytest.param({"Statement": []}, "Statement: it is empty; add a statement", id="empty Statement"),
        pytest.param({"Statement": ["x"]}, 'Statement[0]: "x" is not an object', id="statement is text"),
        pytest.param({"Statement": "x"}, 'Statement: "x" is not an object', id="Statement is text"),
        pytest.param(
            {"Statements": [GOOD]}, 'policy: "Statements" is not known here; did you mean "Statement"?', id="plural"
        ),
        pytest.param({"Statement": [GOOD], 1: 2}, "policy: the key 1 is not a string; put it in quotes", id="key 1"),
        pytest.param(
            {"Version": "2012-10-18", "Statement": [GOOD]},
            'Version: "2012-10-18" is not a policy version; write "2012-10-17"',
            id="bad Version",
        ),
        pytest.param(
            {"Version": None, "Statement": [GOOD]}, "Version: null is not a policy version", id="null Version"
        ),
        pytest.param({"Id": 5, "Statement": [GOOD]}, "Id: 5 is not a string; put it in quotes", id="Id is a number"),
        pytest.param(document(Sid=5), "Statement[1].Sid: 5 is not a string; put it in quotes", id="Sid is a number"),
        pytest.param(
            {"Statement": [{**GOOD, "Sid": "A"}, GOOD, {**GOOD, "Sid": "A"}]},
            'Statement[2].Sid: "A" is already the Sid of another statement; give each statement a Sid of its own',
            id="Sid twice",
        ),
        pytest.param(
            without("Effect"), 'Statement[1]: it has no Effect; add "Effect": "Allow" or "Deny"', id="no Effect"
        ),
        pytest.param(
            document(Effect="allow"),
            'Statement[1].Effect: "allow" is not an effect; write "Allow" or "Deny"',
            id="Effect in lower case",
        ),
        pytest.param(document(Effect=["Allow"]), 'Statement[1].Effect: ["Allow"] is not an effect', id="Effect list"),
        pytest.param(
            without("Principal"),
            'Statement[1]: it has neither Principal nor NotPrincipal; add "Principal": "*" (an endpoint',
            id="no Principal, as in the page's own example",
        ),
        pytest.param(
            document(NotPrincipal="*"),
            "Statement[1]: it has both Principal and NotPrincipal; keep one",
            id="two principals",
        ),
        pytest.param(
            document(Principal="123456789012"),
            'Statement[1].Principal: "123456789012" is not an object; write "*" or {"AWS": "123456789012"}',
            id="bare account",
        ),
        pytest.param(document(Principal={}), "Statement[1].Principal: it names nobody", id="nobody"),
        pytest.param(
            document(Principal={"aws": "*"}),
            'Statement[1].Principal: "aws" is not known here; did you mean "AWS"?',
            id="principal type in lower case",
        ),
        pytest.param(
            document(Principal={"AWS": 123456789012}),
            "Statement[1].Principal.AWS: 123456789012 is not a string; write a string in quotes",
            id="account as a number",
        ),
        pytest.param(document(NotAction="s3:*"), "Statement[1]: it has both Action and NotAction", id="both actions"),
        pytest.param(without("Action"), "Statement[1]: it has neither Action nor NotAction; add", id="no action"),
        pytest.param(
            document(Action="imagebuilder: DeleteImage"),
            'Statement[1].Action: there is a space in "imagebuilder: DeleteImage"; write "imagebuilder:DeleteImage"',
            id="space in an action, as in the page's own example",
        ),
        pytest.param(
            document(Action=["s3:GetObject", "s3:Get\tObject "]),
            'Statement[1].Action: there is a space in "s3:Get\\tObject "; write "s3:GetObject"',
            id="tab in the second action",
        ),
        pytest.param(
            document(Action="Get Image"), 'a space in "Get Image"; write it as service:Action', id="space, no service"
        ),
        pytest.param(
            document(Action="DeleteImage"),
            'Statement[1].Action: "DeleteImage" names no service; write "service:Action", or "*" for all',
            id="no service",
        ),
        pytest.param(document(Action="*:*"), '"*:*" is not an action', id="service is a wildcard"),
        pytest.param(document(Action="s3:"), '"s3:" is not an action', id="action is empty"),
        pytest.param(document(Action=[]), "Statement[1].Action: the list is empty", id="no actions"),
        pytest.param(document(Action=[""]), "Statement[1].Action: a value is empty", id="empty action"),
        pytest.param(
            document(Action={"a": "b"}), 'Statement[1].Action: {"a": "b"} is not a string', id="action object"
        ),
        pytest.param(document(Action=[["s3:*"]]), 'Statement[1].Action: ["s3:*"] is not a string', id="list in a list"),
        pytest.param(
            without("Resource"), "Statement[1]: it has neither Resource nor NotResource; add", id="no resource"
        ),
        pytest.param(
            document(NotResource="*"), "Statement[1]: it has both Resource and NotResource", id="both resources"
        ),
        pytest.param(
            document(Resource="my-bucket/*"),
            'Statement[1].Resource: "my-bucket/*" is not an ARN; write "arn:…", or "*" for all',
            id="bucket without its ARN",
        ),
        pytest.param(
            document(Condition={"StringEqual": {"aws:SourceVpc": "vpc-1"}}),
            'Statement[1].Condition: "StringEqual" is not a condition operator; did you mean "StringEquals"?',
            id="unknown operator",
        ),
        pytest.param(document(Condition="x"), 'Statement[1].Condition: "x" is not an object', id="condition is text"),
        pytest.param(
            document(Condition={"StringEquals": "x"}),
            'Statement[1].Condition.StringEquals: "x" is not an object',
            id="operator without a key",
        ),
        pytest.param(
            document(Condition={"StringEquals": {"aws:SourceVpc": [None]}}),
            "Statement[1].Condition.StringEquals.aws:SourceVpc: null is not a value",
            id="null as a condition value",
        ),
        pytest.param(
            document(effect="Allow"), 'Statement[1]: "effect" is not known here; did you mean "Effect"?', id="lower key"
        ),
        pytest.param(
            document(Comment="x"), 'Statement[1]: "Comment" is not known here; known are Sid, Effect', id="foreign key"
        ),
    ],
)
def test_what_is_no_policy_is_refused_with_its_place_and_the_fix(
    source: str | Mapping[str, object], sentence: str
) -> None:
    assert sentence in refusal(source)


def test_a_message_quotes_no_more_than_a_line_of_what_was_written() -> None:
    assert len(refusal(document(Action="x" * 10_000))) < 250


def test_a_lone_surrogate_in_a_message_can_be_sent_on() -> None:
    assert refusal('{"Statement": "\\ud800"}').encode()


@pytest.mark.parametrize("action", ["*", "s3:*", "s3:Get?bject", "S3:GETOBJECT", "execute-api:Invoke"])
def test_what_aws_takes_for_an_action_is_taken(action: str) -> None:
    assert parse(document(Action=action)).statements[1].actions == Match((action,))


@pytest.mark.parametrize("operator", ["ForAllValues:ForAnyValue:StringLike", "ForEach:StringLike", ":StringLike"])
def test_a_prefix_that_no_operator_takes_is_refused(operator: str) -> None:
    assert not is_operator(operator)


@pytest.mark.parametrize("operator", ["ForAllValues:StringLike", "ForAnyValue:ArnLikeIfExists", "bool", "NullIfExists"])
def test_operators_are_known_with_their_prefix_and_suffix_in_any_letter_case(operator: str) -> None:
    assert parse(document(Condition={operator: {"k": "v"}})).statements[1].conditions[0].operator == operator


def test_an_empty_condition_is_no_condition() -> None:
    assert parse(document(Condition={})).statements[1].conditions == ()
    assert parse(document(Condition={"Bool": {}})).statements[1].conditions == ()


def test_an_id_or_a_sid_that_is_null_is_none() -> None:
    shown = document(Sid=None)
    assert parse({"Id": None, **shown}) == parse(shown) == parse(document())


def test_a_byte_order_mark_is_no_reason_to_refuse() -> None:
    assert parse("\ufeff" + json.dumps(document())) == parse(document())
    with pytest.raises(PolicyError, match="line 1 column 2: not JSON"):
        parse("\ufeff{x}")
    with pytest.raises(PolicyError, match="line 1 column 1: not JSON"):
        parse("\ufeff\ufeff{}")


def test_a_version_that_yaml_has_read_as_a_date_is_still_a_version() -> None:
    assert parse({"Version": date(2012, 10, 17), "Statement": [GOOD]}).version == "2012-10-17"


def test_an_absent_version_stays_absent() -> None:
    assert plain(parse({"Statement": GOOD})) == {"Statement": [GOOD]}


def test_numbers_keep_the_digits_that_were_written() -> None:
    text = '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": %s}}'
    read = parse(text % '{"NumericEquals": {"k": [1.10, 12345678901234567890.5, 7]}}')
    assert read.statements[0].conditions[0].values == ("1.10", "12345678901234567890.5", "7")


def test_rendering_is_minified_and_keeps_the_order_of_values() -> None:
    written = {
        "Statement": [
            {"Resource": ["arn:b", "arn:a"], "Action": ["s3:b"], "Principal": {"AWS": "*"}, "Effect": "Deny"}
        ],
        "Version": "2008-10-17",
    }
    assert render(parse(written)) == (
        '{"Version":"2008-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:b",'
        '"Resource":["arn:b","arn:a"]}]}'
    )


def test_what_is_rendered_is_ascii_whatever_was_written() -> None:
    rendered = render(parse(document(Resource="arn:aws:s3:::bücket\ud800/*")))
    assert rendered.isascii()
    assert json.loads(rendered)["Statement"][1]["Resource"] == "arn:aws:s3:::bücket\ud800/*"


def test_statements_on_their_own_carry_the_path_they_were_found_at() -> None:
    with pytest.raises(PolicyError, match=r"^additionalStatements\[1\]\.Action: there is a space"):
        parse_statements([GOOD, {**GOOD, "Action": "s3: GetObject"}], "additionalStatements")
    with pytest.raises(PolicyError, match=r"^additionalStatements\[1\]\.Sid: "):
        parse_statements([{**GOOD, "Sid": "A"}, {**GOOD, "Sid": "A"}], "additionalStatements")
    assert parse_statements([], "additionalStatements") == ()
