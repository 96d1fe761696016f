"""What the gateway says to the ledger, to recon and to Stripe."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import httpx
import pytest
from concord.ledger.v1 import ledger_pb2
from concord.recon.v1 import recon_pb2

from libs.handover import NotRecorded, Recorded
from libs.handover.client import EventLedgerClient
from libs.rpc.wire import to_event, to_settlement
from providers.base import ApiQuery
from providers.errors import ApiRefused, ApiUnavailable
from providers.stripe import API
from services.gateway.adapters.provider_api import MAX_ANSWER_BYTES, ApiAccess, HttpApi
from services.gateway.adapters.recon import ReconClient
from services.gateway.domain.delivery import UploadedFile
from tests.gateway.world import NOW, STRIPE, GatewayWorld


class Wire:
    """A channel whose calls go to a function: what was sent, and what is answered."""

    def __init__(self, answer: Callable[[str, object], object]) -> None:
        self._answer = answer

    def unary_unary(self, method: str, *_: object, **__: object) -> Callable[..., object]:
        return lambda request, **_: self._answer(method, request)

    def stream_unary(self, method: str, *_: object, **__: object) -> Callable[..., object]:
        return lambda requests, **_: self._answer(method, list(requests))

    unary_stream = unary_unary
    stream_stream = stream_unary


def channel(answer: Callable[[str, object], object]) -> grpc.Channel:
    return Wire(answer)  # type: ignore[return-value]


def test_each_event_s_answer_is_read_for_itself() -> None:
    world = GatewayWorld()
    world.account.charge("ch_1", 100, NOW, fee=3)
    world.account.charge("ch_2", 200, NOW, fee=3)
    world.account.charge("ch_3", 300, NOW, fee=3)
    world.run()
    events = list(world.ledger.events.values())
    sent: list[object] = []

    def answer(method: str, request: object) -> object:
        assert isinstance(request, ledger_pb2.BatchRecordEventsRequest)
        sent.extend(to_event(one) for one in request.events)
        known = ledger_pb2.RecordedEvent(event=request.events[0], duplicate=True)
        return ledger_pb2.BatchRecordEventsResponse(
            results=[
                ledger_pb2.RecordResult(recorded=known),
                ledger_pb2.RecordResult(failure=ledger_pb2.RecordFailure(reason="EVENT_CONFLICT")),
                ledger_pb2.RecordResult(failure=ledger_pb2.RecordFailure(reason="STORAGE_CONFLICT")),
            ]
        )

    answers = EventLedgerClient(channel(answer)).record(events)
    assert sent == events
    assert answers == [
        Recorded(events[0].transaction_id, duplicate=True),
        NotRecorded("EVENT_CONFLICT", retry=False),
        NotRecorded("STORAGE_CONFLICT", retry=True),
    ]


def test_a_reason_is_kept_only_as_long_as_the_tables_hold_it() -> None:
    def answer(method: str, request: object) -> object:
        failure = ledger_pb2.RecordFailure(reason="R" * 65)
        return ledger_pb2.BatchRecordEventsResponse(results=[ledger_pb2.RecordResult(failure=failure)])

    assert EventLedgerClient(channel(answer)).record([]) == [NotRecorded("R" * 64, retry=False)]


def test_a_file_goes_over_as_a_header_and_chunks_that_recon_takes() -> None:
    file = UploadedFile("demo", "bank/DE1", "sources/bank/accounts/DE1/deliveries/d", "a.xml", "0" * 64, NOW, "1" * 32)
    calls: dict[str, list[object]] = {}

    def answer(method: str, requests: object) -> object:
        assert isinstance(requests, list)
        calls[method.rpartition("/")[2]] = requests
        return recon_pb2.ImportStatementRequest()

    client = ReconClient(channel(answer))
    client.import_statement(file, iter([b"a" * (1024 * 1024 + 5), b"b"]))
    client.import_settlement_file(file, iter([b"c"]))
    statement = calls["ImportStatement"]
    header = statement[0].header  # type: ignore[attr-defined]
    assert (header.company, header.interface, header.transaction_id) == ("companies/demo", "bank/DE1", "1" * 32)
    assert [len(one.chunk) for one in statement[1:]] == [1024 * 1024, 5, 1]  # type: ignore[attr-defined]
    assert [one.WhichOneof("part") for one in calls["ImportSettlementFile"]] == ["header", "chunk"]  # type: ignore[attr-defined]


def test_a_settlement_goes_over_whole() -> None:
    world = GatewayWorld()
    world.account.charge("ch_1", 100, NOW, fee=3)
    world.account.payout("po_1", NOW, NOW)
    world.run()
    ((settlement, delivery, transaction_id),) = world.recon.settlements
    sent: list[recon_pb2.ImportSettlementRequest] = []

    def answer(method: str, request: object) -> object:
        assert isinstance(request, recon_pb2.ImportSettlementRequest)
        sent.append(request)
        return None

    ReconClient(channel(answer)).import_settlement(settlement, delivery, transaction_id)
    assert to_settlement(sent[0].settlement) == settlement
    assert (sent[0].delivery, sent[0].transaction_id) == (delivery, transaction_id)


def api(handler: Callable[[httpx.Request], httpx.Response]) -> HttpApi:
    access = {STRIPE.interface: ApiAccess(API, "rk_live_1", "https://api.stripe.test/")}
    return HttpApi(access, transport=httpx.MockTransport(handler))


def test_the_api_is_asked_with_its_key_a_pinned_version_and_the_query() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b'{"exact" : 1}')

    query = ApiQuery("/v1/balance_transactions", (("limit", "100"), ("expand[]", "data.source")))
    assert api(handler).fetch(STRIPE, query) == b'{"exact" : 1}'
    (request,) = seen
    assert request.headers["authorization"] == "Bearer rk_live_1"
    assert request.headers["stripe-version"]
    assert request.url.path == "/v1/balance_transactions"
    assert request.url.params.multi_items() == list(query.parameters)


@pytest.mark.parametrize(
    "status, error",
    [
        (429, ApiUnavailable),
        (409, ApiUnavailable),
        (500, ApiUnavailable),
        (503, ApiUnavailable),
        (301, ApiRefused),
        (400, ApiRefused),
        (401, ApiRefused),
        (404, ApiRefused),
    ],
)
def test_what_the_api_refuses_is_told_from_what_it_cannot_do_now(status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        api(lambda request: httpx.Response(status)).fetch(STRIPE, ApiQuery("/v1/x"))
    assert "rk_live" not in str(caught.value)


def test_an_api_that_is_silent_or_says_too_much_is_not_waited_for() -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    with pytest.raises(ApiUnavailable):
        api(silent).fetch(STRIPE, ApiQuery("/v1/x"))
    with pytest.raises(ApiRefused):
        api(lambda request: httpx.Response(200, content=b"x" * (MAX_ANSWER_BYTES + 1))).fetch(STRIPE, ApiQuery("/v1/x"))
