"""Which numbers of open documents a text names, as whole references."""

from __future__ import annotations

import pytest

from services.recon.domain.references import Numbers, token_of

NUMBERS = Numbers(
    [
        "INV/2026/00001",
        "INV/2026/01729",
        "4711",
        "4712",
        "10115",
        "5550123",
        "2026",
        "po_1001",
        "7700118970",
        "88123456",
    ]
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("paid INV/2026/00001", "INV202600001"),
        ("INV202600001", "INV202600001"),
        ("inv 2026 00001 thanks", "INV202600001"),
        ("INV-2026-1", "INV202600001"),
        ("2026/00001", "INV202600001"),
        ("INV/20 26/00 001", "INV202600001"),
        ("INV/2026/00001thanks", "INV202600001"),
        ("paymentINV/2026/00001", "INV202600001"),
        ("ＩＮＶ／２０２６／００００１", "INV202600001"),
        ("INV/2026/00\u200b001", "INV202600001"),
        ("order 4711", "4711"),
        ("Order no. 4711, thanks", "4711"),
        ("#4711", "4711"),
        ("Rechnung4711danke", "4711"),
        ("order ４７１１", "4711"),
        ("STRIPE PAYOUT 7700118970", "7700118970"),
        ("7700118970", "7700118970"),
        ("STRIPE po_1001", "PO1001"),
        ("RF62 8812 3456", "88123456"),
    ],
)
def test_a_number_is_found_in_the_forms_in_which_people_write_it(text: str, number: str) -> None:
    assert NUMBERS.said_in([text]).known == {number}


@pytest.mark.parametrize(
    "text",
    [
        "order 47110",
        "order 14711",
        "order 4711-2",
        "order 2025-4711",
        "INV/2026/000012",
        "INV/2026/00001/2",
        "XINV/2026/00001",
        "ACME-INV/2026/00001",
        "INV/2026/0001 7",
        "4711 Main Street",
        "house no 4711",
        "10115 Berlin",
        "tel 5550123",
        "call me 7700118970",
        "+49 7700118970",
        "0049 7700118970",
        "rent 2026",
        "order 2026",
        "invoice of 12.10.2026",
        "4711.00 EUR",
        "IBAN DE89370400440532013000",
        "RF73 8812 3456",
        "thanks",
        "",
    ],
)
def test_a_piece_of_something_else_is_no_reference(text: str) -> None:
    assert NUMBERS.said_in([text]).known == frozenset()


@pytest.mark.parametrize(
    ("text", "stranger"),
    [
        ("INV/2026/00009", "INV202600009"),
        ("order 4799", "4799"),
        ("order 4711 / invoice 4799", "4799"),
        ("RF73 8812 3456", "RF7388123456"),
    ],
)
def test_a_number_in_a_form_of_ours_that_nobody_knows_is_a_stranger(text: str, stranger: str) -> None:
    assert NUMBERS.said_in([text]).strangers == {stranger}


def test_a_list_of_numbers_names_them_all() -> None:
    assert NUMBERS.said_in(["order 4711/4712 and INV/2026/00001, INV/2026/01729"]).known == {
        "4711", "4712", "INV202600001", "INV202601729"
    }  # fmt: skip


def test_nothing_is_joined_across_two_fields() -> None:
    assert NUMBERS.said_in(["INV/2026/", "00001"]).known == frozenset()


@pytest.mark.parametrize(("number", "token"), [("inv/2026/00001", "INV202600001"), ("abcd", ""), ("a1", ""), ("", "")])
def test_a_token_has_a_digit_and_four_characters(number: str, token: str) -> None:
    assert token_of(number) == token
