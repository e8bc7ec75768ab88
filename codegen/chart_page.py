"""The chart's README, from its values.yaml: each value with the `# --` comment above it. Knows YAML, not Helm."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

CHART: Final = Path(__file__).parent.parent / "charts" / "imagebuilder-private-endpoint-operator"
_KEY: Final = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z]\w*):(?P<rest>.*)$")
_LONGEST_DEFAULT: Final = 60


@dataclass(frozen=True)
class Value:
    """One value as a user sets it: `leaderElection.enabled`."""

    path: str
    default: object
    text: str


def values() -> Iterator[Value]:
    """Every value that has a comment, in the file's order."""
    text = (CHART / "values.yaml").read_text()
    defaults = yaml.safe_load(text)
    parents: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("# --"):
            comment = [stripped.removeprefix("# --").strip()]
        elif stripped.startswith("#") and comment:
            comment.append(stripped.removeprefix("#").strip())
        elif (found := _KEY.match(line)) is not None:
            indent = len(found["indent"])
            parents = [parent for parent in parents if parent[0] < indent]
            parents.append((indent, found["key"]))
            if comment:
                path = [name for _, name in parents]
                yield Value(".".join(path), _at(defaults, path), " ".join(comment))
            comment = []
        elif not stripped:
            comment = []


def _at(defaults: Any, path: list[str]) -> object:
    for name in path:
        defaults = defaults[name]
    found: object = defaults
    return found


def page() -> str:
    """The README."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    rows = "\n".join(f"| `{each.path}` | {_default(each.default)} | {each.text} |" for each in values())
    return f"""<!-- Made by `make crds` from values.yaml and codegen/chart_page.py; edit those, not this. -->
# {chart["name"]}

{chart["description"]}. Chart {chart["version"]}, operator {chart["appVersion"]}; Kubernetes
{chart["kubeVersion"].split("-0")[0]}.

```console
$ helm install ibpe charts/{chart["name"]} --namespace ibpe-system --create-namespace --set clusterName=my-cluster
```

The operator also needs a role in AWS: docs/install-aws.md. Upgrades, rollbacks, moving to another release and
uninstalling: docs/runbooks/releases.md.

The CRD and the admission policies are kept when the release is uninstalled, and resources with them. An older chart
never replaces a newer CRD. `helm uninstall` is refused while resources carry the operator's finalizer, and says how to
go on.

## Values

A key that is not here is refused.

| Value | Default | |
|---|---|---|
{rows}
"""


def _default(value: object) -> str:
    written = json.dumps(value)
    return f"`{written}`" if len(written) <= _LONGEST_DEFAULT else "see values.yaml"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 -- what it is for
