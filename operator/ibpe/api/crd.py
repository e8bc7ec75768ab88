"""The CustomResourceDefinition, from the models; `python -m ibpe.api.crd` prints it. Knows no I/O but that print."""

import sys

from pydantic.json_schema import JsonSchemaValue

from ibpe.api.fields import NAME_LIMIT
from ibpe.api.manifest import as_yaml
from ibpe.api.names import API_VERSION, CATEGORY, GROUP, KIND, PLURAL, SHORT_NAME, SINGULAR, VERSION, Role
from ibpe.api.revision import ANNOTATION, REVISION
from ibpe.api.rules import VALIDATIONS
from ibpe.api.schema import structural_schema
from ibpe.api.spec import Spec
from ibpe.api.status import Status


def custom_resource_definition() -> JsonSchemaValue:
    """The CRD as plain values, `apiextensions.k8s.io/v1`."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}", "annotations": {ANNOTATION: str(REVISION)}},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": SINGULAR,
                "shortNames": [SHORT_NAME],
                "categories": [CATEGORY],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": _columns(),
                    "schema": {"openAPIV3Schema": _schema()},
                }
            ],
        },
    }


def _schema() -> JsonSchemaValue:
    return {
        "type": "object",
        "description": (
            "Makes an AWS VPC able to run EC2 Image Builder privately, and keeps it so: an interface endpoint for "
            "Image Builder and S3 access, each with its endpoint policy."
        ),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"Always {API_VERSION}."},
            "kind": {"type": "string", "description": f"Always {KIND}."},
            "metadata": {"type": "object"},
            "spec": structural_schema(Spec, defaults=True),
            # The default lets kstatus tell a resource that was not seen yet from one that is ready.
            "status": {**structural_schema(Status, defaults=False), "default": {"observedGeneration": -1}},
        },
        VALIDATIONS: [
            {
                "rule": f"size(self.metadata.name) <= {NAME_LIMIT}",
                "message": f"choose a name of at most {NAME_LIMIT} characters: it has to fit into an AWS tag",
            }
        ],
    }


def _columns() -> list[JsonSchemaValue]:
    """What `kubectl get` shows; those of priority 1 with `-o wide` only."""

    def column(name: str, path: str, description: str, **more: object) -> JsonSchemaValue:
        return {"name": name, "type": "string", "jsonPath": path, "description": description, **more}

    def condition(type_: str, field: str) -> str:
        return f'.status.conditions[?(@.type=="{type_}")].{field}'

    def endpoint(role: Role) -> str:
        return f'.status.endpoints[?(@.role=="{role}")].id'

    return [
        column("Region", ".spec.region", "AWS Region."),
        column("VPC", ".spec.vpcID", "The VPC."),
        column("Ready", condition("Ready", "status"), "Whether builds can run privately in the VPC."),
        column("Status", condition("Ready", "reason"), "Why it is ready, or not yet."),
        column("Drift", condition("DriftFree", "reason"), "Whether AWS still shows what was applied."),
        column("Age", ".metadata.creationTimestamp", "Since when it exists.", type="date"),
        column("Image Builder", endpoint(Role.IMAGE_BUILDER), "Id of the interface endpoint.", priority=1),
        column("S3", endpoint(Role.S3), "Id of the S3 endpoint.", priority=1),
        column("Message", condition("Ready", "message"), "What to know and do.", priority=1),
    ]


if __name__ == "__main__":
    sys.stdout.write(as_yaml(custom_resource_definition()))
