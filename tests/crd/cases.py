"""Specs that admission refuses, each with the sentence that a person is shown. Two suites try them: the API server's
answer in tests/crd, and what `ibpe plan -f` and `ibpe policy render -f` say without one in tests/unit/api."""

import copy
import json
from dataclasses import dataclass
from typing import Any

GOOD: dict[str, Any] = {
    "region": "us-west-2",
    "vpcID": "vpc-0123456789abcdef0",
    "builds": {"subnets": {"ids": ["subnet-0123456789abcdef0"]}},
    "imageBuilder": {
        "subnets": {"ids": ["subnet-0123456789abcdef0"]},
        "securityGroups": {"ids": ["sg-0123456789abcdef0"]},
        "policy": {"preset": "DenyDeletion"},
    },
    "s3": {
        "mode": "Managed",
        "routeTables": {"ids": ["rtb-0123456789abcdef0"]},
        "policy": {"baseline": "ImageBuilderOnly"},
    },
}
ORGANIZATION = {"principalOrgID": "o-a1b2c3d4e5", "resourceOrgID": "o-a1b2c3d4e5"}
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:*", "Resource": "*"}
READ = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::my-bucket/*"}
ABSENT = object()


@dataclass(frozen=True)
class Bad:
    """What is set (by dotted path; ABSENT takes it away), and part of what the person is shown."""

    id: str
    changes: dict[str, Any]
    message: str
    by_schema: bool = False
    """The API server's own words about types, enums and bounds, which the Python side says in its own way."""
    by_lint: bool = False
    """A valid policy that does not do what it says: `ibpe.policy.lint` finds it in place of the parser."""


def changed(spec: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy of a spec with values set at dotted paths."""
    result = copy.deepcopy(spec)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = result
        for part in parents:
            place = place.setdefault(part, {})
        if value is ABSENT:
            place.pop(last, None)
        else:
            place[last] = value
    return result


def _custom(document: object) -> dict[str, Any]:
    return {"imageBuilder.policy": {"preset": "Custom", "document": document}}


def _statement(**changes: object) -> dict[str, Any]:
    return changed(ALLOW, changes)


def _policy(*statements: object) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _text(*statements: object) -> str:
    return json.dumps(_policy(*statements))


VPCE = "vpce-0123456789abcdef0"


def existing(endpoint: str = VPCE) -> dict[str, Any]:
    """`imageBuilder` in the mode Existing."""
    return {"mode": "Existing", "endpointID": endpoint}


_ID = {"imageBuilder.endpointID": VPCE}
_POLICY, _GROUPS, _SUBNETS = ({f"imageBuilder.{field}": ABSENT} for field in ("policy", "securityGroups", "subnets"))
_NEVER_WRITTEN = (
    "subnets, securityGroups and policy go with the mode Managed only: an Existing endpoint is never written"
)
_ORGANIZATION_ONLY = "marketplace and awsServices go with the preset Organization only"
_OWNERS = "routeTables and policy.baseline go with the mode Managed only: they are for the endpoint's owner to decide"


def _contribute(**changes: object) -> dict[str, Any]:
    return {"s3": changed({"mode": "Contribute", "endpointID": VPCE}, changes)}


_SHAPE = "Effect, Principal, Action and Resource"
BAD = (
    Bad("nothing-to-make", {"imageBuilder": ABSENT, "s3": ABSENT}, "set imageBuilder, s3, or both, with a mode other"),
    Bad("s3-none-alone", {"imageBuilder": ABSENT, "s3.mode": "None"}, "this resource would do nothing"),
    Bad("both-none", {"imageBuilder.mode": "None", "s3.mode": "None"}, "this resource would do nothing"),
    Bad("unknown-mode", {"imageBuilder.mode": "Contribute"}, 'Unsupported value: "Contribute"', by_schema=True),
    Bad("unknown-s3-mode", {"s3.mode": "Shared"}, '"Managed", "Contribute", "Existing", "None"', by_schema=True),
    Bad("malformed-region", {"region": "US West"}, "write the Region's code, such as us-west-2"),
    Bad("zone-for-region", {"region": "us-west-2a"}, "write the Region's code, such as us-west-2"),
    Bad("malformed-vpc", {"vpcID": "vpc-xyz"}, "write the id of the VPC: vpc- and 8 to 17 hexadecimal digits"),
    Bad("subnet-for-vpc", {"vpcID": "subnet-01234567"}, "write the id of the VPC"),
    Bad("line-break-in-id", {"vpcID": "vpc-0123456789abcde\n"}, "write the id of the VPC"),
    Bad("upper-case-account", {"accountRef": {"name": "Network"}}, "name an account: 1 to 63 lower-case letters"),
    Bad(
        "account-id-with-a-role", {"accountRef": {"name": "arn:aws:iam::123456789012:role/x"}}, "name an account: 1 to"
    ),
    Bad("own-account-by-name", {"accountRef": {"name": "own"}}, "for the operator's own, leave accountRef out"),
    Bad("account-without-name", {"accountRef": {}}, "accountRef.name: Required value", by_schema=True),
    Bad("long-account", {"accountRef": {"name": "a" * 64}}, "may not be more than 63", by_schema=True),
    Bad("malformed-subnet", {"imageBuilder.subnets.ids": ["subnet-XYZ"]}, "write the id of a subnet: subnet- and 8"),
    Bad("malformed-build-subnet", {"builds.subnets.ids": ["net-01234567"]}, "write the id of a subnet"),
    Bad("malformed-group", {"imageBuilder.securityGroups.ids": ["sg_01234567"]}, "write the id of a security group"),
    Bad("malformed-route-table", {"s3.routeTables.ids": ["rt-01234567"]}, "write the id of a route table: rtb-"),
    Bad("no-subnets", {"imageBuilder.subnets.ids": []}, "name at least one subnet"),
    Bad("no-build-subnets", {"builds.subnets.ids": []}, "name at least one subnet"),
    Bad("no-groups", {"imageBuilder.securityGroups.ids": []}, "name at least one security group"),
    Bad("no-route-tables", {"s3.routeTables.ids": []}, "name at least one route table"),
    Bad("twice-a-subnet", {"imageBuilder.subnets.ids": ["subnet-01234567"] * 2}, 'Duplicate value: "subnet-01234567"'),
    Bad("twice-a-group", {"imageBuilder.securityGroups.ids": ["sg-01234567"] * 2}, 'Duplicate value: "sg-01234567"'),
    Bad("twice-a-table", {"s3.routeTables.ids": ["rtb-01234567"] * 2}, 'Duplicate value: "rtb-01234567"'),
    Bad("unknown-preset", {"imageBuilder.policy.preset": "AllowAll"}, 'Unsupported value: "AllowAll"', by_schema=True),
    Bad("unknown-baseline", {"s3.policy.baseline": "All"}, 'Unsupported value: "All"', by_schema=True),
    Bad("wrong-environment", {"s3.policy.environment": "production"}, '"prod", "preprod", "beta"', by_schema=True),
    Bad("wrong-address-type", {"imageBuilder.ipAddressType": "IPv4"}, '"ipv4", "dualstack", "ipv6"', by_schema=True),
    Bad("wrong-s3-type", {"s3.type": "Interface"}, 'supported values: "Gateway"', by_schema=True),
    Bad("no-policy-when-managed", {"imageBuilder.policy": ABSENT}, "mode Managed needs policy: choose its preset"),
    Bad("no-subnets-when-managed", {"imageBuilder.subnets": ABSENT}, "mode Managed needs subnets: name the subnets"),
    Bad("no-groups-when-managed", {"imageBuilder.securityGroups": ABSENT}, "mode Managed needs securityGroups: name"),
    Bad("id-when-managed", {"imageBuilder.endpointID": VPCE}, "remove endpointID, or choose the mode Existing"),
    Bad("existing-without-id", {"imageBuilder": {"mode": "Existing"}}, "mode Existing needs endpointID: name the end"),
    Bad("malformed-endpoint", {"imageBuilder": existing("vpce-xyz")}, "write the id of a VPC endpoint: vpce- and 8"),
    Bad("service-for-endpoint", {"s3": {"mode": "Existing", "endpointID": "vpce-svc-01234567"}}, "id of a VPC endpo"),
    Bad("existing-with-subnets", {"imageBuilder.mode": "Existing", **_ID, **_POLICY, **_GROUPS}, _NEVER_WRITTEN),
    Bad("existing-with-groups", {"imageBuilder.mode": "Existing", **_ID, **_POLICY, **_SUBNETS}, _NEVER_WRITTEN),
    Bad("existing-with-policy", {"imageBuilder.mode": "Existing", **_ID, **_SUBNETS, **_GROUPS}, _NEVER_WRITTEN),
    Bad("text-for-flag", {"suspend": "yes please"}, "must be of type boolean", by_schema=True),
    Bad("no-route-tables-when-managed", {"s3.routeTables": ABSENT}, "mode Managed needs routeTables"),
    Bad("no-s3-policy-when-managed", {"s3.policy": ABSENT}, "mode Managed needs policy.baseline"),
    Bad("no-baseline-when-managed", {"s3.policy.baseline": ABSENT}, "choose what else may use the endpoint"),
    Bad("s3-id-when-managed", {"s3.endpointID": VPCE}, "remove endpointID, or choose the mode Contribute or Existing"),
    Bad("contribute-without-id", {"s3": {"mode": "Contribute"}}, "modes Contribute and Existing need endpointID"),
    Bad("s3-existing-without-id", {"s3": {"mode": "Existing"}}, "modes Contribute and Existing need endpointID"),
    Bad("contribute-with-tables", _contribute(routeTables={"ids": ["rtb-01234567"]}), _OWNERS),
    Bad("contribute-with-baseline", _contribute(policy={"baseline": "FullAccess"}), _OWNERS),
    Bad(
        "s3-existing-with-tables",
        {"s3.mode": "Existing", "s3.endpointID": VPCE, "s3.policy": ABSENT},
        _OWNERS,
    ),
    Bad(
        "s3-existing-with-baseline",
        {"s3.mode": "Existing", "s3.endpointID": VPCE, "s3.routeTables": ABSENT},
        _OWNERS,
    ),
    Bad(
        "contribute-with-organization",
        _contribute(policy={"organization": ORGANIZATION}),
        "organization goes with the baseline Organization only",
    ),
    Bad(
        "s3-existing-with-statements",
        {"s3": {"mode": "Existing", "endpointID": VPCE, "policy": {"additionalStatements": [READ]}}},
        "policy.additionalStatements go with the modes Managed and Contribute only: an Existing endpoint is never writ",
    ),
    Bad("upper-case-bucket", {"s3.policy.logBuckets": ["My-Logs"]}, "write a bucket's name: 3 to 63 lower-case"),
    Bad("arn-for-bucket", {"s3.policy.logBuckets": ["arn:aws:s3:::my-logs"]}, "without arn: or s3://"),
    Bad("short-bucket", {"s3.policy.artifactBuckets": ["ab"]}, "write a bucket's name: 3 to 63"),
    Bad("dots-side-by-side", {"s3.policy.artifactBuckets": ["my..bucket"]}, "single dots"),
    Bad("bucket-ends-in-a-hyphen", {"s3.policy.artifactBuckets": ["bucket-"]}, "write a bucket's name"),
    Bad("prefix-for-bucket", {"s3.policy.logBuckets": ["my-logs/builds"]}, "write a bucket's name"),
    Bad("long-bucket", {"s3.policy.logBuckets": ["b" * 64]}, "may not be more than 63", by_schema=True),
    Bad("twice-a-bucket", {"s3.policy.logBuckets": ["my-logs"] * 2}, 'Duplicate value: "my-logs"'),
    Bad("many-buckets", {"s3.policy.logBuckets": [f"b{n:02}" for n in range(17)]}, "at most 16 items", by_schema=True),
    Bad("marketplace-without-organization", {"imageBuilder.policy.marketplace": True}, _ORGANIZATION_ONLY),
    Bad("aws-services-without-organization", {"imageBuilder.policy.awsServices": True}, _ORGANIZATION_ONLY),
    Bad(
        "preset-organization-without-ids",
        {"imageBuilder.policy.preset": "Organization"},
        "preset Organization needs organization: add its principalOrgID and resourceOrgID",
    ),
    Bad(
        "preset-organization-with-one-id",
        {"imageBuilder.policy": {"preset": "Organization", "organization": {"principalOrgID": "o-a1b2c3d4e5"}}},
        "organization.resourceOrgID: Required value",
        by_schema=True,
    ),
    Bad(
        "malformed-organization",
        {
            "imageBuilder.policy": {
                "preset": "Organization",
                "organization": {**ORGANIZATION, "resourceOrgID": "r-abcd"},
            }
        },
        "write the organization's id: o- and 10 to 32",
    ),
    Bad(
        "organization-with-another-preset",
        {"imageBuilder.policy.organization": ORGANIZATION},
        "organization goes with the preset Organization only",
    ),
    Bad("baseline-organization-without-ids", {"s3.policy.baseline": "Organization"}, "baseline Organization needs"),
    Bad(
        "organization-with-another-baseline",
        {"s3.policy.organization": ORGANIZATION},
        "organization goes with the baseline Organization only",
    ),
    Bad("custom-without-document", {"imageBuilder.policy.preset": "Custom"}, "preset Custom needs document"),
    Bad("document-with-another-preset", {"imageBuilder.policy.document": _policy(ALLOW)}, "document goes with the"),
    Bad("document-is-a-list", _custom([ALLOW]), "write an IAM policy as YAML, or as a JSON string"),
    Bad("document-is-a-number", _custom(1), "write an IAM policy as YAML, or as a JSON string"),
    Bad("document-is-empty", _custom({}), "it has no Statement"),
    Bad("document-without-statements", _custom(_policy()), "it has no Statement"),
    Bad("statement-is-text", _custom(_policy("Allow")), f"write each statement as an object with {_SHAPE}"),
    Bad("no-effect", _custom(_policy(_statement(Effect=ABSENT))), "write Effect: Allow or Effect: Deny"),
    Bad("bad-effect", _custom(_policy(_statement(Effect="allow"))), "write Effect: Allow or Effect: Deny"),
    Bad("single-bad-statement", _custom({"Statement": _statement(Effect="No")}), "write Effect: Allow or Effect: Deny"),
    Bad("no-principal", _custom(_policy(ALLOW, _statement(Principal=ABSENT))), "a statement names no Principal"),
    Bad("principal-is-bare", _custom(_policy(_statement(Principal="123456789012"))), "a Principal has another form"),
    Bad("principals-in-a-list", _custom(_policy(_statement(Principal=["*"]))), 'write Principal: "*", or Principal: {'),
    Bad("no-resource", _custom(_policy(_statement(Resource=ABSENT))), "a statement has no Resource"),
    Bad("no-service", _custom(_policy(_statement(Action=["DeleteImage"]))), "this is not an action: 'DeleteImage'"),
    Bad("wildcard-service", _custom(_policy(_statement(Action="*:DeleteImage"))), "write it as service:Action, or *"),
    Bad(
        "unknown-action",
        _custom(
            _policy(ALLOW, _statement(Effect="Deny", Action=["imagebuilder:GetImage", "imagebuilder:DeleteImages"]))
        ),
        "Image Builder has no action 'imagebuilder:DeleteImages'; correct its name",
        by_lint=True,
    ),
    Bad("no-action", _custom(_policy(_statement(Action=ABSENT))), "a statement has no Action"),
    Bad(
        "a-space-in-an-action",
        _custom(_policy(_statement(Action="imagebuilder: DeleteImage"))),
        "there is a space in the action 'imagebuilder: DeleteImage'; write 'imagebuilder:DeleteImage'",
    ),
    Bad(
        "a-space-in-an-action-of-a-list",
        _custom(_policy(ALLOW, _statement(Action=["imagebuilder:GetImage", "imagebuilder: DeleteImage"]))),
        "there is a space in the action 'imagebuilder: DeleteImage'",
    ),
    Bad("a-space-in-a-not-action", _custom(_policy(_statement(Action=ABSENT, NotAction="s3: *"))), "'s3: *'"),
    Bad("text-is-not-json", _custom("FullAccess"), "as a string it has to be one JSON object"),
    Bad("text-is-empty", _custom(""), "as a string it has to be one JSON object"),
    Bad("text-without-statement", _custom('{"Version": "2012-10-17"}'), "it has no Statement"),
    Bad("text-without-principal", _custom(_text(_statement(Principal=ABSENT))), "name no Principal"),
    Bad("text-with-bad-effect", _custom(_text(_statement(Effect="Permit"))), 'write "Effect": "Allow"'),
    Bad(
        "text-with-a-space-in-an-action",
        _custom(_text(ALLOW, _statement(Action="imagebuilder: DeleteImage"))),
        "there is a space in an action",
    ),
    Bad(
        "text-with-a-space-in-an-action-of-a-list",
        _custom(_text(_statement(Action=["imagebuilder:GetImage", "imagebuilder: DeleteImage"]))),
        "there is a space in an action",
    ),
    Bad(
        "text-too-long",
        _custom(_text(_statement(Resource="r" * 20_480))),
        "Too long: may not be more than 20480",
        by_schema=True,
    ),
    Bad(
        "additional-without-effect",
        {"imageBuilder.policy.additionalStatements": [_statement(Effect=ABSENT)]},
        "write Effect: Allow or Effect: Deny",
    ),
    Bad(
        "additional-with-bad-effect",
        {"s3.policy.additionalStatements": [_statement(Effect="X")]},
        "write Effect: Allow",
    ),
    Bad(
        "additional-without-principal",
        {"s3.policy.additionalStatements": [ALLOW, _statement(Principal=ABSENT)]},
        "s3.policy.additionalStatements: a statement names no Principal",
    ),
    Bad(
        "additional-with-a-space",
        {"imageBuilder.policy.additionalStatements": [_statement(Action=["imagebuilder: GetImage"])]},
        "imageBuilder.policy.additionalStatements: there is a space in the action 'imagebuilder: GetImage'",
    ),
    Bad(
        "additional-with-an-unknown-action",
        {"imageBuilder.policy.additionalStatements": [_statement(Action="ImageBuilder:GetComponents")]},
        "imageBuilder.policy.additionalStatements: Image Builder has no action 'ImageBuilder:GetComponents'",
        by_lint=True,
    ),
    Bad(
        "additional-with-a-principal-on-a-gateway",
        {"s3.policy.additionalStatements": [READ, {**READ, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}]},
        's3.policy.additionalStatements: a gateway endpoint takes Principal: "*" alone',
    ),
    Bad(
        "additional-with-a-service-on-a-gateway",
        {"s3.policy.additionalStatements": [{**READ, "Principal": {"AWS": "*", "Service": "s3.amazonaws.com"}}]},
        "narrow it with a Condition on aws:PrincipalArn",
    ),
    Bad(
        "additional-with-not-principal-on-a-gateway",
        _contribute(
            policy={
                "additionalStatements": [
                    changed(READ, {"Principal": ABSENT, "NotPrincipal": {"AWS": "123456789012"}, "Effect": "Deny"})
                ]
            }
        ),
        'a gateway endpoint takes Principal: "*" alone',
    ),
    Bad("additional-is-text", {"s3.policy.additionalStatements": ["x"]}, "must be of type object", by_schema=True),
    Bad("aws-tag", {"tags": {"AWS:x": "1"}}, "remove the tags that begin with aws: or ibpe.dev/"),
    Bad("our-tag", {"tags": {"ibpe.dev/owner": "default/other"}}, "remove the tags that begin with aws: or ibpe.dev/"),
    Bad("long-tag-key", {"tags": {"k" * 128: "1"}}, "shorten the tag keys: each has 1 to 127 characters"),
    Bad("empty-tag-key", {"tags": {"": "1"}}, "shorten the tag keys: each has 1 to 127 characters"),
    Bad("long-tag", {"tags": {"k": "v" * 257}}, "Too long: may not be more than 256", by_schema=True),
    Bad("many-tags", {"tags": {f"k{n}": "v" for n in range(41)}}, "must have at most 40 items", by_schema=True),
)

FINE: dict[str, dict[str, Any]] = {
    "account": {"accountRef": {"name": "network-2"}},
    "image-builder-alone": {"s3": ABSENT},
    "s3-alone": {"imageBuilder": ABSENT},
    "s3-none-keeps-its-configuration": {"s3.mode": "None"},
    "without-builds": {"builds": ABSENT},
    "image-builder-none-keeps-its-configuration": {"imageBuilder.mode": "None"},
    "existing": {"imageBuilder": existing(), "s3": existing()},
    "existing-told-what-builds-use": {
        "s3": {**existing(), "policy": {"windowsDownloads": True, "logBuckets": ["my-logs"]}},
    },
    "none-keeps-an-endpoint": {"s3": {"mode": "None", "endpointID": VPCE}},
    "contribute": _contribute(),
    "contribute-with-statements": _contribute(
        policy={"environment": "beta", "ecrLayers": True, "additionalStatements": [READ]}
    ),
    "every-toggle": {
        "s3.policy": {
            "baseline": "ImageBuilderOnly",
            "allManagedResources": True,
            "ssmAgent": False,
            "amazonLinuxRepositories": True,
            "windowsDownloads": True,
            "patching": True,
            "distributor": True,
            "cloudWatchAgent": True,
            "ecrLayers": True,
            "logBuckets": ["my-logs", "a.b"],
            "artifactBuckets": ["my.artifacts-1", "b" * 63],
        }
    },
    "organization-with-toggles": {
        "imageBuilder.policy": {
            "preset": "Organization",
            "organization": ORGANIZATION,
            "marketplace": True,
            "awsServices": True,
        }
    },
    "anyone-in-other-words-on-a-gateway": {
        "s3.policy.additionalStatements": [{**READ, "Principal": {"AWS": "*"}}, {**READ, "Principal": {"AWS": ["*"]}}]
    },
    "actions-in-any-letter-case": _custom(
        _policy(_statement(Action=["ImageBuilder:getImage", "imagebuilder:NewThing*"]))
    ),
    "organization": {
        "imageBuilder.policy": {"preset": "Organization", "organization": ORGANIZATION},
        "s3.policy": {"baseline": "Organization", "organization": ORGANIZATION},
    },
    "document-as-yaml": _custom(_policy(ALLOW, _statement(Effect="Deny", Action="imagebuilder:DeleteImage"))),
    "document-with-one-statement": _custom({"Statement": ALLOW}),
    "document-as-json": _custom(json.dumps(_policy(ALLOW, _statement(NotAction=["s3:*"], Action=ABSENT)), indent=2)),
    "spaces-elsewhere": _custom(_text(_statement(Condition={"StringEquals": {"aws:ResourceTag/Action": "go on now"}}))),
    "a-quoted-policy-in-a-value": _custom(
        _text(_statement(Condition={"StringEquals": {"aws:ResourceTag/x": '"Effect": "None", "Action": "a b"'}}))
    ),
    "not-principal": _custom(
        _policy(_statement(Principal=ABSENT, NotPrincipal={"AWS": "123456789012"}, Effect="Deny"))
    ),
    "additional": {
        "imageBuilder.policy.additionalStatements": [_statement(Sid="Mine", Condition={"Bool": {"a:b": True}})]
    },
    "tags": {"tags": {"team": "images", "Name": "", "awsome:x": "1", "ibpe": "1"}},
    "other-regions": {"region": "us-gov-west-1"},
    "iso-region": {"region": "us-isob-east-1"},
    "china": {"region": "cn-northwest-1"},
}

WARNED: dict[str, tuple[dict[str, Any], str]] = {
    "preprod": ({"s3.policy.environment": "preprod"}, "bucket names of preprod and beta may not belong to AWS"),
    "beta-contributed": (_contribute(policy={"environment": "beta"}), "use prod, or be sure who owns them"),
    "allow-not-principal": (
        _custom(_policy(_statement(Principal=ABSENT, NotPrincipal={"AWS": "arn:aws:iam::123456789012:role/x"}))),
        "Allow with NotPrincipal allows everybody else",
    ),
    "an-account": (
        {"imageBuilder.policy.additionalStatements": [_statement(Principal={"AWS": ["123456789012"]})]},
        "an account as Principal is its root user alone",
    ),
    "an-account-by-arn": (
        _custom(_policy(_statement(Principal={"AWS": "arn:aws-cn:iam::123456789012:root"}))),
        "an account as Principal is its root user alone",
    ),
    "another-service": (
        _custom(_policy(_statement(Action=["imagebuilder:GetImage", "ec2:*"]))),
        "calls of another service don't pass this endpoint: 'ec2:*'; only imagebuilder:",
    ),
    "another-service-than-s3": (
        {"s3.policy.additionalStatements": [{**READ, "Action": "kms:Decrypt"}]},
        "calls of another service don't pass this endpoint: 'kms:Decrypt'; only s3:",
    ),
}
"""What is admitted with a warning, and part of it."""
