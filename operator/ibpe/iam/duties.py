"""What the operator is to do in one account: the features in use, and where. Knows specs; knows no IAM."""

from collections.abc import Iterable
from dataclasses import dataclass

from ibpe.api.endpoints import ImageBuilderMode, S3Mode
from ibpe.api.spec import Spec
from ibpe.partitions import AWS, PARTITIONS, Partition, partition_of

ANY = "*"


class MixedPartitions(ValueError):  # noqa: N818 -- what is wrong with the regions, told to a person
    """Regions or roles of several partitions; no credentials reach more than one."""


@dataclass(frozen=True, order=True)
class SharedEndpoint:
    """Somebody else's endpoint that statements are contributed to."""

    region: str
    id: str


@dataclass(frozen=True)
class Duties:
    """What the operator does in one account. `regions` and `vpcs` that are empty stand for any.

    Raises MixedPartitions.
    """

    cluster: str
    account: str = ANY
    """Twelve digits, or ANY."""
    regions: tuple[str, ...] = ()
    vpcs: tuple[str, ...] = ()
    image_builder: bool = False
    """It makes the interface endpoint for Image Builder."""
    private_dns: bool = False
    """That endpoint has private DNS."""
    s3: bool = False
    """It makes the gateway endpoint for S3."""
    shared: tuple[SharedEndpoint, ...] = ()
    roles: tuple[str, ...] = ()
    """ARNs of the roles that it assumes to work in other accounts."""

    looks: bool = True
    """It works in this account itself, and not in others alone."""

    @property
    def makes_endpoints(self) -> bool:
        """Whether anything is made at all; else policies are edited, or it only looks."""
        return self.image_builder or self.s3

    @property
    def partition(self) -> Partition:
        """The partition of all the regions and roles; `aws` where neither is given."""
        return next((each for each in PARTITIONS if each.name in self._partitions()), AWS)

    def _partitions(self) -> frozenset[str]:
        of_roles = {arn.split(":")[1] for arn in self.roles}
        return frozenset({partition_of(region).name for region in self.regions} | of_roles)

    def __post_init__(self) -> None:
        """Raises MixedPartitions."""
        if len(self._partitions()) > 1:
            names = " and ".join(sorted(self._partitions()))
            raise MixedPartitions(f"Regions and roles lie in {names}; write a policy for each of these partitions.")


def everything(cluster: str) -> Duties:
    """Every endpoint that the operator makes; statements are contributed to none until it is named."""
    return Duties(cluster, image_builder=True, private_dns=True, s3=True)


def only_elsewhere(cluster: str) -> Duties:
    """Nothing in this account: the operator assumes roles in others, and works there alone."""
    return Duties(cluster, looks=False)


def duties_of(cluster: str, specs: Iterable[Spec]) -> Duties:
    """Just what these specs ask for, in just their regions and VPCs."""
    given = tuple(specs)
    interfaces = [
        spec for spec in given if spec.image_builder is not None and spec.image_builder.mode is ImageBuilderMode.MANAGED
    ]
    gateways = [spec for spec in given if spec.s3 is not None and spec.s3.mode is S3Mode.MANAGED]
    shared = {
        SharedEndpoint(spec.region, spec.s3.endpoint_id)
        for spec in given
        if spec.s3 is not None and spec.s3.mode is S3Mode.CONTRIBUTE and spec.s3.endpoint_id
    }
    return Duties(
        cluster,
        regions=tuple(sorted({spec.region for spec in given})),
        vpcs=tuple(sorted({spec.vpc_id for spec in (*interfaces, *gateways)})),
        image_builder=bool(interfaces),
        private_dns=any(spec.image_builder is not None and spec.image_builder.private_dns for spec in interfaces),
        s3=bool(gateways),
        shared=tuple(sorted(shared)),
    )
