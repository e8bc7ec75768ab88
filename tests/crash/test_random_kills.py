"""Kill -9 of the real process at moments nobody chose, while a user edits, deletes and makes again."""

import os
import random
import time
import uuid
from typing import Any

import pytest

from sandbox.stage import OperatorProcess, Stage, is_ready
from tests.crash import sharing_lives
from tests.crash.lives import User
from tests.crash.sharing_lives import FIRST, OTHER, Case, SharingLife, Write
from tests.crash.verdict import wrong
from tests.e2e.scene import REGION, Scene, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

SEEDS = int(os.environ.get("IBPE_CRASH_SEEDS", "2"))
"""How many such stories; more finds more."""
RESOURCES = 6
SHARING = 3
"""Resources besides that contribute to endpoints of others."""
KILLS = 5
LONGEST_LIFE_SECONDS = 4.0
LONGEST_WAIT_SECONDS = 400.0
"""Usual are ten. Statements that were recorded and never sent are awaited for five minutes, should a kill and an edit
hit just there."""


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
        networks = self.control.make_networks(RESOURCES + SHARING, region=REGION)
        self.scenes = [
            Scene(stage, self.operator, network, namespace, f"images-{number}", ())
            for number, network in enumerate(networks)
        ]
        self.sharing: dict[str, SharingLife] = {
            scene.name: sharing_lives.begun(Case(Write.PUT_IN), scene, self.user) for scene in self.scenes[RESOURCES:]
        }
        for scene in self.scenes:
            self.user.create(self._manifest(scene))

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
                resource, life = found.get(scene.name), self.sharing.get(scene.name)
                if resource is not None and not is_ready(resource):
                    doubts.append(f"{scene.name} is not Ready: {resource['status']}")
                elif life is not None:
                    held = scene.endpoints()
                    doubts += [f"{scene.name}: {what}" for what in sharing_lives.wrong(life, resource, held)]
                elif resource is None:
                    doubts += [f"{scene.name} left {each.id}" for each in scene.endpoints()]
                else:
                    doubts += [f"{scene.name}: {what}" for what in wrong(resource["spec"], scene.endpoints())]
            return doubts

        eventually(lambda: not unsettled(), "settled", timeout=LONGEST_WAIT_SECONDS, explain=unsettled)

    def end(self) -> None:
        """Everything is deleted, and AWS holds nothing of it."""
        for scene in self.scenes:
            self.user.delete(scene.name)
        eventually(lambda: not self.user.list(), "gone", timeout=LONGEST_WAIT_SECONDS, explain=self.user.list)
        owned = [scene for scene in self.scenes if scene.name not in self.sharing]
        assert [each for scene in owned for each in scene.endpoints()] == []
        for life in self.sharing.values():
            assert sharing_lives.wrong(life, None, life.scene.endpoints()) == []

    def close(self) -> None:
        self.control.set(lag_new_seconds=0, lag_change_seconds=0)
        self.operator.kill()
        self.user.close()

    def _deed(self, scene: Scene) -> None:
        there = scene.name in self.user.list()
        if not there:
            self.user.create(self._manifest(scene))
        elif self.chance.random() < 0.3:
            self.user.delete(scene.name)
        else:
            self.user.edit(scene.name, **self._edit(scene))

    def _manifest(self, scene: Scene) -> dict[str, Any]:
        life = self.sharing.get(scene.name)
        return life.manifest() if life is not None else scene.example()

    def _edit(self, scene: Scene) -> dict[str, object]:
        life = self.sharing.get(scene.name)
        if life is not None:
            return self.chance.choice(
                [
                    {"s3": {"endpointID": life.gateways[self.chance.choice([FIRST, OTHER])]}},
                    {"s3": {"policy": {"patching": self.chance.choice([True, False])}}},
                ]
            )
        return self.chance.choice(
            [
                {"tags": {"team": self.chance.choice("abc")}},
                {"tags": {"team": None}},
                {"imageBuilder": {"policy": {"preset": self.chance.choice(["FullAccess", "DenyDeletion"])}}},
                {"imageBuilder": {"subnets": {"ids": list(scene.network.subnet_ids[: self.chance.choice([1, 2])])}}},
                {"imageBuilder": {"privateDNS": self.chance.choice([True, False])}},
            ]
        )
