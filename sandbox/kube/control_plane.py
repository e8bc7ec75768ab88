"""One control plane as a context manager: boot, wait, break, end. Knows the programs, not what is stored."""

import contextlib
import os
import signal
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.kube import binaries, kubeconfig, namespaces, programs
from sandbox.kube.certificates import KeyPair
from sandbox.kube.client import BoundedApiClient, from_kubeconfig
from sandbox.kube.guarded import GuardedDirectory
from sandbox.kube.ports import ReservedPort
from sandbox.kube.progress import Report, quiet

_ETCD, _APISERVER = "etcd", "kube-apiserver"
_READY_SECONDS = 120.0
_PROBE_SECONDS = 5.0
_POLL_SECONDS = 0.1
_STOP_SECONDS = 5.0
_KUBECTL_SECONDS = 60.0
_NAMESPACE_SECONDS = 60.0
_LOG_TAIL = 2000


class ControlPlaneError(RuntimeError):
    """A program of the control plane, or kubectl, failed; the message ends with what it said."""


class ControlPlane:
    """etcd and kube-apiserver in a temporary directory; all of it is gone when the ``with`` block or the process ends.

    No controllers run: Deployments make no pods, owners are not garbage-collected, namespaces never finish terminating
    (see ``finalize_namespace``), the aggregated roles view, edit and admin stay empty, namespaces have no default
    service account. Safe to use from several threads.
    """

    def __init__(self, report: Report = quiet) -> None:
        self._report = report
        self._open = contextlib.ExitStack()
        self._names = threading.Lock()
        self._users = 0

    def __enter__(self) -> Self:
        found = binaries.ensure(self._report)
        with contextlib.ExitStack() as opening:
            self._programs = opening.enter_context(GuardedDirectory("ibpe-kube-"))
            port, etcd_port = (opening.enter_context(ReservedPort()).number for _ in range(2))
            self.kubectl_path = found.kubectl
            self._files = programs.make_files(self._programs.path)
            self._argv = programs.kube_apiserver(found, self._files, port, etcd_port)
            self.url = f"https://127.0.0.1:{port}"
            self._trust = ssl.create_default_context(cafile=str(self.ca_file))
            self.kubeconfig = self.kubeconfig_with_token("admin", self.admin_token)
            self._programs.start(_ETCD, programs.etcd(found, self._files, etcd_port))
            self.start_apiserver()
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def directory(self) -> Path:
        """Where everything of this control plane is; logs are ``etcd.log`` and ``kube-apiserver.log``."""
        return self._programs.path

    @property
    def ca_file(self) -> Path:
        """The certificate authority of the API server, PEM."""
        return self._files.authority.certificate

    @property
    def admin_token(self) -> str:
        """A bearer token in system:masters."""
        return self._files.admin_token

    @property
    def guard_pid(self) -> int:
        """The process whose children are etcd and kube-apiserver, for tests that look for what is left behind."""
        return self._programs.guard_pid

    def start_apiserver(self) -> None:
        """Start the API server (again: same port, certificates and objects); returns when /readyz is ok."""
        self._programs.start(_APISERVER, self._argv)
        self._wait_until_ready()

    def stop_apiserver(self) -> None:
        """End the API server: connections are refused until ``start_apiserver``."""
        self._programs.signal(_APISERVER, signal.SIGTERM)
        self._programs.signal(_APISERVER, signal.SIGCONT)  # a paused one would never see it
        if self._programs.exit_code(_APISERVER, _STOP_SECONDS) is None:
            self._programs.signal(_APISERVER, signal.SIGKILL)
            self._programs.exit_code(_APISERVER, _STOP_SECONDS)

    def pause(self) -> None:
        """Stop the API server in its tracks: connections are accepted by the kernel and never answered."""
        self._programs.signal(_APISERVER, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused API server go on."""
        self._programs.signal(_APISERVER, signal.SIGCONT)

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - named as in subprocess.run
        check: bool = True,
        kubeconfig: Path | None = None,
        timeout: float = _KUBECTL_SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl, as admin unless ``kubeconfig`` says who; raises ControlPlaneError on failure if ``check``."""
        command = [str(self.kubectl_path), f"--kubeconfig={kubeconfig or self.kubeconfig}"]
        command += [f"--cache-dir={self.directory / 'kubectl-cache'}", *arguments]
        done = subprocess.run(
            command,
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.directory), "KUBERC": "off"},
        )
        if check and done.returncode != 0:
            raise ControlPlaneError(f"kubectl {' '.join(arguments)}: exit {done.returncode}\n{done.stderr.strip()}")
        return done

    def client(self, kubeconfig: Path | None = None) -> BoundedApiClient:
        """The kubernetes library's client, as admin unless ``kubeconfig`` says who; close it."""
        return from_kubeconfig(kubeconfig or self.kubeconfig)

    def finalize_namespace(self, name: str, timeout: float = _NAMESPACE_SECONDS) -> None:
        """Do what the namespace controller would do to a namespace that is being deleted; returns when it is gone.

        Everything in it is deleted first and waited for, finalizers and all. Raises ControlPlaneError when something
        is left after ``timeout`` seconds, naming it, or when nobody has deleted the namespace.
        """
        try:
            namespaces.finalize(
                lambda *arguments, given=None: self.kubectl(*arguments, input=given).stdout, name, timeout
            )
        except namespaces.NotFinalizedError as error:
            raise ControlPlaneError(str(error)) from error

    def user_certificate(self, name: str, groups: Sequence[str] = ()) -> KeyPair:
        """A client certificate that the API server takes for user ``name`` (64 characters at most) in ``groups``."""
        return self._files.authority.client(self._unused("user"), name, groups)

    def user_kubeconfig(self, name: str, groups: Sequence[str] = ()) -> Path:
        """A kubeconfig of user ``name`` in ``groups``, who may do what RBAC grants to them and nothing else."""
        user = kubeconfig.certificate_user(self.user_certificate(name, groups))
        return kubeconfig.write(self.directory / f"{self._unused('user')}.kubeconfig", self.url, self.ca_file, user)

    def service_account_token(self, namespace: str, name: str) -> str:
        """A token of an existing service account, valid for a day, from the API server's own TokenRequest."""
        return self.kubectl("create", "token", name, "--namespace", namespace, "--duration=24h").stdout.strip()

    def kubeconfig_with_token(self, name: str, token: str, url: str | None = None) -> Path:
        """A kubeconfig file ``name``-N.kubeconfig that shows ``token`` at ``url`` (else the API server's)."""
        path = self.directory / f"{self._unused(name)}.kubeconfig"
        return kubeconfig.write(path, url or self.url, self.ca_file, kubeconfig.token_user(token))

    def serving_certificate(self) -> KeyPair:
        """A certificate for a server on loopback that whoever trusts this control plane trusts too."""
        return self._files.authority.server(self._unused("server"))

    def _unused(self, stem: str) -> str:
        with self._names:
            self._users += 1
            return f"{stem}-{self._users}"

    def _wait_until_ready(self) -> None:
        """Only this control plane's API server has a certificate of its authority: whoever answers is ours."""
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers():
            for name in (_ETCD, _APISERVER):
                code = self._programs.exit_code(name)
                if code is not None:
                    raise ControlPlaneError(f"{name} ended with exit code {code}:\n{self._log_tail(name)}")
            if time.monotonic() > deadline:
                raise ControlPlaneError(f"not ready in {_READY_SECONDS:.0f} s:\n{self._log_tail(_APISERVER)}")
            time.sleep(_POLL_SECONDS)

    def _answers(self) -> bool:
        request = urllib.request.Request(  # noqa: S310 - the URL is ours and https
            f"{self.url}/readyz", headers={"Authorization": f"Bearer {self.admin_token}"}
        )
        direct = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._trust)
        )
        try:
            with direct.open(request, timeout=_PROBE_SECONDS) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _log_tail(self, name: str) -> str:
        return self._programs.log(name).read_text(errors="replace")[-_LOG_TAIL:]
