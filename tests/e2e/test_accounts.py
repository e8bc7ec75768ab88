"""Three accounts and three namespaces under one operator: who may work where, and what is never called."""

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from mypy_boto3_ec2 import EC2Client

from sandbox.aws.call_log import CallRecord
from sandbox.aws.network import make_network
from sandbox.aws.roles import SECRET
from sandbox.stage import OperatorProcess, Stage, condition
from tests.e2e.conftest import SNAPSHOT_SECONDS
from tests.e2e.scene import REGION, WRITES, Scene, eventually

pytestmark = pytest.mark.e2e

EXAMPLES = Path(__file__).parents[2] / "examples"
OWN, NETWORK, LAB = "100000000001", "111122223333", "444455556666"
OPERATORS, HANDS = "AKIAACCOUNTS", {OWN: "hands-of-own", NETWORK: "hands-of-network", LAB: "hands-of-lab"}
"""Access keys: the operator's own, and those of people in each account."""
CANARY = "external-id-canary"
MOVED = "777788889999"
NETWORK_ROLE, LAB_ROLE = f"arn:aws:iam::{NETWORK}:role/ibpe", f"arn:aws:iam::{LAB}:role/team/ibpe"


@dataclass
class Case(Scene):
    """A resource about a VPC of some account; people's hands are in that account."""

    account: str = NETWORK

    @property
    def ec2(self) -> EC2Client:
        return self.stage.aws.client("ec2", REGION, access_key=HANDS[self.account])

    def about(self, since: int) -> tuple[CallRecord, ...]:
        """Every call of the operator that names the VPC."""
        return tuple(
            call
            for call in self.stage.aws.control.calls(since=since)
            if self.network.vpc_id in call.parameters.values() and call.access_key not in HANDS.values()
        )

    def written(self, since: int) -> tuple[CallRecord, ...]:
        """Every write of the operator in the account."""
        calls = self.stage.aws.control.calls(since=since, account=self.account)
        return tuple(each for each in calls if each.action in WRITES and each.access_key not in HANDS.values())

    def hurry(self) -> None:
        """Have it looked at now."""
        self.annotate(reconcile_requested_at=uuid.uuid4().hex)


@dataclass
class Platform:
    """The operator, its accounts file, and what people ask of it."""

    stage: Stage
    operator: OperatorProcess
    file: Path
    granted: dict[str, Any]
    """What the file says at first."""
    a: str
    b: str
    p: str

    def case(self, namespace: str, account: str = NETWORK, **tags: str) -> Case:
        """A VPC of an account, and a name for a resource about it in a namespace."""
        ec2 = self.stage.aws.client("ec2", REGION, access_key=HANDS[account])
        network = make_network(ec2)
        if tags:
            ec2.create_tags(Resources=[network.vpc_id], Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
        return Case(self.stage, self.operator, network, namespace, f"i-{uuid.uuid4().hex[:8]}", (), account=account)

    def apply(self, case: Case, account: str | None = "network", **spec: Any) -> None:
        reference = {} if account is None else {"accountRef": {"name": account}}
        case.apply(case.example(**reference, **spec))

    def grant(self, granted: Any) -> None:
        """Start again with another file; the end before that is the hardest there is."""
        self.operator.kill()
        self.file.write_text(yaml.safe_dump(granted))
        self.operator.restart()

    def without(self, name: str) -> dict[str, Any]:
        """The file without grants of an account."""
        left = deepcopy(self.granted)
        for grant in left["grants"]:
            grant["accounts"] = [each for each in grant["accounts"] if each != name]
        left["grants"] = [grant for grant in left["grants"] if grant["accounts"]]
        return left


def file_of(names: dict[str, str]) -> dict[str, Any]:
    """The file that people copy, for namespaces of this run, with another external id, and a lab for two of them."""
    found: dict[str, Any] = yaml.safe_load((EXAMPLES / "configuration" / "accounts.yaml").read_text())
    for grant in found["grants"]:
        grant["namespaces"] = [names[each] for each in grant["namespaces"]]
    found["accounts"][0]["externalID"] = CANARY
    found["accounts"].append({"name": "lab", "accountID": LAB, "roleARN": LAB_ROLE, "externalID": f"{CANARY}-lab"})
    found["grants"].append({"namespaces": [names["team-b"]], "accounts": ["lab"]})
    return found


@pytest.fixture(scope="module")
def platform(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    run = uuid.uuid4().hex[:6]
    names = {each: f"e2e-accounts-{run}-{each}" for each in ("team-a", "team-b", "platform")}
    for name in names.values():
        stage.plane.kubectl("create", "namespace", name)
    control = stage.aws.control
    control.set_account(OPERATORS, OWN)
    for account, key in HANDS.items():
        control.set_account(key, account)
    control.put_role(NETWORK_ROLE, OWN, CANARY)
    control.put_role(LAB_ROLE, OWN, f"{CANARY}-lab")
    file, granted = tmp_path_factory.mktemp("accounts") / "accounts.yaml", file_of(names)
    file.write_text(yaml.safe_dump(granted))
    operator = stage.operator(
        AWS_ACCESS_KEY_ID=OPERATORS,
        IBPE_WATCH_NAMESPACES=",".join(names.values()),
        IBPE_ACCOUNTS_FILE=str(file),
        IBPE_SNAPSHOT_SECONDS=str(SNAPSHOT_SECONDS),
        IBPE_SNAPSHOT_FAST_SECONDS="0.3",
        IBPE_PREREQUISITES_SECONDS="2",
        IBPE_LOG_LEVEL="DEBUG",
    )
    yield Platform(stage, operator, file, granted, names["team-a"], names["team-b"], names["platform"])
    operator.stop()


def accounts_called(stage: Stage, since: int) -> set[tuple[str, str]]:
    """Account and service of every call of the operator."""
    calls = stage.aws.control.calls(since=since)
    return {(call.account, call.service) for call in calls if call.access_key not in HANDS.values()}


def test_two_teams_work_in_the_network_account_each_in_its_own_vpc(platform: Platform) -> None:
    a, b = platform.case(platform.a, team="a"), platform.case(platform.b, team="b")
    since = a.cursor()
    a.apply(from_the_example(a))
    platform.apply(b)
    for case in (a, b):
        resource = case.ready()
        assert resource["status"]["accountID"] == NETWORK
        assert {each.account for each in case.endpoints()} == {NETWORK}
        assert len(case.endpoints()) == 2
    assert accounts_called(platform.stage, since) == {(OWN, "sts"), (NETWORK, "sts"), (NETWORK, "ec2")}
    (assumed,) = platform.stage.aws.control.calls(since=since, action="AssumeRole")
    assert assumed.parameters["ExternalId"] == CANARY
    assert assumed.parameters["RoleSessionName"] == "ibpe-sandbox"
    assert assumed.parameters["DurationSeconds"] == "3600"
    a.delete()
    a.gone()
    assert not a.endpoints()


def from_the_example(case: Case) -> dict[str, Any]:
    """The resource that people copy, about this network."""
    network = case.network
    real = {
        "vpc": network.vpc_id,
        "subnet": network.subnet_ids[0],
        "sg": network.security_group_id,
        "rtb": network.route_table_id,
    }
    text = re.sub(
        r"\b(vpc|subnet|sg|rtb)-0123456789abcdef0",
        lambda id_: real[id_[1]],
        (EXAMPLES / "multi-account.yaml").read_text(),
    )
    found: dict[str, Any] = yaml.safe_load(text)
    found["metadata"].update(name=case.name, namespace=case.namespace)
    found["spec"]["builds"]["subnets"]["ids"] = list(network.subnet_ids)
    return found


def test_each_account_is_measured_by_its_id_and_none_twice(platform: Platform) -> None:
    own, network = platform.case(platform.p, OWN), platform.case(platform.p)
    platform.apply(own, None)
    platform.apply(network)
    assert own.ready()["status"]["accountID"] == OWN
    network.ready()
    ages = re.findall(
        r'^ibpe_snapshot_age_seconds\{account="(\d+)",region="us-west-2"\}', platform.operator.metrics(), re.MULTILINE
    )
    assert sorted(ages) == [OWN, NETWORK]


REFUSED = {
    "not granted": (
        "lab",
        {},
        "AccountNotAllowed",
        "may not use the account lab: make this resource anew with accountRef network",
    ),
    "unheard of": ("nowhere", {}, "AccountNotAllowed", "may not use the account nowhere: make this resource anew with"),
    "own account": (None, {}, "AccountNotAllowed", "may not use the operator's own account"),
    "region": ("network", {"region": "eu-north-1"}, "RegionNotAllowed", "may be used in us-west-2 only"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_namespace_may_not_use_is_refused_and_nothing_is_called(platform: Platform, name: str) -> None:
    account, spec, reason, words = REFUSED[name]
    case = platform.case(platform.a, team="a")
    since = case.cursor()
    platform.apply(case, account, **spec)
    message = case.stalled(reason)
    assert words in message
    assert "the platform team" in message
    assert "accounts file" in message
    case.hurry()
    case.until(lambda found: condition(found, "Stalled").get("reason") == reason, "still refused")
    assert case.about(since) == ()
    assert platform.stage.aws.control.calls(since=since, region="eu-north-1") == ()
    assert platform.stage.aws.control.calls(since=since, account=LAB) == ()
    assert LAB_ROLE not in roles_asked_for(platform, since)
    resource = case.get()
    assert resource is not None
    assert "finalizers" not in resource["metadata"], "it can be deleted without us"
    assert condition(resource, "ImageBuilderEndpointReady")["status"] == "Unknown"
    case.delete()
    case.gone()


def test_a_vpc_is_granted_by_its_tag_and_only_the_tag_is_read_before(platform: Platform) -> None:
    case = platform.case(platform.a)
    since = case.cursor()
    platform.apply(case)
    assert "does not carry the tag team=a" in case.stalled("VpcNotAllowed")
    assert {call.action for call in case.about(since)} == {"DescribeVpcs"}
    assert case.written(since) == ()
    case.ec2.create_tags(Resources=[case.network.vpc_id], Tags=[{"Key": "team", "Value": "a"}])
    case.hurry()
    case.ready()
    made, before = case.endpoints(), case.cursor()
    case.ec2.delete_tags(Resources=[case.network.vpc_id], Tags=[{"Key": "team"}])
    case.stalled("VpcNotAllowed")
    case.ec2.delete_tags(Resources=[made[0].id], Tags=[{"Key": "ibpe.dev/role"}])
    case.hurry()
    case.stage.aws.control.wait_for_calls(2, since=case.cursor(), action="DescribeVpcs", account=NETWORK)
    assert case.written(before) == (), "not even what was made is repaired"
    assert {each.id for each in case.endpoints()} == {each.id for each in made}
    case.ec2.create_tags(Resources=[case.network.vpc_id], Tags=[{"Key": "team", "Value": "a"}])
    case.hurry()
    case.ready()
    case.settled(
        lambda it: "ibpe.dev/role" in it.tags, "s3" if made[0].type == "Gateway" else "imagebuilder", "repaired"
    )


def test_who_may_not_use_a_vpc_keeps_nobody_off_it(platform: Platform) -> None:
    case = platform.case(platform.a, team="a")
    rival = Case(platform.stage, platform.operator, case.network, platform.b, f"{case.name}-rival", (), account=NETWORK)
    platform.apply(rival)
    rival.stalled("VpcNotAllowed")
    platform.apply(case)
    case.ready()


def test_access_that_is_withdrawn_or_moved_stops_everything_until_it_is_given_back(platform: Platform) -> None:
    ready, leaving, abandoned = (platform.case(platform.b, LAB) for _ in range(3))
    for case in (ready, leaving, abandoned):
        platform.apply(case, "lab")
    made = {case.name: {each.id for each in case.endpoints()} for case in (ready, leaving, abandoned) if case.ready()}
    platform.operator.kill()
    since = ready.cursor()
    platform.grant(platform.without("lab"))
    assert "may not use the account lab" in ready.stalled("AccountNotAllowed")
    leaving.delete()
    told = held(leaving, "AccountNotAllowed")
    assert "ask the platform team to grant lab" in told
    assert f'ibpe.dev/abandon: "{LAB}"' in told
    leaving.event("DeletionBlocked", "lab")
    abandoned.delete()
    abandoned.annotate(abandon=LAB)
    abandoned.gone()
    platform.grant(moved(platform.granted))
    assert f"endpoints are in account {LAB}, and the account lab is {MOVED} now" in ready.stalled("AccountMismatch")
    held(leaving, "AccountMismatch")
    assert not {LAB, MOVED} & {account for account, _ in accounts_called(platform.stage, since)}, "nothing is called"
    assert roles_asked_for(platform, since) <= {NETWORK_ROLE}
    assert {case.name: {each.id for each in case.endpoints()} for case in (ready, leaving, abandoned)} == made
    platform.grant(platform.granted)
    leaving.gone()
    assert not leaving.endpoints()
    ready.ready()


def moved(granted: dict[str, Any]) -> dict[str, Any]:
    """The file in which the lab is another account."""
    left = deepcopy(granted)
    (entry,) = [entry for entry in left["accounts"] if entry["name"] == "lab"]
    entry.update(accountID=MOVED, roleARN=LAB_ROLE.replace(LAB, MOVED))
    return left


def held(case: Case, reason: str) -> str:
    """What Stalled says of a deletion, once it is held for this reason."""

    def right(found: dict[str, Any] | None) -> bool:
        told = condition(found, "Stalled")
        return told.get("reason") == reason and told["message"].startswith("Deletion waits")

    message: str = condition(case.until(right, f"held for {reason}"), "Stalled")["message"]
    return message


def roles_asked_for(platform: Platform, since: int) -> set[str]:
    calls = platform.stage.aws.control.calls(since=since, action="AssumeRole")
    return {call.parameters["RoleArn"] for call in calls}


def test_a_role_that_is_denied_or_acts_elsewhere_stops_its_own_account_alone(platform: Platform) -> None:
    control = platform.stage.aws.control
    broken, fine = platform.case(platform.b, LAB), platform.case(platform.p)
    platform.apply(fine)
    fine.ready()
    platform.operator.kill()  # without the session that it has
    control.put_role(LAB_ROLE, OWN, "another external id")
    since = broken.cursor()
    platform.grant(platform.granted)
    platform.apply(broken, "lab")
    told = stalled_for(broken, "AccessDenied")
    assert LAB_ROLE in told
    assert "trust policy" in told
    endpoint = fine.endpoint("s3")
    fine.ec2.delete_tags(Resources=[endpoint.id], Tags=[{"Key": "ibpe.dev/role"}])
    fine.settled(lambda it: "ibpe.dev/role" in it.tags, "s3", "repaired while the other account is denied")
    control.put_role(LAB_ROLE, OWN, f"{CANARY}-lab", acts_in="666677778888")
    assert "666677778888" in stalled_for(broken, "AccountMismatch")
    assert not {"666677778888", LAB} & {account for account, _ in accounts_called(platform.stage, since)}
    control.put_role(LAB_ROLE, OWN, f"{CANARY}-lab")
    eventually(lambda: looked_at(broken, "Ready")["status"] == "True", "Ready once it trusts again", explain=broken.get)


def stalled_for(case: Case, reason: str) -> str:
    """What Stalled says, once it is True for this reason."""

    def look() -> str:
        told = looked_at(case, "Stalled")
        return str(told["message"]) if (told["status"], told["reason"]) == ("True", reason) else ""

    return eventually(look, f"Stalled {reason}", explain=case.get)


def looked_at(case: Case, type_: str) -> dict[str, Any]:
    """A condition, with the next look asked for."""
    case.hurry()
    return {"status": "", "reason": "", **condition(case.get(), type_)}


def test_a_session_that_ran_out_is_renewed_and_nobody_notices(platform: Platform) -> None:
    case = platform.case(platform.p)
    platform.apply(case)
    case.ready()
    control, since = platform.stage.aws.control, case.cursor()
    control.advance_clock(3601)

    def renewed() -> bool:
        assumed = control.calls(since=since, action="AssumeRole")
        return any(call.parameters["RoleArn"] == NETWORK_ROLE and call.account == OWN for call in assumed)

    eventually(renewed, "another session")
    refused = {call.error_code for call in control.calls(since=since, account=NETWORK)}
    assert refused & {"RequestExpired", "ExpiredToken"}, "it was the clock, not the SDK's foresight"
    case.edit(tags={"after": "renewal"})
    case.settled(lambda it: it.tags.get("after") == "renewal", "s3", "edited after the renewal")
    case.ready()
    assert "Refused" not in {reason for reason, _ in case.events()}


def test_a_file_that_is_not_valid_ends_the_start_with_one_sentence(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    file.write_text(yaml.safe_dump({**platform.granted, "grant": []}))
    operator = platform.stage.operator(IBPE_ACCOUNTS_FILE=str(file))
    assert operator.wait_for_exit() == 1
    (line,) = [each for each in map(json.loads, operator.log().splitlines()) if each["level"] == "critical"]
    assert line["message"] == (
        f"The accounts file {file} is not valid: grant: there is no such field, did you mean grants?"
    )
    assert CANARY not in operator.log()


def test_nothing_that_is_secret_is_shown_anywhere(platform: Platform) -> None:
    """After everything above, refusals and failures included, with the most talkative log."""
    kinds = ("imagebuilderprivateendpoints.ibpe.dev", "events.events.k8s.io")
    shown: Sequence[str] = (
        platform.operator.log(),
        platform.operator.metrics(),
        *(
            platform.stage.plane.kubectl("get", kind, "-n", namespace, "-o", "yaml").stdout
            for kind in kinds
            for namespace in (platform.a, platform.b, platform.p)
        ),
    )
    assert "AssumeRole" in shown[0], "there was something to tell"
    for text in shown:
        assert CANARY not in text
        assert SECRET not in text
