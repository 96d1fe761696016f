"""How a command finds the services and proves who calls.

Addresses: `CONCORD_{SERVICE}_ADDRESS`, else the `suite.json` that `concord up` leaves in its folder
(`CONCORD_DATA_DIR`, else `data`). Identity: `CONCORD_TOKEN`, else a token signed with `CONCORD_TOKEN_KEYS`
or the suite's own key, which only its owner can read.
"""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer

from libs.access import EVERYTHING
from libs.errors import ConcordError, Kind
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig
from libs.rpc.identity import IssuedToken, TokenKeys

As = Annotated[
    str,
    typer.Option("--as", help="Who you are, for the audit log; by default your login. CONCORD_TOKEN says it itself."),
]
SERVICES = ("gateway", "masterdata", "ledger", "recon")


class NotConnected(ConcordError):
    """No suite runs here and no address is set."""

    kind = Kind.PRECONDITION
    reason = "NOT_CONNECTED"


def data_folder(env: Mapping[str, str] = os.environ) -> Path:
    return Path(env.get("CONCORD_DATA_DIR") or "data")


class Connection:
    """Channels to the services of one installation."""

    def __init__(self, env: Mapping[str, str] = os.environ) -> None:
        self._env = env
        file = data_folder(env) / "suite.json"
        self._suite: dict[str, object] = json.loads(file.read_text()) if file.exists() else {}

    def address(self, service: str) -> str:
        """`HOST:PORT` of a service, or `http` for the gateway's HTTP face. Raises `NotConnected`."""
        addresses = self._suite.get("addresses")
        known = addresses.get(service) if isinstance(addresses, dict) else None
        found = self._env.get(f"CONCORD_{service.upper()}_ADDRESS") or known
        if not found:
            raise NotConnected(f"no {service}: start `concord up`, or set CONCORD_{service.upper()}_ADDRESS")
        return str(found)

    def keys(self) -> TokenKeys:
        """The keys that sign tokens. Raises `NotConnected`."""
        if text := self._env.get("CONCORD_TOKEN_KEYS"):
            return TokenKeys.parse(text)
        path = self._suite.get("token_keys")
        if not path:
            raise NotConnected("no signing key: start `concord up`, or set CONCORD_TOKEN or CONCORD_TOKEN_KEYS")
        return TokenKeys.parse(Path(str(path)).read_text())

    def channel(self, service: str, roles: Iterable[str], subject: str = "cli") -> grpc.Channel:
        """An open channel whose calls carry the caller's token, or one made for these roles."""
        config = ChannelConfig.from_env(self._env, "cli")
        return open_channel(self.address(service), config, self._token(roles, subject))

    def _token(self, roles: Iterable[str], subject: str) -> Callable[[], str]:
        given = self._env.get("CONCORD_TOKEN")
        if given:
            return lambda: given
        return IssuedToken(self.keys(), subject, tuple(roles), EVERYTHING)  # whoever has the key may touch all there is


@contextmanager
def service(name: str, stub: Callable[[grpc.Channel], Any], role: str, subject: str = "") -> Iterator[Any]:
    """The service's stub, called in this role as whom `--as` names, by default whoever is logged in."""
    with Connection().channel(name, (role,), subject or getpass.getuser()) as channel:
        yield stub(channel)


def pages(ask: Callable[[Any], Any], request: Any) -> Iterator[Any]:
    """Each answer of a `List` method, until there is no further page."""
    while True:
        answer = ask(request)
        yield answer
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


def listed(ask: Callable[[Any], Any], request: Any, field: str) -> Iterator[Any]:
    """What a `List` method lists in `field` of its answers, page after page."""
    for answer in pages(ask, request):
        yield from getattr(answer, field)


def word(enum: Any, value: int) -> str:
    """An enum's value as the command line writes it: `STATE_OPEN` of `State` is `open`."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", enum.DESCRIPTOR.name).upper()
    return str(enum.Name(value)).removeprefix(f"{kind}_").lower()
