"""Every call that reconciling makes, and what must have happened for it to be the next one.

`errors` says what can go wrong with each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.aws.messages import EndpointEdit
from tests.faults.owner import contribution, somebodys_gateway
from tests.faults.trial import Trial

BY_TAGS = {"Filter.*.Name": "tag:ibpe.dev/owner"}
BY_ID = {"VpcEndpointId.1": "vpce-*"}
IMAGE_BUILDER = {"ServiceName": "*.imagebuilder"}
S3 = {"ServiceName": "*.s3"}


@dataclass(frozen=True)
class Call:
    """A call at one point of a resource's life."""

    name: str
    action: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What tells it from the other calls of its action."""
    before: Callable[[Trial], None] = lambda _trial: None
    """Brings a new resource to where this call comes next."""
    deleting: bool = False
    settled: bool = False
    """The resource was as its spec says, and its own look at AWS is what fails: the status may stand for a while."""
    unsuccessful: bool = False
    """The trouble is in an item of an answer with HTTP 200."""
    spec: Mapping[str, object] = field(default_factory=dict)
    contributed: bool | None = None
    """Whether somebody else's policy holds our statements in the end; None: there is none."""


def _groups_changed(trial: Trial) -> None:
    trial.until_ready()
    edit = EndpointEdit(group_ids=(trial.network.default_security_group_id,))
    trial.aws.control.edit_endpoint(_endpoint_id(trial, "imagebuilder"), edit)


def _tag_taken_off(trial: Trial) -> None:
    trial.until_ready()
    id_ = _endpoint_id(trial, "imagebuilder")
    tags = next(each.tags for each in trial.endpoints() if each.id == id_)
    left = {key: value for key, value in tags.items() if key != "team"}
    trial.aws.control.edit_endpoint(id_, EndpointEdit(tags=left))


def _tag_no_longer_wanted(trial: Trial) -> None:
    trial.until_ready()
    trial.edit(tags={})


def _s3_no_longer_wanted(trial: Trial) -> None:
    trial.until_ready()
    trial.edit(s3=None)


def _vanished(trial: Trial) -> None:
    trial.until_ready()
    trial.aws.control.vanish(_endpoint_id(trial, "imagebuilder"))


def _deleted(trial: Trial) -> None:
    trial.until_ready()
    trial.delete()


def _deleted_while_a_create_is_open(trial: Trial) -> None:
    fault = trial.aws.control.fail("CreateVpcEndpoint", "InternalError", status=500, parameters=S3)
    trial.round()
    trial.aws.control.remove_fault(fault.id)
    trial.delete()


def _contributing(trial: Trial) -> None:
    trial.edit(s3=contribution(somebodys_gateway(trial)))


def _contributing_no_longer(trial: Trial) -> None:
    _contributing(trial)
    trial.until_ready()
    trial.edit(s3=None)


def _contributed_and_deleted(trial: Trial) -> None:
    _contributing(trial)
    trial.until_ready()
    trial.delete()


def _endpoint_id(trial: Trial, service: str) -> str:
    return next(each.id for each in trial.endpoints() if each.service_name.endswith(f".{service}"))


TAGGED = {"tags": {"team": "images"}}
RETAINED = {"deletionPolicy": "Retain"}

MAKING = (
    Call("identity", "GetCallerIdentity"),
    Call("list", "DescribeVpcEndpoints"),
    Call("subnets", "DescribeSubnets"),
    Call("security-groups", "DescribeSecurityGroups"),
    Call("services", "DescribeVpcEndpointServices"),
    Call("vpcs", "DescribeVpcs"),
    Call("vpc-attributes", "DescribeVpcAttribute"),
    Call("route-tables", "DescribeRouteTables"),
    Call("look-before-create", "DescribeVpcEndpoints", BY_TAGS),
    Call("create-imagebuilder", "CreateVpcEndpoint", IMAGE_BUILDER),
    Call("create-s3", "CreateVpcEndpoint", S3),
)
KEEPING = (
    Call("modify", "ModifyVpcEndpoint", before=_groups_changed),
    Call("put-tags", "CreateTags", before=_tag_taken_off, spec=TAGGED),
    Call("remove-tags", "DeleteTags", before=_tag_no_longer_wanted, spec=TAGGED),
    Call("retire", "DeleteVpcEndpoints", before=_s3_no_longer_wanted),
    Call("look-by-id", "DescribeVpcEndpoints", BY_ID, before=_vanished, settled=True),
)
SHARING = (
    Call("contribute-look-by-id", "DescribeVpcEndpoints", BY_ID, before=_contributing, contributed=True),
    Call("contribute", "ModifyVpcEndpoint", before=_contributing, contributed=True),
    Call("withdraw-look-by-id", "DescribeVpcEndpoints", BY_ID, before=_contributing_no_longer, contributed=False),
    Call("withdraw", "ModifyVpcEndpoint", before=_contributing_no_longer, contributed=False),
)
DELETING = (
    Call("delete-identity", "GetCallerIdentity", before=_deleted, deleting=True),
    Call("delete-look-by-tags", "DescribeVpcEndpoints", BY_TAGS, before=_deleted, deleting=True),
    Call("delete-look-by-id", "DescribeVpcEndpoints", BY_ID, before=_deleted, deleting=True),
    Call("delete", "DeleteVpcEndpoints", before=_deleted, deleting=True),
    Call("delete-unsuccessful", "DeleteVpcEndpoints", before=_deleted, deleting=True, unsuccessful=True),
    Call("delete-resolve", "CreateVpcEndpoint", S3, before=_deleted_while_a_create_is_open, deleting=True),
    Call(
        "delete-withdraw-look-by-id",
        "DescribeVpcEndpoints",
        BY_ID,
        before=_contributed_and_deleted,
        deleting=True,
        contributed=False,
    ),
    Call(
        "delete-withdraw",
        "ModifyVpcEndpoint",
        before=_contributed_and_deleted,
        deleting=True,
        contributed=False,
    ),
    Call("retain-put-tags", "CreateTags", before=_deleted, deleting=True, spec=RETAINED),
    Call("retain-remove-tags", "DeleteTags", before=_deleted, deleting=True, spec=RETAINED),
)
CALLS = (*MAKING, *KEEPING, *SHARING, *DELETING)
