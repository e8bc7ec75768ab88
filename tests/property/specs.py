"""Generated specs, and what an endpoint must be in the end, read off the spec by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.property.ground import REGION, Ground

ORGANIZATION = {"principalOrgID": "o-aaaaaaaaaa", "resourceOrgID": "o-bbbbbbbbbb"}
CUSTOM = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "ReadOnly",
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["imagebuilder:GetComponent", "imagebuilder:ListImages"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}},
        }
    ],
}
IMAGE_BUILDER_POLICIES: Sequence[Mapping[str, Any]] = (
    {"preset": "FullAccess"},
    {"preset": "DenyDeletion"},
    {"preset": "Organization", "organization": ORGANIZATION},
    {"preset": "Custom", "document": CUSTOM},
)
S3_POLICIES: Sequence[Mapping[str, Any]] = (
    {"baseline": "ImageBuilderOnly"},
    {"baseline": "ImageBuilderOnly", "ssmAgent": False, "environment": "preprod"},
    {"baseline": "Organization", "organization": ORGANIZATION},
    {"baseline": "FullAccess"},
)
TAGS = st.dictionaries(st.sampled_from(("team", "cost", "Name", "stage")), st.sampled_from(("a", "b", "")), max_size=3)


def subnet_sets(ground: Ground) -> st.SearchStrategy[list[str]]:
    """At least one subnet, at most one a zone."""
    zones = [st.sampled_from((None, *zone)) for zone in ground.by_zone]
    return st.tuples(*zones).map(lambda chosen: [s for s in chosen if s is not None]).filter(bool)


def some_of(ids: Sequence[str]) -> st.SearchStrategy[list[str]]:
    """At least one of them."""
    return st.lists(st.sampled_from(ids), min_size=1, unique=True)


def image_builders(ground: Ground) -> st.SearchStrategy[dict[str, Any]]:
    """Any `spec.imageBuilder` that this VPC permits."""
    return st.fixed_dictionaries(
        {
            "subnets": subnet_sets(ground).map(_ids),
            "securityGroups": some_of(ground.group_ids).map(_ids),
            "privateDNS": st.booleans(),
            "ipAddressType": st.sampled_from(("ipv4", "dualstack", "ipv6")),
            "policy": st.sampled_from(IMAGE_BUILDER_POLICIES),
        }
    )


def s3s(ground: Ground) -> st.SearchStrategy[dict[str, Any]]:
    """Any `spec.s3` that this VPC permits."""
    return st.fixed_dictionaries(
        {"routeTables": some_of(ground.table_ids).map(_ids), "policy": st.sampled_from(S3_POLICIES)}
    )


def specs(ground: Ground) -> st.SearchStrategy[dict[str, Any]]:
    """Any spec; all subnets are the builds', so that no table is shared with strangers."""
    fixed = {
        "region": st.just(REGION),
        "vpcID": st.just(ground.vpc_id),
        "builds": st.just({"subnets": _ids(list(ground.subnet_ids))}),
        "tags": TAGS,
    }
    return st.one_of(
        st.fixed_dictionaries({**fixed, "imageBuilder": image_builders(ground), "s3": s3s(ground)}),
        st.fixed_dictionaries({**fixed, "imageBuilder": image_builders(ground)}),
        st.fixed_dictionaries({**fixed, "s3": s3s(ground)}),
    )


def _ids(ids: list[str]) -> dict[str, list[str]]:
    return {"ids": ids}
