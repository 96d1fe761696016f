"""Calls are held to the companies and sources of their caller's token."""

from __future__ import annotations

import grpc
import pytest
from concord.access.v1 import access_pb2
from concord.ledger.v1 import ledger_pb2

from libs.access import EVERYTHING, NOTHING, AccessScope, ScopeInvalid
from libs.access.names import allows_name, event_beginnings, posting_beginnings
from libs.rpc.config import ServerConfig
from libs.rpc.errors import RemoteError
from libs.rpc.identity import Identity, IssuedToken, TokenVerifier, acting_as
from libs.rpc.pages import Page, PageTokenInvalid
from libs.rpc.resources import ResourceUndeclared
from libs.rpc.server import Registration, serve
from tests.rpc.echo import KEYS, SHAPES, Echo, add_echo, calling, echo_service, serving

OURS = AccessScope.of(["acme"], ["stripe/acct_1", "shopify/*"])
READS = dict.fromkeys(SHAPES, "ledger.postings.read")
NAMED = echo_service("NamedService", READS, access_pb2.ResourceRule(fields=["value"]))
LISTED = echo_service("ListedService", READS, access_pb2.ResourceRule(fields=["value"], filtered="by the echo"))

WITHIN = [
    "companies/acme",
    "companies/acme/matches/m1",
    "sources/stripe/accounts/acct_1",
    "sources/stripe/accounts/acct_1/events/txn_1",
    "sources/shopify/accounts/shop-2/deliveries/d1",
    "companies/acme/postings/acme_stripe_acct-5f1_txn-5f1_gross",
]
BEYOND = {
    "companies/other": "COMPANY_UNKNOWN",
    "companies/ACME": "COMPANY_UNKNOWN",
    "companies/acm": "COMPANY_UNKNOWN",
    "companies/acme2": "COMPANY_UNKNOWN",
    "companies/%61cme": "COMPANY_UNKNOWN",
    "companies/*": "COMPANY_UNKNOWN",
    "companies/-": "COMPANY_UNKNOWN",
    "companies/other/matches/m1": "MATCH_UNKNOWN",
    "companies/other/postings/acme_stripe_acct-5f1_txn-5f1_gross": "POSTING_UNKNOWN",
    "companies/acme/postings/acme_stripe_acct-5f2_txn-5f1_gross": "POSTING_UNKNOWN",
    "companies/acme/postings/acme_bank_acct-5f1_txn-5f1_gross": "POSTING_UNKNOWN",
    "companies/acme/postings/acme_Stripe_acct-5f1_txn-5f1_gross": "POSTING_UNKNOWN",
    "companies/acme/postings/no-key": "POSTING_UNKNOWN",
    "sources/stripe/accounts/acct_2": "SOURCE_UNKNOWN",
    "sources/stripe/accounts/ACCT_1": "SOURCE_UNKNOWN",
    "sources/stripe/accounts/acct_1%2F..": "SOURCE_UNKNOWN",
    "sources/shopifyx/accounts/shop-2": "SOURCE_UNKNOWN",
    "sources/-/accounts/-/events/txn_1": "EVENT_UNKNOWN",
    "sources/stripe/accounts/acct_2/events/txn_1": "EVENT_UNKNOWN",
}
NO_NAMES = [
    "companies",
    "companies/",
    "companies/acme/",
    "companies/acme/../other",
    "companies/acme/matches/m1/",
    "companies/acme/unheard/m1",
    "/companies/acme",
    "companies//acme",
    "Companies/acme",
    "companies/acme\u200b/..",
    "companies/acme\n",
    "sources/stripe/accounts/acct_1/events/a/b",
    "sources/stripe/accounts/acct_1/..",
    "*",
]


def asked(shape: str, value: str, scope: AccessScope, service: object = NAMED) -> str:
    """What the echo answers, or the reason why it does not."""
    token = IssuedToken(KEYS, "tests", ("viewer",), scope)
    with serving(service=service) as server, calling(server, service=service, token=token) as stub:  # type: ignore[arg-type]
        try:
            return stub.call(shape, value)
        except RemoteError as error:
            return error.reason


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_call_is_held_to_the_scope(shape: str) -> None:
    assert asked(shape, WITHIN[0], OURS) == WITHIN[0]
    assert asked(shape, "companies/other", OURS) == "COMPANY_UNKNOWN"
    assert asked(shape, "companies/acme", NOTHING) == "COMPANY_UNKNOWN"
    assert asked(shape, "companies/other", EVERYTHING) == "companies/other"


def test_a_stream_of_requests_is_held_to_it_to_its_end() -> None:
    with serving(service=NAMED) as server:
        token = IssuedToken(KEYS, "tests", ("viewer",), OURS)
        with calling(server, service=NAMED, token=token) as stub, pytest.raises(RemoteError) as caught:
            stub.call("Gather", "companies/acme companies/acme companies/other")
    assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.NOT_FOUND, "COMPANY_UNKNOWN")


def test_names_are_read_exactly() -> None:
    with serving(service=NAMED) as server:
        token = IssuedToken(KEYS, "tests", ("viewer",), OURS)
        with calling(server, service=NAMED, token=token) as stub:
            for name in WITHIN:
                assert stub.call("Say", name) == name
            for name, reason in BEYOND.items():
                with pytest.raises(RemoteError) as caught:
                    stub.call("Say", name)
                assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.NOT_FOUND, reason), name
            for name in ["", *NO_NAMES]:
                with pytest.raises(RemoteError) as caught:
                    stub.call("Say", name)
                refused = (caught.value.code, caught.value.reason, caught.value.field)
                assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID", "value"), name


@pytest.mark.parametrize("value", ["", "sources/-/accounts/-", "sources/stripe/accounts/-"])
def test_an_open_parent_is_for_a_service_that_filters(value: str) -> None:
    assert asked("Say", value, OURS, LISTED) == value
    assert asked("Say", value, OURS, NAMED) in ("REQUEST_INVALID", "SOURCE_UNKNOWN")


@pytest.mark.parametrize("name", ["companies/acme/postings/-", "sources/-/accounts/-/events/txn_1", "companies/-"])
def test_nothing_else_is_open(name: str) -> None:
    assert asked("Say", name, OURS, LISTED).endswith("_UNKNOWN")


@pytest.mark.parametrize(
    "rule",
    [
        None,
        access_pb2.ResourceRule(),
        access_pb2.ResourceRule(fields=["nowhere"]),
        access_pb2.ResourceRule(fields=["value.nowhere"]),
        access_pb2.ResourceRule(items=["nowhere"]),
        access_pb2.ResourceRule(fields=[""]),
    ],
)
def test_a_server_does_not_start_with_an_rpc_that_does_not_say_what_it_touches(
    rule: access_pb2.ResourceRule | None,
) -> None:
    name = f"Silent{abs(hash(str(rule)))}Service"
    service = echo_service(name, READS, rule)
    with pytest.raises(ResourceUndeclared):
        serve(ServerConfig(), [Registration(Echo(), add_echo(service), service)], TokenVerifier(KEYS))


@pytest.mark.parametrize("company", ["", "a/b", "a b", "companies/acme", "ac*", "é"])
def test_what_is_no_company_is_in_no_scope(company: str) -> None:
    with pytest.raises(ScopeInvalid):
        AccessScope.of([company])


@pytest.mark.parametrize("source", ["", "stripe", "stripe/", "/acct_1", "*/acct_1", "*/*", "stripe/a/b", "stripe/a*"])
def test_what_is_no_source_is_in_no_scope(source: str) -> None:
    with pytest.raises(ScopeInvalid):
        AccessScope.of([], [source])


def test_what_stored_names_begin_with_is_what_names_are_checked_by() -> None:
    event, posting = "sources/stripe/accounts/acct_1/events/txn_1", "acme_stripe_acct-5f1_txn-5f1_gross"
    other = "acme_stripe_acct-5f1-2d2_txn-5f1_gross"  # acct_1-2
    events, postings = event_beginnings(OURS), posting_beginnings(OURS, "acme")
    assert any(event.startswith(beginning) for beginning in events)
    assert any(posting.startswith(beginning) for beginning in postings)
    assert not any(other.startswith(beginning) for beginning in postings)
    assert not allows_name(OURS, f"companies/acme/postings/{other}")


def test_a_page_token_of_another_scope_is_refused() -> None:
    request = ledger_pb2.ListPostingsRequest(parent="companies/acme")
    with acting_as(Identity("ann", frozenset(), OURS)):
        token = Page.of(request).token_after((1,))
        request.page_token = token
        assert Page.of(request).start == 1
    for scope in (NOTHING, EVERYTHING, AccessScope.of(["acme"], ["stripe/acct_1"])):
        with acting_as(Identity("bob", frozenset(), scope)), pytest.raises(PageTokenInvalid):
            Page.of(request)
