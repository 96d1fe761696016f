"""Recon's servicer on a real port, and who may call it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from libs.access import EVERYTHING, AccessScope
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig, ServerConfig
from libs.rpc.identity import IssuedToken, TokenKeys, TokenVerifier
from libs.rpc.server import Registration, RunningServer, serve

KEYS = TokenKeys.parse("k1:HS256:" + "ab" * 32)
PARENT = "companies/acme"
ROLES = ("gateway", "recon", "accountant")


@contextmanager
def serving(
    registration: Registration, roles: tuple[str, ...], scope: AccessScope = EVERYTHING
) -> Iterator[tuple[RunningServer, grpc.Channel]]:
    server = serve(ServerConfig(), [registration], TokenVerifier(KEYS))
    channel = open_channel(server.address, ChannelConfig(retry=None), IssuedToken(KEYS, "tests", roles, scope))
    try:
        yield server, channel
    finally:
        channel.close()
        server.stop(0)
