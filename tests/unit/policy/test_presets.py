"""The policies that the operator writes, whole, against golden documents and against AWS's own page."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from ibpe.partitions import partition_of
from ibpe.policy.canonical import canonical_statement, same_policy
from ibpe.policy.document import SIZE_LIMIT, PolicyDocument, PolicyError, plain, size
from ibpe.policy.imagebuilder import imagebuilder_policy
from ibpe.policy.parse import parse
from ibpe.policy.s3 import S3Use, s3_policy
from ibpe.policy.sources import SOURCES
from ibpe.policy.statements import Organization

EVERYTHING = S3Use(
    environment="preprod",
    all_managed_resources=True,
    amazon_linux_repositories=True,
    windows_downloads=True,
    patching=True,
    distributor=True,
    cloud_watch_agent=True,
    ecr_layers=True,
    log_buckets=("our-logs",),
    artifact_buckets=("our-installers", "our-artifacts"),
)
GOLDEN = Path(__file__).parent / "golden"
REGIONS = ("us-west-2", "cn-north-1", "us-gov-west-1")
ORGANIZATION = Organization(principal_org_id="o-principal01", resource_org_id="o-resource001")

READ_MINE: Mapping[str, object] = {
    "Sid": "ReadMine",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::mine/*",
}
READ_OWN_FOLDER: Mapping[str, object] = {**READ_MINE, "Resource": "arn:aws:s3:::mine/${aws:username}/*"}

PAGE_ORGANIZATION = """{ "Version": "2012-10-17", "Statement": [
 { "Sid": "AllowRequestsByOrgsIdentitiesToOrgsResources", "Effect": "Allow", "Principal": { "AWS": "*" },
   "Action": "*", "Resource": "*", "Condition": { "StringEquals": {
     "aws:PrincipalOrgID": "o-principal01", "aws:ResourceOrgID": "o-resource001" } } },
 { "Sid": "AllowAccessToEC2ImageBuilderComponents", "Effect": "Allow", "Principal": { "AWS": "*" },
   "Action": [ "imagebuilder:GetComponent" ], "Resource": [ "arn:aws:imagebuilder:us-west-2:aws:component/*" ] } ] }"""
PAGE_BUCKETS = """{ "Version": "2012-10-17", "Statement": [
 { "Sid": "AllowImageBuilderAccessToAppAndComponentBuckets", "Effect": "Allow", "Principal": { "AWS": "*" },
   "Action": [ "s3:GetObject" ], "Resource": [
     "arn:aws:s3:::ec2imagebuilder-toe-us-west-2-prod/*",
     "arn:aws:s3:::ec2imagebuilder-managed-resources-us-west-2-prod/components/*" ] } ] }"""
"""Image Builder user guide, "EC2 Image Builder and interface VPC endpoints (AWS PrivateLink)"; placeholders filled."""


def presets(region: str) -> dict[str, PolicyDocument]:
    return {
        "imagebuilder-FullAccess": imagebuilder_policy("FullAccess", region),
        "imagebuilder-DenyDeletion": imagebuilder_policy("DenyDeletion", region),
        "imagebuilder-DenyDestruction": imagebuilder_policy("DenyDestruction", region),
        "imagebuilder-Organization": imagebuilder_policy("Organization", region, organization=ORGANIZATION),
        "imagebuilder-Organization-all-toggles": imagebuilder_policy(
            "Organization", region, organization=ORGANIZATION, marketplace=True, aws_services=True
        ),
        "imagebuilder-Custom": imagebuilder_policy(
            "Custom", region, custom={"Statement": READ_MINE}, additional_statements=[{**READ_MINE, "Sid": "More"}]
        ),
        "s3-ImageBuilderOnly": s3_policy("ImageBuilderOnly", region),
        "s3-ImageBuilderOnly-beta": s3_policy(
            "ImageBuilderOnly", region, S3Use(environment="beta", ssm_agent=False), additional_statements=[READ_MINE]
        ),
        "s3-ImageBuilderOnly-all-toggles": s3_policy("ImageBuilderOnly", region, EVERYTHING),
        "s3-Organization": s3_policy("Organization", region, organization=ORGANIZATION),
        "s3-FullAccess": s3_policy("FullAccess", region),
    }


CASES = [(region, name) for region in REGIONS for name in presets(region)]


@pytest.mark.parametrize(("region", "name"), CASES)
def test_each_preset_is_the_document_that_was_reviewed(region: str, name: str) -> None:
    golden: object = json.loads((GOLDEN / region / f"{name}.json").read_text())
    document = presets(region)[name]
    assert plain(document) == golden
    assert parse(json.dumps(golden)) == document
    assert size(document) < SIZE_LIMIT / 4, "leaves room for the user's own statements"


def test_no_golden_document_is_left_unused() -> None:
    assert {path.relative_to(GOLDEN) for path in GOLDEN.rglob("*.json")} == {
        Path(region) / f"{name}.json" for region, name in CASES
    }


def test_the_organization_preset_begins_with_the_two_statements_of_the_page() -> None:
    ours = imagebuilder_policy("Organization", "us-west-2", organization=ORGANIZATION)
    assert [canonical_statement(statement) for statement in ours.statements[:2]] == [
        canonical_statement(statement) for statement in parse(PAGE_ORGANIZATION).statements
    ]


def test_image_builder_only_is_the_policy_of_the_page() -> None:
    assert same_policy(s3_policy("ImageBuilderOnly", "us-west-2", S3Use(ssm_agent=False)), PAGE_BUCKETS)


@pytest.mark.parametrize("region", REGIONS)
def test_a_resource_organization_is_never_required_of_what_aws_owns(region: str) -> None:
    document = imagebuilder_policy(
        "Organization", region, organization=ORGANIZATION, marketplace=True, aws_services=True
    )
    owned_by_the_organization, *others = document.statements
    assert [c.key for c in owned_by_the_organization.conditions] == ["aws:PrincipalOrgID", "aws:ResourceOrgID"]
    assert {arn for s in others for arn in s.resources.values} >= {
        f"arn:{partition_of(region).name}:imagebuilder:{region}:{owner}"
        for owner in ("aws:component/*", "aws:image/*", "aws:workflow/*", "aws-marketplace:component/*")
    }
    assert all(c.key != "aws:ResourceOrgID" for s in others for c in s.conditions)


def test_the_toggles_of_the_organization_preset_add_a_statement_each() -> None:
    def sids(*, marketplace: bool, aws_services: bool) -> list[str]:
        document = imagebuilder_policy(
            "Organization",
            "us-west-2",
            organization=ORGANIZATION,
            marketplace=marketplace,
            aws_services=aws_services,
        )
        return [statement.sid for statement in document.statements]

    least = sids(marketplace=False, aws_services=False)
    assert sids(marketplace=True, aws_services=False) == [*least, "AllowOrgsIdentitiesToReadMarketplaceComponents"]
    assert sids(marketplace=False, aws_services=True) == [*least, "AllowRequestsByAWSServicePrincipals"]


@pytest.mark.parametrize(("region", "name"), CASES)
def test_every_statement_of_ours_says_why_it_is_there(region: str, name: str) -> None:
    sids = {statement.sid for statement in presets(region)[name].statements} - {"", "ReadMine", "More"}
    assert sids <= set(SOURCES)


def test_no_reason_is_kept_for_a_statement_that_is_gone() -> None:
    written = {s.sid for document in presets("us-west-2").values() for s in document.statements}
    assert set(SOURCES) == written - {"", "ReadMine", "More"}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            imagebuilder_policy("FullAccess", "us-west-2", additional_statements=[READ_OWN_FOLDER]), id="imagebuilder"
        ),
        pytest.param(s3_policy("FullAccess", "us-west-2", additional_statements=[READ_OWN_FOLDER]), id="s3"),
    ],
)
def test_an_additional_statement_of_a_default_policy_may_use_variables(document: PolicyDocument) -> None:
    assert document.version == "2012-10-17"


def test_a_custom_document_keeps_its_version() -> None:
    custom = {"Version": "2008-10-17", "Statement": READ_OWN_FOLDER}
    document = imagebuilder_policy(
        "Custom", "us-west-2", custom=custom, additional_statements=[{**READ_MINE, "Sid": "More"}]
    )
    assert document.version == "2008-10-17"


def test_a_custom_document_may_be_json_text() -> None:
    assert imagebuilder_policy("Custom", "us-west-2", custom=PAGE_ORGANIZATION) == parse(PAGE_ORGANIZATION)


@pytest.mark.parametrize(
    ("preset", "arguments", "sentence"),
    [
        pytest.param(
            "Fullaccess", {}, 'preset: "Fullaccess" is not a preset; did you mean "FullAccess"?', id="unknown"
        ),
        pytest.param(
            "Organization",
            {},
            "organization: preset Organization needs principalOrgID and resourceOrgID; add organization",
            id="no ids",
        ),
        pytest.param("Custom", {}, "document: preset Custom needs a policy; add document", id="no document"),
        pytest.param(
            "Custom",
            {"custom": {"Statement": {"Effect": "Allow"}}},
            "Statement: it has neither Principal",
            id="bad document",
        ),
        pytest.param(
            "DenyDeletion",
            {"additional_statements": [READ_MINE, {**READ_MINE, "Sid": "DenyDeletion"}]},
            'additionalStatements[1].Sid: "DenyDeletion" is the Sid of a statement that the policy has already',
            id="a Sid of ours",
        ),
        pytest.param(
            "DenyDeletion",
            {"additional_statements": [{**READ_MINE, "Action": "s3: GetObject"}]},
            'additionalStatements[0].Action: there is a space in "s3: GetObject"; write "s3:GetObject"',
            id="a space",
        ),
        pytest.param(
            "Custom",
            {
                "custom": {"Statement": READ_OWN_FOLDER},
                "additional_statements": [{**READ_OWN_FOLDER, "Sid": "More"}],
            },
            'document.Version: additional statements use ${…}, which is plain text in this version; write "Version"',
            id="variables under an old version",
        ),
    ],
)
def test_an_image_builder_policy_that_cannot_be_written_is_refused(
    preset: str, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        imagebuilder_policy(preset, "us-west-2", **arguments)  # type: ignore[arg-type]  # rows of a table
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("baseline", "arguments", "sentence"),
    [
        pytest.param("Organisation", {}, 'did you mean "Organization"?', id="unknown"),
        pytest.param("Organization", {}, "organization: baseline Organization needs principalOrgID", id="no ids"),
        pytest.param(
            "FullAccess",
            {"use": S3Use(environment="Prod")},
            'environment: "Prod" is not an environment; did you mean "prod"?',
            id="env",
        ),
        pytest.param(
            "FullAccess",
            {"additional_statements": [{**READ_MINE, "Principal": {"AWS": "123456789012"}}]},
            "additionalStatements[0].Principal: the policy of a gateway endpoint takes no principal but",
            id="a principal on a gateway",
        ),
    ],
)
def test_an_s3_policy_that_cannot_be_written_is_refused(
    baseline: str, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        s3_policy(baseline, "us-west-2", **arguments)  # type: ignore[arg-type]  # rows of a table
    assert sentence in str(caught.value)


@pytest.mark.parametrize("bad", ["", "*", "o-*", "o-short", "O-PRINCIPAL01", "o-principal01\n", "r-principal01"])
def test_an_organization_that_cannot_exist_is_refused(bad: str) -> None:
    with pytest.raises(PolicyError, match=r"^organization\.principalOrgID: .* is not an organization's id"):
        Organization(bad, "o-resource001")
    with pytest.raises(PolicyError, match=r"^organization\.resourceOrgID: "):
        Organization("o-principal01", bad)
