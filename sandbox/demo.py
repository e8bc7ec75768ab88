"""The whole story on this machine: make, drift, repair, delete. Every step is checked; the exit code tells."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import yaml
from mypy_boto3_ec2 import EC2Client
from mypy_boto3_ec2.type_defs import VpcEndpointTypeDef

from sandbox.aws import AwsServer
from sandbox.aws.network import Network, make_network
from sandbox.intruder import OPEN_POLICY
from sandbox.kube import ControlPlane
from sandbox.kube.progress import to_stderr
from sandbox.stage import REPOSITORY, RESOURCE, OperatorProcess, Stage, condition, endpoint_ids

REGION: Final = "us-west-2"
NAME: Final = "images"
EXAMPLE: Final = REPOSITORY / "examples" / "minimal.yaml"
PATIENCE_SECONDS: Final = 40.0
POLL_SECONDS: Final = 0.2
LINE: Final = 160
"""Characters of an event's note that are shown."""


class DemoFailed(Exception):  # noqa: N818 -- how the story ended
    """A step did not come true in time."""


class Story:
    """One run of the demo: a stage, a VPC, and the clock."""

    def __init__(self, stage: Stage, operator: OperatorProcess, network: Network, ec2: EC2Client) -> None:
        self.stage = stage
        self.operator = operator
        self.network = network
        self.ec2 = ec2

    def tell(self) -> None:
        """Every chapter, in order."""
        self.make()
        self.intrude("removes a security group from the interface endpoint", self.swap_group, self.group_is_back)
        self.intrude("opens the S3 endpoint's policy to everything", self.widen_policy, self.policy_is_narrow)
        self.intrude("deletes the interface endpoint", self.delete_interface, self.interface_is_new)
        self.delete()

    def make(self) -> None:
        """Apply an example and wait until it is Ready."""
        say(f"kubectl apply -f {EXAMPLE.relative_to(REPOSITORY)}   (with this VPC's ids)")
        self.stage.apply(example(self.network))
        seconds = self.until("Ready", self.is_ready)
        self.table()
        done(f"The VPC can run Image Builder privately, {seconds:.1f} s after the apply.")
        for endpoint in self.endpoints():
            print(f"    {endpoint['VpcEndpointId']}  {endpoint['State']:9}  {endpoint['ServiceName']}")

    def intrude(self, what: str, act: Callable[[], None], repaired: Callable[[], bool]) -> None:
        """Change something behind the operator's back, and wait until it is as it was."""
        say(f"Somebody {what}.")
        known = len(self.drift_notes())
        act()
        seconds = self.until(f"repaired ({what})", repaired)
        self.until("Ready again", self.is_ready)
        done(f"Repaired {seconds:.1f} s after the intrusion. What the operator said of it:")
        for note in self.drift_notes()[known:]:
            print(f"    {note}")

    def delete(self) -> None:
        """Delete the resource and see AWS empty."""
        say(f"kubectl delete ibpe {NAME}")
        self.stage.delete(NAME)
        seconds = self.until("gone", lambda: self.stage.get(NAME) is None)
        left = self.endpoints()
        if left:
            raise DemoFailed(f"AWS still holds {', '.join(e['VpcEndpointId'] for e in left)}")
        done(f"Gone from Kubernetes after {seconds:.1f} s, once AWS showed nothing left.")

    def until(self, what: str, true: Callable[[], bool]) -> float:
        """Seconds until it is true."""
        began = time.monotonic()
        while not true():
            if not self.operator.running:
                raise DemoFailed(f"the operator ended by itself:\n{self.operator.log()[-2000:]}")
            if time.monotonic() - began > PATIENCE_SECONDS:
                status = json.dumps((self.stage.get(NAME) or {}).get("status"), indent=1)
                raise DemoFailed(f"not {what} within {PATIENCE_SECONDS:.0f} s; status: {status}")
            time.sleep(POLL_SECONDS)
        return time.monotonic() - began

    def table(self) -> None:
        """What `kubectl get` shows."""
        shown = self.stage.plane.kubectl("get", RESOURCE, NAME).stdout.rstrip()
        print("\n".join(f"    {line}" for line in shown.splitlines()), flush=True)

    def drift_notes(self) -> list[str]:
        """The events about drift, oldest first, each in a line."""
        shown = self.stage.plane.kubectl("get", "events.events.k8s.io", "-o", "json", "--sort-by=.eventTime").stdout
        return [_line(event["note"]) for event in json.loads(shown)["items"] if event["reason"] == "DriftDetected"]

    def endpoints(self) -> list[VpcEndpointTypeDef]:
        """The endpoints that AWS shows, without those that are only listed as deleted."""
        shown = self.ec2.describe_vpc_endpoints()["VpcEndpoints"]
        return [endpoint for endpoint in shown if endpoint["State"].lower() != "deleted"]

    def is_ready(self) -> bool:
        """Whether the resource says so."""
        resource = self.stage.get(NAME)
        return (
            condition(resource, "Ready").get("status") == "True"
            and condition(resource, "Reconciling").get("status") == "False"
        )

    def id_of(self, role: str) -> str:
        """The endpoint that the status names now."""
        return endpoint_ids(self.stage.get(NAME) or {"status": {}}).get(role, "")

    def shown(self, role: str) -> VpcEndpointTypeDef:
        """The endpoint as AWS shows it now."""
        return self.ec2.describe_vpc_endpoints(VpcEndpointIds=[self.id_of(role)])["VpcEndpoints"][0]

    def swap_group(self) -> None:
        """The intruder's first deed."""
        self.ec2.modify_vpc_endpoint(
            VpcEndpointId=self.id_of("imagebuilder"),
            AddSecurityGroupIds=[self.network.other_security_group_id],
            RemoveSecurityGroupIds=[self.network.security_group_id],
        )

    def group_is_back(self) -> bool:
        """Exactly the group of the spec."""
        groups = [group["GroupId"] for group in self.shown("imagebuilder")["Groups"]]
        return groups == [self.network.security_group_id]

    def widen_policy(self) -> None:
        """The second."""
        self.ec2.modify_vpc_endpoint(VpcEndpointId=self.id_of("s3"), PolicyDocument=json.dumps(OPEN_POLICY))

    def policy_is_narrow(self) -> bool:
        """Only Image Builder's buckets again."""
        statements = json.loads(self.shown("s3")["PolicyDocument"])["Statement"]
        return all("s3:GetObject" in str(statement["Action"]) for statement in statements)

    def delete_interface(self) -> None:
        """The third."""
        self._deleted = self.id_of("imagebuilder")
        self.ec2.delete_vpc_endpoints(VpcEndpointIds=[self._deleted])

    def interface_is_new(self) -> bool:
        """Another endpoint, available."""
        new = self.id_of("imagebuilder")
        return new not in {"", self._deleted} and self.shown("imagebuilder")["State"].lower() == "available"


def example(network: Network) -> dict[str, Any]:
    """The minimal example with the ids of this VPC."""
    resource: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    spec = resource["spec"]
    spec.update(region=REGION, vpcID=network.vpc_id)
    spec["builds"]["subnets"]["ids"] = list(network.subnet_ids)
    spec["imageBuilder"]["subnets"]["ids"] = list(network.subnet_ids)
    spec["imageBuilder"]["securityGroups"]["ids"] = [network.security_group_id]
    spec["s3"]["routeTables"]["ids"] = [network.route_table_id]
    return resource


@contextmanager
def booted() -> Iterator[Story]:
    """Both sandboxes, the operator as its own process, and a VPC; all of it gone afterwards."""
    with ExitStack() as stack:
        say("Booting etcd and kube-apiserver, and an AWS that answers like AWS, on this machine")
        plane = stack.enter_context(ControlPlane(report=to_stderr))
        aws = stack.enter_context(AwsServer())
        ec2 = aws.client("ec2", REGION)
        network = make_network(ec2)
        done(f"Kubernetes at {plane.url}, AWS at {aws.url}, with {network.vpc_id}.")
        say(
            "Installing the CRD and starting the operator: ibpe run\n"
            "  (it looks at AWS every 2 s here, every 0.5 s while something changes; 60 s and 5 s by default)"
        )
        stage = stack.enter_context(Stage(plane, aws))
        yield Story(stage, stage.operator(), network, ec2)


def keep(story: Story) -> None:
    """Leave everything running for a person until Ctrl-C."""
    story.stage.apply(example(story.network))
    story.until("Ready", story.is_ready)
    programs = f"{story.stage.plane.kubectl_path.parent}:{Path(sys.executable).parent}"
    print(
        f"\nEverything keeps running, with {NAME} applied once more; Ctrl-C ends it. In another terminal:\n\n"
        f"  export PATH={programs}:$PATH KUBECONFIG={story.stage.plane.kubeconfig}\n"
        f"  export AWS_ENDPOINT_URL={story.stage.aws.url} AWS_DEFAULT_REGION={REGION}"
        f" AWS_ACCESS_KEY_ID=you AWS_SECRET_ACCESS_KEY=any\n\n"
        f"  kubectl get ibpe -w\n"
        f"  kubectl describe ibpe {NAME}\n"
        f"  ibpe status {NAME}\n\n"
        f"Play the intruder yourself, with the AWS CLI or any other client:\n\n"
        f"  aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {story.id_of('imagebuilder')}\n"
        f"  python -c \"import boto3; boto3.client('ec2').delete_vpc_endpoints("
        f"VpcEndpointIds=['{story.id_of('imagebuilder')}'])\"\n",
        flush=True,
    )
    signal.pause()


def _line(text: str) -> str:
    return text if len(text) <= LINE else f"{text[: LINE - 1]}…"


def say(what: str) -> None:
    """Begin a step."""
    print(f"\n▸ {what}", flush=True)


def done(what: str) -> None:
    """End a step."""
    print(f"  ✓ {what}", flush=True)


def main() -> int:
    """0 when every step came true, 1 when one did not, 130 after Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    try:
        with booted() as story:
            story.tell()
            print(f"\nThe whole story took {time.monotonic() - began:.0f} s.", flush=True)
            if os.environ.get("KEEP"):
                keep(story)
    except DemoFailed as failed:
        print(f"\n✗ {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nEnded.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
