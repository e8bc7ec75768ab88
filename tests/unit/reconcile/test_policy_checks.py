"""What policies are refused for before they are written, and what is only said of them."""

import json
from typing import Any

import pytest

from ibpe.api.names import Role
from ibpe.reconcile.checks.advice import advice
from ibpe.reconcile.fields import Field
from ibpe.reconcile.refusals import Refusal, refuse
from tests.unit.reconcile.foreign import TEAM, contributing, existing, gateway, policy, sight
from tests.unit.reconcile.given import ACCOUNT, desired, holdings, image_builder, made, seen, spec, wanted

ALLOW = {"Effect": "Allow", "Principal": "*", "Resource": "*"}


def custom(*statements: dict[str, Any]) -> dict[str, Any]:
    """`spec.imageBuilder` with a document of these statements."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return image_builder(policy={"preset": "Custom", "document": document})


def refused(**changes: Any) -> list[Refusal]:
    return [refusal for refusal in refuse(desired(**changes), seen()) if refusal.reason.startswith("Policy")]


def test_an_unknown_action_is_refused_with_the_one_that_was_meant() -> None:
    (refusal,) = refused(imageBuilder=custom({**ALLOW, "Action": ["imagebuilder:*", "imagebuilder:GetComponents"]}))
    assert (refusal.reason, refusal.role) == ("PolicyInvalid", Role.IMAGE_BUILDER)
    assert "imageBuilder.policy: Statement[0].Action" in refusal.message
    assert "imagebuilder:GetComponent" in refusal.message


def test_a_policy_that_locks_builds_out_is_refused_with_the_first_request_that_it_denies() -> None:
    (refusal,) = refused(imageBuilder=custom({**ALLOW, "Action": "imagebuilder:ListImages"}))
    assert refusal.reason == "PolicyDeniesBuilds"
    assert "imagebuilder:GetComponent on arn:aws:imagebuilder:us-west-2:" in refusal.message
    assert "no statement allows it" in refusal.message


def test_who_only_builds_needs_nothing_that_pipelines_need() -> None:
    assert refused(imageBuilder=custom({**ALLOW, "Action": "imagebuilder:Get*"})) == []


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (f"arn:aws:imagebuilder:us-west-2:{ACCOUNT}:component/acme-*", None),
        (f"arn:aws:imagebuilder:us-west-2:{ACCOUNT}:image/*", "PolicyDeniesBuilds"),
        ("arn:aws:imagebuilder:us-west-2:111122223333:component/*", "PolicyDeniesBuilds"),
    ],
    ids=["some of the account's components", "none of its components", "another account's components"],
)
def test_a_policy_for_certain_components_locks_nobody_out(resource: str, reason: str | None) -> None:
    aws = "arn:aws:imagebuilder:us-west-2:aws:component/*"
    limited = {**ALLOW, "Action": "imagebuilder:Get*", "Resource": [resource, aws]}
    assert [refusal.reason for refusal in refused(imageBuilder=custom(limited))] == ([reason] if reason else [])


def test_what_only_some_builds_need_is_said_and_not_refused() -> None:
    plain = {**ALLOW, "Action": "imagebuilder:GetComponent"}
    assert refused(imageBuilder=custom(plain)) == []
    said = advice(desired(imageBuilder=custom(plain)), ACCOUNT)
    assert said.startswith(
        "imageBuilder.policy: no build reads its container recipe (imagebuilder:GetContainerRecipe on"
    )


def test_a_policy_for_the_accounts_own_buckets_keeps_builds_out() -> None:
    own = {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}
    (refusal,) = refuse(existing(), sight(gateway(policy(json.dumps({**ALLOW, "Action": "s3:*", "Condition": own})))))
    assert refusal.reason == "PolicyDeniesBuilds"


def test_a_deny_among_additional_statements_is_held_against_what_builds_read() -> None:
    deny = {"Sid": "Mine", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    s3 = {**spec()["s3"], "policy": {"baseline": "FullAccess", "additionalStatements": [deny]}}
    (refusal,) = refused(s3=s3)
    assert (refusal.reason, refusal.role) == ("PolicyDeniesBuilds", Role.S3)
    assert 'denied by statement "Mine"' in refusal.message


@pytest.mark.parametrize("action", ["imagebuilder:NewThing*", "s3:GetObject"], ids=["newer", "of another service"])
def test_what_is_only_odd_is_said_and_applied_all_the_same(action: str) -> None:
    odd = custom({**ALLOW, "Action": ["imagebuilder:*", action]})
    assert refused(imageBuilder=odd) == []
    assert advice(desired(imageBuilder=odd), ACCOUNT).startswith("imageBuilder.policy: Statement[0].Action: ")


def test_presets_are_nothing_to_talk_about() -> None:
    assert advice(desired(), ACCOUNT) == ""


def test_buckets_of_other_environments_than_prod_are_warned_of() -> None:
    s3 = {**spec()["s3"], "policy": {"baseline": "ImageBuilderOnly", "environment": "beta"}}
    assert advice(desired(s3=s3), ACCOUNT).startswith("s3.policy.environment: bucket names of beta may not")


def test_advice_has_an_end() -> None:
    odd = custom({**ALLOW, "Action": ["imagebuilder:*", *(f"imagebuilder:New{n}*" for n in range(900))]})
    said = advice(desired(imageBuilder=odd), ACCOUNT)
    assert len(said) < 2000
    assert said.endswith("There is more: `ibpe policy check` lists all of it.")


def test_what_builds_pass_provided_that_is_said() -> None:
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "images"}}
    said = advice(desired(imageBuilder=custom({**ALLOW, "Action": "*", "Condition": tagged})), ACCOUNT)
    assert "builds pass provided that what it asks for holds: imagebuilder:GetComponent is allowed by" in said
    assert "aws:PrincipalTag/team is images" in said


def test_a_policy_for_another_endpoint_than_the_one_that_is_there_is_refused() -> None:
    elsewhere = {"StringEquals": {"aws:SourceVpce": "vpce-0aaaaaaaaaaaaaaaa"}}
    image_builder = custom({**ALLOW, "Action": "*", "Condition": elsewhere})
    assert refused(imageBuilder=image_builder) == [], "nobody knows the id before it is made"
    (refusal,) = refuse(desired(imageBuilder=image_builder), seen(holdings(made(wanted()))))
    assert refusal.reason == "PolicyDeniesBuilds"


def test_a_deny_of_ours_never_comes_into_somebody_elses_policy() -> None:
    deny = {"Sid": "Oops", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    (refusal,) = refuse(contributing(additionalStatements=[deny]), sight(gateway(policy(TEAM))))
    assert (refusal.reason, Field.POLICY in refusal.forbids) == ("PolicyInvalid", True)
    assert "additionalStatements: Oops is a Deny" in refusal.message


def test_contributed_statements_are_held_to_the_same() -> None:
    unknown = {**ALLOW, "Action": "s3:GetObjekt"}
    (refusal,) = refuse(contributing(additionalStatements=[unknown]), sight(gateway(policy(TEAM))))
    assert refusal.reason == "PolicyInvalid"
    assert "s3:GetObject" in refusal.message
