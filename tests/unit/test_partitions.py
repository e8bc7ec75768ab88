import json
from importlib.resources import files

import pytest

from ibpe.partitions import PARTITIONS, object_arn, partition_of, regional_arn, service_names


def regions_of_botocore() -> list[tuple[str, str, str]]:
    table = json.loads((files("botocore") / "data" / "partitions.json").read_text())
    return [
        (region, partition["id"], partition["outputs"]["dnsSuffix"])
        for partition in table["partitions"]
        for region in partition["regions"]
        if not region.endswith("-global")
    ]


@pytest.mark.parametrize(("region", "name", "suffix"), regions_of_botocore())
def test_every_region_that_the_sdk_knows_lies_in_its_partition(region: str, name: str, suffix: str) -> None:
    partition = partition_of(region)
    assert (partition.name, partition.dns_suffix) == (name, suffix)


def test_a_region_has_the_shape_of_one_partition_only() -> None:
    for region, name, _ in regions_of_botocore():
        assert [partition.name for partition in PARTITIONS if partition.has(region)] == [name]


@pytest.mark.parametrize("region", ["eu-west-9", "xx-unheard-1", "", "us-isolated"])
def test_a_region_of_no_known_shape_counts_as_the_general_partition(region: str) -> None:
    assert partition_of(region).arn_prefix == "arn:aws"


@pytest.mark.parametrize(
    ("region", "service", "names"),
    [
        ("us-west-2", "imagebuilder", ("com.amazonaws.us-west-2.imagebuilder",)),
        ("us-gov-west-1", "imagebuilder", ("com.amazonaws.us-gov-west-1.imagebuilder",)),
        (
            "cn-north-1",
            "imagebuilder",
            ("cn.com.amazonaws.cn-north-1.imagebuilder", "com.amazonaws.cn-north-1.imagebuilder"),
        ),
        ("cn-north-1", "logs", ("com.amazonaws.cn-north-1.logs", "cn.com.amazonaws.cn-north-1.logs")),
        ("cn-north-1", "s3", ("com.amazonaws.cn-north-1.s3",)),
        ("us-iso-east-1", "ecr.api", ("gov.ic.c2s.us-iso-east-1.ecr.api", "com.amazonaws.us-iso-east-1.ecr.api")),
        (
            "eusc-de-east-1",
            "imagebuilder",
            ("com.amazonaws.eusc-de-east-1.imagebuilder", "eu.amazonaws.eusc-de-east-1.imagebuilder"),
        ),
    ],
)
def test_service_names_come_likeliest_first(region: str, service: str, names: tuple[str, ...]) -> None:
    assert service_names(region, service) == names


def test_arns_carry_the_partition_of_the_region() -> None:
    component = regional_arn("cn-north-1", "imagebuilder", "aws", "component/*")
    assert component == "arn:aws-cn:imagebuilder:cn-north-1:aws:component/*"
    assert object_arn("us-gov-west-1", "some-bucket", "*") == "arn:aws-us-gov:s3:::some-bucket/*"
