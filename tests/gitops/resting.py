"""Whether an operator has anything to do, by its own count of reconciles."""

from tests.e2e.scene import Scene, eventually

_SERVED = '"Metrics are served."'


def rounds(scene: Scene) -> float:
    """How many reconciles the scene's operator has done since it was started."""
    lines = scene.operator.metrics().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("ibpe_reconcile_total{"))


def bring_to_rest(scene: Scene) -> None:
    """Start the operator anew, so that no look is left over which it meant to take later, and let it come to rest."""
    served = scene.operator.log().count(_SERVED)
    scene.operator.stop()
    scene.operator.restart()

    def resting() -> bool:
        before = rounds(scene)
        scene.snapshots(3)
        return 0 < before == rounds(scene)

    eventually(lambda: scene.operator.log().count(_SERVED) > served, "metrics are served")
    eventually(resting, "nothing to do")
