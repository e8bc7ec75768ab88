"""What builds and pipelines ask for: complete by AWS's own model, with the keys that AWS would send."""

import re
from collections.abc import Iterable, Mapping

import boto3
import pytest

from ibpe.policy.access import ANONYMOUS, Request, Verdict, decide
from ibpe.policy.document import PolicyDocument
from ibpe.policy.imagebuilder import imagebuilder_policy
from ibpe.policy.needs import Callers, Need, first_barred, first_denied, imagebuilder_needs, s3_needs
from ibpe.policy.parse import parse
from ibpe.policy.s3 import S3Use, s3_policy
from ibpe.policy.statements import Organization

REGION = "us-west-2"
REGIONS = (REGION, "cn-north-1", "us-gov-west-1")
KNOWN = Callers(
    account="111122223333",
    principal_org_id="o-principal01",
    resource_org_id="o-resource001",
    vpc_id="vpc-0a",
    endpoint_id="vpce-0a",
)
ORGANIZATION = Organization("o-principal01", "o-resource001")
EVERYTHING = S3Use(
    all_managed_resources=True,
    amazon_linux_repositories=True,
    windows_downloads=True,
    patching=True,
    distributor=True,
    cloud_watch_agent=True,
    ecr_layers=True,
    log_buckets=("my-logs",),
    artifact_buckets=("my-artifacts",),
)


def every_need(region: str = REGION, callers: Callers = KNOWN) -> tuple[Need, ...]:
    return (*imagebuilder_needs(region, callers, marketplace=True), *s3_needs(region, EVERYTHING, callers))


def actions(needs: Iterable[Need], asker: str) -> set[str]:
    return {need.request.action.partition(":")[2] for need in needs if need.asker == asker}


def operations() -> set[str]:
    client = boto3.client("imagebuilder", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106 -- no secret: nothing is called
    return set(client.meta.service_model.operation_names)


def requests_on(needs: Iterable[Need], part: str) -> list[Request]:
    return [need.request for need in needs if part in need.request.resource]


def denying(operator: str, key: str, value: str) -> PolicyDocument:
    allow: Mapping[str, object] = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    return parse({"Statement": [allow, {**allow, "Effect": "Deny", "Condition": {operator: {key: value}}}]})


def allowing(operator: str, key: str, value: str) -> PolicyDocument:
    condition = {operator: {key: value}}
    allow = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition}
    return parse({"Statement": allow})


def test_a_pipeline_asks_every_call_of_the_api_but_those_of_lifecycles() -> None:
    asked = actions(imagebuilder_needs(REGION), "pipeline")
    others = {name for name in operations() if "Lifecycle" in name}
    others |= {"StartResourceStateUpdate", "GetMarketplaceResource"}
    assert asked == {name for name in operations() - others if re.match("Create|Start|Get|List", name)}


@pytest.mark.parametrize("owner", ["123456789012", "210987654321", "aws"])
def test_a_build_reads_components_of_its_own_account_of_another_and_of_aws(owner: str) -> None:
    asked = [
        n.request.resource for n in imagebuilder_needs(REGION) if n.asker == "build" and "GetC" in n.request.action
    ]
    assert any(resource.startswith(f"arn:aws:imagebuilder:{REGION}:{owner}:component/") for resource in asked)


def test_own_resources_lie_in_the_account_that_is_known() -> None:
    mine = requests_on(imagebuilder_needs(REGION, KNOWN), f":{KNOWN.account}:")
    assert {"imagebuilder:GetComponent", "imagebuilder:CreateImage", "imagebuilder:GetContainerRecipe"} <= {
        request.action for request in mine
    }
    assert not requests_on(imagebuilder_needs(REGION, KNOWN), ":123456789012:")


def test_the_marketplace_is_asked_for_only_when_it_is_used() -> None:
    without, with_it = imagebuilder_needs(REGION), imagebuilder_needs(REGION, marketplace=True)
    assert "GetMarketplaceResource" not in actions(without, "build") | actions(without, "pipeline")
    assert not requests_on(without, "marketplace")
    assert {request.action for request in requests_on(with_it, ":aws-marketplace:component/")} == {
        "imagebuilder:GetComponent",
        "imagebuilder:GetMarketplaceResource",
    }


@pytest.mark.parametrize("bucket", ["ec2imagebuilder-toe-us-west-2-prod", "amazon-ssm-us-west-2"])
def test_buckets_of_aws_are_read_anonymously_and_with_the_roles_signature(bucket: str) -> None:
    asked = requests_on(s3_needs(REGION), f":::{bucket}/")
    assert [request.caller.kind for request in asked] == ["Anonymous", "Identity"]
    assert {request.action for request in asked} == {"s3:GetObject"}


@pytest.mark.parametrize("environment", ["prod", "preprod", "beta"])
def test_the_buckets_are_those_of_the_environment(environment: str) -> None:
    asked = {n.request.resource.split("/")[0] for n in s3_needs(REGION, S3Use(environment, ssm_agent=False))}
    assert asked == {
        f"arn:aws:s3:::ec2imagebuilder-toe-{REGION}-{environment}",
        f"arn:aws:s3:::ec2imagebuilder-managed-resources-{REGION}-{environment}",
    }


def test_the_whole_bucket_of_managed_resources_is_asked_for_only_when_it_is_used() -> None:
    def folders(use: S3Use) -> set[str]:
        return {r.resource.split("/")[1] for r in requests_on(s3_needs(REGION, use), "managed-resources")}

    assert folders(S3Use()) == {"components"}
    assert folders(S3Use(all_managed_resources=True)) == {"components", "bootstrap_scripts"}


@pytest.mark.parametrize(
    ("toggle", "part"),
    [
        ("amazon_linux_repositories", ":::al2023-repos-us-west-2-de612dc2/"),
        ("windows_downloads", ":::aws-windows-downloads-us-west-2/"),
        ("patching", ":::patch-baseline-snapshot-us-west-2/"),
        ("distributor", ":::us-west-2-birdwatcher-prod/"),
        ("cloud_watch_agent", ":::amazoncloudwatch-agent-us-west-2/"),
        ("ecr_layers", ":::prod-us-west-2-starport-layer-bucket/"),
        ("ssm_agent", ":::amazon-ssm-us-west-2/"),
    ],
)
def test_a_toggles_buckets_are_asked_for_exactly_when_it_is_on(toggle: str, part: str) -> None:
    on, off = S3Use(**{toggle: True}), S3Use(**{toggle: False})  # type: ignore[arg-type]  # the toggles are bools
    assert requests_on(s3_needs(REGION, on), part)
    assert not requests_on(s3_needs(REGION, off), part)


def test_own_buckets_are_written_or_read_with_the_roles_signature_and_no_more() -> None:
    needs = s3_needs(REGION, S3Use(log_buckets=("logs",), artifact_buckets=("tools",)), KNOWN)
    mine = [n.request for n in needs if ":::logs" in n.request.resource or ":::tools" in n.request.resource]
    assert [(request.action, request.resource.split("/")[0]) for request in mine] == [
        ("s3:PutObject", "arn:aws:s3:::logs"),
        ("s3:GetObject", "arn:aws:s3:::tools"),
        ("s3:ListBucket", "arn:aws:s3:::tools"),
    ]
    assert {request.context["aws:principalorgid"] for request in mine} == {("o-principal01",)}


@pytest.mark.parametrize("region", REGIONS)
def test_every_resource_lies_in_the_regions_partition(region: str) -> None:
    partition = {"cn-north-1": "arn:aws-cn:", "us-gov-west-1": "arn:aws-us-gov:"}.get(region, "arn:aws:")
    resources = {need.request.resource for need in every_need(region)} - {"*"}
    assert all(resource.startswith(partition) for resource in resources)


def test_no_need_is_said_twice_and_each_says_what_it_is_for() -> None:
    needs = every_need()
    said = [(need.asker, need.words) for need in needs]
    assert len(set(said)) == len(said)
    assert all(re.fullmatch(r"[a-z]+s .+", need.words) for need in needs), "follows the word it"
    assert not [need.words for need in needs if "(" in need.words], "stands in parentheses itself"


@pytest.mark.parametrize("operator", ["StringNotEquals", "StringNotEqualsIfExists"])
def test_a_deny_of_other_organizations_denies_the_anonymous_downloads_first(operator: str) -> None:
    found = first_denied(denying(operator, "aws:PrincipalOrgID", "o-principal01"), s3_needs(REGION, S3Use(), KNOWN))
    assert found is not None
    need, decision = found
    assert need.request.caller is ANONYMOUS
    assert "toe" in need.request.resource
    assert decision.verdict is Verdict.DENIED
    assert decision.statement is not None
    assert decision.statement.effect == "Deny"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:PrincipalOrgID", "o-principal01"),
        ("aws:PrincipalAccount", "111122223333"),
        ("aws:PrincipalArn", "arn:aws:iam::111122223333:role/build"),
        ("aws:PrincipalIsAWSService", "false"),
        ("aws:PrincipalType", "AssumedRole"),
        ("aws:username", "*"),
        ("aws:PrincipalTag/team", "images"),
        ("aws:TokenIssueTime", "*"),
    ],
)
def test_no_condition_on_the_principal_lets_an_anonymous_download_through(key: str, value: str) -> None:
    anonymous = [need for need in s3_needs(REGION, EVERYTHING, KNOWN) if need.request.caller is ANONYMOUS]
    document = allowing("StringLike", key, value)
    assert {decide(document, need.request).verdict for need in anonymous} == {Verdict.DENIED}


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringEquals", "aws:SourceVpc", "vpc-0a"),
        ("StringEquals", "aws:SourceVpce", "vpce-0a"),
        ("Bool", "aws:SecureTransport", "true"),
        ("Bool", "aws:ViaAWSService", "false"),
        ("StringEquals", "aws:RequestedRegion", REGION),
        ("Null", "aws:SourceIp", "true"),
        ("Null", "aws:CalledVia", "true"),
    ],
)
def test_conditions_that_every_call_through_the_endpoint_meets(operator: str, key: str, value: str) -> None:
    verdicts = {decide(allowing(operator, key, value), need.request).verdict for need in every_need()}
    assert verdicts == {Verdict.ALLOWED}


@pytest.mark.parametrize("key", ["aws:SourceVpc", "aws:SourceVpce", "aws:PrincipalAccount", "aws:PrincipalOrgID"])
def test_what_is_not_known_of_the_callers_is_no_denial(key: str) -> None:
    document = allowing("StringEquals", key, "something")
    signed = imagebuilder_needs(REGION)
    assert first_denied(document, signed) is None
    assert {decide(document, need.request).verdict for need in signed} == {Verdict.DEPENDS}
    assert first_denied(document, imagebuilder_needs(REGION, KNOWN)) is not None


@pytest.mark.parametrize("callers", [Callers(), KNOWN], ids=["callers not known", "known"])
@pytest.mark.parametrize("principal", ["111122223333", "arn:aws:iam::111122223333:root"])
def test_a_policy_for_the_root_user_lets_neither_builds_nor_people_through(principal: str, callers: Callers) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "*", "Resource": "*"}
    needs = imagebuilder_needs(REGION, callers)
    assert {decide(parse({"Statement": statement}), need.request).verdict for need in needs} == {Verdict.DENIED}
    assert first_barred(parse({"Statement": statement}), needs) is not None
    of_others = {**statement, "Effect": "Deny", "NotPrincipal": {"AWS": principal}}
    del of_others["Principal"]
    document = parse({"Statement": [{**statement, "Principal": "*"}, of_others]})
    assert {decide(document, need.request).verdict for need in needs} == {Verdict.DENIED}


@pytest.mark.parametrize(
    ("principal", "build", "person"),
    [
        ("role/anything", Verdict.DEPENDS, Verdict.DEPENDS),
        ("user/ann", Verdict.DENIED, Verdict.DEPENDS),
        ("group/builders", Verdict.DENIED, Verdict.DENIED),
    ],
)
def test_a_build_is_no_user_and_a_person_may_be_one(principal: str, build: Verdict, person: Verdict) -> None:
    named = {"AWS": f"arn:aws:iam::111122223333:{principal}"}
    document = parse({"Statement": {"Effect": "Allow", "Principal": named, "Action": "*", "Resource": "*"}})
    found = {need.asker: decide(document, need.request).verdict for need in imagebuilder_needs(REGION, KNOWN)}
    assert found == {"build": build, "pipeline": person}


@pytest.mark.parametrize("callers", [Callers(), KNOWN])
def test_what_aws_owns_belongs_to_no_organization(callers: Callers) -> None:
    document = allowing("StringLike", "aws:ResourceOrgID", "*")
    managed = [
        *requests_on(every_need(callers=callers), f"{REGION}:aws:"),
        *requests_on(every_need(callers=callers), "toe-"),
    ]
    assert {decide(document, request).verdict for request in managed} == {Verdict.DENIED}
    mine = [
        *requests_on(every_need(callers=callers), "my-logs"),
        *requests_on(every_need(callers=callers), "pipeline/"),
    ]
    known = Verdict.ALLOWED if callers is KNOWN else Verdict.DEPENDS
    assert {decide(document, request).verdict for request in mine} == {known}


def test_a_shared_component_is_not_the_accounts_own() -> None:
    (shared,) = requests_on(imagebuilder_needs(REGION, KNOWN), ":210987654321:")
    assert decide(allowing("StringEquals", "aws:ResourceAccount", "111122223333"), shared).verdict is Verdict.DEPENDS
    assert decide(allowing("StringEquals", "aws:ResourceOrgID", "o-resource001"), shared).verdict is Verdict.ALLOWED


def test_layers_are_signed_by_somebody_outside_of_the_organization() -> None:
    (layer,) = requests_on(s3_needs(REGION, S3Use(ecr_layers=True), KNOWN), "starport")
    for key, value in (("aws:PrincipalOrgID", "o-principal01"), ("aws:PrincipalAccount", "111122223333")):
        assert decide(allowing("StringEquals", key, value), layer).verdict is Verdict.DENIED


@pytest.mark.parametrize("preset", ["FullAccess", "DenyDeletion", "DenyDestruction", "Organization"])
@pytest.mark.parametrize("region", REGIONS)
def test_every_preset_lets_all_needs_through(region: str, preset: str) -> None:
    document = imagebuilder_policy(preset, region, organization=ORGANIZATION, marketplace=True)
    verdicts = {decide(document, n.request).verdict for n in imagebuilder_needs(region, KNOWN, marketplace=True)}
    assert verdicts == {Verdict.ALLOWED}


@pytest.mark.parametrize("baseline", ["FullAccess", "ImageBuilderOnly", "Organization"])
@pytest.mark.parametrize("region", REGIONS)
def test_every_baseline_lets_all_needs_through(region: str, baseline: str) -> None:
    document = s3_policy(baseline, region, EVERYTHING, organization=ORGANIZATION)
    verdicts = {decide(document, n.request).verdict for n in s3_needs(region, EVERYTHING, KNOWN)}
    assert verdicts == {Verdict.ALLOWED}


def test_a_toggle_that_is_off_denies_what_it_would_open() -> None:
    found = first_denied(s3_policy("ImageBuilderOnly", REGION), s3_needs(REGION, S3Use(patching=True)))
    assert found is not None
    assert "aws-ssm-us-west-2" in found[0].request.resource
    assert found[1].statement is None
