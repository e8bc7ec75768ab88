"""Reading our resources from the cluster for a person: as whom, from which namespace, and what to do when it fails."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from kubernetes import config

from ibpe import __version__
from ibpe.api.names import GROUP, KIND, PLURAL, SHORT_NAME
from ibpe.cli.faults import Fault
from ibpe.kube.calls import Connection, Forbidden, KindNotInstalled, Unauthenticated, Unreachable
from ibpe.kube.connect import NoCluster, configuration
from ibpe.kube.resources import KubernetesResources
from ibpe.reconcile.ports import Key, KubernetesUnavailable, Resource

DEFAULT_NAMESPACE: Final = "default"


class _Reader:
    """Nothing is written from here, so there is nothing to observe."""

    def write_problem(self, problem: str) -> None:
        raise AssertionError(f"a reader wrote: {problem}")


@dataclass(frozen=True)
class Cluster:
    """Our resources in the cluster of the kubeconfig. Every method raises Fault and nothing else."""

    resources: KubernetesResources
    namespace: str
    """The namespace of the kubeconfig's context."""

    @classmethod
    def connect(cls, context: str | None = None) -> "Cluster":
        """The cluster that kubectl would take."""
        with _told("reach the cluster"):
            connection = Connection.to(configuration(context), user_agent=f"ibpe-cli/{__version__}")
            return cls(KubernetesResources(connection, _Reader()), _namespace_of(context))

    def one(self, key: Key) -> Resource:
        """The resource; when there is none, the Fault names those that may be meant."""
        with _told(f"read {SHORT_NAME} {key.name} in namespace {key.namespace}"):
            found = self.resources.get(key)
            if found is None:
                raise Fault(self._missing(key))
            return found

    def many(self, namespace: str | None) -> list[Resource]:
        """All of a namespace, or of the cluster (None), by namespace and name."""
        where = f"in namespace {namespace}" if namespace else "in all namespaces"
        with _told(f"list {PLURAL} {where}"):
            return sorted(self.resources.list_all((namespace,) if namespace else ()), key=lambda found: found.key)

    def holding_finalizers(self, namespaces: tuple[str, ...]) -> list[Key]:
        """Those of these namespaces (none: of the cluster) that carry our finalizer; none where the CRD isn't there."""
        where = f"in namespaces {', '.join(namespaces)}" if namespaces else "in all namespaces"
        with _told(f"list {PLURAL} {where}"):
            try:
                return sorted(found.key for found in self.resources.list_all(namespaces) if found.has_finalizer)
            except KindNotInstalled:
                return []

    def _missing(self, key: Key) -> str:
        said = f"There is no {KIND} {key.name} in namespace {key.namespace}"
        names = [found.key.name for found in self.resources.list_all((key.namespace,))]
        close = get_close_matches(key.name, names, n=3)
        if close:
            return f"{said}; did you mean {' or '.join(close)}?"
        elsewhere: list[str] = []
        with contextlib.suppress(KubernetesUnavailable):  # not everybody may list the whole cluster
            elsewhere = [found.key.namespace for found in self.resources.list_all() if found.key.name == key.name]
        if elsewhere:
            return f"{said}; there is one in {', '.join(elsewhere)}: add -n {elsewhere[0]}."
        return f"{said}; {'there are ' + ', '.join(names[:10]) if names else 'there is none at all'}."


def _namespace_of(context: str | None) -> str:
    try:
        contexts, active = config.list_kube_config_contexts()  # type: ignore[no-untyped-call]  # the library has no types
    except (config.ConfigException, OSError):
        return DEFAULT_NAMESPACE
    chosen: Any = next((one for one in contexts if one["name"] == context), active) or {}
    return str((chosen.get("context") or {}).get("namespace") or DEFAULT_NAMESPACE)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn what goes wrong on the way to the API server into a Fault that says what to do."""
    try:
        yield
    except NoCluster as error:
        raise Fault(str(error)) from None
    except KindNotInstalled:
        raise Fault(
            f"The cluster does not know {KIND}: install the operator's chart, or its CRD ({PLURAL}.{GROUP})."
        ) from None
    except Unauthenticated:
        raise Fault(
            "The API server does not accept your credentials: log in again, or choose another --context."
        ) from None
    except Forbidden:
        raise Fault(f"You may not {what}: ask for the verbs get and list on {PLURAL}.{GROUP}.") from None
    except Unreachable as error:
        raise Fault(
            f"The API server can't be reached: check the network and the kubeconfig ({_cause(error)})."
        ) from None
    except KubernetesUnavailable as error:
        raise Fault(f"The API server could not {what}; try again ({error}).") from None


def _cause(error: Exception) -> str:
    """The innermost reason: urllib3 wraps a refused connection three times."""
    deepest: BaseException = error
    while (below := deepest.__cause__ or getattr(deepest, "reason", None)) and isinstance(below, BaseException):
        deepest = below
    return str(deepest).rpartition(": ")[2].strip(" ')>") or type(deepest).__name__
