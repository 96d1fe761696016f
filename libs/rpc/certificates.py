"""A server's certificate files, read again when they change, so that renewal needs no restart."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from libs.rpc.config import ConfigInvalid, ServerTls

logger = logging.getLogger(__name__)


class CertificateFiles:
    """Loads the pair that is on disk now. Half of a renewal (new certificate, still the old key) keeps the old pair."""

    def __init__(self, tls: ServerTls) -> None:
        self._tls = tls
        self._lock = threading.Lock()
        try:
            self._loaded = self._version()
            self._current = self._load()
        except OSError as error:
            raise ConfigInvalid(f"a TLS file can't be read ({type(error).__name__})") from None

    def configuration(self) -> grpc.ServerCertificateConfiguration:
        """What the server presents now."""
        return self._current

    def fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC before each handshake: the new configuration if the files changed and fit, else None."""
        with self._lock:
            try:
                version = self._version()
                if version == self._loaded:
                    return None
                self._current = self._load()
            except (OSError, ConfigInvalid) as error:
                logger.warning("kept the old TLS certificate: the files do not fit (%s)", type(error).__name__)
                return None
            self._loaded = version
            logger.info("TLS certificate read again")
            return self._current

    def _paths(self) -> list[str]:
        paths = (self._tls.certificate_file, self._tls.private_key_file, self._tls.client_ca_file)
        return [path for path in paths if path is not None]

    def _version(self) -> list[tuple[int, int, int]]:
        stats = [os.stat(path) for path in self._paths()]
        return [(stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats]

    def _load(self) -> grpc.ServerCertificateConfiguration:
        certificate = Path(self._tls.certificate_file).read_bytes()
        private_key = Path(self._tls.private_key_file).read_bytes()
        check_pair(certificate, private_key)
        roots = Path(self._tls.client_ca_file).read_bytes() if self._tls.client_ca_file else None
        return grpc.ssl_server_certificate_configuration([(private_key, certificate)], root_certificates=roots)


def check_pair(certificate: bytes, private_key: bytes) -> None:
    """Raise `ConfigInvalid` unless the private key belongs to the (first) certificate."""
    try:
        public = x509.load_pem_x509_certificate(certificate).public_key()
        private = load_pem_private_key(private_key, None).public_key()
    except (ValueError, TypeError):
        raise ConfigInvalid("the TLS certificate or private key is no PEM that can be read") from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public.public_bytes(*form) != private.public_bytes(*form):
        raise ConfigInvalid("the TLS private key does not belong to the certificate")
