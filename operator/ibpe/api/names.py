"""The names that the API, AWS and people share. Each lives once, here."""

from enum import StrEnum
from typing import Final, Literal

GROUP: Final = "ibpe.dev"
VERSION: Final = "v1beta1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "ImageBuilderPrivateEndpoint"
PLURAL: Final = "imagebuilderprivateendpoints"
SINGULAR: Final = "imagebuilderprivateendpoint"
SHORT_NAME: Final = "ibpe"
CATEGORY: Final = "aws"

FINALIZER: Final = f"{GROUP}/aws-resources"
FIELD_MANAGER: Final = "imagebuilder-private-endpoint-operator"

RECONCILE_REQUESTED: Final = f"{GROUP}/reconcile-requested-at"
"""Annotation: a new value wakes the operator for this resource."""
ABANDON: Final = f"{GROUP}/abandon"
"""Annotation: with the pinned account ID as value, a deletion no longer waits for AWS."""

OWN_ACCOUNT: Final = "own"
"""How a grant names the operator's own AWS account; a resource names it by leaving accountRef out."""

CLUSTER_TAG: Final = f"{GROUP}/cluster"
OWNER_TAG: Final = f"{GROUP}/owner"
ROLE_TAG: Final = f"{GROUP}/role"
RETAINED_TAG: Final = f"{GROUP}/retained"
OPERATOR_TAGS: Final = (CLUSTER_TAG, OWNER_TAG, ROLE_TAG, RETAINED_TAG)


class Role(StrEnum):
    """What an endpoint is for; the value of the `ibpe.dev/role` tag."""

    IMAGE_BUILDER = "imagebuilder"
    S3 = "s3"


class ConditionType(StrEnum):
    """The condition types that the operator writes, all of them, always."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    IMAGE_BUILDER_ENDPOINT_READY = "ImageBuilderEndpointReady"
    S3_ACCESS_READY = "S3AccessReady"
    POLICY_VALID = "PolicyValid"
    PREREQUISITES_MET = "PrerequisitesMet"
    DRIFT_FREE = "DriftFree"


ConditionStatus = Literal["True", "False", "Unknown"]
