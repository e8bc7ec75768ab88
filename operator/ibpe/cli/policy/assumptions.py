"""What builds use and who calls, as options of `ibpe policy check`; which requests follow from it is `policy.needs`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import click

from ibpe.api.fields import BucketName, EndpointRef, OrganizationID, VpcRef
from ibpe.cli.faults import Fault
from ibpe.cli.policy.options import spelled
from ibpe.policy.needs import Callers, Need, imagebuilder_needs, s3_needs
from ibpe.policy.problem import EndpointRole
from ibpe.policy.s3 import ENVIRONMENTS, S3Use

_Decorator = Callable[[Callable[..., None]], Callable[..., None]]
_ACCOUNT_DIGITS: Final = 12
_USES: Final = {
    "environment": "The Image Builder environment.",
    "all_managed_resources": "Builds read all of the managed resources' bucket, not its components/ alone.",
    "ssm_agent": "Builds install the Systems Manager agent.",
    "amazon_linux_repositories": "Builds install packages of Amazon Linux.",
    "windows_downloads": "Builds run Systems Manager's documents for Windows that download.",
    "patching": "Builds patch with Patch Manager.",
    "distributor": "Builds install packages of Distributor, or read attachments of documents.",
    "cloud_watch_agent": "Builds download the CloudWatch agent.",
    "ecr_layers": "Builds pull container images from Amazon ECR.",
    "log_buckets": "Builds write their logs to this bucket; repeatable.",
    "artifact_buckets": "Builds read this bucket of your own; repeatable.",
}
"""By field of S3Use."""


@dataclass(frozen=True)
class Assumptions:
    """What is taken for true about builds and callers."""

    use: S3Use
    callers: Callers
    marketplace: bool

    @classmethod
    def of(cls, options: Mapping[str, Any], role: EndpointRole) -> "Assumptions":
        """From the options as click hands them over; None and an empty tuple are those that weren't given.

        Raises Fault for an option of the other role.
        """
        given = {name: value for name, value in options.items() if value not in {None, ()}}
        use = {field.name: given[field.name] for field in fields(S3Use) if field.name in given}
        for names, its in ((use, "s3"), ([name for name in given if name == "marketplace"], "imagebuilder")):
            for name in names:
                if role != its:
                    raise Fault(f"{_flag(name)} goes with --role {its}; leave it out.")
        callers = {field.name: given[field.name] for field in fields(Callers) if field.name in given}
        return cls(S3Use(**use), Callers(**callers), marketplace=given.get("marketplace", False))

    def needs(self, role: EndpointRole, region: str) -> tuple[Need, ...]:
        """What is asked of the endpoint."""
        if role == "s3":
            return s3_needs(region, self.use, self.callers)
        return imagebuilder_needs(region, self.callers, marketplace=self.marketplace)


def with_assumptions(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each field of S3Use and Callers, and for the Marketplace."""
    options = [*_of_builds(), _of_the_marketplace(), *_of_callers()]
    for option in reversed(options):
        command = option(command)
    return command


def _of_builds() -> Iterator[_Decorator]:
    for field in fields(S3Use):
        said = f"s3: {_USES[field.name]}"
        if field.name == "environment":
            yield click.option(_flag(field.name), type=click.Choice(ENVIRONMENTS), help=f"{said}  [default: prod]")
        elif isinstance(field.default, bool):
            shown = f"{said}  [default: {'on' if field.default else 'off'}]"
            name = _flag(field.name)
            yield click.option(f"{name}/--no-{name.removeprefix('--')}", field.name, default=None, help=shown)
        else:
            yield click.option(
                _flag(field.name), field.name, multiple=True, callback=spelled(BucketName), metavar="NAME", help=said
            )


def _of_the_marketplace() -> _Decorator:
    said = "imagebuilder: Builds use components of AWS Marketplace."
    return click.option("--marketplace", is_flag=True, default=None, help=said)


def _of_callers() -> Iterator[_Decorator]:
    rows: tuple[tuple[str, str, Callable[..., Any] | None, str], ...] = (
        ("--principal-org-id", "principal_org_id", spelled(OrganizationID), "Organization of those who call."),
        ("--resource-org-id", "resource_org_id", spelled(OrganizationID), "Organization of what they call for."),
        ("--account", "account", _account, "Their account's id; matters where the policy names accounts in ARNs."),
        ("--vpc", "vpc_id", spelled(VpcRef), "The endpoint's VPC."),
        ("--endpoint", "endpoint_id", spelled(EndpointRef), "The endpoint's own id."),
    )
    for flag, name, callback, said in rows:
        yield click.option(flag, name, callback=callback, metavar="ID", help=said)


def _account(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (len(value) == _ACCOUNT_DIGITS and value.isascii() and value.isdigit()):
        raise click.BadParameter(f"{value}: write the account's id, 12 digits.", context, parameter)
    return value


def _flag(name: str) -> str:
    """`log_buckets` -> `--log-bucket`: one at a time."""
    return f"--{name.removesuffix('s') if name.endswith('_buckets') else name}".replace("_", "-")
