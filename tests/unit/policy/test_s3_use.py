"""What builds use through the S3 endpoint: a statement a toggle, least privilege, exact names."""

from dataclasses import replace

import pytest

from ibpe.policy.canonical import equivalent
from ibpe.policy.document import PolicyError, Statement
from ibpe.policy.s3 import ENVIRONMENTS, USUAL, S3Use, build_statements, contributed_statements, s3_policy

BARE = S3Use(ssm_agent=False)


def resources(region: str, use: S3Use, sid: str) -> set[str]:
    (found,) = (statement for statement in build_statements(region, use) if statement.sid == sid)
    return set(found.resources.values)


def arns(partition: str, *paths: str) -> set[str]:
    return {f"arn:{partition}:s3:::{path}" for path in paths}


TOGGLES = [
    pytest.param(
        S3Use(),
        "AllowSSMAgentDownload",
        ["amazon-ssm-us-west-2/*"],
        id="the SSM agent",
    ),
    pytest.param(
        replace(BARE, amazon_linux_repositories=True),
        "AllowAmazonLinuxRepositories",
        [
            "al2023-repos-us-west-2-de612dc2/*",
            "al2023-us-west-2/*",
            "amazonlinux-2-repos-us-west-2/*",
            "amazonlinux.us-west-2.amazonaws.com/*",
            "packages.us-west-2.amazonaws.com/*",
            "repo.us-west-2.amazonaws.com/*",
        ],
        id="Amazon Linux",
    ),
    pytest.param(
        replace(BARE, windows_downloads=True),
        "AllowWindowsDownloads",
        ["aws-windows-downloads-us-west-2/*"],
        id="Windows",
    ),
    pytest.param(
        replace(BARE, patching=True),
        "AllowPatching",
        [
            "aws-ssm-us-west-2/*",
            "patch-baseline-snapshot-us-west-2/*",
            "aws-patch-manager-us-west-2-34d7f99f8/*",
            "aws-patchmanager-macos-us-west-2-34d7f99f8/*",
        ],
        id="patching",
    ),
    pytest.param(
        replace(BARE, distributor=True),
        "AllowDistributor",
        [
            "amazon-ssm-packages-us-west-2/*",
            "us-west-2-birdwatcher-prod/*",
            "aws-ssm-distributor-file-us-west-2/*",
            "aws-ssm-document-attachments-us-west-2/*",
        ],
        id="Distributor",
    ),
    pytest.param(
        replace(BARE, cloud_watch_agent=True),
        "AllowCloudWatchAgentDownload",
        ["amazoncloudwatch-agent-us-west-2/*", "amazoncloudwatch-agent/*"],
        id="the CloudWatch agent",
    ),
    pytest.param(
        replace(BARE, ecr_layers=True),
        "AllowECRLayerDownload",
        ["prod-us-west-2-starport-layer-bucket/*"],
        id="ECR",
    ),
    pytest.param(
        replace(BARE, artifact_buckets=("artifacts",)), "AllowArtifactDownload", ["artifacts/*"], id="artifacts"
    ),
]


@pytest.mark.parametrize(("use", "sid", "paths"), TOGGLES)
def test_a_toggle_opens_its_buckets_for_reading_and_nothing_else(use: S3Use, sid: str, paths: list[str]) -> None:
    bare = build_statements("us-west-2", BARE)
    added = [statement for statement in build_statements("us-west-2", use) if statement not in bare]
    assert added[0].sid == sid
    assert set(added[0].resources.values) == arns("aws", *paths)
    assert added[0].actions.values == ("s3:GetObject",)


def test_logs_are_written_and_not_read() -> None:
    added = build_statements("us-west-2", replace(BARE, log_buckets=("logs-b", "logs-a")))[1:]
    assert [(s.sid, s.actions.values, s.resources.values) for s in added] == [
        ("AllowLogUpload", ("s3:PutObject",), ("arn:aws:s3:::logs-a/*", "arn:aws:s3:::logs-b/*"))
    ]


def test_artifacts_are_listed_on_the_bucket_and_read_in_it() -> None:
    added = build_statements("cn-north-1", replace(BARE, artifact_buckets=("artifacts",)))[1:]
    assert [(s.sid, s.actions.values, s.resources.values) for s in added] == [
        ("AllowArtifactDownload", ("s3:GetObject",), ("arn:aws-cn:s3:::artifacts/*",)),
        ("AllowArtifactListing", ("s3:ListBucket",), ("arn:aws-cn:s3:::artifacts",)),
    ]


def test_the_whole_bucket_of_managed_resources_stands_in_place_of_its_components() -> None:
    narrow, *rest = build_statements("us-west-2", USUAL)
    wide, *same = build_statements("us-west-2", replace(USUAL, all_managed_resources=True))
    assert same == rest
    assert wide.sid != narrow.sid, "one Sid has one meaning, and one reason"
    assert set(narrow.resources.values) - set(wide.resources.values) == arns(
        "aws", "ec2imagebuilder-managed-resources-us-west-2-prod/components/*"
    )
    assert set(wide.resources.values) - set(narrow.resources.values) == arns(
        "aws", "ec2imagebuilder-managed-resources-us-west-2-prod/*"
    )


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_environment_names_both_of_image_builders_buckets(environment: str) -> None:
    (statement,) = build_statements("eu-west-1", replace(BARE, environment=environment))
    assert set(statement.resources.values) == arns(
        "aws",
        f"ec2imagebuilder-toe-eu-west-1-{environment}/*",
        f"ec2imagebuilder-managed-resources-eu-west-1-{environment}/components/*",
    )


@pytest.mark.parametrize(
    ("region", "partition", "paths"),
    [
        pytest.param(
            "me-south-1",
            "aws",
            [
                "aws-ssm-me-south-1/*",
                "patch-baseline-snapshot-me-south-1-uduvl7q8/*",
                "aws-patch-manager-me-south-1-a53fc9dce/*",
                "aws-patchmanager-macos-me-south-1-a53fc9dce/*",
            ],
            id="a suffix of its own",
        ),
        pytest.param(
            "us-gov-west-1",
            "aws-us-gov",
            ["aws-ssm-us-gov-west-1/*", "patch-baseline-snapshot-us-gov-west-1/*"],
            id="no published suffix",
        ),
    ],
)
def test_patching_names_the_buckets_that_aws_publishes_for_the_region(
    region: str, partition: str, paths: list[str]
) -> None:
    assert resources(region, replace(BARE, patching=True), "AllowPatching") == arns(partition, *paths)


def test_a_name_that_is_aws_s_in_one_partition_only_is_not_allowed_in_another() -> None:
    use = replace(BARE, cloud_watch_agent=True, amazon_linux_repositories=True)
    assert resources("cn-north-1", use, "AllowCloudWatchAgentDownload") == arns(
        "aws-cn", "amazoncloudwatch-agent-cn-north-1/*"
    )
    assert "arn:aws-cn:s3:::packages.cn-north-1.amazonaws.com.cn/*" in resources(
        "cn-north-1", use, "AllowAmazonLinuxRepositories"
    )


def test_usual_use_is_what_it_was_before_there_were_toggles() -> None:
    sids = [statement.sid for statement in build_statements("us-west-2", USUAL)]
    assert sids == ["AllowImageBuilderAccessToAppAndComponentBuckets", "AllowSSMAgentDownload"]


MINE = {
    "Sid": "Mine",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::mine/*",
}


def test_full_access_needs_nothing_added() -> None:
    assert equivalent(s3_policy("FullAccess", "us-west-2", S3Use(patching=True)), s3_policy("FullAccess", "us-west-2"))


def test_what_is_contributed_is_what_builds_use_and_the_users_own_statements() -> None:
    contributed = contributed_statements("us-west-2", USUAL, [MINE])
    assert contributed == s3_policy("ImageBuilderOnly", "us-west-2", additional_statements=[MINE]).statements
    assert contributed[:-1] == build_statements("us-west-2", USUAL)
    assert isinstance(contributed[-1], Statement)
    assert contributed[-1].sid == "Mine"


@pytest.mark.parametrize(
    ("use", "extra", "sentence"),
    [
        pytest.param(
            S3Use(environment="Beta"), {}, 'environment: "Beta" is not an environment; did you mean "beta"?', id="env"
        ),
        pytest.param(
            S3Use(log_buckets=("ours", "*")), {}, 'logBuckets[1]: "*" is not a bucket\'s name; write 3 to 63', id="*"
        ),
        pytest.param(
            S3Use(artifact_buckets=("arn:aws:s3:::ours",)), {}, "artifactBuckets[0]: ", id="an ARN for a name"
        ),
        pytest.param(S3Use(artifact_buckets=("ours\n",)), {}, "artifactBuckets[0]: ", id="a line break"),
        pytest.param(
            USUAL,
            {"Sid": "AllowSSMAgentDownload"},
            'additionalStatements[0].Sid: "AllowSSMAgentDownload" is the Sid of a statement that the policy has',
            id="a Sid of ours",
        ),
        pytest.param(
            USUAL,
            {"Principal": {"AWS": "123456789012"}},
            "additionalStatements[0].Principal: the policy of a gateway endpoint takes no principal but",
            id="a principal on a gateway",
        ),
        pytest.param(USUAL, {"Effect": "allow"}, "additionalStatements[0].Effect: ", id="no statement"),
    ],
)
def test_what_cannot_be_contributed_is_refused(use: S3Use, extra: dict[str, object], sentence: str) -> None:
    with pytest.raises(PolicyError) as caught:
        contributed_statements("us-west-2", use, [{**MINE, **extra}])
    assert sentence in str(caught.value)
    with pytest.raises(PolicyError) as caught:
        s3_policy("ImageBuilderOnly", "us-west-2", use, additional_statements=[{**MINE, **extra}])
    assert sentence in str(caught.value)
