from __future__ import annotations

import os
import ssl
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from cryptography import x509

from libs.rpc.config import ChannelConfig, ClientTls, ConfigInvalid, ServerConfig, ServerTls
from libs.rpc.errors import RemoteError
from libs.rpc.identity import current_identity
from tests.rpc.certificates import Authority
from tests.rpc.echo import Echo, EchoStub, Text, calling, serving


def presented_serial(port: int) -> int:
    """The serial number of the certificate that a new handshake shows."""
    pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=60)
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def serial_in(path: str) -> int:
    return x509.load_pem_x509_certificate(Path(path).read_bytes()).serial_number


def test_a_channel_over_tls_carries_the_token_as_call_credentials(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    config = ServerConfig(tls=ServerTls(*authority.issue("server")))
    client = ChannelConfig(tls=ClientTls(root_ca_file=authority.file), retry=None)
    echo = Echo(lambda text, context: current_identity().subject)
    with serving(echo, config) as server, calling(server, client) as stub:
        assert stub.call("Say", "a") == "tests"


def test_a_client_of_another_authority_and_one_in_plaintext_are_not_served(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    config = ServerConfig(tls=ServerTls(*authority.issue("server")))
    strangers = [ChannelConfig(tls=ClientTls(root_ca_file=other.file), retry=None), ChannelConfig(retry=None)]
    with serving(config=config) as server:
        for stranger in strangers:
            with calling(server, stranger) as stub, pytest.raises(RemoteError) as caught:
                stub.call("Say", "a", timeout=60)
            assert caught.value.code is grpc.StatusCode.UNAVAILABLE


def test_with_mtls_only_clients_of_the_authority_get_in(tmp_path: Path) -> None:
    authority, rogue = Authority(tmp_path), Authority(tmp_path, "rogue")
    config = ServerConfig(tls=ServerTls(*authority.issue("server"), client_ca_file=authority.file))
    refused = {
        "no certificate": ClientTls(root_ca_file=authority.file),
        "a rogue's": ClientTls(authority.file, *rogue.issue("rogue-client")),
    }
    with serving(config=config) as server:
        own = ClientTls(authority.file, *authority.issue("client"))
        with calling(server, ChannelConfig(tls=own, retry=None)) as stub:
            assert stub.call("Say", "a") == "a"
        for why, tls in refused.items():
            with calling(server, ChannelConfig(tls=tls, retry=None)) as stub, pytest.raises(RemoteError) as caught:
                stub.call("Say", "a", timeout=60)
            assert caught.value.code is grpc.StatusCode.UNAVAILABLE, why


def test_a_renewed_certificate_is_shown_without_a_restart(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate_file, key_file = authority.issue("server")
    first = serial_in(certificate_file)
    with serving(config=ServerConfig(tls=ServerTls(certificate_file, key_file))) as server:
        assert presented_serial(server.port) == first
        certificate, key = authority.make("server")
        Path(certificate_file).write_bytes(certificate)
        assert presented_serial(server.port) == first, "half of a renewal must not be shown"
        Path(key_file).write_bytes(key)
        second = serial_in(certificate_file)
        assert presented_serial(server.port) == second != first
        os.remove(key_file)
        assert presented_serial(server.port) == second, "files that are gone must not stop the server"


@pytest.mark.parametrize("broken", ["key of another", "no PEM", "missing"])
def test_a_pair_that_does_not_fit_stops_the_start(tmp_path: Path, broken: str) -> None:
    authority = Authority(tmp_path)
    certificate_file, key_file = authority.issue("server")
    if broken == "key of another":
        key_file = authority.issue("other")[1]
    elif broken == "no PEM":
        Path(key_file).write_text("no key")
    else:
        key_file = str(tmp_path / "nowhere")
    with pytest.raises(ConfigInvalid), serving(config=ServerConfig(tls=ServerTls(certificate_file, key_file))):
        pass


def test_a_channel_whose_files_are_missing_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid), calling("127.0.0.1:1", ChannelConfig(tls=ClientTls(str(tmp_path / "nowhere")))):
        pass


def test_a_clients_renewed_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    authority, rogue = Authority(tmp_path), Authority(tmp_path, "rogue")
    config = ServerConfig(tls=ServerTls(*authority.issue("server"), client_ca_file=authority.file))
    certificate_file, key_file = rogue.issue("client")
    client = ChannelConfig(tls=ClientTls(authority.file, certificate_file, key_file), retry=None)

    def is_let_in(stub: EchoStub) -> bool:
        with suppress(RemoteError):
            return stub.call("Say", "a", timeout=60) == "a"
        return False

    with serving(config=config) as server, calling(server, client) as stub:
        assert not is_let_in(stub)
        certificate, key = authority.make("client")
        Path(certificate_file).write_bytes(certificate)
        assert not is_let_in(stub), "half of a renewal must not be used"
        Path(key_file).write_bytes(key)
        assert is_let_in(stub)
        Path(key_file).unlink()
        assert is_let_in(stub), "files that are gone must not stop the client"


def test_a_stream_ends_on_the_channel_it_began_on(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    config = ServerConfig(tls=ServerTls(*authority.issue("server"), client_ca_file=authority.file))
    client = ChannelConfig(tls=ClientTls(authority.file, *authority.issue("client")), retry=None)
    with serving(config=config) as server, calling(server, client) as stub:
        answers = stub.list(Text(value="a b c"), timeout=10)
        assert next(answers).value == "a"
        authority.issue("client")
        assert stub.call("Say", "after the renewal") == "after the renewal"
        assert [one.value for one in answers] == ["b", "c"]


def test_a_clients_pair_that_does_not_fit_stops_the_start(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = (authority.issue("client")[0], authority.issue("other")[1])
    with pytest.raises(ConfigInvalid), calling("127.0.0.1:1", ChannelConfig(tls=ClientTls(authority.file, *files))):
        pass
