"""The administration over gRPC, and the whole process from its configuration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from concord.gateway.v1 import delivery_pb2, gateway_pb2, gateway_pb2_grpc
from concord.trace.v1 import trace_pb2

from libs.access import EVERYTHING, AccessScope
from libs.errors import Kind
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig
from libs.rpc.errors import RemoteError
from libs.rpc.identity import IssuedToken, TokenKey, TokenKeys
from providers.fake_server import FakeServer
from providers.stripe.fake_account import StripeAccount
from providers.stripe.fake_api import FakeStripe
from services.gateway.main import build

SECRET = "whsec_process"
KEY = "k1:" + "y" * 40
NOW = datetime.now(UTC)


class Process:
    """A gateway with nobody behind it: the ledger and recon are down."""

    def __init__(self, folder: Path, *, poll: bool = True) -> None:
        self.account = StripeAccount("acct_1")
        self.api = FakeServer(FakeStripe({"rk_live_1": self.account}).answer)
        source = {
            "provider": "stripe",
            "account": "acct_1",
            "company": "demo",
            "signing_secrets": [{"value": SECRET}],
            "api": {"key": {"value": "rk_live_1"}, "base_url": self.api.url},
            "poll": {"interval_seconds": 3600} if poll else None,
        }
        (folder / "sources.json").write_text(json.dumps({"sources": [source]}))
        self.process = build(
            {
                "CONCORD_DATABASE_URL": f"sqlite:///{folder}/gateway.db",
                "CONCORD_GATEWAY_SOURCES": str(folder / "sources.json"),
                "CONCORD_GATEWAY_HTTP_LISTEN": "127.0.0.1:0",
                "CONCORD_GATEWAY_LISTEN": "127.0.0.1:0",
                "CONCORD_LEDGER_ADDRESS": "127.0.0.1:9",
                "CONCORD_RECON_ADDRESS": "127.0.0.1:9",
                "CONCORD_TOKEN_KEYS": KEY,
            }
        )
        self.ports = json.loads(self.process.ready_line())["ports"]

    def channel(self, *roles: str, scope: AccessScope = EVERYTHING) -> grpc.Channel:
        keys = TokenKeys([TokenKey.secret("k1", "y" * 40)])
        return open_channel(
            f"127.0.0.1:{self.ports['grpc']}", ChannelConfig(), IssuedToken(keys, "tester", roles, scope)
        )

    def deliver(self, event: str) -> httpx.Response:
        charge = self.account.charge(f"ch_{event}", 1000, NOW, fee=59)
        hook = self.account.webhook(event, "charge.succeeded", charge, datetime.now(UTC), SECRET.encode())
        url = f"http://127.0.0.1:{self.ports['http']}/webhooks/stripe/acct_1"
        return httpx.post(url, content=hook.body, headers=hook.headers)

    def close(self) -> None:
        self.process.stop()
        self.api.close()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    found = Process(tmp_path_factory.mktemp("gateway"))
    yield found
    found.close()


@pytest.fixture
def operator(process: Process) -> Iterator[gateway_pb2_grpc.GatewayServiceStub]:
    with process.channel("operator") as channel:
        yield gateway_pb2_grpc.GatewayServiceStub(channel)


def test_deliveries_are_listed_page_by_page_and_found_by_name(
    process: Process, operator: gateway_pb2_grpc.GatewayServiceStub
) -> None:
    answers = [process.deliver(f"evt_{number}").json() for number in range(5)]
    request = gateway_pb2.ListDeliveriesRequest(parent="sources/stripe/accounts/-", page_size=2)
    found: list[str] = []
    while True:
        page = operator.ListDeliveries(request)
        found += [one.transaction_id for one in page.deliveries]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found[:5] == [one["transaction_id"] for one in reversed(answers)]
    one = operator.GetDelivery(gateway_pb2.GetDeliveryRequest(name=answers[0]["delivery"]))
    assert (one.type, one.channel) == ("charge.succeeded", delivery_pb2.Delivery.CHANNEL_WEBHOOK)
    steps = operator.ListTransactionSteps(trace_pb2.ListTransactionStepsRequest(transaction_id=one.transaction_id))
    assert steps.transaction_id == one.transaction_id
    assert steps.steps[0].step == "received"


def test_a_delivery_is_replayed_by_who_may(process: Process, operator: gateway_pb2_grpc.GatewayServiceStub) -> None:
    name = process.deliver("evt_replay").json()["delivery"]
    request = gateway_pb2.ReplayDeliveryRequest(name=name, request_id="0e0e0e0e-0e0e-4e0e-8e0e-0e0e0e0e0e0e")
    assert operator.ReplayDelivery(request).state == delivery_pb2.Delivery.STATE_RECEIVED
    with process.channel("viewer") as channel, pytest.raises(RemoteError) as error:
        gateway_pb2_grpc.GatewayServiceStub(channel).ReplayDelivery(request)
    assert error.value.kind is Kind.FORBIDDEN


@pytest.mark.parametrize(
    ("companies", "sources"),
    [([], []), (["demo"], ["stripe/acct_2"]), (["demo"], ["stripe/ACCT_1"]), (["other"], ["*"]), (["other"], ["stripe/acct_1"])],
)  # fmt: skip
def test_nothing_is_told_and_done_beyond_the_callers_companies_and_sources(
    process: Process, companies: list[str], sources: list[str]
) -> None:
    delivery = process.deliver(f"evt_{hashlib.sha256(repr((companies, sources)).encode()).hexdigest()}").json()
    name, request_id = delivery["delivery"], "0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d"
    unknown = name.replace("evt_", "none_")

    def refusal(call: Callable[[Any], Any], request: Any) -> tuple[Kind, str, str]:
        with pytest.raises(RemoteError) as caught:
            call(request)
        return caught.value.kind, caught.value.reason, str(caught.value)

    with process.channel("operator", scope=AccessScope.of(companies, sources)) as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        for call, asked, missing in (
            (stub.GetDelivery, gateway_pb2.GetDeliveryRequest(name=name), gateway_pb2.GetDeliveryRequest(name=unknown)),
            (
                stub.ReplayDelivery,
                gateway_pb2.ReplayDeliveryRequest(name=name, request_id=request_id),
                gateway_pb2.ReplayDeliveryRequest(name=unknown, request_id=request_id),
            ),
        ):
            found = refusal(call, asked)
            assert found == refusal(call, missing) == (Kind.MISSING, "DELIVERY_UNKNOWN", "no such delivery")
        source = gateway_pb2.PollSourceRequest(name="sources/stripe/accounts/acct_1")
        assert refusal(stub.PollSource, source)[:2] == (Kind.MISSING, "SOURCE_UNKNOWN")
        for parent in ("", "sources/-/accounts/-", "sources/stripe/accounts/-"):
            assert not stub.ListDeliveries(gateway_pb2.ListDeliveriesRequest(parent=parent)).deliveries
        assert not stub.ListSources(gateway_pb2.ListSourcesRequest()).sources
        transaction = delivery["transaction_id"]
        answer = stub.ListTransactionSteps(trace_pb2.ListTransactionStepsRequest(transaction_id=transaction))
        assert (answer.transaction_id, list(answer.steps)) == (transaction, [])


def test_the_callers_own_are_told_and_found(process: Process) -> None:
    delivery = process.deliver("evt_own").json()
    with process.channel("operator", scope=AccessScope.of(["demo"], ["stripe/acct_1"])) as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        assert stub.GetDelivery(gateway_pb2.GetDeliveryRequest(name=delivery["delivery"])).name == delivery["delivery"]
        assert stub.ListDeliveries(gateway_pb2.ListDeliveriesRequest()).deliveries
        assert len(stub.ListSources(gateway_pb2.ListSourcesRequest()).sources) == 1
        request = trace_pb2.ListTransactionStepsRequest(transaction_id=delivery["transaction_id"])
        assert stub.ListTransactionSteps(request).steps


def test_a_source_is_polled_at_once_and_listed(process: Process, operator: gateway_pb2_grpc.GatewayServiceStub) -> None:
    polled = operator.PollSource(gateway_pb2.PollSourceRequest(name="sources/stripe/accounts/acct_1"))
    assert polled.deliveries == 1
    (source,) = operator.ListSources(gateway_pb2.ListSourcesRequest()).sources
    assert (source.name, source.company, source.polled) == ("sources/stripe/accounts/acct_1", "companies/demo", True)
    assert source.HasField("last_poll_time")


def test_totals_are_empty_while_nobody_takes_events(operator: gateway_pb2_grpc.GatewayServiceStub) -> None:
    found = operator.ListControlTotals(trace_pb2.ListControlTotalsRequest(parent="companies/demo"))
    assert list(found.totals) == []


@pytest.mark.parametrize(
    "call, request_, reason",
    [
        ("GetDelivery", gateway_pb2.GetDeliveryRequest(name="x"), "REQUEST_INVALID"),
        ("GetDelivery", gateway_pb2.GetDeliveryRequest(name="sources/a/accounts/b/deliveries/c"), "DELIVERY_UNKNOWN"),
        ("ListDeliveries", gateway_pb2.ListDeliveriesRequest(parent="x"), "REQUEST_INVALID"),
        ("ListDeliveries", gateway_pb2.ListDeliveriesRequest(page_token="x"), "PAGE_TOKEN_INVALID"),
        ("ListDeliveries", gateway_pb2.ListDeliveriesRequest(state=99), "REQUEST_INVALID"),  # type: ignore[arg-type]
        (
            "ReplayDelivery",
            gateway_pb2.ReplayDeliveryRequest(name="sources/a/accounts/b/deliveries/c"),
            "REQUEST_INVALID",
        ),
        ("PollSource", gateway_pb2.PollSourceRequest(name="sources/a/accounts/b"), "SOURCE_UNKNOWN"),
        ("ListTransactionSteps", trace_pb2.ListTransactionStepsRequest(transaction_id="x"), "REQUEST_INVALID"),
        ("ListControlTotals", trace_pb2.ListControlTotalsRequest(parent="x"), "REQUEST_INVALID"),
    ],
)
def test_a_wrong_request_is_refused_with_its_reason(
    operator: gateway_pb2_grpc.GatewayServiceStub, call: str, request_: object, reason: str
) -> None:
    with pytest.raises(RemoteError) as error:
        getattr(operator, call)(request_)
    assert error.value.reason == reason


@pytest.mark.parametrize("poll", [True, False])
def test_a_source_whose_movements_nobody_asks_for_is_warned_of_once_at_the_start(
    poll: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = Process(tmp_path, poll=poll)
    found.close()
    warned = [one.getMessage() for one in caplog.records if "SOURCE_NOT_POLLED" in one.getMessage()]
    assert len(warned) == (0 if poll else 1)
    assert all("sources/stripe/accounts/acct_1" in one for one in warned)
    assert not any(secret in caplog.text for secret in (SECRET, "rk_live_1"))
