"""Which of the resource's schemas is newer: a number for each that there was. Knows no schema.

The chart and its guard compare the numbers, so that an older CRD is never put over a newer one: the API server would
drop the fields that the older one lacks from every resource that is written.
"""

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic.json_schema import JsonSchemaValue

from ibpe.api.names import GROUP

ANNOTATION: Final = f"{GROUP}/schema-revision"
"""On the CRD: the revision that it has."""

REVISIONS: Final[Mapping[int, str]] = MappingProxyType({1: "20f5d37ce8eeaf43"})
"""Revision -> digest of the CRD's spec. One that was released keeps its digest; the next gets the next number."""

REVISION: Final = max(REVISIONS)


def digest(spec: JsonSchemaValue) -> str:
    """Of a CRD's spec, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]
