"""Presets, baselines and toggles in every Region: valid documents of the Region's partition, with room left."""

import re
from dataclasses import fields, replace
from itertools import product

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibpe.policy.document import SIZE_LIMIT, PolicyDocument, render, size
from ibpe.policy.imagebuilder import PRESETS, imagebuilder_policy
from ibpe.policy.parse import parse
from ibpe.policy.s3 import BASELINES, ENVIRONMENTS, USUAL, S3Use, build_statements, s3_policy
from ibpe.policy.sources import SOURCES
from ibpe.policy.statements import Organization

PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc")
LONGEST_BUCKET = "b" * 63
ORGANIZATION = Organization(principal_org_id=f"o-{'p' * 32}", resource_org_id=f"o-{'r' * 32}")


def regions() -> list[tuple[str, str]]:
    """Every Region of botocore's EC2 list, with its partition."""
    session = botocore.session.get_session()
    return [(name, region) for name in PARTITIONS for region in session.get_available_regions("ec2", name)]


BOOLEANS = [field.name for field in fields(S3Use) if field.type is bool]


@st.composite
def uses(draw: st.DrawFn) -> S3Use:
    names = st.lists(st.from_regex(r"[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]", fullmatch=True), max_size=3)
    return S3Use(
        draw(st.sampled_from(ENVIRONMENTS)),
        **{name: draw(st.booleans()) for name in BOOLEANS},
        log_buckets=tuple(draw(names)),
        artifact_buckets=tuple(draw(names)),
    )


def everything(environment: str = "preprod", buckets: int = 16) -> S3Use:
    """All that the API lets a user choose: every toggle, and the most and longest names."""
    names = tuple(f"{index:02}{LONGEST_BUCKET[2:]}" for index in range(buckets))
    return S3Use(environment, **dict.fromkeys(BOOLEANS, True), log_buckets=names, artifact_buckets=names)


def test_the_generated_uses_reach_every_field() -> None:
    assert len(BOOLEANS) == 8
    assert {*BOOLEANS, "environment", "log_buckets", "artifact_buckets"} == {field.name for field in fields(S3Use)}


@given(uses(), st.sampled_from(regions()), st.sampled_from([b for b in BASELINES if b != "FullAccess"]))
@settings(max_examples=100)
def test_any_use_makes_a_valid_document_of_the_regions_partition(
    use: S3Use, where: tuple[str, str], baseline: str
) -> None:
    partition, region = where
    document = s3_policy(baseline, region, use, organization=ORGANIZATION)
    assert parse(render(document)) == document
    assert all(re.fullmatch(r"[A-Za-z0-9]+", statement.sid) for statement in document.statements)
    assert {statement.sid for statement in document.statements} <= set(SOURCES)
    for statement in build_statements(region, use):
        assert all(arn.startswith(f"arn:{partition}:s3:::") for arn in statement.resources.values)
        assert (statement.effect, statement.conditions) == ("Allow", ()), "anonymous reads carry no key of a principal"
        assert statement in document.statements


@given(uses())
@settings(max_examples=30)
def test_the_order_of_a_users_buckets_changes_nothing(use: S3Use) -> None:
    again = replace(use, log_buckets=use.log_buckets[::-1] * 2, artifact_buckets=use.artifact_buckets[::-1])
    assert build_statements("us-west-2", again) == build_statements("us-west-2", use)


def image_builder_documents(region: str) -> list[PolicyDocument]:
    custom = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:*", "Resource": "*"}}
    return [
        imagebuilder_policy(
            preset,
            region,
            organization=ORGANIZATION,
            custom=custom,
            marketplace=marketplace,
            aws_services=aws_services,
        )
        for preset, marketplace, aws_services in product(PRESETS, (False, True), (False, True))
    ]


@pytest.mark.parametrize(("partition", "region"), regions())
def test_the_documents_of_every_region_are_valid_and_of_its_partition(partition: str, region: str) -> None:
    documents = image_builder_documents(region) + [
        s3_policy(baseline, region, use, organization=ORGANIZATION)
        for baseline in BASELINES
        for use in (S3Use(ssm_agent=False), USUAL, *map(everything, ENVIRONMENTS))
    ]
    for document in documents:
        assert parse(render(document)) == document
        for arn in {arn for s in document.statements for arn in s.resources.values} - {"*"}:
            assert arn.startswith((f"arn:{partition}:s3:::", f"arn:{partition}:imagebuilder:{region}:"))
            assert not set("*?") & set(arn.removesuffix("*")), "a wildcard stands only where it takes in all the rest"


@pytest.mark.parametrize(("partition", "region"), regions())
def test_the_largest_documents_leave_room_for_the_users_statements(partition: str, region: str) -> None:
    largest = max(
        size(document)
        for document in (
            s3_policy("Organization", region, everything(), organization=ORGANIZATION),
            *image_builder_documents(region),
        )
    )
    assert largest < SIZE_LIMIT / 2, partition
