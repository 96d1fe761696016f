"""Certificate files of a server or a client, read again when they change, so that renewal needs no restart."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import grpc

from libs.rpc.config import ClientTls, ConfigInvalid, ServerTls

logger = logging.getLogger(__name__)

Version = list[tuple[int, int, int]]


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

    def _version(self) -> Version:
        return version_of(self._paths())

    def _load(self) -> grpc.ServerCertificateConfiguration:
        certificate = Path(self._tls.certificate_file).read_bytes()
        private_key = Path(self._tls.private_key_file).read_bytes()
        check_pair(certificate, private_key)
        roots = Path(self._tls.client_ca_file).read_bytes() if self._tls.client_ca_file else None
        return grpc.ssl_server_certificate_configuration([(private_key, certificate)], root_certificates=roots)


def check_pair(certificate: bytes, private_key: bytes) -> None:
    """Raise `ConfigInvalid` unless the private key belongs to the (first) certificate."""
    # Late: reading certificates is dear to load, and a service on one machine has none.
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    try:
        public = x509.load_pem_x509_certificate(certificate).public_key()
        private = load_pem_private_key(private_key, None).public_key()
    except (ValueError, TypeError):
        raise ConfigInvalid("the TLS certificate or private key is no PEM that can be read") from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public.public_bytes(*form) != private.public_bytes(*form):
        raise ConfigInvalid("the TLS private key does not belong to the certificate")


def version_of(paths: Sequence[str]) -> Version:
    """What changes when a file is replaced or written over. Raises OSError."""
    stats = [os.stat(path) for path in paths]
    return [(stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats]


def client_credentials(tls: ClientTls) -> grpc.ChannelCredentials:
    """Credentials of the files as they are now. Raises `ConfigInvalid` if they can't be read or don't fit."""
    try:
        root, private_key, certificate = (
            Path(path).read_bytes() if path else None
            for path in (tls.root_ca_file, tls.private_key_file, tls.certificate_file)
        )
    except OSError as error:
        raise ConfigInvalid(f"a TLS file can't be read ({type(error).__name__})") from None
    if certificate is not None and private_key is not None:
        check_pair(certificate, private_key)
    return grpc.ssl_channel_credentials(root, private_key, certificate)


class RenewedChannel(grpc.Channel):
    """A TLS channel that is opened anew when its files change. Half of a renewal keeps the one there is.

    A call ends on the channel that it began on: that one is closed with the renewal after the next. Calls must come
    through `grpc.intercept_channel`, which asks for the method at each of them.
    """

    def __init__(self, tls: ClientTls, open_with: Callable[[grpc.ChannelCredentials], grpc.Channel]) -> None:
        """Raises `ConfigInvalid`."""
        named = (tls.root_ca_file, tls.private_key_file, tls.certificate_file)
        self._paths = [path for path in named if path is not None]
        self._tls = tls
        self._open_with = open_with
        self._lock = threading.Lock()
        self._former: grpc.Channel | None = None
        self._warned = False
        try:
            self._seen = version_of(self._paths)
        except OSError as error:
            raise ConfigInvalid(f"a TLS file can't be read ({type(error).__name__})") from None
        self._now = open_with(client_credentials(tls))

    def unary_unary(self, *args: Any, **options: Any) -> Any:
        return self._current().unary_unary(*args, **options)

    def unary_stream(self, *args: Any, **options: Any) -> Any:
        return self._current().unary_stream(*args, **options)

    def stream_unary(self, *args: Any, **options: Any) -> Any:
        return self._current().stream_unary(*args, **options)

    def stream_stream(self, *args: Any, **options: Any) -> Any:
        return self._current().stream_stream(*args, **options)

    def subscribe(self, callback: Any, try_to_connect: bool = False) -> None:
        self._current().subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        self._current().unsubscribe(callback)

    def close(self) -> None:
        with self._lock:
            for channel in (self._now, self._former):
                if channel is not None:
                    channel.close()

    def __enter__(self) -> RenewedChannel:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _current(self) -> grpc.Channel:
        with self._lock:
            try:
                version = version_of(self._paths)
                if version == self._seen:
                    return self._now
                self._seen = version
                renewed = self._open_with(client_credentials(self._tls))
            except (OSError, ConfigInvalid) as error:
                if not self._warned:  # once: it is asked at each call
                    logger.warning("kept the old TLS channel: the files do not fit (%s)", type(error).__name__)
                self._warned = True
                return self._now
            self._warned = False
            if self._former is not None:
                self._former.close()
            self._former, self._now = self._now, renewed
            logger.info("TLS files read again, channel opened anew")
            return self._now
