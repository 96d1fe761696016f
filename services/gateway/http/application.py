"""The partners' face: a raw ASGI application, since a framework costs half of what a webhook costs.

POST /webhooks/{provider}/{account}     a signed delivery → 202 once it is durable
POST /files/{account}                   a bank statement or settlement report, with a bearer token → 202
GET  /healthz, /openapi.json
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import unquote

from libs.errors import ConcordError
from libs.rpc.identity import TokenMissing, TokenVerifier
from libs.rpc.permissions import require
from providers.base import Source
from providers.errors import SignatureRefused

from .. import problems
from ..domain.delivery import NewDelivery, Receipt
from ..domain.errors import SourceUnknown
from ..domain.source import SourceAccount
from ..handlers.ports import Accounts, configured
from ..handlers.upload import Upload
from ..openapi import openapi
from ..problems import HttpProblem, problem_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = b"application/json"
UPLOAD_PERMISSION = "recon.files.import"
_NAME = re.compile(r"[^\w .()+,=@~-]", re.ASCII)


class DeliveryWriter(Protocol):
    """The group-commit writer."""

    async def call_async(self, item: NewDelivery) -> Receipt: ...


@dataclass(frozen=True, slots=True)
class Inbox:
    """Where deliveries go: whose they may be, how one is proved, how a file comes in, and who stores both."""

    accounts: Accounts
    prove: Callable[[SourceAccount, Mapping[str, str], bytes, str], NewDelivery]
    new_upload: Callable[[], Upload]
    writer: DeliveryWriter


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How large a webhook's body may be, and how long a body may take to come."""

    max_body_bytes: int
    body_timeout_seconds: float
    file_timeout_seconds: float


class Limits(Protocol):
    """How much a partner may send."""

    def take(self, source: Source) -> int:
        """0 if one more may come, else the seconds to wait."""


class Observer(Protocol):
    """Told of what happened at the edge; must return at once."""

    def received(self, source: Source, receipt: Receipt) -> None: ...

    def refused(self, source: Source, error: ConcordError, body: bytes) -> None: ...


class _Ended(Exception):
    """The request is over: answer with a problem, or with nothing if the client has gone."""

    def __init__(self, problem: HttpProblem | None) -> None:
        super().__init__()
        self.problem = problem


class GatewayHttp:
    """The application. Everything that it needs is an argument; it keeps nothing between requests."""

    def __init__(
        self,
        inbox: Inbox,
        bodies: BodyLimits,
        verifier: TokenVerifier,
        limits: Limits,
        observer: Observer,
        is_ready: Callable[[], bool],
    ) -> None:
        self._inbox = inbox
        self._bodies = bodies
        self._verifier = verifier
        self._limits = limits
        self._observer = observer
        self._is_ready = is_ready
        self._disk = ThreadPoolExecutor(4, thread_name_prefix="upload")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            body, extra = await self._route(scope, receive)
        except _Ended as ended:
            if ended.problem is not None:
                await _answer_problem(send, ended.problem)
        except ConcordError as error:
            await _answer_problem(send, problem_of(error))
        else:
            status = HTTPStatus.ACCEPTED if scope["method"] == "POST" else HTTPStatus.OK
            await _answer(send, status, JSON, body, extra)

    async def _route(self, scope: Scope, receive: Receive) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        parts = scope["path"].split("/")
        if len(parts) == 4 and parts[1] == "webhooks":
            return await self._webhook(scope, receive, parts[2], parts[3])
        if len(parts) == 3 and parts[1] == "files":
            return await self._file(scope, receive, parts[2])
        if parts[1:] in (["healthz"], ["openapi.json"]):
            if scope["method"] != "GET":
                raise _Ended(problems.not_allowed("GET"))
            return await self._inform(parts[1]), []
        raise _Ended(problems.NOT_FOUND)

    async def _webhook(
        self, scope: Scope, receive: Receive, provider: str, account_id: str
    ) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        account, headers = self._opened(scope, provider, account_id)
        length = self._checked(headers, self._bodies.max_body_bytes)
        try:
            async with asyncio.timeout(self._bodies.body_timeout_seconds):
                body = await _read(receive, self._bodies.max_body_bytes, length)
        except TimeoutError:
            raise _Ended(problems.TOO_SLOW) from None
        try:
            new = self._inbox.prove(account, headers, body, headers.get("traceparent", ""))
        except ConcordError as error:
            if isinstance(error, SourceUnknown):
                raise
            self._observer.refused(account.source, error, body)
            if isinstance(error, SignatureRefused):
                # What proves nothing learns nothing.
                raise _Ended(HttpProblem(HTTPStatus.UNAUTHORIZED, error.reason, str(error))) from None
            raise
        # Counted only once it is proved: nobody else can use up a partner's share.
        wait_seconds = self._limits.take(account.source)
        if wait_seconds:
            raise _Ended(problems.limited(wait_seconds))
        return self._received(account.source, await self._inbox.writer.call_async(new))

    async def _file(self, scope: Scope, receive: Receive, account_id: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        if scope["method"] != "POST":
            raise _Ended(problems.not_allowed("POST"))
        headers = _headers(scope)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise TokenMissing("the request carries no bearer token")
        identity = self._verifier.verify(token.strip())
        require(UPLOAD_PERMISSION, identity)
        allowed = configured(self._inbox.accounts, identity.scope)
        sources = [
            found.source
            for found in self._inbox.accounts.all()
            if found.source.account == account_id and allowed.allows_interface(found.source.interface)
        ]
        if not sources:
            raise SourceUnknown
        upload = self._inbox.new_upload()
        length = self._checked(headers, upload.max_bytes)
        kept = False
        try:
            try:
                async with asyncio.timeout(self._bodies.file_timeout_seconds):
                    await self._take(receive, upload, length)
            except TimeoutError:
                raise _Ended(problems.TOO_SLOW) from None
            new = await self._on_disk(self._finished, upload, sources, _file_name(headers))
            wait_seconds = self._limits.take(new.delivery.source)
            if wait_seconds:
                raise _Ended(problems.limited(wait_seconds))
            receipt = await self._inbox.writer.call_async(new)
            kept = not receipt.duplicate
        finally:
            if not kept:
                await self._on_disk(upload.abandon)
        return self._received(new.delivery.source, receipt)

    def _finished(self, upload: Upload, sources: list[Source], file_name: str) -> NewDelivery:
        wanted = upload.known.provider
        source = next((source for source in sources if source.provider == wanted), None)
        if source is None:
            raise SourceUnknown
        return upload.finish(source, file_name)

    async def _take(self, receive: Receive, upload: Upload, length: int | None) -> None:
        async for part in _parts(receive):
            if upload.feed(part):
                await self._on_disk(upload.flush)
        if length is not None and upload.total_bytes != length:
            raise _Ended(problems.LENGTH_INVALID)

    async def _on_disk(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work, *arguments)

    def _opened(self, scope: Scope, provider: str, account_id: str) -> tuple[SourceAccount, dict[str, str]]:
        if scope["method"] != "POST":
            raise _Ended(problems.not_allowed("POST"))
        account = self._inbox.accounts.find(provider, account_id)
        if account.provider is None:
            raise SourceUnknown
        return account, _headers(scope)

    def _checked(self, headers: Mapping[str, str], maximum: int) -> int | None:
        """The announced length, if there is one."""
        if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise _Ended(problems.ENCODED)
        announced = headers.get("content-length")
        if announced is None:
            return None
        if not (announced.isascii() and announced.isdigit() and len(announced) <= 15):
            raise _Ended(problems.LENGTH_INVALID)
        if int(announced) > maximum:
            raise _Ended(problems.TOO_LARGE)
        return int(announced)

    def _received(self, source: Source, receipt: Receipt) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        self._observer.received(source, receipt)
        # The same bytes for the same delivery; only a header tells that it is a repeat.
        body = json.dumps({"delivery": receipt.delivery, "transaction_id": receipt.transaction_id})
        return body.encode(), [(b"concord-duplicate", b"true")] if receipt.duplicate else []

    async def _inform(self, what: str) -> bytes:
        if what == "openapi.json":
            return openapi()
        if not await self._on_disk(self._is_ready):
            raise _Ended(problems.NOT_READY)
        return b'{"status":"ok"}'


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _file_name(headers: Mapping[str, str]) -> str:
    """For people only; nothing is opened by it."""
    given = unquote(headers.get("x-file-name", "")).rpartition("/")[2]
    return _NAME.sub("_", given)[:255]


async def _read(receive: Receive, maximum: int, length: int | None) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
    else:
        collected = bytearray()
        async for part in _parts(receive, message):
            collected += part
            if len(collected) > maximum:
                raise _Ended(problems.TOO_LARGE)
        body = bytes(collected)
    if len(body) > maximum:
        raise _Ended(problems.TOO_LARGE)
    if length is not None and len(body) != length:
        raise _Ended(problems.LENGTH_INVALID)
    return body


async def _parts(receive: Receive, first: MutableMapping[str, Any] | None = None) -> Any:
    message = first
    while True:
        if message is None:
            message = await receive()
        if message["type"] != "http.request":
            raise _Ended(None)  # the client has gone
        yield message.get("body", b"")
        if not message.get("more_body"):
            return
        message = None


async def _answer_problem(send: Send, problem: HttpProblem) -> None:
    await _answer(send, problem.status, problems.CONTENT_TYPE, problem.body(), problem.headers())


async def _answer(
    send: Send, status: HTTPStatus, content_type: bytes, body: bytes, extra: list[tuple[bytes, bytes]]
) -> None:
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *extra]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
