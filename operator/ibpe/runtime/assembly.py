"""The product's own story: AWS, what is seen of it, and the reconciler on top. The one place that joins them."""

from ibpe.aws.ec2 import BotoCloud
from ibpe.aws.inventory import Inventory
from ibpe.aws.prerequisites import Prerequisites
from ibpe.aws.session import SessionSettings
from ibpe.reconcile.observe import Eyes
from ibpe.reconcile.ports import Key
from ibpe.reconcile.reconciler import Reconciler
from ibpe.runtime.process import Ground, Story

THREADS_PER_REGION = 2
"""The AWS watch's own, which use the same connections as the workers."""
PREREQUISITES_SLACK = 1.5
"""A reconcile looks by itself only when the second watch is this much behind its period."""


def compose(ground: Ground) -> Story:
    """Everything real, on the ground that the process provides."""
    settings = ground.settings
    cloud = BotoCloud(
        SessionSettings(
            cluster=settings.cluster_name,
            connections=settings.workers + THREADS_PER_REGION,
            connect_timeout=settings.aws_connect_timeout_seconds,
            read_timeout=settings.aws_read_timeout_seconds,
        ),
        ground.metrics,
        ground.permit,
    )
    inventory = Inventory(cloud, cluster=settings.cluster_name)
    prerequisites: Prerequisites[Key] = Prerequisites(cloud)
    eyes = Eyes(
        cloud=cloud,
        inventory=inventory,
        prerequisites=prerequisites,
        resources=ground.resources,
        siblings=ground.claims,
        prerequisites_max_age=PREREQUISITES_SLACK * settings.prerequisites_seconds,
    )
    reconciler = Reconciler(
        cluster=settings.cluster_name,
        eyes=eyes,
        events=ground.events,
        interest=ground.interest,
        watcher=ground.metrics,
    )
    return Story(
        reconcile=reconciler.reconcile,
        forget=reconciler.forget,
        snapshots=inventory,
        prerequisites=prerequisites,
    )
