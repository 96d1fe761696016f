"""Recon's servicer on a real port, and who may call it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from concord.recon.v1 import recon_pb2, statement_pb2

from libs.access import EVERYTHING, AccessScope
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig, ServerConfig
from libs.rpc.identity import IssuedToken, TokenKeys, TokenVerifier
from libs.rpc.scalars import from_time
from libs.rpc.server import Registration, RunningServer, serve
from tests.recon.world import BANK_ACCOUNT, World

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


def parts(world: World, content: bytes, **changes: Any) -> Iterator[recon_pb2.ImportStatementRequest]:
    header = {
        "company": PARENT,
        "interface": f"bank/{BANK_ACCOUNT}",
        "sha256": hashlib.sha256(content).hexdigest(),
        "receive_time": from_time(world.now),
        "transaction_id": world.ids(),
        **changes,
    }
    yield recon_pb2.ImportStatementRequest(header=statement_pb2.FileHeader(**header))
    for start in range(0, len(content), 500):
        yield recon_pb2.ImportStatementRequest(chunk=content[start : start + 500])
