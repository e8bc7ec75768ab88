"""Finding the API server: KUBECONFIG, ~/.kube/config, or the pod's service account. Knows no resource."""

import os
from pathlib import Path
from typing import Any, Final

from kubernetes import client, config

from ibpe.reconcile.ports import KubernetesUnavailable

TOKEN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
DEFAULT_KUBECONFIG: Final = Path("~/.kube/config")


class NoCluster(KubernetesUnavailable):
    """Nothing says where the API server is, or what says so can't be read."""


def configuration(context: str | None = None) -> Any:
    """The library's Configuration, with one attempt a request and the service account's token re-read as it rotates.

    In a pod the service account wins, unless KUBECONFIG is set. Raises NoCluster with what to do.
    """
    found = client.Configuration()
    found.retries = False  # one attempt: the work queue is what retries, and a hidden retry breaks every time limit
    chosen = os.environ.get("KUBECONFIG", "")
    try:
        if not chosen and TOKEN.exists():
            config.load_incluster_config(client_configuration=found)  # type: ignore[no-untyped-call]  # the library has no types
        else:
            config.load_kube_config(  # type: ignore[no-untyped-call]  # the library has no types
                config_file=chosen or None, context=context, client_configuration=found
            )
    except (config.ConfigException, OSError, ValueError, TypeError, KeyError) as unreadable:
        raise NoCluster(_advice(chosen, context, unreadable)) from unreadable
    except Exception as unreadable:  # yaml's own errors, whose package is the library's affair
        if type(unreadable).__module__.partition(".")[0] != "yaml":
            raise
        raise NoCluster(_advice(chosen, context, unreadable)) from unreadable
    return found


def _advice(chosen: str, context: str | None, error: Exception) -> str:
    if context is not None:
        return f"The kubeconfig has no usable context {context!r}: {error}"
    if chosen:
        paths = [Path(part).expanduser() for part in chosen.split(os.pathsep) if part]
        missing = [str(path) for path in paths if not path.exists()]
        if missing:
            return f"KUBECONFIG names {', '.join(missing)}, which does not exist: correct it or unset it."
        return f"The kubeconfig {chosen} can't be used: {error}"
    if DEFAULT_KUBECONFIG.expanduser().exists():
        return f"The kubeconfig {DEFAULT_KUBECONFIG} can't be used: {error}"
    return "No cluster is configured: set KUBECONFIG, create ~/.kube/config, or run in a pod with a service account."
