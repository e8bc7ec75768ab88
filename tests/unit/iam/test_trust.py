"""Trust policies, and what they refuse: read by an evaluator that was written apart."""

import json
from typing import Any

import pytest

from ibpe.iam import trust
from ibpe.iam.document import Policy
from ibpe.partitions import AWS, CHINA

CLUSTER = "arn:aws:eks:us-west-2:123456789012:cluster/platform"
ISSUER = "oidc.eks.us-west-2.amazonaws.com/id/ABC"


def statement(policy: Policy) -> dict[str, Any]:
    (only,) = json.loads(policy.render())["Statement"]
    found: dict[str, Any] = only
    return found


@pytest.mark.parametrize("written", [ISSUER, f"https://{ISSUER}", f"https://{ISSUER}/"])
def test_irsa_names_the_provider_the_audience_and_one_service_account(written: str) -> None:
    found = statement(trust.irsa(AWS, "123456789012", written, "ibpe-system:ibpe"))
    assert found["Principal"] == {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"}
    assert found["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert found["Condition"] == {
        "StringEquals": {
            f"{ISSUER}:aud": "sts.amazonaws.com",
            f"{ISSUER}:sub": "system:serviceaccount:ibpe-system:ibpe",
        }
    }


def test_in_china_the_arn_is_chinas_and_the_audience_is_not() -> None:
    found = statement(trust.irsa(CHINA, "123456789012", ISSUER, "a:b"))
    assert found["Principal"]["Federated"].startswith("arn:aws-cn:iam::")
    assert found["Condition"]["StringEquals"][f"{ISSUER}:aud"] == "sts.amazonaws.com"


def test_pod_identity_is_for_one_service_account_of_one_cluster() -> None:
    found = statement(trust.pod_identity(CLUSTER, "ibpe-system:ibpe"))
    assert found["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert found["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert found["Condition"] == {
        "StringEquals": {
            "aws:RequestTag/eks-cluster-arn": CLUSTER,
            "aws:RequestTag/kubernetes-namespace": "ibpe-system",
            "aws:RequestTag/kubernetes-service-account": "ibpe",
        }
    }


def test_a_members_role_asks_for_the_external_id_and_lets_session_tags_pass() -> None:
    act, tag = json.loads(trust.member("arn:aws:iam::123456789012:role/ibpe", "ibpe-7f3c").render())["Statement"]
    assert act["Condition"] == {"StringEquals": {"sts:ExternalId": "ibpe-7f3c"}}
    assert (act["Action"], tag["Action"]) == ("sts:AssumeRole", "sts:TagSession")
    assert {each["Principal"]["AWS"] for each in (act, tag)} == {"arn:aws:iam::123456789012:role/ibpe"}
