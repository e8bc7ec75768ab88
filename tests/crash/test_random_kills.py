"""Kill -9 of the real process at moments nobody chose, while a user edits, deletes and makes again."""

import os
import random
import time
import uuid

import pytest

from sandbox.stage import OperatorProcess, Stage, is_ready
from tests.crash.lives import User
from tests.crash.verdict import wrong
from tests.e2e.scene import REGION, Scene, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SEEDS = int(os.environ.get("IBPE_CRASH_SEEDS", "2"))
"""How many such stories; more finds more."""
RESOURCES = 6
KILLS = 5
LONGEST_LIFE_SECONDS = 4.0


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_kills_at_random_moments_everything_is_as_the_specs_say(crash_stage: Stage, seed: int) -> None:
    story = Story(crash_stage, seed)
    try:
        for _ in range(KILLS):
            story.one_life()
        story.settle()
        story.end()
    finally:
        story.close()


class Story:
    """Some resources with a VPC each, and an operator that is killed again and again."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 -- no secret hangs on it, and a seed must tell the same story
        self.control = stage.aws.control
        self.control.set(lag_new_seconds=self.chance.choice([0.0, 2.0]), lag_change_seconds=self.chance.choice([0, 1]))
        namespace = f"kills-{uuid.uuid4().hex[:6]}"
        stage.plane.kubectl("create", "namespace", namespace)
        self.user = User(stage, namespace)
        self.operator: OperatorProcess = stage.operator(
            IBPE_WATCH_NAMESPACES=namespace,
            IBPE_SNAPSHOT_SECONDS="1",
            IBPE_SNAPSHOT_FAST_SECONDS="0.3",
        )
        networks = self.control.make_networks(RESOURCES, region=REGION)
        self.scenes = [
            Scene(stage, self.operator, network, namespace, f"images-{number}", ())
            for number, network in enumerate(networks)
        ]
        for scene in self.scenes:
            self.user.create(scene.example())

    def one_life(self) -> None:
        """Some of a user's deeds at random moments, and a kill at another."""
        for _ in range(3):
            self._deed(self.chance.choice(self.scenes))
            time.sleep(self.chance.uniform(0, LONGEST_LIFE_SECONDS / 3))
        self.operator.kill()
        self._deed(self.chance.choice(self.scenes))
        self.operator.restart()

    def settle(self) -> None:
        """In the end each is Ready and as specified, or gone with everything."""

        def unsettled() -> list[str]:
            found = self.user.list()
            doubts = []
            for scene in self.scenes:
                resource = found.get(scene.name)
                if resource is None:
                    doubts += [f"{scene.name} left {each.id}" for each in scene.endpoints()]
                elif not is_ready(resource):
                    doubts.append(f"{scene.name} is not Ready: {resource['status']}")
                else:
                    doubts += [f"{scene.name}: {what}" for what in wrong(resource["spec"], scene.endpoints())]
            return doubts

        eventually(lambda: not unsettled(), "settled", timeout=90, explain=unsettled)

    def end(self) -> None:
        """Everything is deleted, and AWS holds nothing of it."""
        for scene in self.scenes:
            self.user.delete(scene.name)
        eventually(lambda: not self.user.list(), "gone", timeout=60, explain=self.user.list)
        assert [each for scene in self.scenes for each in scene.endpoints()] == []

    def close(self) -> None:
        self.control.set(lag_new_seconds=0, lag_change_seconds=0)
        self.operator.kill()
        self.user.close()

    def _deed(self, scene: Scene) -> None:
        there = scene.name in self.user.list()
        if not there:
            self.user.create(scene.example())
        elif self.chance.random() < 0.3:
            self.user.delete(scene.name)
        else:
            self.user.edit(scene.name, **self._edit(scene))

    def _edit(self, scene: Scene) -> dict[str, object]:
        return self.chance.choice(
            [
                {"tags": {"team": self.chance.choice("abc")}},
                {"tags": {"team": None}},
                {"imageBuilder": {"policy": {"preset": self.chance.choice(["FullAccess", "DenyDeletion"])}}},
                {"imageBuilder": {"subnets": {"ids": list(scene.network.subnet_ids[: self.chance.choice([1, 2])])}}},
                {"imageBuilder": {"privateDNS": self.chance.choice([True, False])}},
            ]
        )
