"""Prints the chart's README: every value with the comment that values.yaml has on it. Knows nothing of Helm."""

import json
import sys
from typing import Final

import yaml

from codegen.chart_values import CHART, values

_LONGEST_DEFAULT: Final = 60


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

`image.repository` says where you have pushed the image. The operator also needs a role in AWS: docs/install-aws.md.
Upgrades, rollbacks, moving to another release and uninstalling: docs/runbooks/releases.md.

- The CRD is kept when the release is uninstalled, and resources with it. An older chart never replaces a newer CRD: a
  guard on the API server sees to that, and is kept too.
- `helm uninstall` is refused while resources carry the operator's finalizer, and says how to go on.
- Several releases in a cluster, each with its own `watchNamespaces`, share the CRD and the admission policies: the
  first brings them, the others leave them alone. When the first goes, the CRD stays, and the next upgrade of another
  brings the policies again. Two that serve the same namespace are refused, but where nothing can be looked up
  (`helm template`, Argo CD).
- What can't work is refused before anything is installed, in a sentence that says the fix.

## Values

A key that is not here is refused. When you upgrade, `--reset-then-reuse-values` keeps yours and takes the new chart's
defaults for the rest.

| Value | Default | |
|---|---|---|
{rows}
"""


def _default(value: object) -> str:
    written = json.dumps(value)
    return f"`{written}`" if len(written) <= _LONGEST_DEFAULT else "[see there](values.yaml)"


if __name__ == "__main__":
    sys.stdout.write(page())
