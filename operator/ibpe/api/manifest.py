"""Writing generated manifests as YAML, the same text for the same values. Knows nothing of what they say."""

from typing import Final

import yaml
from pydantic.json_schema import JsonSchemaValue

HEADER: Final = "# Made by `make crds` from operator/ibpe/api; edit that, not this.\n"
_WIDTH: Final = 120


class _Dumper(yaml.SafeDumper):
    """Lists indented below their key, as kubectl and people write them; no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 -- PyYAML's signature
        super().increase_indent(flow, False)  # noqa: FBT003 -- as above

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 -- as above
        return True


def as_yaml(*documents: JsonSchemaValue) -> str:
    """The documents in one stream, below a header that says where they come from."""
    return HEADER + yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True, explicit_start=True
    )
