"""The command lines of etcd and kube-apiserver, and the files they name. Starts nothing.

What a sandbox has no use for is off: fsync, profiling, fairness queues, periodic compaction. Admission, RBAC, TLS and
the watch cache are as in a cluster.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from sandbox.kube.binaries import Binaries
from sandbox.kube.certificates import CertificateAuthority, KeyPair, key_pem, new_key

ADMIN_GROUP = "system:masters"


@dataclass(frozen=True)
class Files:
    """Every secret of one control plane. ``authority`` signs for the API server, etcd has an authority of its own."""

    directory: Path
    authority: CertificateAuthority
    serving: KeyPair
    etcd_authority: CertificateAuthority
    etcd_serving: KeyPair
    etcd_client: KeyPair
    service_account_key: Path
    service_account_public_key: Path
    tokens: Path
    admin_token: str


def make_files(directory: Path) -> Files:
    """Make keys, certificates and tokens anew in ``directory``."""
    etcd = directory / "etcd-certificates"
    etcd.mkdir(mode=0o700)
    authority, etcd_authority = CertificateAuthority(directory), CertificateAuthority(etcd)
    signing = new_key()
    private, public = directory / "service-account.key", directory / "service-account.pub"
    private.write_bytes(key_pem(signing))
    public.write_bytes(
        signing.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    admin_token = secrets.token_hex(16)
    tokens = directory / "tokens.csv"
    tokens.write_text(f'{admin_token},admin,admin,"{ADMIN_GROUP}"\n')
    return Files(
        directory=directory,
        authority=authority,
        serving=authority.server("serving"),
        etcd_authority=etcd_authority,
        etcd_serving=etcd_authority.server("serving"),
        etcd_client=etcd_authority.client("client", "kube-apiserver"),
        service_account_key=private,
        service_account_public_key=public,
        tokens=tokens,
        admin_token=admin_token,
    )


def etcd(binaries: Binaries, files: Files, port: int) -> list[str]:
    """The command line of an etcd that answers only on 127.0.0.1:``port`` and only to its own authority's clients."""
    return [
        str(binaries.etcd),
        f"--data-dir={files.directory / 'etcd'}",
        "--unsafe-no-fsync",
        "--log-level=warn",
        f"--listen-client-urls=https://127.0.0.1:{port}",
        f"--advertise-client-urls=https://127.0.0.1:{port}",
        "--socket-reuse-port",
        "--listen-peer-urls=http://127.0.0.1:0",  # a single member has no peers
        "--enable-grpc-gateway=false",
        f"--cert-file={files.etcd_serving.certificate}",
        f"--key-file={files.etcd_serving.key}",
        f"--trusted-ca-file={files.etcd_authority.certificate}",
        "--client-cert-auth",
    ]


def kube_apiserver(binaries: Binaries, files: Files, port: int, etcd_port: int) -> list[str]:
    """The command line of an API server on https://127.0.0.1:``port`` that keeps its objects in that etcd."""
    return [
        str(binaries.kube_apiserver),
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        "--permit-port-sharing",
        f"--etcd-servers=https://127.0.0.1:{etcd_port}",
        f"--etcd-cafile={files.etcd_authority.certificate}",
        f"--etcd-certfile={files.etcd_client.certificate}",
        f"--etcd-keyfile={files.etcd_client.key}",
        "--etcd-compaction-interval=0",
        f"--cert-dir={files.directory}",
        f"--tls-cert-file={files.serving.certificate}",
        f"--tls-private-key-file={files.serving.key}",
        f"--client-ca-file={files.authority.certificate}",
        f"--token-auth-file={files.tokens}",
        "--authorization-mode=RBAC",
        f"--service-account-key-file={files.service_account_public_key}",
        f"--service-account-signing-key-file={files.service_account_key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--disable-admission-plugins=ServiceAccount",  # no controller makes the default accounts it asks for
        "--endpoint-reconciler-type=none",
        "--enable-priority-and-fairness=false",
        "--profiling=false",
    ]
