"""The partners' face, over real sockets: every answer it can give, and that it is what OpenAPI says."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

from libs.errors import ConcordError
from libs.storage.errors import StorageFull, StorageUnavailable
from providers.shopify.signature import sign as sign_shopify
from services.gateway.openapi import document
from tests.gateway.edge import CHARGE, IBAN, WEBHOOK, Edge, check, edge, post, signed
from tests.gateway.world import GOLDEN, SHOPIFY_SECRET, STRIPE_SECRETS, GatewayWorld, headers_for

ALLOWED = {"webhooks": "POST", "files": "POST", "healthz": "GET"}


def raw(found: Edge, head: str, body: bytes = b"", *, pause: float = 0.0, close: bool = False) -> bytes:
    """What the server says to bytes that no client library would send."""
    with socket.create_connection(("127.0.0.1", found.port), timeout=60) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + body)
        if pause:
            time.sleep(pause)
        if close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
                if not close and is_whole(answer):
                    break
        except TimeoutError:
            pass
        return answer


def is_whole(answer: bytes) -> bool:
    """Head and body may come apart."""
    head, found, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(found) and len(body) >= int(length or 0)


def test_a_proved_delivery_is_durable_before_its_202(world: GatewayWorld) -> None:
    with edge(world) as found:
        response = post(found)
        assert response.status_code == 202
        rows = world.stored("delivery", "name", "transaction_id")
        assert rows == [(response.json()["delivery"], response.json()["transaction_id"])]
        assert "concord-duplicate" not in response.headers


@pytest.mark.parametrize("given", ["0" * 4000, "00-x", "00-" + "1" * 32 + "-" + "2" * 16 + "-01"])
def test_a_partner_s_own_trace_is_linked_if_it_is_one(world: GatewayWorld, given: str) -> None:
    with edge(world) as found:
        assert post(found, headers=signed(found, traceparent=given)).status_code == 202
    assert world.stored("delivery", "link") == [(given if len(given) == 55 else "",)]


def test_the_same_again_gets_the_same_body_and_says_so_in_a_header(world: GatewayWorld) -> None:
    with edge(world) as found:
        first, again = post(found), post(found)
        assert again.content == first.content
        assert again.headers["concord-duplicate"] == "true"


def test_a_hundred_at_once_are_one_delivery(world: GatewayWorld) -> None:
    with edge(world) as found, httpx.Client(base_url=found.url, limits=httpx.Limits(max_connections=50)) as client:
        headers = signed(found)
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda _: client.post(WEBHOOK, content=CHARGE, headers=headers), range(100)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.content for answer in answers}) == 1
        assert sum("concord-duplicate" not in answer.headers for answer in answers) == 1
        assert world.count("delivery") == 1
        assert sum(found.batches) == 100
        assert len(found.batches) < 100


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"body": CHARGE + b" "}, "SIGNATURE_INVALID"),
        ({"body": CHARGE[:-1]}, "SIGNATURE_INVALID"),
        ({"secret": b"whsec_forged"}, "SIGNATURE_INVALID"),
        ({"header": ""}, "SIGNATURE_MISSING"),
        ({"header": "t=1,v1=00"}, "SIGNATURE_INVALID"),
        ({"age": 301}, "SIGNATURE_STALE"),
    ],
)
def test_what_is_not_proved_is_answered_401_and_blocks_nothing(
    world: GatewayWorld, change: dict[str, Any], reason: str
) -> None:
    with edge(world) as found:
        at = found.world.now - timedelta(seconds=change.get("age", 0))
        headers = dict(headers_for(CHARGE, at, change.get("secret", STRIPE_SECRETS[0])))
        if "header" in change:
            headers = {"stripe-signature": change["header"]} if change["header"] else {}
        response = post(found, body=change.get("body", CHARGE), headers=headers)
        assert (response.status_code, response.json()["reason"]) == (401, reason)
        assert world.count("delivery") == 0
        assert post(found).status_code == 202
    assert world.stored("refused_sample", "provider", "account", "reason") == [("stripe", "acct_1", reason)]


def test_samples_of_refused_ones_are_few_and_short(world: GatewayWorld) -> None:
    with edge(world) as found:
        for _ in range(30):
            post(found, body=b"x" * 5000, headers={"stripe-signature": "t=1,v1=00"})
    samples = [(len(head), size) for head, size in world.stored("refused_sample", "head", "body_bytes")]
    assert 1 <= len(samples) < 30
    assert samples[0] == (1024, 5000)


def test_a_proved_body_that_makes_no_sense_is_refused_with_its_place(world: GatewayWorld) -> None:
    with edge(world) as found:
        response = post(found, body=CHARGE.replace(b"10800", b"10800.5", 1))
        assert (response.status_code, response.json()["reason"]) == (400, "DELIVERY_AMOUNT_INVALID")
        assert response.json()["position"] == "data.object.amount"
        assert post(found, body=b'{"a":' * 200).json()["reason"] == "JSON_TOO_DEEP"


@pytest.mark.parametrize(
    "method, path, status, reason",
    [
        ("POST", "/webhooks/stripe/acct_none", 404, "SOURCE_UNKNOWN"),
        ("POST", "/webhooks/paypal/acct_1", 404, "SOURCE_UNKNOWN"),
        ("POST", f"/webhooks/bank/{IBAN}", 404, "SOURCE_UNKNOWN"),
        ("POST", "/webhooks/stripe/acct_1/more", 404, "ROUTE_UNKNOWN"),
        ("POST", "/webhooks/stripe", 404, "ROUTE_UNKNOWN"),
        ("GET", "/", 404, "ROUTE_UNKNOWN"),
        ("GET", WEBHOOK, 405, "METHOD_NOT_ALLOWED"),
        ("PUT", f"/files/{IBAN}", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/healthz", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_other_routes_and_methods_are_refused(
    world: GatewayWorld, method: str, path: str, status: int, reason: str
) -> None:
    with edge(world) as found:
        response = httpx.request(method, found.url + path, content=CHARGE, headers=signed(found))
        check(response, method, path)
        assert (response.status_code, response.json()["reason"]) == (status, reason)
        assert response.headers.get("allow", "") == (ALLOWED[path.split("/")[1]] if status == 405 else "")


@pytest.mark.parametrize(
    "head, status, reason",
    [
        ("Content-Length: 99999999\n", b"413", b"FILE_TOO_LARGE"),
        ("Content-Length: 4\nContent-Encoding: gzip\n", b"415", b"CONTENT_ENCODING_UNSUPPORTED"),
        ("Content-Length: ٤\n", b"400", b""),
        ("Content-Length: -1\n", b"400", b""),
    ],
)
def test_a_head_that_promises_the_wrong_thing_is_refused_unread(
    world: GatewayWorld, head: str, status: bytes, reason: bytes
) -> None:
    with edge(world) as found:
        answer = raw(found, f"POST {WEBHOOK} HTTP/1.1\nHost: x\n{head}\n", b"body")
        assert answer.split(b" ", 2)[1] == status
        assert reason in answer


def test_a_chunked_body_that_grows_too_large_is_cut_off(world: GatewayWorld) -> None:
    with edge(world, max_body_bytes=10_000) as found:
        chunk = b"800\r\n" + b"x" * 2048 + b"\r\n"
        answer = raw(found, f"POST {WEBHOOK} HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n", chunk * 6)
        assert answer.startswith(b"HTTP/1.1 413")


def test_a_chunked_body_is_taken_as_a_whole(world: GatewayWorld) -> None:
    with edge(world) as found:
        parts = iter([CHARGE[:100], CHARGE[100:]])
        response = httpx.post(found.url + WEBHOOK, content=parts, headers=signed(found))
        assert response.status_code == 202


def test_a_slow_body_ends_in_408(world: GatewayWorld) -> None:
    with edge(world, body_timeout_seconds=0.3) as found:
        answer = raw(found, f"POST {WEBHOOK} HTTP/1.1\nHost: x\nContent-Length: {len(CHARGE)}\n\n", CHARGE[:50])
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"BODY_TOO_SLOW" in answer


def test_a_client_that_goes_away_in_the_middle_leaves_nothing(world: GatewayWorld) -> None:
    with edge(world) as found:
        raw(found, f"POST {WEBHOOK} HTTP/1.1\nHost: x\nContent-Length: {len(CHARGE)}\n\n", CHARGE[:50], close=True)
        assert post(found).status_code == 202
        assert world.count("delivery") == 1


def test_a_length_that_cuts_the_body_short_proves_nothing(world: GatewayWorld) -> None:
    with edge(world) as found:
        signature = signed(found)["stripe-signature"]
        head = f"POST {WEBHOOK} HTTP/1.1\nHost: x\nStripe-Signature: {signature}\nContent-Length: {len(CHARGE) - 9}\n\n"
        # What follows the announced length is no request; either fault may be told first.
        assert raw(found, head, CHARGE).split(b" ", 2)[1] in (b"400", b"401")
        assert world.count("delivery") == 0


def test_a_partner_s_own_limit_is_429_and_forgeries_do_not_use_it_up(world: GatewayWorld) -> None:
    with edge(world, limits={"stripe/acct_1": 2}) as found:
        for _ in range(5):
            assert post(found, headers={"stripe-signature": "t=1,v1=00"}).status_code == 401
        assert [post(found).status_code for _ in range(3)] == [202, 202, 429]
        limited = post(found)
        assert limited.json()["reason"] == "PARTNER_RATE_LIMITED"
        assert 1 <= int(limited.headers["retry-after"]) <= 61
        body = (GOLDEN / "shopify" / "order.paid.json").read_bytes()
        other = post(
            found, "/webhooks/shopify/shop", body, {"x-shopify-hmac-sha256": sign_shopify(body, SHOPIFY_SECRET)}
        )
        assert other.status_code == 202


@pytest.mark.parametrize(
    "error, status, reason",
    [
        (StorageFull("no room"), 507, "STORAGE_FULL"),
        (StorageUnavailable("gone"), 503, "STORAGE_UNAVAILABLE"),
    ],
)
def test_a_store_that_cannot_keep_it_says_try_again(
    world: GatewayWorld, error: ConcordError, status: int, reason: str
) -> None:
    with edge(world) as found:
        found.store_failures.extend([error, error])
        response = post(found)
        assert (response.status_code, response.json()["reason"]) == (status, reason)
        assert int(response.headers["retry-after"]) > 0
        found.store_failures.clear()
        assert post(found).status_code == 202


def test_a_caller_who_gives_up_does_not_stop_the_write(world: GatewayWorld) -> None:
    with edge(world) as found:
        found.hold = threading.Event()
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(found.url + WEBHOOK, content=CHARGE, headers=signed(found), timeout=0.3)
        found.hold.set()
        again = post(found)
        assert again.headers["concord-duplicate"] == "true"


def test_two_live_secrets_both_prove(world: GatewayWorld) -> None:
    with edge(world) as found:
        for secret in STRIPE_SECRETS:
            assert post(found, headers=dict(headers_for(CHARGE, found.world.now, secret))).status_code == 202


def test_health_and_description_answer_without_a_name(world: GatewayWorld) -> None:
    ready = True
    with edge(world, is_ready=lambda: ready) as found:
        for path in ("/healthz", "/openapi.json"):
            response = httpx.get(found.url + path)
            check(response, "GET", path)
            assert response.status_code == 200
        assert httpx.get(found.url + "/openapi.json").json() == document()
        ready = False
        response = httpx.get(found.url + "/healthz")
        check(response, "GET", "/healthz")
        assert response.status_code == 503
