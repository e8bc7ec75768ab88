"""Golden files: what the status says in each trouble, for a person to read and to review.

One file a call, one section a trouble. `IBPE_WRITE_GOLDEN=1 pytest tests/faults` writes them anew.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from sandbox.aws.network import Network

FOLDER = Path(__file__).parent / "golden"
WRITING = os.environ.get("IBPE_WRITE_GOLDEN") == "1"

_REQUEST_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_MARK = re.compile(r"\bIBPE[0-9a-f]{12}")
_URL = re.compile(r"http://127\.0\.0\.1:\d+")
_SECTION = re.compile(r"^## (?P<name>.+)$", re.MULTILINE)


def in_words(text: str, network: Network, endpoints: Mapping[str, str]) -> str:
    """The text with what differs from run to run named for what it is; `endpoints`: id -> what it is for."""
    named = {
        network.vpc_id: "vpc-builds",
        network.subnet_ids[0]: "subnet-a",
        network.subnet_ids[1]: "subnet-b",
        network.route_table_id: "rtb-builds",
        network.security_group_id: "sg-endpoints",
        network.default_security_group_id: "sg-default",
        **{id_: f"vpce-{role}" for id_, role in endpoints.items()},
    }
    for id_, name in named.items():
        text = text.replace(id_, name)
    return _URL.sub("http://aws", _MARK.sub("MARK", without_requests(text)))


def without_requests(text: str) -> str:
    """The text with every request id named for what it is."""
    return _REQUEST_ID.sub("REQUEST", text)


def sections(file: str) -> dict[str, str]:
    """Trouble -> what the status says, of one file."""
    path = FOLDER / f"{file}.txt"
    parts = _SECTION.split(path.read_text())[1:] if path.exists() else []
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


def check(file: str, section: str, text: str) -> None:
    """The text is what the golden file has; or it is written there, when that was asked for."""
    known = sections(file)
    if WRITING:
        known[section] = text
        FOLDER.mkdir(exist_ok=True)
        body = "\n\n".join(f"## {name}\n{known[name]}" for name in sorted(known))
        (FOLDER / f"{file}.txt").write_text(f"{body}\n")
        return
    assert section in known, f"{file}.txt has no section {section!r}: write it with IBPE_WRITE_GOLDEN=1, and read it"
    assert text == known[section], (
        f"{file}.txt, section {section!r}, says:\n{known[section]}\nand the status says:\n{text}"
    )
