"""What nobody who builds images asks of the endpoints, and a policy may be there to deny: for telling what it opens.

Given to `widened` before the needs, these tell a person more than a made-up request: who may now delete, who may carry
data out, and for whom. They are no judgement: FullAccess rightly allows all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ibpe.partitions import object_arn, regional_arn
from ibpe.policy import buckets, context
from ibpe.policy.access import Request
from ibpe.policy.context import FOREIGN_ACCOUNT, STRANGERS, Callers, Keys, Signature
from ibpe.policy.needs import EXAMPLE_ACCOUNT
from ibpe.policy.problem import EndpointRole

DESTRUCTIVE: Final = {
    "image/example/1.0.0/1": ("DeleteImage", "StartResourceStateUpdate", "PutImagePolicy"),
    "component/example/1.0.0/1": ("DeleteComponent", "PutComponentPolicy"),
    "image-recipe/example/1.0.0": ("DeleteImageRecipe",),
    "container-recipe/example/1.0.0": ("DeleteContainerRecipe",),
    "image-pipeline/example": ("DeleteImagePipeline",),
    "infrastructure-configuration/example": ("DeleteInfrastructureConfiguration",),
    "distribution-configuration/example": ("DeleteDistributionConfiguration",),
    "workflow/build/example/1.0.0/1": ("DeleteWorkflow",),
    "lifecycle-policy/example": ("CreateLifecyclePolicy", "UpdateLifecyclePolicy", "DeleteLifecyclePolicy"),
}
"""Calls that delete, that let something delete, or that share with others, by the resource.

Source: Service Authorization Reference, "Actions, resources, and condition keys for EC2 Image Builder".
"""


def probes(role: EndpointRole, region: str, callers: Callers = STRANGERS) -> tuple[Request, ...]:
    """The requests for one endpoint, the gravest first; what isn't known of the callers is unknown in them."""
    asked = _Probes(region, callers)
    return tuple(asked.of_image_builder() if role == "imagebuilder" else asked.of_s3())


@dataclass(frozen=True, slots=True)
class _Probes:
    region: str
    callers: Callers

    def of_image_builder(self) -> Iterator[Request]:
        """Deletion, then strangers to one's own resources, oneself to strangers', and AWS's services."""
        person, own, foreign = context.person(self.callers), context.own(self.callers), context.foreign()
        mine = self.callers.account or EXAMPLE_ACCOUNT
        for resource, actions in DESTRUCTIVE.items():
            for action in actions:
                yield self._image_builder(action, mine, resource, person, own)
        image, component = "image/example/1.0.0/1", "component/example/1.0.0/1"
        for stranger in (context.nobody(), context.outsider()):
            yield self._image_builder("GetImage", mine, image, stranger, own)
            yield self._image_builder("GetComponent", mine, component, stranger, own)
            yield self._request("imagebuilder:ListImages", "*", stranger, context.without_resource())
        yield self._image_builder("GetComponent", FOREIGN_ACCOUNT, component, person, foreign)
        yield self._image_builder("CreateImage", FOREIGN_ACCOUNT, image, person, foreign)
        service = context.service("imagebuilder.amazonaws.com")
        yield self._image_builder("GetImage", mine, image, service, own)

    def of_s3(self) -> Iterator[Request]:
        """Data carried out, then other buckets and keys than builds use, and what they don't do with them."""
        role, own, foreign = context.instance_role(self.callers), context.own(self.callers), context.foreign()
        nobody, outsider, aws = context.nobody(), context.outsider(), context.owned_by_aws()
        theirs, mine = (object_arn(self.region, bucket, "example") for bucket in ("somebody-elses", "any-of-ours"))
        for signature in (role, nobody, outsider):
            yield self._request("s3:PutObject", theirs, signature, foreign)
            yield self._request("s3:GetObject", theirs, signature, foreign)
        for action in ("s3:DeleteObject", "s3:PutObject", "s3:GetObject"):
            yield self._request(action, mine, role, own)
        yield self._request("s3:GetObject", mine, outsider, own)
        yield self._request("s3:ListBucket", buckets.arn(self.region, "any-of-ours"), role, own)
        yield self._request("s3:ListAllMyBuckets", "*", role, context.without_resource())
        toe = object_arn(self.region, buckets.toe(self.region, "prod"), "example")
        yield self._request("s3:PutObject", toe, role, aws)
        beta = object_arn(self.region, buckets.toe(self.region, "beta"), "example")
        yield self._request("s3:GetObject", beta, nobody, aws)

    def _image_builder(self, action: str, account: str, resource: str, signature: Signature, owner: Keys) -> Request:
        arn = regional_arn(self.region, "imagebuilder", account, resource)
        return self._request(f"imagebuilder:{action}", arn, signature, owner)

    def _request(self, action: str, resource: str, signature: Signature, owner: Keys) -> Request:
        return context.request(self.region, action, resource, signature, owner, self.callers)
