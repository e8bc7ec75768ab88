"""Somebody else who owns endpoints in a scene's VPC: makes them, breaks them, and mends them again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ibpe.policy.document import PolicyDocument, render
from ibpe.policy.imagebuilder import imagebuilder_policy
from ibpe.policy.s3 import s3_policy
from sandbox.aws.messages import EndpointTruth
from tests.e2e.scene import IMAGE_BUILDER, REGION, S3, Scene, eventually, statements

SERVICE_NAMES = {role: f"com.amazonaws.{REGION}.{role}" for role in (IMAGE_BUILDER, S3)}
GOOD_POLICIES = {
    IMAGE_BUILDER: imagebuilder_policy("DenyDeletion", REGION),
    S3: s3_policy("ImageBuilderOnly", REGION),
}
FOREIGN = (
    {
        "Resource": ["arn:aws:s3:::team-data/*", "arn:aws:s3:::team-data"],
        "Sid": "TeamData",
        "Action": ["s3:PutObject", "s3:GetObject", "s3:ListBucket"],
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Condition": {"NumericLessThan": {"s3:max-keys": "100"}, "Bool": {"aws:SecureTransport": True}},
    },
    {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::caf\u00e9-mirror-never-so/*",
    },
)
"""Statements that are spelled as no program of ours would spell them."""

Document = PolicyDocument | Mapping[str, Any]


def document(*given: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A policy of these statements, the foreign ones unless told."""
    return {"Version": "2012-10-17", "Statement": list(given or FOREIGN), **more}


def deny(sid: str, action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    """A statement that denies."""
    return {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource, **more}


def text(policy: Document) -> str:
    """As the owner writes it."""
    return render(policy) if isinstance(policy, PolicyDocument) else json.dumps(policy, separators=(",", ":"))


@dataclass
class Owner:
    """Owns endpoints in the VPC of a scene, by other credentials than the operator's."""

    scene: Scene
    made: list[str] = field(default_factory=list)

    def interface(self, policy: Document = GOOD_POLICIES[IMAGE_BUILDER], **more: Any) -> str:
        """An interface endpoint for Image Builder in every subnet, which builds can use; returns its id."""
        network = self.scene.network
        parameters: dict[str, Any] = {
            "VpcId": network.vpc_id,
            "VpcEndpointType": "Interface",
            "ServiceName": SERVICE_NAMES[IMAGE_BUILDER],
            "SubnetIds": list(network.subnet_ids),
            "SecurityGroupIds": [network.security_group_id],
            "PrivateDnsEnabled": True,
            **more,
        }
        return self._make(policy, parameters)

    def gateway(self, policy: Document | None = GOOD_POLICIES[S3], **more: Any) -> str:
        """A gateway endpoint for S3 on the builds' route table; None leaves AWS's default policy. Returns its id."""
        network = self.scene.network
        parameters: dict[str, Any] = {
            "VpcId": network.vpc_id,
            "VpcEndpointType": "Gateway",
            "ServiceName": SERVICE_NAMES[S3],
            "RouteTableIds": [network.route_table_id],
            **more,
        }
        return self._make(policy, parameters)

    def _make(self, policy: Document | None, parameters: dict[str, Any]) -> str:
        written = parameters if policy is None else {**parameters, "PolicyDocument": text(policy)}
        made = self.scene.ec2.create_vpc_endpoint(**written)["VpcEndpoint"]["VpcEndpointId"]
        self.made.append(made)
        eventually(lambda: self.truth(made).state == "available", f"{made} is available")
        return made

    def writes_policy(self, id_: str, policy: Document | str) -> None:
        """Replace the policy of an endpoint."""
        written = policy if isinstance(policy, str) else text(policy)
        self.scene.ec2.modify_vpc_endpoint(VpcEndpointId=id_, PolicyDocument=written)

    def edits_statements(self, id_: str, edited: Sequence[Mapping[str, Any]]) -> None:
        """Replace the statements of a policy, and leave the rest of it."""
        policy = json.loads(self.truth(id_).policy)
        self.writes_policy(id_, {**policy, "Statement": list(edited)})

    def changes(self, id_: str, **change: Any) -> None:
        """Modify an endpoint, and wait until AWS has done so."""
        self.scene.ec2.modify_vpc_endpoint(VpcEndpointId=id_, **change)
        eventually(lambda: self.truth(id_).state == "available", f"{id_} is available")

    def deletes(self, *ids: str) -> None:
        """Delete endpoints, and wait until they are gone."""
        self.scene.ec2.delete_vpc_endpoints(VpcEndpointIds=list(ids))
        eventually(lambda: not self._shown(ids), f"{ids} are gone")

    def truth(self, id_: str) -> EndpointTruth:
        """An endpoint as it is in AWS."""
        return next(each for each in self.scene.stage.aws.control.endpoints() if each.id == id_)

    def statements(self, id_: str) -> list[dict[str, Any]]:
        """The statements of an endpoint's policy, in their order."""
        return statements(self.truth(id_).policy)

    def _shown(self, ids: Sequence[str]) -> list[EndpointTruth]:
        shown = self.scene.stage.aws.control.endpoints()
        return [each for each in shown if each.id in ids and each.state.lower() != "deleted"]


def existing(image_builder: str | None, s3: str | None, **policy: Any) -> dict[str, Any]:
    """The part of a spec that has both endpoints, or one, looked at and never written; `policy` is that of S3."""
    return {
        "imageBuilder": {"mode": "Existing", "endpointID": image_builder} if image_builder else None,
        "s3": {"mode": "Existing", "endpointID": s3, **({"policy": policy} if policy else {})} if s3 else None,
    }
