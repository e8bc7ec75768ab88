"""What a proxy does to chosen requests: requests and actions as values, and the hooks that join them. No I/O."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Request:
    """A request as it came in; ``time`` is time.monotonic() then, ``query`` what follows the question mark."""

    time: float
    method: str
    path: str
    query: str
    user_agent: str
    content_type: str
    body: bytes = field(repr=False)

    @property
    def is_write(self) -> bool:
        """Whether it asks for a change (a dry run asks for none)."""
        return self.method in {"POST", "PUT", "PATCH", "DELETE"} and "dryRun" not in self.parameters

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The query, parsed."""
        return parse_qs(self.query, keep_blank_values=True)

    def json(self) -> Any:
        """The body, parsed; raises ValueError where it is not JSON (server-side apply sends YAML, often JSON too)."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Record:
    """A request and what came of it.

    ``status`` is the HTTP status it got (None: none), ``delivered`` whether the caller was given it.
    """

    request: Request
    status: int | None
    delivered: bool


@dataclass(frozen=True)
class Kill:
    """Let the API server execute the request, SIGKILL process ``pid`` before its answer is passed on, and drop that."""

    pid: int | Callable[[], int]


@dataclass(frozen=True)
class DropAnswer:
    """Let the API server execute the request, and close the connection instead of answering."""


@dataclass(frozen=True)
class Refuse:
    """Close the connection; the API server sees nothing. With ``drop_connections``, a network that is away."""


@dataclass(frozen=True)
class Hang:
    """Neither pass the request on nor answer, until the caller leaves or the hook is removed."""


@dataclass(frozen=True)
class Answer:
    """Answer a Kubernetes Status with this HTTP status instead; the API server sees nothing."""

    status: int
    message: str = "injected"
    retry_after_seconds: int | None = None


Action = Kill | DropAnswer | Refuse | Hang | Answer
Predicate = Callable[[Request], bool]


class Hook:
    """An action on the next ``times`` requests (None: on all) that ``predicate`` accepts."""

    def __init__(self, predicate: Predicate, action: Action, times: int | None) -> None:
        self.action = action
        self._predicate = predicate
        self._times = times
        self._claimed = 0
        self._done = threading.Semaphore(0)
        self.removed = threading.Event()

    @property
    def hits(self) -> int:
        """How many requests it has met."""
        return self._claimed

    def remove(self) -> None:
        """Meet no further request, and let go of those that hang."""
        self.removed.set()

    def wait(self, timeout: float) -> bool:
        """Wait until the action has been carried out once more (each call takes one); False after ``timeout`` s."""
        return self._done.acquire(timeout=timeout)

    def claim(self, request: Request) -> bool:
        """Whether the action is to be carried out on ``request``; counts it. For one thread at a time."""
        if self.removed.is_set() or self._claimed == self._times or not self._predicate(request):
            return False
        self._claimed += 1
        return True

    def carried_out(self) -> None:
        """Wake who waits."""
        self._done.release()


class Journal:
    """What one proxy has to do and what it has seen: hooks, records, errors. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hooks: list[Hook] = []
        self._records: list[Record] = []
        self._errors: list[BaseException] = []

    def add(self, hook: Hook) -> Hook:
        """Add ``hook`` after those that are there."""
        with self._lock:
            self._hooks.append(hook)
        return hook

    def claim(self, request: Request) -> Hook | None:
        """The oldest hook that has ``request``; None: it is to be passed on untouched. Raises what a predicate does."""
        with self._lock:
            self._hooks = [hook for hook in self._hooks if not hook.removed.is_set()]
            return next((hook for hook in self._hooks if hook.claim(request)), None)

    def remove_hooks(self) -> None:
        """Remove each hook."""
        for hook in self._hooks:
            hook.remove()

    @property
    def records(self) -> tuple[Record, ...]:
        """The records so far."""
        return tuple(self._records)

    def record(self, request: Request, status: int | None, *, delivered: bool) -> None:
        """Remember what came of ``request``; before an answer is passed on, so that who has it finds it here."""
        self._records.append(Record(request, status, delivered))

    def failed(self, error: BaseException) -> None:
        """Remember an error that is not the network's."""
        self._errors.append(error)

    def raise_first_error(self) -> None:
        """Raise the first error, when there is one."""
        if self._errors:
            raise self._errors[0]
