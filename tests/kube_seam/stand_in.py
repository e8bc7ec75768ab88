"""The operator's process with a stand-in for what it reconciles: it writes down what it is asked, and a status.

Run as a script by the tests: `stand_in.py JOURNAL`. A resource whose name begins with `slow` is at work until the file
`JOURNAL.release` exists; `poison` raises; `fatal` ends its thread.
"""

import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ibpe.api.names import OWN_ACCOUNT, ConditionType
from ibpe.api.status import Condition, Status
from ibpe.aws.snapshot import Change, Snapshot
from ibpe.reconcile.ports import Key, Outcome, Place
from ibpe.runtime.main import run
from ibpe.runtime.process import Ground, Story, View
from ibpe.runtime.settings import Settings

JOURNAL = Path(sys.argv[1])
RELEASE = Path(f"{JOURNAL}.release")
_lock = threading.Lock()


def note(*words: object) -> None:
    with _lock, JOURNAL.open("a", encoding="utf-8") as journal:
        journal.write(" ".join(str(word) for word in words) + "\n")


class Quiet:
    """AWS, where nothing ever happens."""

    def refresh(self, region: str) -> frozenset[Change]:
        note("snapshot", region)
        return frozenset()

    def age(self, region: str) -> float:
        return 0.0 if region else 1.0

    def forget_region(self, region: str) -> None:
        """Nothing is kept."""

    def is_transitional(self, region: str) -> bool:
        return not region

    def braked(self, region: str) -> bool:
        return not region

    def failing(self, region: str) -> bool:
        return not region

    def latest(self, region: str) -> Snapshot | None:
        """Nothing is seen."""


class NoFacts:
    def failing(self, region: str) -> bool:
        return not region

    def refresh(self, region: str) -> frozenset[Key]:
        note("facts", region)
        return frozenset()


def reconciler(ground: Ground) -> Callable[[Key, datetime], Outcome]:
    def reconcile(key: Key, now: datetime) -> Outcome:
        resource = ground.resources.get(key)
        note("reconcile", key, resource.uid if resource else "gone", resource.deleting if resource else "")
        if resource is None:
            return Outcome()
        if key.name.startswith("poison"):
            raise ValueError(key.name)
        if key.name.startswith("fatal"):
            raise SystemExit(key.name)
        while key.name.startswith("slow") and not RELEASE.exists():
            time.sleep(0.02)
        if resource.deleting:
            ground.resources.remove_finalizer(resource)
            return Outcome()
        ground.interest.note(key, Place(OWN_ACCOUNT, str(resource.spec["region"])), str(resource.spec["vpcID"]), ())
        ready = resource.status.condition(ConditionType.READY)
        condition = Condition(
            type=ConditionType.READY,
            status="True",
            reason="Fine",
            message="fine",
            last_transition_time=ready.last_transition_time if ready else now,
            observed_generation=resource.generation,
        )
        held = ground.resources.add_finalizer(resource)
        ground.resources.write_status(held, Status(observed_generation=resource.generation, conditions=(condition,)))
        note("done", key)
        return Outcome()

    return reconcile


def compose(ground: Ground) -> Story:
    return Story(
        reconcile=reconciler(ground),
        forget=lambda uid: note("forget-uid", uid),
        forget_key=lambda key: note("forget-key", key),
        view=lambda _: View(Quiet(), NoFacts(), str),
    )


if __name__ == "__main__":
    sys.exit(run(Settings.load(), compose))
