"""The `sh` blocks of the README and of docs/, run as they are written, page by page, against both sandboxes."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.aws import AwsServer, Settings
from sandbox.aws.network import make_network
from sandbox.kube import ControlPlane
from tests.docs.desk import REGION, Desk
from tests.docs.pages import DOCS, PAGES, REPOSITORY
from tests.docs.steps import Step, not_printed, steps

pytestmark = pytest.mark.e2e

TUTORIAL = DOCS / "getting-started.md"
KEEPING = DOCS / "how-to" / "keep-endpoints.md"
CHECKOUT = DOCS / "how-to" / "run-from-a-checkout.md"
OPERATOR = "ibpe run --log-format text"
NOT_HERE = {
    "make venv": "the environment that runs this test",
    "source .venv/bin/activate": "the environment that runs this test",
    "make sandbox": "boots what the fixture below has booted; `.sandbox` is written by the same function",
    OPERATOR: "started once for all pages, by these very words",
}
"""Lines that are not run, and what stands in for them."""
CHANGES_ARE_FINE = "ibpe plan"
"""Exits with 2 when there are changes, which is what the pages say."""
FROM_NOTHING = {TUTORIAL}
"""Pages that begin without the resource; the others find it Ready."""
MARK = "--- step {} ---"


@pytest.fixture(scope="module")
def desk(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    namespace = f"docs-{uuid.uuid4().hex[:6]}"
    control_plane.kubectl("create", "namespace", namespace)
    control_plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(REPOSITORY / "crds"))
    with AwsServer(Settings(pending_seconds=0.3, deleting_seconds=0.3)) as aws:
        network = make_network(aws.client("ec2", REGION))
        made = Desk(control_plane, aws, namespace, tmp_path_factory.mktemp("desk"), network)
        made.lay_out()
        assert OPERATOR in CHECKOUT.read_text()
        with made.operator(OPERATOR):
            yield made
    control_plane.kubectl("delete", "clusterrolebinding", namespace)


def _script(written: list[Step]) -> str:
    lines = ["set -euo pipefail"]
    for number, step in enumerate(written):
        commands = [line for line in step.commands.splitlines() if line not in NOT_HERE]
        last = commands.pop() if commands else ":"
        lines += [*map(_as_run, commands), f"echo '{MARK.format(number)}'", _as_run(last)]
    return "\n".join(lines)


def _as_run(line: str) -> str:
    return f"{line} || [ $? -eq 2 ]" if line.startswith(CHANGES_ARE_FINE) else line


def _begin(desk: Desk, page: Path) -> None:
    if page in FROM_NOTHING:
        script = "kubectl delete ibpe images --ignore-not-found --timeout=45s"
    else:
        script = "kubectl apply -f cr.yaml && kubectl wait --for=condition=Ready ibpe/images --timeout=45s"
    begun = desk.run(script)
    assert begun.returncode == 0, begun.stderr


@pytest.mark.parametrize("page", [page for page in PAGES if steps(page)], ids=lambda page: page.stem)
def test_the_commands_do_what_the_page_says(desk: Desk, page: Path) -> None:
    _begin(desk, page)
    made = desk.made()
    written = steps(page)
    done = desk.run(_script(written))
    log = (desk.folder / "operator.log").read_text()[-4000:]
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{log}"
    for number, step in enumerate(written):
        _, _, after = done.stdout.partition(MARK.format(number) + "\n")
        printed = after.partition(MARK.format(number + 1))[0].replace(desk.namespace, "default")
        assert not_printed(step.shown or "", printed) == [], f"not printed by {step.commands}, but: {printed}"
    if page == KEEPING:
        assert desk.made() == made, "endpoints that were retained are taken back, not made again"


def test_everything_that_the_pages_left_can_be_deleted(desk: Desk) -> None:
    done = desk.run("kubectl delete ibpe --all --timeout=45s")
    assert done.returncode == 0, done.stderr
    assert {each.state for each in desk.aws.control.endpoints()} <= {"deleting", "deleted"}


def test_a_line_that_was_not_printed_is_found() -> None:
    printed = "NAME READY\nimages   True   vpc-0123456789abcdef0   17s\n"
    assert not_printed("images  True  vpc-0fedcba9876543210  3s\n", printed) == []
    assert not_printed("images  False  vpc-…  3s\n", printed) == ["images False vpc-… <time>"]
    assert not_printed("images …\nNAME READY\n", printed) == ["NAME READY"]
