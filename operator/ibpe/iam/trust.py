"""Who may act as the operator's role: trust policies for EKS and for the roles of other accounts. Pure.

Sources: EKS user guide, "IAM roles for service accounts", "Create IAM role with trust policy required by EKS Pod
Identity" and "Grant Pods access to AWS resources based on tags"; IAM user guide, "Access to AWS accounts owned by third
parties".
"""

from typing import Final

from ibpe.iam.document import Conditions, Policy, Statement
from ibpe.partitions import Partition

AUDIENCE: Final = "sts.amazonaws.com"
"""What EKS writes into a service account's token, in China too (eksctl#1910)."""
_ACT: Final = ("sts:AssumeRole", "sts:TagSession")
"""EKS Pod Identity tags the session, and its tags go along when the session assumes another role."""


def irsa(partition: Partition, account: str, issuer: str, service_account: str, audience: str = AUDIENCE) -> Policy:
    """For IAM roles for service accounts. `issuer` is the cluster's OIDC issuer; `service_account` namespace:name."""
    provider = issuer.removeprefix("https://").rstrip("/")
    conditions: Conditions = {
        "StringEquals": {
            f"{provider}:aud": (audience,),
            f"{provider}:sub": (f"system:serviceaccount:{service_account}",),
        }
    }
    federated = f"{partition.arn_prefix}:iam::{account}:oidc-provider/{provider}"
    return _trust("sts:AssumeRoleWithWebIdentity", principal={"Federated": federated}, conditions=conditions)


def pod_identity(cluster_arn: str, service_account: str) -> Policy:
    """For EKS Pod Identity: this service account (namespace:name) of this cluster alone."""
    namespace, _, name = service_account.partition(":")
    conditions: Conditions = {
        "StringEquals": {
            "aws:RequestTag/eks-cluster-arn": (cluster_arn,),
            "aws:RequestTag/kubernetes-namespace": (namespace,),
            "aws:RequestTag/kubernetes-service-account": (name,),
        }
    }
    return _trust(*_ACT, principal={"Service": "pods.eks.amazonaws.com"}, conditions=conditions)


def member(operator_role: str, external_id: str | None = None) -> Policy:
    """For a role in another account that the operator's role assumes; the external id is asked for where one is set."""
    conditions: Conditions = {"StringEquals": {"sts:ExternalId": (external_id,)}} if external_id else {}
    act = Statement("OperatorActs", _ACT[:1], conditions=conditions, principal={"AWS": operator_role})
    tag = Statement("OperatorTagsSession", _ACT[1:], principal={"AWS": operator_role})
    return Policy((act, tag))


def _trust(*actions: str, principal: dict[str, str], conditions: Conditions) -> Policy:
    return Policy((Statement("OperatorActs", actions, conditions=conditions, principal=principal),))
