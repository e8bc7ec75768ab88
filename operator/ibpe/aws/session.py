"""SDK clients, one a service and region, shared by threads, and every call through them: timed, observed, classified.

Knows credentials: it loads them anew when AWS no longer takes those in use. Knows no operation of EC2, and not where
credentials come from.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, Credentials

from ibpe import __version__
from ibpe.aws.errors import AwsError, ErrorClass, classify
from ibpe.aws.failures import SDK_FAILURES, error_from
from ibpe.aws.observer import Observer, Unobserved
from ibpe.aws.sdk_model import EC2_OPERATIONS, narrow

if TYPE_CHECKING:
    # Types only: the stubs are no dependency of the product.
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_sts import STSClient

Answer = TypeVar("Answer", bound=Mapping[str, object])

RENEW_SECONDS: Final = 30.0
"""At least so long between two loads of credentials: each may call STS or the node's metadata service."""
_RENEWABLE: Final = frozenset({"ClockSkew", "CredentialsExpired", "CredentialsInvalid", "NoCredentials"})
"""EC2 says RequestExpired of a session's credentials too when they have run out (aws-sdk-ruby#143)."""
_PASSES_WHEN_RENEWED: Final = frozenset({"ClockSkew", "CredentialsExpired", "NoCredentials"})
_NOT_THE_REGIONS: Final = frozenset({"ok", "AccessDenied"})
"""What STS may answer without its region being to blame."""
_FALLBACK_REGION: Final = "us-east-1"


@dataclass(frozen=True)
class SessionSettings:
    """How to call AWS. Timeouts in seconds; `connections` is the pool of each client: at least one a worker."""

    cluster: str
    connections: int
    connect_timeout: float = 5.0
    read_timeout: float = 15.0

    def config(self) -> Config:
        """One attempt only: the SDK's own retries would hide throttling and break every bound on time."""
        return Config(
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=self.connections,
            user_agent_extra=f"ibpe/{__version__} cluster/{self.cluster}",
            tcp_keepalive=True,
        )


class Source(Protocol):
    """Where a session's credentials come from."""

    def credentials(self) -> Credentials | None:
        """New ones, which may renew themselves. None: those that the SDK's own chain finds."""

    def work_in(self, region: str) -> None:
        """The credentials are for this region."""


class _Given(CredentialProvider):
    """Credentials that are there already, for the SDK's chain."""

    METHOD = "given"

    def __init__(self, given: Credentials) -> None:
        super().__init__()
        self._given = given

    def load(self) -> Credentials:
        """They."""
        return self._given


class OwnCredentials(Source):
    """Those of the process itself."""

    def credentials(self) -> None:
        """The SDK's own chain knows them."""

    def work_in(self, region: str) -> None:
        """The chain asks nobody for a region."""


class Session:
    """Thread-safe access to AWS under one set of credentials.

    `account`: that which they must be of, where known. `permit` stands before every write to EC2: it returns only where
    one may be sent.
    """

    def __init__(
        self,
        settings: SessionSettings,
        observer: Observer | None = None,
        *,
        source: Source | None = None,
        account: str = "",
        permit: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._permit = permit
        self._observer: Observer = observer or Unobserved()
        self._source: Source = source or OwnCredentials()
        self._clock = clock
        self._lock = threading.RLock()
        self._boto: boto3.Session | None = None
        self._credentials: tuple[str, ...] = ()
        self._generation = 0
        self._renew_after = float("-inf")
        self._ec2: dict[str, EC2Client] = {}
        self._sts: dict[str, STSClient] = {}
        self._regions: set[str] = set()
        self._refused_at: dict[str, float] = {}
        self.account = account
        """The account that GetCallerIdentity named last; before it did, the one that was given."""

    def ec2(self, region: str) -> "EC2Client":
        """The client of a region; made on first use (botocore's session is not thread-safe, its clients are)."""
        with self._lock:
            if region not in self._ec2:
                self._ec2[region] = self._session().client("ec2", region_name=region)
            return self._ec2[region]

    def sts(self, region: str) -> "STSClient":
        """As `ec2`."""
        with self._lock:
            if region not in self._sts:
                self._sts[region] = self._session().client("sts", region_name=region)
            return self._sts[region]

    def default_region(self) -> str:
        """The region to ask STS in: the SDK's own setting, else one that is worked in (so that the partition fits).

        Of several it is one in which STS has not failed, else the one where that is longest ago: the name of a region
        that does not exist must not keep us from the others.
        """
        configured = os.environ.get("AWS_REGION") or _region_of_the_sdk()
        with self._lock:
            return configured or min(
                self._regions,
                key=lambda region: (self._refused_at.get(region, float("-inf")), region),
                default=_FALLBACK_REGION,
            )

    def work_in(self, region: str) -> None:
        """The region will be worked in; nothing is called."""
        with self._lock:
            self._regions.add(region)
        self._source.work_in(region)

    def ask(self, service: str, operation: str, region: str, call: Callable[[], Answer], *, about: str = "") -> Answer:
        """Make one call; returns what AWS answered. Raises AwsError alone.

        `about` is the account that the observer is told, where it is another than the one that the call is made in.
        `call` gets its client from this session each time, so that renewed credentials are used. An answer without a
        request id is none of AWS's, whatever its status: botocore reads a login page as an empty list.
        """
        started, generation = self._clock(), self._generation
        try:
            answer = call()
            if not request_id_of(answer):
                raise classify(operation, "NotAnAwsAnswer", "The answer has no request id.", http_status=200)
        except AwsError as refused:
            if refused.operation == operation:  # else it was never sent: the credentials for it were refused
                self._observe(service, operation, region, refused.code, started, about)
            raise
        except SDK_FAILURES as failure:
            error = self._after_renewal(error_from(operation, failure), generation)
            self._observe(service, operation, region, error.code, started, about)
            if error.throttled:
                account = about or self.account
                self._observer.throttled(service=service, operation=operation, account=account, region=region)
            raise error from failure
        self._observe(service, operation, region, "ok", started, about)
        return answer

    def _observe(self, service: str, operation: str, region: str, code: str, started: float, about: str) -> None:
        seconds = self._clock() - started
        if service == "sts":
            with self._lock:
                self._refused_at.pop(region, None)
                if code not in _NOT_THE_REGIONS:
                    self._refused_at[region] = self._clock()
        account = about or self.account
        self._observer.called(
            service=service, operation=operation, code=code, account=account, region=region, seconds=seconds
        )

    def _session(self) -> boto3.Session:
        if self._boto is None:
            self._boto, self._credentials = self._load()
        return self._boto

    def _load(self) -> tuple[boto3.Session, tuple[str, ...]]:
        core, given = botocore.session.Session(), self._source.credentials()
        if given is not None:
            core.register_component("credential_provider", CredentialResolver([_Given(given)]))
        core.register("before-send.ec2", self._fence)
        session = boto3.Session(botocore_session=core)
        # The SDK's own calls, as AssumeRoleWithWebIdentity, keep to our timeouts too.
        session._session.set_default_client_config(self._settings.config())  # noqa: SLF001 -- boto3 has no public way
        loader = session._session.get_component("data_loader")  # noqa: SLF001 -- as above
        narrow(loader.load_service_model("ec2", "service-2", api_version=None), EC2_OPERATIONS)
        credentials = session.get_credentials()
        frozen = credentials.get_frozen_credentials() if credentials else None
        return session, tuple(str(part) for part in frozen) if frozen else ()

    def _fence(self, **event: Any) -> None:
        """The SDK's event `before-send.ec2.<operation>`: the request is signed, and nothing is left but to send it."""
        if not str(event["event_name"]).rpartition(".")[2].startswith("Describe"):
            self._permit()

    def _after_renewal(self, error: AwsError, generation: int) -> AwsError:
        """The same error; one that other credentials cure is tried again, when loading them anew gave others."""
        try:
            if error.reason in _RENEWABLE and self._renew(generation) and error.reason in _PASSES_WHEN_RENEWED:
                error.error_class = ErrorClass.RETRY
        except AwsError as refused:
            return refused
        return error

    def _renew(self, generation: int) -> bool:
        """Load the credentials anew. Returns whether they are other than those that `generation` had.

        Raises AwsError where they are a role's and it is refused: what it gave before is no longer used then.
        """
        with self._lock:
            if self._generation != generation:
                return True
            if self._clock() < self._renew_after:
                return False
            self._renew_after = self._clock() + RENEW_SECONDS
            try:
                session, credentials = self._load()
            except AwsError:
                self._use(None, ())
                raise
            except SDK_FAILURES:
                return False
            if credentials == self._credentials:
                return False
            self._use(session, credentials)
            return True

    def _use(self, session: boto3.Session | None, credentials: tuple[str, ...]) -> None:
        self._boto, self._credentials = session, credentials
        self._ec2.clear()
        self._sts.clear()
        self._generation += 1


def _region_of_the_sdk() -> str:
    """AWS_DEFAULT_REGION, else the profile's region, else "". What is wrong with a profile shows in the call itself."""
    try:
        return str(botocore.session.Session().get_config_variable("region") or "")
    except SDK_FAILURES:
        return ""


def request_id_of(answer: Mapping[str, object]) -> str:
    """The request id of an answer, out of its body or its headers; "" where there is none."""
    metadata = answer.get("ResponseMetadata")
    if not isinstance(metadata, Mapping):
        return ""
    return str(metadata.get("RequestId") or metadata.get("HTTPHeaders", {}).get("x-amzn-requestid") or "")
