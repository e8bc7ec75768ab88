"""One request to the API server: bounded in time, tried once, its failure in our own words. Knows no resource."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

import urllib3
from kubernetes import client, config

from ibpe.reconcile.ports import KubernetesUnavailable, WriteConflict

Json = dict[str, Any]
"""A decoded answer; it is turned into our own types before it leaves this package."""

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 10.0

APPLY: Final = "application/apply-patch+yaml"
JSON_PATCH: Final = "application/json-patch+json"
JSON: Final = "application/json"

UNKNOWN_FIELD: Final = "field not declared in schema"
"""structured-merge-diff, typed: what it says of a field that the schema lacks."""

Method = Literal["GET", "POST", "PATCH", "DELETE"]


class NotFound(WriteConflict):
    """404 for one object: it is gone."""


class KindNotInstalled(KubernetesUnavailable):
    """404 for the whole kind: the CRD is not there."""


class Unauthenticated(KubernetesUnavailable):
    """401: the credentials are wrong or have expired."""


class Forbidden(KubernetesUnavailable):
    """403: RBAC, admission or a terminating namespace refuses."""


class Unreachable(KubernetesUnavailable):
    """No answer: refused, timed out, broken off, TLS."""


class WriteRefused(KubernetesUnavailable):
    """422 or 400: the API server understood and refuses what we wrote. Always a defect or a CRD of another version.

    So is the 500 that a field gets which the CRD doesn't have, in a server-side apply.
    """


@dataclass(frozen=True)
class Connection:
    """A connection pool with its time limits, safe to share between threads."""

    api: Any
    connect_seconds: float = CONNECT_SECONDS
    read_seconds: float = READ_SECONDS
    permit: Callable[[], None] = lambda: None
    """Stands before every write: it returns only where one may be made."""

    @classmethod
    def to(
        cls, configuration: Any, *, user_agent: str, pool_size: int = 8, permit: Callable[[], None] = lambda: None
    ) -> "Connection":
        """A pool for `configuration` (kube.connect). The user agent shows in the API server's audit log."""
        configuration.connection_pool_maxsize = pool_size
        api = client.ApiClient(configuration)
        api.user_agent = user_agent
        return cls(api, permit=permit)

    @property
    def host(self) -> str:
        """The API server's address."""
        return str(self.api.configuration.host)

    def call(
        self,
        method: Method,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
        content_type: str = JSON,
        read_seconds: float | None = None,
    ) -> Json:
        """The decoded answer to one request. Raises WriteConflict or KubernetesUnavailable, mostly a subclass."""
        if method != "GET":
            self.permit()
        timeout = (self.connect_seconds, read_seconds or self.read_seconds)
        try:
            request = self.api.param_serialize(
                method,
                path,
                query_params=list((query or {}).items()),
                header_params={"Accept": JSON, "Content-Type": content_type} if body is not None else {"Accept": JSON},
                body=body,
                auth_settings=["BearerToken"],
            )
            answer = self.api.call_api(*request, _request_timeout=timeout)
            content = answer.read()
        except (urllib3.exceptions.HTTPError, client.ApiException, OSError) as failure:
            raise Unreachable(f"{self.host} does not answer {method} {path}: {failure}") from failure
        except config.ConfigException as failure:
            raise Unauthenticated(f"No credentials for {self.host}: {failure}") from failure
        if answer.status < HTTPStatus.BAD_REQUEST:
            return _decoded(content, f"{method} {path}")
        raise refusal(answer.status, content, f"{method} {path}")


def _decoded(content: bytes, what: str) -> Json:
    try:
        answer = json.loads(content)
    except ValueError as garbled:
        raise Unreachable(f"{what} was answered with something that is not JSON") from garbled
    if not isinstance(answer, dict):
        raise Unreachable(f"{what} was answered with JSON that is not an object")
    return answer


def refusal(status: int, content: bytes, what: str) -> WriteConflict | KubernetesUnavailable:
    """The exception for an answer of 400 and above; `content` is a metav1.Status, or whatever a proxy sends."""
    try:
        told = json.loads(content)
        message = str(told["message"])
    except (ValueError, KeyError, TypeError):
        told, message = {}, content[:500].decode(errors="replace").strip()
    text = f"{what} was answered with {status}: {message}"
    match status:
        case HTTPStatus.CONFLICT:
            return WriteConflict(text)
        case HTTPStatus.NOT_FOUND:
            # A metav1.Status names the object that is missing; for a missing kind the API server sends plain text.
            return NotFound(text) if (told.get("details") or {}).get("name") else KindNotInstalled(text)
        case HTTPStatus.UNAUTHORIZED:
            return Unauthenticated(text)
        case HTTPStatus.FORBIDDEN:
            return Forbidden(text)
        case HTTPStatus.UNPROCESSABLE_ENTITY | HTTPStatus.BAD_REQUEST:
            return WriteRefused(text)
        case HTTPStatus.INTERNAL_SERVER_ERROR if UNKNOWN_FIELD in message:
            return WriteRefused(f"{text}: the CRD is older than this operator; apply its own, or upgrade the chart")
        case _:
            return KubernetesUnavailable(text)
