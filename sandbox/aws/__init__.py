"""An AWS on this machine that answers like AWS: EC2 and STS over HTTP, VPC endpoints as the fact sheet has them."""

from sandbox.aws.control import Control
from sandbox.aws.faults import Fault
from sandbox.aws.messages import EndpointEdit
from sandbox.aws.server import AwsServer
from sandbox.aws.settings import LastError, Settings

__all__ = ["AwsServer", "Control", "EndpointEdit", "Fault", "LastError", "Settings"]
