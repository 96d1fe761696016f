"""Make the secrets that docker-compose.yml mounts: passwords, the token key, and certificates for mTLS.

`.venv/bin/python docker/make_secrets.py` writes docker/secrets (which git ignores) and leaves what is there already.
With `--renew-certificates` a new authority signs new certificates; restart all services then.
"""

from __future__ import annotations

import argparse
import ipaddress
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVICES = ("gateway", "ledger", "masterdata", "recon")
VALID_DAYS = 825
PASSWORDS = (
    "postgres_password",
    *(f"{service}_database_password" for service in SERVICES),
    "odoo_database_password",
    "ledger_odoo_password",
    "masterdata_odoo_password",
)
# Which partners' accounts the gateway serves; edited by hand afterwards.
SOURCES = """\
# One entry an account; services/gateway/config.py says what it may hold. This whole file is a secret, for example:
#   - provider: NAME
#     account: acct_1
#     company: demo
#     signing_secrets: [{value: whsec_...}]
sources: []
"""


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key in PKCS #8."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def named(common_name: str) -> x509.Name:
    """A subject of that name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Authority:
    """Signs the services' certificates and is forgotten: its private key is never written."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = named("Concord internal authority")
        self.certificate = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - timedelta(minutes=5))
            .not_valid_after(self._now + timedelta(days=VALID_DAYS))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )

    def issue(self, host: str) -> tuple[bytes, bytes]:
        """Certificate and private key in PEM for a service that is server and client; `host` is its compose name."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(host), x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            self._builder(named(host), key)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM), private_pem(key)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def write(path: Path, content: bytes) -> None:
    """Write one secret. Readable by all, in a folder that only its owner enters: containers run as other users."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
    path.chmod(0o444)


def make(folder: Path, *, renew_certificates: bool, now: datetime) -> list[str]:
    """Make what is missing; the names of the files that were written."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    written: list[str] = []

    def missing(name: str, content: Callable[[], bytes]) -> None:
        if not (folder / name).exists():
            write(folder / name, content())
            written.append(name)

    for name in PASSWORDS:
        missing(name, lambda: secrets.token_urlsafe(32).encode())
    missing("token_key.pem", lambda: private_pem(ec.generate_private_key(ec.SECP256R1())))
    missing("gateway_sources.yaml", SOURCES.encode)
    nats_password = secrets.token_hex(24)
    if not (folder / "nats_url").exists() or not (folder / "nats_users.conf").exists():
        (folder / "nats_url").unlink(missing_ok=True)
        (folder / "nats_users.conf").unlink(missing_ok=True)
    missing("nats_url", lambda: f"nats://concord:{nats_password}@nats:4222".encode())
    missing("nats_users.conf", lambda: f'authorization {{ user: concord, password: "{nats_password}" }}\n'.encode())
    pairs = [f"{service}.{kind}" for service in SERVICES for kind in ("crt", "key")]
    if renew_certificates or not all((folder / name).exists() for name in ["ca.crt", *pairs]):
        authority = Authority(now)
        write(folder / "ca.crt", authority.certificate.public_bytes(serialization.Encoding.PEM))
        for service in SERVICES:
            certificate, key = authority.issue(service)
            write(folder / f"{service}.crt", certificate)
            write(folder / f"{service}.key", key)
        written += ["ca.crt", *pairs]
    return written


def main() -> int:
    """Make the secrets and name them; never show them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parent / "secrets")
    parser.add_argument("--renew-certificates", action="store_true", help="a new authority and new certificates")
    arguments = parser.parse_args()
    written = make(arguments.folder, renew_certificates=arguments.renew_certificates, now=datetime.now(UTC))
    sys.stdout.write("".join(f"made {name}\n" for name in written) or "nothing to do: all secrets are there\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
