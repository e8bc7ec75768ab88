"""The kubernetes library's client with a limit on every call. Knows kubeconfig files, not who made them."""

from pathlib import Path

from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.rest import RESTResponse

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0


class BoundedApiClient(ApiClient):
    """An ApiClient whose calls end: the library waits for ever unless each call says otherwise."""

    def call_api(  # noqa: D102 - as in the parent
        self,
        method: str,
        url: str,
        header_params: object = None,
        body: object = None,
        post_params: object = None,
        _request_timeout: object = None,
    ) -> RESTResponse:
        limit = _request_timeout or (CONNECT_SECONDS, READ_SECONDS)
        return super().call_api(method, url, header_params, body, post_params, limit)


def from_kubeconfig(kubeconfig: Path) -> BoundedApiClient:
    """A client for the current context of ``kubeconfig``; close it (it is a context manager)."""
    configuration = Configuration()
    config.load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)  # type: ignore[no-untyped-call] # untyped there
    configuration.proxy = None  # loopback is never behind a proxy
    return BoundedApiClient(configuration)
