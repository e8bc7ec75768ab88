"""What the API server admits and refuses, and what it tells the person, with kubectl as people run it."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from ibpe.api.names import PLURAL
from sandbox.kube import ControlPlane
from tests.crd.cases import ABSENT, BAD, FINE, GOOD, WARNED, Bad, changed
from tests.crd.conftest import NAMESPACE, ROOT, Apply

pytestmark = pytest.mark.kube


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.id)
def test_a_bad_spec_is_refused_with_the_fix(apply: Apply, bad: Bad) -> None:
    done = apply(changed(GOOD, bad.changes), "--dry-run=server")
    assert done.returncode == 1, done.stdout
    assert bad.message in done.stderr


ADMITTED_WITH_A_WARNING = {"contribute-with-statements"}


@pytest.mark.parametrize(("name", "changes"), FINE.items(), ids=FINE.keys())
def test_a_good_spec_is_admitted(apply: Apply, name: str, changes: dict[str, Any]) -> None:
    done = apply(changed(GOOD, changes), "--dry-run=server")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Warning:") == (name in ADMITTED_WITH_A_WARNING), done.stderr


@pytest.mark.parametrize(("changes", "warning"), WARNED.values(), ids=WARNED.keys())
def test_what_is_dubious_is_admitted_with_a_warning(apply: Apply, changes: dict[str, Any], warning: str) -> None:
    done = apply(changed(GOOD, changes), "--dry-run=server")
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("Warning: Validation failed for ValidatingAdmissionPolicy 'advice.ibpe.dev'")
    assert warning in line


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_admitted(installed: ControlPlane, example: Any) -> None:
    installed.kubectl("apply", "--validate=strict", "--dry-run=server", "-f", str(example))


@pytest.mark.parametrize("path", ["imageBuilder.subnet", "imageBuilder.policy.presets", "drift"])
def test_an_unknown_field_is_named(apply: Apply, path: str) -> None:
    done = apply(changed(GOOD, {path: {}}), "--dry-run=server")
    assert done.returncode == 1
    assert f'unknown field "spec.{path}"' in done.stderr


def test_a_name_that_does_not_fit_into_a_tag_is_refused(apply: Apply) -> None:
    done = apply(GOOD, "--dry-run=server", name="n" * 193)
    assert "choose a name of at most 192 characters" in done.stderr
    assert apply(GOOD, "--dry-run=server", name="n" * 192).returncode == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"region": "us-east-1"}, "region is immutable: make another resource for another Region"),
        ({"vpcID": "vpc-00000000000000000"}, "vpcID is immutable: make another resource for another VPC"),
        ({"region": ABSENT}, "spec.region: Required value"),
        ({"vpcID": ABSENT}, "spec.vpcID: Required value"),
        ({"vpcID": None}, "spec.vpcID: Required value"),
    ],
    ids=["region", "vpc", "region-removed", "vpc-removed", "vpc-nulled"],
)
def test_what_is_immutable_stays(apply: Apply, changes: dict[str, Any], message: str) -> None:
    assert apply(GOOD).returncode == 0
    done = apply(changed(GOOD, changes))
    assert done.returncode == 1
    assert message in done.stderr


def test_spec_itself_cannot_be_removed_to_get_around_immutability(apply: Apply, installed: ControlPlane) -> None:
    assert apply(GOOD).returncode == 0
    arguments = ("patch", PLURAL, "images", "--namespace", NAMESPACE, "--type=merge", "-p", '{"spec":null}')
    done = installed.kubectl(*arguments, check=False)
    assert done.returncode == 1
    assert "spec: Required value" in done.stderr


NETWORK, LAB = {"accountRef": {"name": "network"}}, {"accountRef": {"name": "lab"}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(NETWORK, LAB, id="changed"),
        pytest.param({}, NETWORK, id="added"),
        pytest.param(NETWORK, {}, id="removed"),
        pytest.param(NETWORK, {"accountRef": None}, id="nulled"),
    ],
)
def test_the_account_stays_the_same(apply: Apply, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert apply(changed(GOOD, before)).returncode == 0
    done = apply(changed(GOOD, after))
    assert done.returncode == 1
    assert "accountRef is immutable, adding and removing it too: make another resource" in done.stderr
    assert apply(changed(GOOD, {**before, "tags": {"team": "images"}})).returncode == 0


EDITS = {name: changes for name, changes in FINE.items() if not {"region", "accountRef"} & changes.keys()}


@pytest.mark.parametrize("changes", EDITS.values(), ids=EDITS.keys())
def test_everything_else_may_be_edited(apply: Apply, changes: dict[str, Any]) -> None:
    assert apply(GOOD).returncode == 0
    done = apply(changed(GOOD, changes))
    assert done.returncode == 0, done.stderr


def test_a_resource_admitted_before_the_policy_can_still_be_finalized(installed: ControlPlane, apply: Apply) -> None:
    """Otherwise the operator's finalizer could never come off it."""
    binding = installed.kubectl("get", "validatingadmissionpolicybinding", "policies.ibpe.dev", "-o", "yaml").stdout
    installed.kubectl("delete", "validatingadmissionpolicybinding", "policies.ibpe.dev")
    bad = changed(GOOD, {"imageBuilder.policy.preset": "Custom"})
    try:
        _eventually(lambda: apply(bad).returncode == 0)
    finally:
        meant = yaml.safe_load(binding)
        meant["metadata"] = {"name": meant["metadata"]["name"]}
        installed.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=yaml.safe_dump(meant))
    _eventually(lambda: apply(bad, "--dry-run=server", name="another").returncode == 1)
    for patch in ({"metadata": {"finalizers": ["ibpe.dev/aws-resources"]}}, {"metadata": {"finalizers": None}}):
        arguments = ("patch", PLURAL, "images", "--namespace", NAMESPACE, "--type=merge", "-p", json.dumps(patch))
        installed.kubectl(*arguments)


def test_a_new_resource_is_in_progress_before_the_operator_has_seen_it(apply: Apply, installed: ControlPlane) -> None:
    assert apply(GOOD).returncode == 0
    written = json.loads(installed.kubectl("get", PLURAL, "images", "--namespace", NAMESPACE, "-o", "json").stdout)
    assert written["status"] == {"observedGeneration": -1}


S3_TOGGLES = (
    *("allManagedResources", "amazonLinuxRepositories", "cloudWatchAgent", "distributor", "ecrLayers"),
    *("patching", "windowsDownloads"),
)


def test_defaults_are_written_where_they_are_safe_and_never_into_list_items(
    apply: Apply, installed: ControlPlane
) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:*", "Resource": "*"}
    spec = changed(
        GOOD, {"s3.mode": ABSENT, "imageBuilder.policy": {"preset": "FullAccess", "additionalStatements": [statement]}}
    )
    assert apply(spec).returncode == 0
    written = json.loads(installed.kubectl("get", PLURAL, "images", "--namespace", NAMESPACE, "-o", "json").stdout)
    expected = changed(
        spec,
        {
            "deletionPolicy": "Delete",
            "driftPolicy": "Repair",
            "suspend": False,
            "imageBuilder.mode": "Managed",
            "imageBuilder.privateDNS": True,
            "imageBuilder.ipAddressType": "ipv4",
            "s3.mode": "Managed",
            "s3.type": "Gateway",
            "s3.policy.environment": "prod",
            "s3.policy.ssmAgent": True,
            **dict.fromkeys((f"imageBuilder.policy.{toggle}" for toggle in ("awsServices", "marketplace")), False),
            **dict.fromkeys((f"s3.policy.{toggle}" for toggle in S3_TOGGLES), False),
        },
    )
    assert written["spec"] == expected


def test_kubectl_explains_every_field(installed: ControlPlane) -> None:
    crd = yaml.safe_load((ROOT / "crds" / "ibpe.dev_imagebuilderprivateendpoints.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    explained = installed.kubectl("explain", PLURAL, "--recursive").stdout
    for part in ("spec", "status"):
        for path, node in _fields(schema["properties"][part], part):
            assert node.get("description"), f"{path} has no description"
            assert path.rpartition(".")[2] in explained
    shown = installed.kubectl("explain", f"{PLURAL}.spec.imageBuilder.policy.preset").stdout
    assert "DenyDeletion: all but" in " ".join(shown.split())
    assert "ENUM: FullAccess DenyDeletion DenyDestruction Organization Custom" in " ".join(shown.split())


def test_the_table_shows_what_matters(apply: Apply, installed: ControlPlane) -> None:
    assert apply(GOOD).returncode == 0
    conditions = [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": "2026-01-02T03:04:05Z",
        }
        | {"observedGeneration": 1}
        for kind, status, reason, message in (
            ("DriftFree", "False", "Contended", "x"),
            ("Ready", "True", "EndpointsAvailable", "All good."),
        )
    ]
    endpoints = [{"role": "s3", "id": "vpce-0a"}, {"role": "imagebuilder", "id": "vpce-0b"}]
    patch = json.dumps({"status": {"conditions": conditions, "endpoints": endpoints}})
    arguments = ("--namespace", NAMESPACE, "images")
    installed.kubectl("patch", PLURAL, *arguments, "--subresource=status", "--type=merge", "-p", patch)
    header, row = installed.kubectl("get", "ibpe", *arguments).stdout.splitlines()
    assert header.split() == ["NAME", "REGION", "VPC", "READY", "STATUS", "DRIFT", "AGE"]
    assert row.split()[:6] == ["images", "us-west-2", GOOD["vpcID"], "True", "EndpointsAvailable", "Contended"]
    wide = installed.kubectl("get", "ibpe", *arguments, "-o", "wide").stdout.splitlines()
    assert wide[0].split()[7:] == ["IMAGE", "BUILDER", "S3", "MESSAGE"]
    assert wide[1].split()[7:] == ["vpce-0b", "vpce-0a", "All", "good."]
    assert "images" in installed.kubectl("get", "aws", "--namespace", NAMESPACE).stdout


def _fields(schema: dict[str, Any], path: str) -> list[tuple[str, dict[str, Any]]]:
    below = schema.get("items", schema)
    found = [(path, schema)]
    for name, node in below.get("properties", {}).items():
        found += _fields(node, f"{path}.{name}")
    return found


def _eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)
