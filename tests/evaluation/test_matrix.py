"""Every partition, Region, preset, baseline and environment: what builds ask for passes, what must not pass doesn't.

Both evaluators have to say so of each.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import product

import pytest
from boto3.session import Session

from ibpe.policy.access import Verdict, decide
from ibpe.policy.document import PolicyDocument, render
from ibpe.policy.imagebuilder import PRESETS, imagebuilder_policy
from ibpe.policy.needs import Callers, Need, imagebuilder_needs, s3_needs
from ibpe.policy.s3 import BASELINES, S3Use, s3_policy
from ibpe.policy.statements import Organization
from tests.evaluation import adversaries, builds
from tests.evaluation.buckets import ARTIFACTS, ENVIRONMENTS, LOGS, Place
from tests.evaluation.comparison import assert_agreement, call_of
from tests.evaluation.people import MINE, ORGANIZATION, OURS, RESOURCES, by_identity, by_service
from tests.evaluation.reference import Call, Reference

PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
PLACES = tuple(
    Place(partition, region)
    for partition in PARTITIONS
    for region in sorted(Session().get_available_regions("ec2", partition))
)
INSIDE = Organization(ORGANIZATION, RESOURCES)
CALLERS = Callers(MINE, ORGANIZATION, RESOURCES, "vpc-0a", "vpce-0a")

everywhere = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.region)
in_each_environment = pytest.mark.parametrize("environment", ENVIRONMENTS)


def test_the_matrix_has_every_region_of_each_partition() -> None:
    assert len(PLACES) >= 38
    assert {place.partition for place in PLACES} == set(PARTITIONS)
    assert {"FullAccess", "DenyDeletion", "DenyDestruction", "Organization", "Custom"} == set(PRESETS)
    assert {"ImageBuilderOnly", "Organization", "FullAccess"} == set(BASELINES)


@everywhere
def test_each_preset_lets_builds_and_pipelines_pass_and_keeps_its_promise(place: Place) -> None:
    for preset in ("FullAccess", "DenyDeletion", "DenyDestruction"):
        assert_all_pass(imagebuilder_policy(preset, place.region), of_the_api(place, preset, marketplace=True))
    for marketplace, services in product((False, True), repeat=2):
        document = imagebuilder_policy(
            "Organization", place.region, organization=INSIDE, marketplace=marketplace, aws_services=services
        )
        assert_all_pass(document, of_the_api(place, "Organization", marketplace=marketplace))
        tries = adversaries.against_builds_api(place, marketplace=marketplace, services=services)
        assert_none_passes(document, tries)


@everywhere
def test_what_is_not_known_of_a_call_stops_no_build(place: Place) -> None:
    """Every need is allowed whatever its unknown keys hold; where nothing is known of the callers, none is denied."""
    everything = use(place, everything=True)
    policies = [
        imagebuilder_policy(preset, place.region, organization=INSIDE) for preset in PRESETS if preset != "Custom"
    ]
    for document in policies:
        assert_none_stopped(document, imagebuilder_needs(place.region, CALLERS), {Verdict.ALLOWED})
        assert_none_stopped(document, imagebuilder_needs(place.region), {Verdict.ALLOWED, Verdict.DEPENDS})
    for baseline in BASELINES:
        document = s3_policy(baseline, place.region, everything, organization=INSIDE)
        assert_none_stopped(document, s3_needs(place.region, everything), {Verdict.ALLOWED})


def test_the_organization_lists_without_a_filter() -> None:
    document = imagebuilder_policy("Organization", "us-west-2", organization=INSIDE)
    assert_all_pass(document, builds.without_filter(Place("aws", "us-west-2")))


@everywhere
def test_the_presets_against_deletion_deny_it_to_everybody_in_any_letters(place: Place) -> None:
    deletion = imagebuilder_policy("DenyDeletion", place.region)
    assert_none_passes(deletion, adversaries.against_deletion(place, ("DeleteImage", "DeleteComponent")))
    destruction = imagebuilder_policy("DenyDestruction", place.region)
    assert_none_passes(destruction, adversaries.against_deletion(place, adversaries.DESTRUCTIVE))
    recipe = by_identity(place, "imagebuilder:DeleteImageRecipe", place.builder(MINE, "image-recipe/web/1.0.0"), OURS)
    assert passes(deletion, recipe)


@everywhere
def test_a_service_of_aws_passes_the_organization_by_its_toggle(place: Place) -> None:
    document = imagebuilder_policy("Organization", place.region, organization=INSIDE, aws_services=True)
    assert passes(document, by_service("imagebuilder:GetImage", place.builder(MINE, "image/web/1.0.0/1"), OURS))


@everywhere
@in_each_environment
def test_each_baseline_lets_builds_pass_and_only_reading_by_exact_names(place: Place, environment: str) -> None:
    there = replace(place, environment=environment)
    for everything, baseline in product((False, True), BASELINES):
        document = s3_policy(baseline, place.region, use(there, everything=everything), organization=INSIDE)
        assert_all_pass(document, of_s3(there, everything=everything))
        tries = [*adversaries.against_buckets(there, everything=everything)]
        if baseline == "Organization":
            tries += adversaries.against_the_organization(there)
        if baseline == "FullAccess":
            assert_all_pass(document, tries)
        else:
            assert_none_passes(document, tries)


@everywhere
def test_the_organizations_baseline_lets_the_organization_to_all_of_its_own(place: Place) -> None:
    document = s3_policy("Organization", place.region, organization=INSIDE)
    for action in ("GetObject", "DeleteObject"):
        assert passes(document, by_identity(place, f"s3:{action}", place.object("acme-data", "file"), OURS))


def use(place: Place, *, everything: bool) -> S3Use:
    if not everything:
        return S3Use(environment=place.environment, ssm_agent=False)
    switches = dict.fromkeys(TOGGLES, True)
    return S3Use(environment=place.environment, log_buckets=(LOGS,), artifact_buckets=(ARTIFACTS,), **switches)


TOGGLES = (
    *("all_managed_resources", "ssm_agent", "amazon_linux_repositories", "windows_downloads", "patching"),
    *("distributor", "cloud_watch_agent", "ecr_layers"),
)


def of_the_api(place: Place, preset: str, *, marketplace: bool) -> Iterator[tuple[str, Call]]:
    yield from in_words(imagebuilder_needs(place.region, CALLERS, marketplace=marketplace))
    for words, call in builds.of_builds_api(place, marketplace=marketplace):
        action = call.action.partition(":")[2]
        denied = {
            "DenyDeletion": action in ("DeleteImage", "DeleteComponent"),
            "DenyDestruction": builds.deletes(action),
        }
        if not denied.get(preset):
            yield words, call


def of_s3(place: Place, *, everything: bool) -> Iterator[tuple[str, Call]]:
    yield from in_words(s3_needs(place.region, use(place, everything=everything), CALLERS))
    yield from builds.of_buckets(place, everything=everything)


def in_words(needs: Iterable[Need]) -> Iterator[tuple[str, Call]]:
    for need in needs:
        yield need.words, call_of(need.request)


def trial_of(document: PolicyDocument) -> Callable[[Call], bool]:
    """Whether a call passes the policy as it is sent to AWS; both evaluators have to say so."""
    reference = Reference(json.loads(render(document)))
    return lambda call: assert_agreement(reference, document, call).verdict is Verdict.ALLOWED


def passes(document: PolicyDocument, call: Call) -> bool:
    return trial_of(document)(call)


def assert_all_pass(document: PolicyDocument, calls: Iterable[tuple[str, Call]]) -> None:
    passes_ = trial_of(document)
    stopped = [words for words, call in calls if not passes_(call)]
    assert not stopped, f"{render(document)} stops {stopped}"


def assert_none_passes(document: PolicyDocument, calls: Iterable[tuple[str, Call]]) -> None:
    passes_ = trial_of(document)
    passed = [words for words, call in calls if passes_(call)]
    assert not passed, f"{render(document)} lets through {passed}"


def assert_none_stopped(document: PolicyDocument, needs: Iterable[Need], wanted: set[Verdict]) -> None:
    stopped = [need.words for need in needs if decide(document, need.request).verdict not in wanted]
    assert not stopped, f"{render(document)} stops {stopped}"
