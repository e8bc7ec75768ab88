"""Every row of the table of what a status means, with how a real resource gets there."""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.stage import condition
from tests.e2e.scene import IMAGE_BUILDER, S3, Scene

Resource = dict[str, Any]
DRIFT_FREE, RECONCILING, READY, STALLED = "DriftFree", "Reconciling", "Ready", "Stalled"
NO_GROUP = "sg-00000000000000000"


@dataclass(frozen=True)
class State:
    """A row. `conditions`: type -> status, where the table says one; `from_ready`: it begins with a Ready resource."""

    name: str
    argo: str
    kstatus: str
    conditions: Mapping[str, str]
    bring: Callable[[Scene], Resource]
    from_ready: bool = True
    words: tuple[str, ...] = field(default=())
    """What Argo CD's message must say."""


def _is(resource: Resource | None, type_: str, status: str, reason: str | None = None) -> bool:
    found = condition(resource, type_)
    if resource is None or resource["status"].get("observedGeneration") != resource["metadata"]["generation"]:
        return False
    return found.get("status") == status and reason in {None, found.get("reason")}


def _until(scene: Scene, type_: str, status: str, reason: str | None = None) -> Resource:
    return scene.until(lambda found: _is(found, type_, status, reason), f"{type_}={status} {reason or ''}")


def nobody_looked(scene: Scene) -> Resource:
    """In a namespace that no operator serves."""
    namespace = f"{scene.namespace}-unserved"
    scene.stage.plane.kubectl("create", "namespace", namespace)
    elsewhere = replace(scene, namespace=namespace)
    elsewhere.apply(elsewhere.rich())
    return elsewhere.until(lambda found: found is not None, "there")


def edit_not_seen(scene: Scene) -> Resource:
    """An edit while the operator hangs."""
    os.kill(scene.operator.pid, signal.SIGSTOP)
    try:
        scene.edit(tags={"team": "others"})
        return scene.until(lambda found: found is not None, "there")
    finally:
        os.kill(scene.operator.pid, signal.SIGCONT)


def pending(scene: Scene) -> Resource:
    """AWS takes its time."""
    scene.stage.aws.control.hold_clock()
    scene.apply(scene.rich())
    return _until(scene, RECONCILING, "True", "Pending")


def throttled(scene: Scene) -> Resource:
    """AWS asks for patience."""
    scene.stage.aws.control.fail("CreateVpcEndpoint", "RequestLimitExceeded", "Request limit exceeded.", status=503)
    scene.apply(scene.rich())
    return _until(scene, RECONCILING, "True", "Throttled")


def at_rest(scene: Scene) -> Resource:
    """Nothing to do."""
    return scene.ready()


def _intrude(scene: Scene) -> None:
    endpoint, group = scene.endpoint(IMAGE_BUILDER), scene.network.default_security_group_id
    scene.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint.id, AddSecurityGroupIds=[group])


def repairing(scene: Scene) -> Resource:
    """A repair that AWS makes wait."""
    scene.stage.aws.control.fail(
        "ModifyVpcEndpoint",
        "RequestLimitExceeded",
        "Request limit exceeded.",
        status=503,
        parameters={"RemoveSecurityGroupId.1": "*"},
    )
    _intrude(scene)
    return _until(scene, RECONCILING, "True", "Throttled")


def drift_reported(scene: Scene) -> Resource:
    """A difference that doesn't stop builds."""
    scene.edit(driftPolicy="Report")
    scene.ready()
    _intrude(scene)
    return _until(scene, DRIFT_FREE, "False")


def missing_reported(scene: Scene) -> Resource:
    """A difference that does."""
    scene.edit(driftPolicy="Report")
    scene.ready()
    scene.ec2.delete_vpc_endpoints(VpcEndpointIds=[scene.endpoint(S3).id])
    return _until(scene, STALLED, "True", "EndpointMissing")


def refused(scene: Scene) -> Resource:
    """A spec that can't work."""
    image_builder = scene.rich()["spec"]["imageBuilder"]
    scene.apply(scene.rich(imageBuilder={**image_builder, "securityGroups": {"ids": [NO_GROUP]}}))
    return _until(scene, STALLED, "True")


def denied(scene: Scene) -> Resource:
    """Permissions that are missing."""
    scene.stage.aws.control.deny(["CreateVpcEndpoint"])
    scene.apply(scene.rich())
    return _until(scene, STALLED, "True", "AccessDenied")


def blind(scene: Scene) -> Resource:
    """An AWS that can't be looked at, and a spec that it was never looked at for."""
    scene.stage.aws.control.fail("Describe*", "InternalError", "An internal error has occurred.", status=500)
    scene.edit(tags={"team": "others"})
    return _until(scene, READY, "Unknown", "ObservationFailed")


def suspended(scene: Scene) -> Resource:
    """By its user, when it worked."""
    scene.edit(suspend=True)
    return _until(scene, READY, "True", "Suspended")


def suspended_from_the_start(scene: Scene) -> Resource:
    """By its user, before anything was made."""
    scene.apply(scene.rich(suspend=True))
    return _until(scene, READY, "Unknown", "Suspended")


def deleting(scene: Scene) -> Resource:
    """AWS takes its time."""
    scene.stage.aws.control.hold_clock()
    scene.delete()

    def told(found: Resource | None) -> bool:
        message = condition(found, RECONCILING).get("message", "")
        return _is(found, READY, "False", "Deleting") and message.count("(deleting)") == len((IMAGE_BUILDER, S3))

    return scene.until(told, "Deleting, both endpoints")


def deletion_suspended(scene: Scene) -> Resource:
    """A deletion that its user holds."""
    scene.edit(suspend=True)
    _until(scene, READY, "True", "Suspended")
    scene.delete()
    return _until(scene, STALLED, "True", "Suspended")


def deletion_denied(scene: Scene) -> Resource:
    """A deletion for which permissions are missing."""
    scene.stage.aws.control.deny(["DeleteVpcEndpoints"])
    scene.delete()
    return _until(scene, STALLED, "True", "AccessDenied")


def _triple(ready: str, reconciling: str, stalled: str, drift_free: str | None = None) -> dict[str, str]:
    found = {READY: ready, RECONCILING: reconciling, STALLED: stalled}
    return found if drift_free is None else {**found, DRIFT_FREE: drift_free}


AT_WORK = _triple("False", "True", "False")
MUST_FIX = _triple("False", "False", "True")
WAITING = ("Waiting for the operator",)

STATES = (
    State("unseen", "Progressing", "InProgress", {}, nobody_looked, from_ready=False, words=WAITING),
    State("edit-unseen", "Progressing", "InProgress", _triple("True", "False", "False"), edit_not_seen, words=WAITING),
    State("pending", "Progressing", "InProgress", AT_WORK, pending, from_ready=False),
    State("throttled", "Progressing", "InProgress", AT_WORK, throttled, from_ready=False),
    State("ready", "Healthy", "Current", _triple("True", "False", "False", "True"), at_rest, words=("Available",)),
    State("repairing", "Progressing", "InProgress", _triple("True", "True", "False", "False"), repairing),
    State(
        "drift-reported",
        "Healthy",
        "Current",
        _triple("True", "False", "False", "False"),
        drift_reported,
        words=("Drift", "securityGroups"),
    ),
    State("missing-reported", "Degraded", "Failed", _triple("False", "False", "True", "False"), missing_reported),
    State("refused", "Degraded", "Failed", MUST_FIX, refused, from_ready=False, words=(NO_GROUP,)),
    State("denied", "Degraded", "Failed", MUST_FIX, denied, from_ready=False, words=("CreateVpcEndpoint",)),
    State("blind", "Progressing", "InProgress", _triple("Unknown", "True", "False", "Unknown"), blind),
    State(
        "suspended", "Healthy", "Current", _triple("True", "False", "False", "True"), suspended, words=("Suspended",)
    ),
    State(
        "suspended-from-the-start",
        "Healthy",
        "InProgress",
        _triple("Unknown", "False", "False"),
        suspended_from_the_start,
        from_ready=False,
        words=("Suspended", "2 action(s)"),
    ),
    State("deleting", "Progressing", "Terminating", AT_WORK, deleting),
    State("deletion-suspended", "Degraded", "Terminating", MUST_FIX, deletion_suspended, words=("spec.suspend",)),
    State("deletion-denied", "Degraded", "Terminating", MUST_FIX, deletion_denied, words=("DeleteVpcEndpoints",)),
)
