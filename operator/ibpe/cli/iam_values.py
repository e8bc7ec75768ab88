"""Values on the command line that go into IAM policies: each is checked, so that none can break out of its place."""

import re
from typing import Final

import click


class Pattern(click.ParamType[str]):
    """Text of a given form; `name` is what usage lines call it."""

    def __init__(self, name: str, form: str, example: str) -> None:
        self.name = name
        self._form = re.compile(form, re.ASCII)
        self._example = example

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The value as it is. Fails with an example where it has another form."""
        if not self._form.fullmatch(value):
            self.fail(f"{value!r} is not of the form {self._example}.", param, ctx)
        return value


ACCOUNT: Final = Pattern("account", r"\d{12}", "123456789012")
CLUSTER_NAME: Final = Pattern("name", r"[A-Za-z0-9._-]{1,63}", "my-cluster (1 to 63 letters, digits, '.', '_', '-')")
REGION: Final = Pattern("region", r"[a-z]{2,4}(-[a-z]+)+-\d+", "us-west-2")
VPC: Final = Pattern("vpc", r"vpc-([0-9a-f]{8}|[0-9a-f]{17})", "vpc-0123456789abcdef0")
ENDPOINT: Final = Pattern("endpoint", r"vpce-([0-9a-f]{8}|[0-9a-f]{17})", "vpce-0123456789abcdef0")
ROLE_ARN: Final = Pattern(
    "arn", r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", "arn:aws:iam::123456789012:role/ibpe"
)
CLUSTER_ARN: Final = Pattern(
    "arn",
    r"arn:aws[a-z-]*:eks:[a-z0-9-]+:\d{12}:cluster/[0-9A-Za-z][0-9A-Za-z_-]{0,99}",
    "arn:aws:eks:us-west-2:123456789012:cluster/platform",
)
ISSUER: Final = Pattern(
    "url", r"(https://)?[a-z0-9.-]+(/[A-Za-z0-9._/-]*)?", "https://oidc.eks.us-west-2.amazonaws.com/id/ABC"
)
AUDIENCE: Final = Pattern("audience", r"[a-z0-9.-]{1,255}", "sts.amazonaws.com")
SERVICE_ACCOUNT: Final = Pattern(
    "namespace:name", r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?:[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", "ibpe-system:ibpe"
)
EXTERNAL_ID: Final = Pattern("id", r"[\w+=,.@:/-]{2,1224}", "ibpe-7f3c (2 to 1,224 letters, digits, +=,.@:/-)")
