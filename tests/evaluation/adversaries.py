"""Calls that a restricting policy has to deny, written from what must not pass; each with words for what it tries."""

from collections.abc import Iterator
from dataclasses import replace

from tests.evaluation.buckets import ARTIFACTS, ENVIRONMENTS, LOGS, Place, optional_buckets
from tests.evaluation.people import (
    MINE,
    OF_AWS,
    ORGANIZATION,
    OURS,
    RESOURCES,
    STRANGER,
    STRANGERS,
    THEIRS,
    Owner,
    by_identity,
    by_service,
    spelled,
    unsigned,
)
from tests.evaluation.reference import Call

Tries = Iterator[tuple[str, Call]]

WRITES = ("PutObject", "DeleteObject", "PutObjectAcl", "AbortMultipartUpload", "DeleteObjectVersion")
ON_BUCKETS = ("ListBucket", "PutBucketPolicy", "DeleteBucket", "GetBucketPolicy")
DESTRUCTIVE = (
    *("DeleteComponent", "DeleteContainerRecipe", "DeleteDistributionConfiguration", "DeleteImage"),
    *("DeleteImagePipeline", "DeleteImageRecipe", "DeleteInfrastructureConfiguration", "DeleteLifecyclePolicy"),
    *("DeleteWorkflow", "StartResourceStateUpdate", "CreateLifecyclePolicy", "UpdateLifecyclePolicy"),
)
OWN_RESOURCES = ("image/web/1.0.0/1", "component/web/1.0.0/1", "image-pipeline/web", "lifecycle-policy/web")


def against_buckets(place: Place, *, everything: bool) -> Tries:
    """Tried by nobody in particular, by the organization's role and by a stranger; `everything`: all toggles are on."""
    for words, action, resource, owner in _bucket_calls(place, everything=everything):
        yield f"{words}, unsigned", unsigned(f"s3:{action}", resource, owner)
        yield f"{words}, signed", by_identity(place, f"s3:{action}", resource, owner)
        yield f"{words}, signed by a stranger", by_identity(place, f"s3:{action}", resource, owner, STRANGERS)


def against_the_organization(place: Place) -> Tries:
    """What baseline Organization keeps out although it lets the organization to its own."""
    mine = place.object("acme-data", "file")
    yield "nobody reads ours", unsigned("s3:GetObject", mine, OURS)
    yield "a stranger reads ours", by_identity(place, "s3:GetObject", mine, OURS, STRANGERS)
    yield "we write to a stranger's", by_identity(place, "s3:PutObject", place.object("strangers", "f"), THEIRS)
    yield "the resources' organization calls", by_identity(place, "s3:GetObject", mine, OURS, RESOURCES)
    yield "the organization's id in other letters", by_identity(place, "s3:GetObject", mine, OURS, ORGANIZATION.upper())
    yield "the organization's id and more", by_identity(place, "s3:GetObject", mine, OURS, f"{ORGANIZATION}x")


def _bucket_calls(place: Place, *, everything: bool) -> Iterator[tuple[str, str, str, Owner]]:
    for bucket, key in ((place.toe, "latest/awstoe"), (place.managed, "components/x/1.0.0/1/component.yml")):
        yield from _look_alikes(place, bucket, key)
        for action in WRITES:
            yield f"{action} to AWS's {bucket}", action, place.object(bucket, key), OF_AWS
        for action in ON_BUCKETS:
            yield f"{action} of AWS's {bucket}", action, place.bucket(bucket), OF_AWS
    if not everything:
        for key in ("components", "componentsx/y", "Components/x", "bootstrap_scripts/bootstrap.sh", "x/components/y"):
            yield f"the managed bucket's {key}", "GetObject", place.object(place.managed, key), OF_AWS
        for bucket in optional_buckets(place):
            yield f"{bucket}, whose toggle is off", "GetObject", place.object(bucket, "x"), OF_AWS
        for action, bucket in (("PutObject", LOGS), ("GetObject", ARTIFACTS)):
            yield f"{action} with {bucket}, which isn't named", action, place.object(bucket, "x"), THEIRS
    else:
        yield from _beyond_the_toggles(place)


def _look_alikes(place: Place, bucket: str, key: str) -> Iterator[tuple[str, str, str, Owner]]:
    region, environment = place.region, place.environment
    wrong = {
        "with more behind": f"{bucket}x",
        "with a suffix": f"{bucket}-copy",
        "with a prefix": f"my-{bucket}",
        "in capitals": bucket.upper(),
        "cut short": bucket[:-1],
        "of another Region": bucket.replace(region, place.other_region),
        "of a Region that doesn't exist yet": bucket.replace(region, f"{region}0"),
        "of no Region": bucket.replace(f"{region}-", ""),
        **{f"of {other}": bucket.removesuffix(environment) + other for other in ENVIRONMENTS if other != environment},
    }
    for words, name in wrong.items():
        yield f"{bucket} {words}", "GetObject", place.object(name, key), THEIRS
    for words, sign in (("a dot", "."), ("a slash", "/")):
        yield f"{bucket} behind {words}", "GetObject", place.object(f"stranger{sign}{bucket}", key), THEIRS
    elsewhere = place.object(bucket, key).replace(f"arn:{place.partition}:", f"arn:{place.other_partition}:")
    yield f"{bucket} of another partition", "GetObject", elsewhere, THEIRS
    yield f"an older version in {bucket}", "GetObjectVersion", place.object(bucket, key), OF_AWS
    yield f"the bucket {bucket} itself as an object", "GetObject", place.bucket(bucket), OF_AWS


def _beyond_the_toggles(place: Place) -> Iterator[tuple[str, str, str, Owner]]:
    """All toggles on: what they open is for reading, by exact names; one's own buckets are for one thing each."""
    for bucket in optional_buckets(place):
        object_ = place.object(bucket, "x")
        yield f"writing to {bucket}", "PutObject", object_, OF_AWS
        yield f"listing {bucket}", "ListBucket", place.bucket(bucket), OF_AWS
        yield f"{bucket} with a suffix", "GetObject", place.object(f"{bucket}x", "x"), THEIRS
        yield f"{bucket} with a prefix", "GetObject", place.object(f"x{bucket}", "x"), THEIRS
        if place.region in bucket:
            there = bucket.replace(place.region, place.other_region)
            yield f"{there}, of another Region", "GetObject", place.object(there, "x"), OF_AWS
    yield "reading logs", "GetObject", place.object(LOGS, "x"), THEIRS
    yield "deleting logs", "DeleteObject", place.object(LOGS, "x"), THEIRS
    yield "listing logs", "ListBucket", place.bucket(LOGS), THEIRS
    yield "writing artifacts", "PutObject", place.object(ARTIFACTS, "x"), THEIRS
    yield "writing artifacts' policy", "PutBucketPolicy", place.bucket(ARTIFACTS), THEIRS
    yield "logs of a longer name", "PutObject", place.object(f"{LOGS}-2", "x"), THEIRS


def against_builds_api(place: Place, *, marketplace: bool, services: bool) -> Tries:
    """Against the Image Builder endpoint that is restricted to the organization."""
    yield from _organization_calls(place)
    bought = place.builder("aws-marketplace", "component/hardening/1.0.0/1")
    for action in ("GetMarketplaceResource", "GetComponent", "ListComponentBuildVersions"):
        asked = by_identity(place, f"imagebuilder:{action}", bought, OF_AWS)
        if not marketplace:
            yield f"{action} of the Marketplace, whose toggle is off", asked
        yield f"{action} of the Marketplace, unsigned", unsigned(asked.action, bought, OF_AWS)
        yield f"{action} of the Marketplace by a stranger", by_identity(place, asked.action, bought, OF_AWS, STRANGERS)
    service = by_service("imagebuilder:GetImage", place.builder(MINE, "image/web/1.0.0/1"), OURS)
    if not services:
        yield "a service of AWS, whose toggle is off", service
    yield "a service of AWS that calls another service", replace(service, action="ec2:DeregisterImage", resource="*")


def _organization_calls(place: Place) -> Tries:
    ours = place.builder(MINE, "image/web/1.0.0/1")
    theirs = place.builder(STRANGER, "image/web/1.0.0/1")
    component = "component/update-linux/1.0.2/1"
    for action in ("GetImage", "CreateImage", "StartImagePipelineExecution", "DeleteImage", "PutImagePolicy"):
        for words, call in (
            ("unsigned", unsigned(f"imagebuilder:{action}", ours, OURS)),
            ("by a stranger", by_identity(place, f"imagebuilder:{action}", ours, OURS, STRANGERS)),
            ("by the resources' organization", by_identity(place, f"imagebuilder:{action}", ours, OURS, RESOURCES)),
            ("on a stranger's image", by_identity(place, f"imagebuilder:{action}", theirs, THEIRS)),
            ("on an image of nobody known", by_identity(place, f"imagebuilder:{action}", theirs, OF_AWS)),
        ):
            yield f"{action} {words}", call
    for action in ("ListImages", "ListComponents", "ListLifecyclePolicies"):
        yield f"{action} unsigned", unsigned(f"imagebuilder:{action}", "*", OF_AWS)
        yield f"{action} by a stranger", by_identity(place, f"imagebuilder:{action}", "*", OF_AWS, STRANGERS)
    for action in ("CreateComponent", "DeleteComponent", "GetComponentPolicy", "TagResource"):
        resource = place.builder("aws", component)
        yield f"{action} on AWS's component", by_identity(place, f"imagebuilder:{action}", resource, OF_AWS)
    for words, account, resource in (
        ("of no kind", "aws", "component"),
        ("of a look-alike kind", "aws", "components/update-linux/1.0.2/1"),
        ("of an account that begins like AWS's", "aws2", component),
        ("of a stranger", STRANGER, component),
    ):
        there = place.builder(account, resource)
        yield f"a component {words}", by_identity(place, "imagebuilder:GetComponent", there, OF_AWS)
    elsewhere = replace(place, region=place.other_region).builder("aws", component)
    yield "AWS's component in another Region", unsigned("imagebuilder:GetComponent", elsewhere, OF_AWS)
    abroad = replace(place, partition=place.other_partition).builder("aws", component)
    yield "AWS's component in another partition", unsigned("imagebuilder:GetComponent", abroad, OF_AWS)
    yield "AWS's image, unsigned", unsigned("imagebuilder:GetImage", place.builder("aws", "image/x/1/1"), OF_AWS)


def against_deletion(place: Place, actions: tuple[str, ...]) -> Tries:
    """The actions in any letter case, by everybody, on one's own."""
    for action in actions:
        for resource in OWN_RESOURCES:
            arn = place.builder(MINE, resource)
            for call in (
                *spelled(by_identity(place, f"imagebuilder:{action}", arn, OURS)),
                unsigned(f"imagebuilder:{action}", arn, OURS),
                by_service(f"imagebuilder:{action}", arn, OURS),
            ):
                yield f"{call.action} of {resource} by {call.kind}", call
    root = f"arn:{place.partition}:iam::{MINE}:root"
    call = by_identity(place, "imagebuilder:DeleteImage", place.builder(MINE, OWN_RESOURCES[0]), OURS)
    yield "DeleteImage by the root user", replace(call, name=root)
