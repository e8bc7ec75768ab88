"""The ValidatingAdmissionPolicy whose answers are warnings: what is admitted, and worth a second look by its author.

`python -m ibpe.api.advice` prints it; kubectl shows each message as a warning.
"""

import sys
from typing import Final

from pydantic.json_schema import JsonSchemaValue

from ibpe.api.cel import (
    IMAGE_BUILDERS,
    S3S,
    Source,
    admission_policy_over_new_specs,
    binding_of,
    each,
    no_action,
    validation,
    variable,
    variables,
)
from ibpe.api.manifest import as_yaml
from ibpe.api.names import GROUP

NAME: Final = f"advice.{GROUP}"


def advice() -> JsonSchemaValue:
    """The ValidatingAdmissionPolicy as plain values."""
    return admission_policy_over_new_specs(
        NAME,
        [
            *variables(),
            variable(
                "environment",
                "has(object.spec.s3) && has(object.spec.s3.policy) && has(object.spec.s3.policy.environment)"
                " ? object.spec.s3.policy.environment : 'prod'",
            ),
        ],
        [
            validation(
                "variables.environment == 'prod'",
                "s3.policy.environment: bucket names of preprod and beta may not belong to AWS in your Region; use "
                "prod, or be sure who owns them",
            ),
            *(rule for source in IMAGE_BUILDERS for rule in _principal_advice(source)),
            *(_service_advice(source, "imagebuilder") for source in IMAGE_BUILDERS),
            _service_advice(S3S, "s3"),
        ],
    )


def binding() -> JsonSchemaValue:
    """What puts the policy into effect, in every namespace."""
    return binding_of(NAME, "Warn")


def _principal_advice(source: Source) -> list[JsonSchemaValue]:
    """PrivateLink guide, "Control access to VPC endpoints using endpoint policies"; IAM user guide, "NotPrincipal"."""
    account = "^([0-9]{12}|arn:[a-z-]+:iam::[0-9]{12}:root)$"
    one_or_many = "(type(s.Principal.AWS) == list ? s.Principal.AWS : [s.Principal.AWS])"
    return [
        each(
            source,
            "!has(s.NotPrincipal) || !has(s.Effect) || s.Effect != 'Allow'",
            "Allow with NotPrincipal allows everybody else, anonymous callers too; write Principal",
        ),
        each(
            source,
            "!has(s.Principal) || type(s.Principal) != map || !has(s.Principal.AWS)"
            f" || !{one_or_many}.exists(p, type(p) == string && p.matches('{account}'))",
            'an account as Principal is its root user alone; for all of it write "*" and a Condition on '
            "aws:PrincipalAccount",
        ),
    ]


def _service_advice(source: Source, service: str) -> JsonSchemaValue:
    return no_action(
        source,
        f"a.contains(':') && !a.matches('\\\\s') && !a.lowerAscii().startsWith('{service}:')",
        "calls of another service don't pass this endpoint:",
        f"only {service}:… has an effect here",
    )


if __name__ == "__main__":
    sys.stdout.write(as_yaml(advice(), binding()))
