"""The small shared pools that generated policies and calls draw from, so that they come near each other."""

from collections.abc import Mapping
from typing import Final

REGION: Final = "us-west-2"
ACCOUNT: Final = "123456789012"
OTHER_ACCOUNT: Final = "210987654321"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/build"
USER: Final = f"arn:aws:iam::{ACCOUNT}:user/ada"
ROOT: Final = f"arn:aws:iam::{ACCOUNT}:root"
IDENTITIES: Final = (
    (ROLE, ACCOUNT),
    (USER, ACCOUNT),
    (ROOT, ACCOUNT),
    (f"arn:aws:iam::{ACCOUNT}:role/Build", ACCOUNT),
    (f"arn:aws:iam::{ACCOUNT}:role/path/build", ACCOUNT),
    (f"arn:aws:iam::{OTHER_ACCOUNT}:role/build", OTHER_ACCOUNT),
    (f"arn:aws:iam::{OTHER_ACCOUNT}:root", OTHER_ACCOUNT),
)
AWS_PRINCIPALS: Final = (*(name for name, _ in IDENTITIES), "*", ACCOUNT, OTHER_ACCOUNT)
SERVICES: Final = ("imagebuilder.amazonaws.com", "ec2.amazonaws.com", "imagebuilder.amazonaws.com.cn")

ACTION_PATTERNS: Final = (
    "*",
    "s3:*",
    "s3:GetObject",
    "S3:GETOBJECT",
    "s3:Get*",
    "s3:?etObject",
    "s3:*Object",
    "s3:*Object*",
    "s3:ListBucket",
    "imagebuilder:*",
    "imagebuilder:Delete*",
    "imagebuilder:DeleteImage",
    "ImageBuilder:deleteComponent",
    "imagebuilder:*Image*",
    "imagebuilder:Get?omponent",
    "imagebuilder:List*",
)
ACTIONS: Final = (
    "s3:GetObject",
    "s3:getobject",
    "s3:GetObjectVersion",
    "s3:PutObject",
    "s3:ListBucket",
    "imagebuilder:GetComponent",
    "imagebuilder:GetImage",
    "imagebuilder:DeleteImage",
    "IMAGEBUILDER:DELETEIMAGE",
    "imagebuilder:DeleteImageRecipe",
    "imagebuilder:deletecomponent",
    "imagebuilder:ListImages",
    "ec2:DeleteImage",
)

_TOE: Final = f"arn:aws:s3:::ec2imagebuilder-toe-{REGION}-prod"
_MANAGED: Final = f"arn:aws:s3:::ec2imagebuilder-managed-resources-{REGION}-prod"
_BUILDER: Final = "arn:aws:imagebuilder"
RESOURCE_PATTERNS: Final = (
    "*",
    "arn:aws:s3:::*",
    "arn:aws-cn:s3:::*",
    f"{_TOE}/*",
    f"{_TOE}*",
    f"{_TOE}?/*",
    f"{_TOE}/latest/linux/amd64/awstoe",
    f"{_MANAGED}/components/*",
    f"{_MANAGED}/*/data/?",
    "arn:aws:s3:::logs/${aws:username}/*",
    "arn:aws:s3:::logs/${aws:PrincipalAccount}*",
    "arn:aws:s3:::logs/${aws:username, 'nobody'}/*",
    "arn:aws:s3:::logs/${*}/${?}/*",
    f"{_BUILDER}:{REGION}:aws:component/*",
    f"{_BUILDER}:*:aws:component/*",
    f"{_BUILDER}:us-*-2:*:component/*/1.0.0/1",
    f"{_BUILDER}:{REGION}:*:image/*",
    f"{_BUILDER}:{REGION}:{ACCOUNT}:image/web/1.?.0/*",
)
RESOURCES: Final = (
    "*",
    f"{_TOE}/latest/linux/amd64/awstoe",
    f"{_TOE}-copy/latest",
    f"my-{_TOE}/latest",
    f"arn:aws:s3:::EC2imagebuilder-toe-{REGION}-prod/latest",
    "arn:aws:s3:::ec2imagebuilder-toe-us-west-1-prod/latest",
    f"arn:aws-cn:s3:::ec2imagebuilder-toe-{REGION}-prod/latest",
    f"{_MANAGED}/components/a:b/data/1",
    f"{_MANAGED}/componentsx",
    "arn:aws:s3:::logs/ada/log.txt",
    "arn:aws:s3:::logs/*/?/log.txt",
    f"{_BUILDER}:{REGION}:aws:component/update-linux/1.0.0/1",
    f"{_BUILDER}:us-east-2:aws:component/update-linux/1.0.0/1",
    f"{_BUILDER}:{REGION}:{ACCOUNT}:image/web/1.0.0/1",
    f"{_BUILDER}:{REGION}:{OTHER_ACCOUNT}:image/web/1.10.0/1",
)
FILLINGS: Final = ("", "a", "latest/linux", "a:b", "west", "aws", "prod/components/x")
"""What a `*` of a policy is filled with to make a call that fits it."""

TEXT_OPERATORS: Final = (
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
)
NUMBER_OPERATORS: Final = (
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
)
DATE_OPERATORS: Final = (
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
)
ARN_OPERATORS: Final = ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")
ADDRESS_OPERATORS: Final = ("IpAddress", "NotIpAddress")
TYPED_OPERATORS: Final = (*NUMBER_OPERATORS, *DATE_OPERATORS, *ARN_OPERATORS, *ADDRESS_OPERATORS, "Bool")
_QUALIFIED: Final = tuple(
    f"{qualifier}:{name}" for qualifier in ("ForAllValues", "ForAnyValue") for name in TEXT_OPERATORS
)
_WITHOUT_SUFFIX: Final = (*TEXT_OPERATORS, *TYPED_OPERATORS, *_QUALIFIED)
SPELLINGS: Final = (*_WITHOUT_SUFFIX, *(f"{name}IfExists" for name in _WITHOUT_SUFFIX), "Null")
"""Every operator with every qualifier and suffix that it may have."""

POLICY_VALUES: Final[Mapping[str, tuple[object, ...]]] = {
    **dict.fromkeys(
        TEXT_OPERATORS,
        ("o-abcdefghij", "O-ABCDEFGHIJ", "o-zyxwvutsrq", "o-abcdef*", "?-abcdefghij", "${aws:username}", "${*}", "ada"),
    ),
    **dict.fromkeys(NUMBER_OPERATORS, (5, "5", "10", "5.0", 0, "-1")),
    **dict.fromkeys(DATE_OPERATORS, ("2026-01-01T00:00:00Z", "2026-01-01", "2026-06-01T12:00:00Z", "1767225600")),
    **dict.fromkeys(
        ARN_OPERATORS,
        (ROLE, "arn:aws:iam::*:role/build", "arn:aws:iam::*:role/*", "arn:*:iam::*:user/${aws:username}", ROOT),
    ),
    **dict.fromkeys(ADDRESS_OPERATORS, ("10.0.0.0/8", "10.1.2.3", "10.1.2.3/32", "2001:db8::/32", "192.0.2.0/24")),
    "Bool": ("true", "false", True, False),
    "Null": ("true", "false", True, False),
}
REQUEST_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        TEXT_OPERATORS, ("o-abcdefghij", "O-ABCDEFGHIJ", "o-zyxwvutsrq", "o-abcdefghi", "o-abcdefghijk", "ada", "*")
    ),
    **dict.fromkeys(NUMBER_OPERATORS, ("5", "10", "5.0", "4", "11", "0", "-1")),
    **dict.fromkeys(
        DATE_OPERATORS,
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-06-01T12:00:00Z", "2025-12-31T23:59:59Z"),
    ),
    **dict.fromkeys(
        ARN_OPERATORS,
        (
            ROLE,
            USER,
            ROOT,
            f"{ROLE}:x",
            "arn:aws-cn:iam::123456789012:user/ada",
            "not-an-arn",
            f"arn:aws:iam::1:x:{ACCOUNT}:role/build",
        ),
    ),
    **dict.fromkeys(ADDRESS_OPERATORS, ("10.1.2.3", "10.1.2.4", "11.0.0.1", "2001:db8::1", "2001:db9::1")),
    "Bool": ("true", "false"),
    "Null": ("x",),
}
SINGLE_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(TEXT_OPERATORS, ("aws:PrincipalOrgID", "aws:username", "AWS:username", "aws:ResourceOrgID")),
    **dict.fromkeys(NUMBER_OPERATORS, ("s3:max-keys",)),
    **dict.fromkeys(DATE_OPERATORS, ("aws:CurrentTime", "aws:TokenIssueTime")),
    **dict.fromkeys(ARN_OPERATORS, ("aws:PrincipalArn", "aws:principalarn", "aws:SourceArn")),
    **dict.fromkeys(ADDRESS_OPERATORS, ("aws:VpcSourceIp",)),
    "Bool": ("aws:SecureTransport", "aws:PrincipalIsAWSService"),
    "Null": ("aws:PrincipalOrgID", "aws:SourceVpce", "aws:TagKeys"),
}
MULTIPLE_KEYS: Final = ("aws:TagKeys", "aws:PrincipalOrgPaths")
"""Keys that may carry several values; only qualified operators are documented for them."""
