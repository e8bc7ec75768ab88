"""Mode Contribute: our statements in the policy of somebody else's S3 endpoint, and nothing else of it touched."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ibpe.policy.canonical import same_policy
from ibpe.policy.contribution import mark
from ibpe.policy.document import PolicyDocument
from ibpe.policy.s3 import S3Use, contributed_statements
from sandbox.stage import CLUSTER, condition, is_ready
from tests.e2e.owners import FOREIGN, Owner, deny, document
from tests.e2e.scene import REGION, S3, Scene, Scenes, eventually, parameters

pytestmark = pytest.mark.e2e

SNAPSHOT_SECONDS = 0.4
USUAL = contributed_statements(REGION)
TOE = "arn:aws:s3:::ec2imagebuilder-toe-us-west-2-prod/*"
ALLOW_ALL = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


@dataclass
class Share:
    """A resource that contributes to an endpoint of an owner's."""

    scene: Scene
    owner: Owner
    id: str

    @property
    def mark(self) -> str:
        """What the Sids of this resource's statements begin with."""
        resource = self.scene.get()
        assert resource is not None, f"{self.scene.name} is gone"
        return mark(CLUSTER, resource["metadata"]["uid"])

    def manifest(self, *, policy: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
        """A resource that does nothing but contribute."""
        s3 = {"mode": "Contribute", "endpointID": self.id, **({"policy": dict(policy)} if policy else {})}
        return self.scene.example(**{"imageBuilder": None, "s3": s3, **spec})

    def apply(self, *, policy: Mapping[str, Any] | None = None, **spec: Any) -> str:
        """Apply it and wait until it is Ready; returns its mark."""
        self.scene.apply(self.manifest(policy=policy, **spec))
        self.scene.ready()
        return self.mark

    def another(self, number: int = 2) -> "Share":
        """Another resource about the same endpoint."""
        name = f"{self.scene.name}-{number}"
        return Share(replace(self.scene, name=name, ids=set()), self.owner, self.id)

    def texts(self, id_: str = "") -> list[str]:
        """The policy's statements in their order, each with its keys in theirs."""
        return [json.dumps(statement) for statement in self.owner.statements(id_ or self.id)]

    def foreign(self, *marks: str, id_: str = "") -> list[str]:
        """Those under none of these marks."""
        return [text for text in self.texts(id_) if not any(f'"Sid": "{each}' in text for each in marks)]

    def ours(self, mark_: str, id_: str = "") -> str:
        """What the statements of a mark say, under the Sids that they had before it."""
        named = [dict(statement) for statement in self.owner.statements(id_ or self.id)]
        own = [each for each in named if each.get("Sid", "").startswith(mark_)]
        return json.dumps({"Statement": [{**each, "Sid": each["Sid"].removeprefix(mark_)} for each in own]})

    def has(self, mark_: str, statements: Sequence[Any] = USUAL, id_: str = "") -> bool:
        """Whether just these statements are there under the mark."""
        return same_policy(PolicyDocument(tuple(statements)), self.ours(mark_, id_))

    def until_it_has(self, mark_: str, statements: Sequence[Any] = USUAL, id_: str = "") -> None:
        """Wait until just these are."""
        eventually(lambda: self.has(mark_, statements, id_), f"{statements} under {mark_}", explain=self._now)

    def until_it_is(self, texts: Sequence[str], id_: str = "") -> None:
        """Wait until the policy's statements are just these, as they are spelled, in this order."""
        eventually(lambda: self.texts(id_) == list(texts), f"statements {texts}", explain=self._now)

    def _now(self) -> tuple[object, ...]:
        return self.owner.truth(self.id).policy, self.scene.events(), (self.scene.get() or {}).get("status")


FOREIGN_TEXTS = [json.dumps(statement) for statement in FOREIGN]


def share_of(scenes: Scenes, *statements: Mapping[str, Any], default: bool = False) -> Share:
    """An endpoint with these statements (the foreign ones unless told; `default`: AWS's), and a resource for it."""
    scene = scenes.make()
    owner = Owner(scene)
    return Share(scene, owner, owner.gateway(None if default else document(*statements)))


@pytest.fixture
def share(scenes: Scenes) -> Share:
    return share_of(scenes)


def status_of(resource: Mapping[str, Any] | None, type_: str) -> tuple[str, str]:
    found = condition(resource, type_)
    return found.get("status", ""), found.get("reason", "")


# Lives


def test_two_resources_share_an_endpoint_and_leave_it_as_they_found_it(share: Share) -> None:
    other, before, since = share.another(), share.owner.truth(share.id), share.scene.cursor()
    one = share.apply()
    two = other.apply(policy={"logBuckets": ["build-logs"], "ssmAgent": False})
    for_logs = contributed_statements(REGION, S3Use(ssm_agent=False, log_buckets=("build-logs",)))
    assert share.has(one)
    assert share.has(two, for_logs)
    assert share.foreign(one, two) == FOREIGN_TEXTS
    assert share.texts()[: len(FOREIGN)] == FOREIGN_TEXTS, "what is there stays before what is added"
    resource = share.scene.ready()
    assert status_of(resource, "DriftFree") == ("True", "NoDrift")
    assert [(each["role"], each["id"], each["ownership"]) for each in resource["status"]["endpoints"]] == [
        (S3, share.id, "Contributed")
    ]
    assert share.id in condition(resource, "S3AccessReady")["message"]
    assert resource["metadata"]["finalizers"] == ["ibpe.dev/aws-resources"]

    added = {"Sid": "TeamLogs", **FOREIGN[1]}
    edited = [*share.owner.statements(share.id), added]
    share.owner.edits_statements(share.id, [edited[-1], edited[1], *edited[2:-1], edited[0]])
    mixed = share.texts()
    quiet_since = share.scene.cursor()
    share.scene.quiet(quiet_since)
    assert share.texts() == mixed, "nobody else's order is ours to keep"

    share.scene.delete()
    share.scene.gone()
    assert share.texts() == [text for text in mixed if f'"Sid": "{one}' not in text]
    assert share.has(two, for_logs)
    other.scene.ready()
    other.scene.delete()
    other.scene.gone()
    assert share.texts() == [json.dumps(added), FOREIGN_TEXTS[1], FOREIGN_TEXTS[0]]
    after = share.owner.truth(share.id)
    assert after.model_copy(update={"policy": before.policy}) == before, "nothing but the policy was changed"
    assert json.loads(after.policy)["Version"] == json.loads(before.policy)["Version"]
    sent = [(call.action, frozenset(parameters(call))) for call in share.scene.writes(since)]
    assert set(sent) == {("ModifyVpcEndpoint", frozenset({"VpcEndpointId", "PolicyDocument"}))}
    assert len(sent) == 4, f"two came and two went: {sent}"


def test_many_at_once_lose_none_of_each_other(share: Share) -> None:
    shares = [share, *(share.another(number) for number in range(2, 6))]
    items = [each.manifest(policy={"logBuckets": [f"logs-{number}"]}) for number, each in enumerate(shares)]
    share.scene.stage.apply({"apiVersion": "v1", "kind": "List", "items": items})
    marks = []
    for number, each in enumerate(shares):
        each.scene.ready()
        marks.append(each.mark)
        assert each.has(marks[-1], contributed_statements(REGION, S3Use(log_buckets=(f"logs-{number}",))))
    assert share.foreign(*marks) == FOREIGN_TEXTS
    for each in shares:
        each.scene.delete()
    for each in shares:
        each.scene.gone()
    assert share.texts() == FOREIGN_TEXTS


def test_an_edit_of_the_spec_changes_our_statements_alone(share: Share) -> None:
    ours = share.apply()
    additional = {"Sid": "Mirror", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": TOE}
    share.scene.edit(s3={"policy": {"ssmAgent": False, "additionalStatements": [additional]}})
    wanted = contributed_statements(REGION, S3Use(ssm_agent=False), [additional])
    share.until_it_has(ours, wanted)
    resource = share.scene.ready()
    assert not resource["status"].get("drift"), "an edit is no drift"
    assert share.foreign(ours) == FOREIGN_TEXTS


# What others do to it


def without_ours(share: Share, ours: str) -> list[dict[str, Any]]:
    return [each for each in share.owner.statements(share.id) if not each.get("Sid", "").startswith(ours)]


def without_one(share: Share, ours: str) -> list[dict[str, Any]]:
    return [each for each in share.owner.statements(share.id) if each.get("Sid") != f"{ours}AllowSSMAgentDownload"]


def with_one_changed(share: Share, ours: str) -> list[dict[str, Any]]:
    changed = {"Resource": "arn:aws:s3:::amazon-ssm-us-east-1/*"}
    return [
        {**each, **(changed if each.get("Sid") == f"{ours}AllowSSMAgentDownload" else {})}
        for each in share.owner.statements(share.id)
    ]


def with_one_more(share: Share, ours: str) -> list[dict[str, Any]]:
    return [*share.owner.statements(share.id), {**ALLOW_ALL, "Sid": f"{ours}AndAllTheRest"}]


Touch = Callable[[Share, str], list[dict[str, Any]]]


@pytest.mark.parametrize("touch", [without_ours, without_one, with_one_changed, with_one_more])
def test_statements_of_ours_that_are_touched_are_mended(share: Share, touch: Touch) -> None:
    ours = share.apply()
    share.owner.edits_statements(share.id, touch(share, ours))
    note = share.scene.event("DriftDetected", "policy", share.id)
    assert ours in note
    share.scene.event("DriftRepaired", "policy")
    assert share.has(ours)
    assert share.foreign(ours) == FOREIGN_TEXTS
    resource = share.scene.ready()
    assert status_of(resource, "DriftFree") == ("True", "NoDrift")
    assert not resource["status"].get("drift")


def test_with_report_what_is_touched_is_told_and_left(share: Share) -> None:
    ours = share.apply(driftPolicy="Report")
    assert share.has(ours), "putting them in is no repair"
    since = share.scene.cursor()
    share.owner.edits_statements(share.id, without_ours(share, ours))
    message = share.scene.stalled("DriftReported")
    assert share.id in message
    assert ours in message
    resource = share.scene.get()
    assert status_of(resource, "DriftFree") == ("False", "DriftReported")
    assert status_of(resource, "S3AccessReady")[0] == "False"
    share.scene.quiet(since)
    assert share.texts() == FOREIGN_TEXTS
    share.scene.edit(driftPolicy="Repair")
    share.until_it_has(ours)
    share.scene.ready()


def test_an_endpoint_that_allows_everything_is_left_alone_until_its_owner_restricts_it(scenes: Scenes) -> None:
    share = share_of(scenes, default=True)
    since = share.scene.cursor()
    share.apply()
    resource = share.scene.get()
    for type_ in ("Ready", "S3AccessReady"):
        said = condition(resource, type_)["message"]
        assert f"{share.id} allows everything already: nothing is contributed to it" in said
    share.scene.quiet(since)
    assert resource is not None
    assert not resource["metadata"].get("finalizers"), "nothing to clean up"
    share.owner.writes_policy(share.id, document())
    share.until_it_has(share.mark)
    words = "with our statements in its policy"
    share.scene.until(lambda found: words in condition(found, "S3AccessReady").get("message", ""), words)
    assert share.foreign(share.mark) == FOREIGN_TEXTS
    share.scene.delete()
    share.scene.gone()
    assert share.texts() == FOREIGN_TEXTS


def test_where_only_our_statements_are_left_they_stay(share: Share) -> None:
    ours = share.apply()
    alone = [each for each in share.owner.statements(share.id) if each.get("Sid", "").startswith(ours)]
    share.owner.edits_statements(share.id, alone)
    since = share.scene.cursor()
    share.scene.delete()
    share.scene.gone()
    assert share.texts() == [json.dumps(each) for each in alone], "an empty policy would be AWS's: everything"
    note = share.scene.event("StatementsRetained", share.id)
    assert "allows everything" in note
    assert share.scene.writes(since) == ()


def test_somebody_elses_deny_is_named_and_its_end_is_seen(scenes: Scenes) -> None:
    shut = deny("OnlyTheVault", "s3:*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
    share = share_of(scenes, *FOREIGN, shut)
    share.scene.apply(share.manifest())
    message = share.scene.stalled("ForeignDeny")
    assert f'Statement "OnlyTheVault" of {share.id} denies anonymous s3:GetObject on arn:aws:s3:::ec2image' in message
    assert "which no statement of ours can overrule" in message
    assert status_of(share.scene.get(), "S3AccessReady") == ("False", "ForeignDeny")
    share.until_it_has(share.mark)
    share.owner.edits_statements(share.id, [e for e in share.owner.statements(share.id) if e.get("Sid") != shut["Sid"]])
    share.scene.ready()
    assert share.foreign(share.mark) == FOREIGN_TEXTS


def test_what_would_get_too_long_is_refused_before_it_is_sent(scenes: Scenes) -> None:
    rooms = [f"arn:aws:s3:::team-data-{number:04}/*" for number in range(630)]
    almost_full = {**FOREIGN[1], "Resource": rooms}
    share = share_of(scenes, almost_full)
    since = share.scene.cursor()
    share.scene.apply(share.manifest())
    message = share.scene.stalled("PolicyTooLong")
    assert f"With our statements, the policy of {share.id} would have 2" in message
    assert "AWS takes 20,480" in message
    assert status_of(share.scene.get(), "PolicyValid") == ("False", "PolicyTooLong")
    share.scene.quiet(since)
    share.owner.edits_statements(share.id, [{**almost_full, "Resource": rooms[:100]}])
    share.until_it_has(share.mark)
    share.scene.ready()


def test_an_endpoint_that_another_resource_manages_is_not_contributed_to(scenes: Scenes) -> None:
    managing = scenes.make()
    managing.apply(managing.example(imageBuilder=None))
    managing.ready()
    owner = Owner(managing)
    share = Share(managing, owner, managing.endpoint(S3).id).another()
    since = managing.cursor()
    share.scene.apply(share.manifest())
    message = share.scene.stalled("EndpointIsManaged")
    assert f"{share.id} is managed" in message
    assert f"{managing.namespace}/{managing.name}" in message
    assert "use the mode Existing" in message
    share.scene.quiet(since)
    share.scene.edit(s3={"mode": "Existing"})
    share.scene.ready()
    managing.delete()
    managing.gone()
    share.scene.stalled("EndpointNotFound")
    share.scene.delete()
    share.scene.gone()


def test_a_resource_is_not_a_guest_of_its_own_endpoint(scenes: Scenes) -> None:
    scene = scenes.make()
    scene.apply(scene.example(imageBuilder=None))
    scene.ready()
    made, since = scene.endpoint(S3), scene.cursor()
    scene.edit(s3={"mode": "Contribute", "endpointID": made.id, "routeTables": None, "policy": {"baseline": None}})
    assert f"{made.id} was made by this very resource" in scene.stalled("EndpointIsOurs")
    scene.quiet(since)
    scene.delete()
    scene.gone()
    assert scene.endpoints() == ()


# Changes of mind


def test_another_endpoint_gets_our_statements_before_the_old_one_loses_them(share: Share) -> None:
    ours = share.apply()
    old, table = share.id, share.scene.network.route_table_id
    share.owner.changes(old, RemoveRouteTableIds=[table])
    share.scene.stalled("BuildsNotRouted")
    shut = deny("Closed", "s3:GetObject", TOE)
    new = share.owner.gateway(document(*FOREIGN, shut))
    since = share.scene.cursor()
    share.scene.edit(s3={"endpointID": new})
    share.scene.stalled("ForeignDeny")
    share.until_it_has(ours, id_=new)
    share.scene.snapshots(3)
    assert share.has(ours, id_=old), "as long as the new one does not let builds through, the old one is kept"
    share.owner.edits_statements(new, [e for e in share.owner.statements(new) if e.get("Sid") != shut["Sid"]])
    share.until_it_is(FOREIGN_TEXTS, id_=old)
    resource = share.scene.ready()
    assert [each["id"] for each in resource["status"]["endpoints"]] == [new]
    assert share.has(ours, id_=new)
    modified = [call.parameters["VpcEndpointId"] for call in share.scene.writes(since)]
    assert modified == [new, old]
    share.scene.delete()
    share.scene.gone()
    assert share.texts(new) == FOREIGN_TEXTS


def test_from_managed_to_contribute_and_back_and_to_none_nothing_is_left_behind(scenes: Scenes) -> None:
    scene = scenes.make()
    owner, table = Owner(scene), scene.network.route_table_id
    share = Share(scene, owner, owner.gateway(document(), RouteTableIds=[scene.tables[0]]))
    scene.apply(scene.example())
    scene.ready()
    managed = next(each.id for each in scene.endpoints() if each.tags and each.service_name.endswith(".s3"))

    scene.edit(s3={"mode": "Contribute", "endpointID": share.id, "routeTables": None, "policy": {"baseline": None}})
    scene.stalled("BuildsNotRouted")
    eventually(lambda: managed not in {each.id for each in scene.endpoints()}, f"{managed} is gone")
    owner.changes(share.id, AddRouteTableIds=[table])
    scene.ready()
    assert share.has(share.mark)

    tables = {"ids": [table]}
    scene.edit(
        s3={"mode": "Managed", "endpointID": None, "routeTables": tables, "policy": {"baseline": "ImageBuilderOnly"}}
    )
    assert share.id in scene.stalled("RouteAlreadyExists")
    assert share.has(share.mark), "builds still pass where they passed"
    owner.changes(share.id, RemoveRouteTableIds=[table])
    share.until_it_is(FOREIGN_TEXTS)
    scene.ready()

    scene.edit(s3={"mode": "None", "routeTables": None, "policy": None})
    scene.ready()
    eventually(lambda: len(scene.endpoints()) == 2, "Image Builder's endpoint and the owner's are left")
    assert share.texts() == FOREIGN_TEXTS
    scene.delete()
    scene.gone()
    assert [each.id for each in scene.endpoints()] == [share.id]


def test_suspended_it_is_planned_and_not_written_and_not_taken_out(share: Share) -> None:
    since = share.scene.cursor()
    share.scene.apply(share.manifest(suspend=True))
    resource = share.scene.until(lambda found: condition(found, "Ready").get("reason") == "Suspended", "Suspended")
    assert [(each["role"], share.id in each["detail"]) for each in resource["status"]["plan"]] == [(S3, True)]
    share.scene.quiet(since)
    assert share.texts() == FOREIGN_TEXTS
    share.scene.edit(suspend=False)
    share.scene.ready()
    ours = share.mark
    assert share.has(ours)
    share.scene.edit(suspend=True)
    share.scene.until(lambda found: condition(found, "Ready").get("reason") == "Suspended", "Suspended")
    since = share.scene.cursor()
    share.scene.delete()
    share.scene.stalled("Suspended")
    share.scene.quiet(since)
    assert share.has(ours)
    share.scene.edit(suspend=False)
    share.scene.gone()
    assert share.texts() == FOREIGN_TEXTS


def test_retained_they_stay_and_it_is_said(share: Share) -> None:
    ours, before = share.apply(deletionPolicy="Retain"), share.texts()
    since = share.scene.cursor()
    share.scene.delete()
    share.scene.gone()
    assert share.texts() == before
    assert share.scene.writes(since) == ()
    assert "deletionPolicy is Retain" in share.scene.event("StatementsRetained", share.id)
    assert any(ours in text for text in before)


def test_an_endpoint_deleted_behind_our_back_is_told_and_holds_no_deletion(share: Share) -> None:
    share.apply()
    share.owner.deletes(share.id)
    assert f"{share.id} does not exist" in share.scene.stalled("EndpointNotFound")
    share.scene.delete()
    share.scene.gone()


# Interruptions: each starts the operator again


@pytest.fixture
def killed(share: Share) -> Iterator[Share]:
    """A share whose operator may be killed: it runs again afterwards."""
    yield share
    if not share.scene.operator.running:
        share.scene.operator.restart()


def kill_after_modify(share: Share) -> None:
    """Kill -9 once AWS has done what the next Modify of the endpoint asks, before its answer."""
    control = share.scene.stage.aws.control
    held = control.hold_answer("ModifyVpcEndpoint", parameters={"VpcEndpointId": share.id}, times=1)
    since = control.cursor() - 1
    control.wait_for_calls(since=since, action="ModifyVpcEndpoint", outcome="held")
    share.scene.operator.kill()
    control.remove_fault(held.id)


def test_killed_straight_after_putting_them_in_it_converges(killed: Share) -> None:
    killed.scene.apply(killed.manifest())
    kill_after_modify(killed)
    ours, since = killed.mark, killed.scene.cursor()
    assert killed.has(ours), "AWS did what was asked"
    killed.scene.operator.restart()
    killed.scene.ready()
    assert killed.has(ours)
    assert killed.foreign(ours) == FOREIGN_TEXTS
    assert killed.scene.writes(since) == (), "they are there already"
    killed.scene.delete()
    killed.scene.gone()
    assert killed.texts() == FOREIGN_TEXTS


def test_killed_straight_after_taking_them_out_it_ends_without_another_write(killed: Share) -> None:
    """They were shown before, and the status says so: that they are not any more proves them gone to any process."""
    killed.apply()
    killed.scene.delete()
    kill_after_modify(killed)
    assert killed.texts() == FOREIGN_TEXTS
    since = killed.scene.cursor()
    killed.scene.operator.restart()
    killed.scene.gone()
    assert killed.scene.writes(since) == ()
    assert killed.texts() == FOREIGN_TEXTS


def test_a_lost_answer_is_found_out_about(share: Share) -> None:
    control = share.scene.stage.aws.control
    control.lose_answer("ModifyVpcEndpoint", parameters={"VpcEndpointId": share.id}, times=1)
    ours = share.apply()
    assert share.has(ours)
    control.lose_answer("ModifyVpcEndpoint", parameters={"VpcEndpointId": share.id}, times=1)
    share.scene.delete()
    share.scene.gone()
    assert share.texts() == FOREIGN_TEXTS


def test_deleted_while_nobody_ran_they_are_taken_out_later(killed: Share) -> None:
    killed.apply()
    killed.scene.operator.kill()
    killed.scene.delete()
    resource = killed.scene.get()
    assert resource is not None
    assert not is_ready({**resource, "metadata": {**resource["metadata"], "generation": 0}})
    killed.scene.operator.restart()
    killed.scene.gone()
    assert killed.texts() == FOREIGN_TEXTS


def test_a_deny_never_comes_into_somebody_elses_policy(share: Share) -> None:
    before, since = share.texts(), share.scene.cursor()
    share.scene.apply(share.manifest(policy={"additionalStatements": [deny("Oops", "s3:*")]}))
    assert "Oops is a Deny" in share.scene.stalled("PolicyInvalid")
    assert share.scene.writes(since) == ()
    assert share.texts() == before


def test_statements_that_cannot_leave_when_the_mode_changes_are_told(share: Share) -> None:
    mark_ = share.apply()
    share.owner.edits_statements(
        share.id, [s for s in share.owner.statements(share.id) if s.get("Sid", "").startswith(mark_)]
    )
    left = share.texts()
    share.scene.apply(share.scene.example(s3={"mode": "None"}))
    share.scene.event("StatementsRetained", share.id)
    resource = share.scene.ready()
    assert f"Our statements stay in the policy of {share.id}" in condition(resource, "Ready")["message"]
    assert share.texts() == left
    share.scene.delete()
    share.scene.gone()
