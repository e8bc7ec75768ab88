"""Prints deploy/argocd/argocd-cm.yaml: the Lua files of deploy/argocd/resource_customizations as Argo CD's settings."""

import sys
from pathlib import Path
from typing import Final

import yaml

from ibpe.api.names import GROUP, KIND

FOLDER: Final = Path(__file__).parent.parent / "deploy" / "argocd" / "resource_customizations" / GROUP / KIND
ACTIONS: Final = ("reconcile", "suspend", "resume")
_HEADER: Final = """\
# Argo CD's settings for ImageBuilderPrivateEndpoint: its health and actions. Generated from resource_customizations/.
# Add it to the settings that are there; `kubectl apply` could take others out:
#   kubectl patch configmap argocd-cm -n argocd --patch-file argocd-cm.yaml
"""


class _Text(yaml.SafeDumper):
    """Writes texts of several lines as they are."""


def _as_written(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Text.add_representer(str, _as_written)


def settings() -> dict[str, str]:
    """Key of the ConfigMap argocd-cm -> value."""
    actions = {
        "discovery.lua": (FOLDER / "actions" / "discovery.lua").read_text(),
        "definitions": [
            {"name": name, "action.lua": (FOLDER / "actions" / name / "action.lua").read_text()} for name in ACTIONS
        ],
    }
    return {
        f"resource.customizations.health.{GROUP}_{KIND}": (FOLDER / "health.lua").read_text(),
        f"resource.customizations.actions.{GROUP}_{KIND}": _yaml(actions),
    }


def _yaml(value: object) -> str:
    return yaml.dump(value, Dumper=_Text, sort_keys=False, width=1000)


def manifest() -> str:
    """The ConfigMap as YAML."""
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "argocd-cm",
            "namespace": "argocd",
            "labels": {"app.kubernetes.io/part-of": "argocd"},
        },
        "data": settings(),
    }
    return _HEADER + _yaml(config_map)


if __name__ == "__main__":
    sys.stdout.write(manifest())
