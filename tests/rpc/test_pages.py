from __future__ import annotations

import base64

import pytest
from concord.ledger.v1 import ledger_pb2, posting_pb2

from libs.listing import After, ListPart
from libs.rpc.pages import Page, PageSizeInvalid, PageTokenInvalid, decode_token, encode_token

REQUEST = ledger_pb2.ListPostingsRequest(parent="companies/acme", page_size=10)


def followed_by(token: str, **changes: str) -> ledger_pb2.ListPostingsRequest:
    request = ledger_pb2.ListPostingsRequest(parent="companies/acme", page_size=7, page_token=token)
    for name, value in changes.items():
        setattr(request, name, value)
    return request


def test_a_page_continues_after_the_last_row_with_another_size() -> None:
    token = Page.of(REQUEST).token_after(("2026-01-05", 42, "zoë"))
    page = Page.of(followed_by(token))
    assert (page.after, page.size) == (("2026-01-05", 42, "zoë"), 7)


def test_the_first_page_has_no_cursor_and_the_last_no_token() -> None:
    page = Page.of(REQUEST)
    assert (page.after, page.token_after(None)) == (None, "")


def test_a_place_that_is_a_number_is_where_a_page_starts() -> None:
    assert Page.of(REQUEST).start == 0
    assert Page.of(followed_by(Page.of(REQUEST).token_after((30,)))).start == 30


@pytest.mark.parametrize("place", [("shopify/shop-1", "USD", "2026-11-18", "handed_on"), ("30",), (30, 1)])
def test_a_token_of_a_list_s_earlier_order_is_refused(place: tuple[str | int, ...]) -> None:
    page = Page.of(followed_by(Page.of(REQUEST).token_after(place)))
    with pytest.raises(PageTokenInvalid) as caught:
        _ = page.start
    assert caught.value.field == "page_token"


@pytest.mark.parametrize(("requested", "used"), [(0, 100), (1, 1), (1000, 1000), (5000, 1000)])
def test_the_page_size_is_clamped(requested: int, used: int) -> None:
    assert Page.of(ledger_pb2.ListPostingsRequest(page_size=requested)).size == used


def test_a_negative_page_size_is_refused() -> None:
    with pytest.raises(PageSizeInvalid):
        Page.of(ledger_pb2.ListPostingsRequest(page_size=-1))


@pytest.mark.parametrize("sizes", [[], [0], [1, 0, 127], [128, 16_383, 16_384, 1], [3_000_000]])
@pytest.mark.parametrize("after", [None, ("2026-01-05", 42)])
def test_an_answer_of_finished_items_is_the_answer_of_their_messages(sizes: list[int], after: After | None) -> None:
    page = Page.of(REQUEST)
    postings = [posting_pb2.Posting(reason_text="x" * size) for size in sizes]
    part = ListPart(postings, after)
    finished = page.finished_answer(ledger_pb2.ListPostingsResponse, part, posting_pb2.Posting.SerializeToString)
    assert finished == page.answer(ledger_pb2.ListPostingsResponse(), part, lambda posting: posting).SerializeToString()


GOOD = Page.of(REQUEST).token_after((1,))
RAW = base64.urlsafe_b64decode(GOOD + "==")
BAD_TOKENS = {
    "not base64": "%%%",
    "not ASCII": "ü" * 20,
    "empty inside": "AA",
    "cut": GOOD[:-2],
    "longer": GOOD + "AAAA",
    "another version": base64.urlsafe_b64encode(b"\x02" + RAW[1:]).decode(),
    "another position": base64.urlsafe_b64encode(RAW[:-2] + b"9]").decode(),
    "huge": "A" * 1_000_000,
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    with pytest.raises(PageTokenInvalid) as caught:
        Page.of(followed_by(token))
    assert (caught.value.reason, caught.value.field) == ("PAGE_TOKEN_INVALID", "page_token")


def test_a_token_taken_to_other_filters_or_another_list_is_refused() -> None:
    with pytest.raises(PageTokenInvalid):
        Page.of(followed_by(GOOD, parent="companies/other"))
    with pytest.raises(PageTokenInvalid):
        Page.of(ledger_pb2.ListExceptionsRequest(parent="companies/acme", page_token=GOOD))


def test_a_resume_token_names_its_own_field() -> None:
    token = encode_token((7,), b"watch")
    assert decode_token(token, b"watch", "resume_token") == (7,)
    with pytest.raises(PageTokenInvalid) as caught:
        decode_token(token, b"list", "resume_token")
    assert caught.value.field == "resume_token"
