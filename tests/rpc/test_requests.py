from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from libs.rpc import requests
from libs.rpc.errors import InvalidRequest

POSTING = "companies/{company}/postings/{posting}"


def test_a_resource_name_gives_its_parts() -> None:
    assert requests.resource_name("companies/a-1/postings/x:y.z", "name", POSTING) == {
        "company": "a-1",
        "posting": "x:y.z",
    }


@pytest.mark.parametrize(
    "check",
    [
        lambda: requests.required("", "f"),
        lambda: requests.required("  ", "f"),
        lambda: requests.required("x" * 1025, "f"),
        lambda: requests.optional("a\x00b", "f"),
        lambda: requests.resource_name("", "f", POSTING),
        lambda: requests.resource_name("companies/a/postings/", "f", POSTING),
        lambda: requests.resource_name("companies/a/b/postings/c", "f", POSTING),
        lambda: requests.resource_name("companies/a/postings/c d", "f", POSTING),
        lambda: requests.resource_name("xcompanies/a/postings/c", "f", POSTING),
        lambda: requests.resource_name("companies/a/postings/c\n", "f", POSTING),
        lambda: requests.resource_name("companies/a/postings/" + "c" * 256, "f", POSTING),
        lambda: requests.company_of("companies/a/postings/b", "f"),
        lambda: requests.company_of("companies/" + "a" * 65, "f"),
        lambda: requests.transaction_id("0" * 32, "f"),
        lambda: requests.transaction_id("A" * 32, "f"),
        lambda: requests.transaction_id("a" * 31, "f"),
        lambda: requests.request_id("", "f"),
        lambda: requests.request_id("not-a-uuid", "f"),
        lambda: requests.currency_code("eur", "f"),
        lambda: requests.currency_code("EURO", "f"),
        lambda: requests.at_most([], 5, "f"),
        lambda: requests.at_most([1, 2, 3], 2, "f"),
    ],
)
def test_what_breaks_the_contract_is_refused_with_its_field(check: Callable[[], Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check()
    assert (caught.value.reason, caught.value.field) == ("REQUEST_INVALID", "f")


def test_a_request_id_is_one_however_it_is_written() -> None:
    written = ["0190A3C0-7B1E-7000-8000-0123456789AB", "0190a3c07b1e700080000123456789ab"]
    assert {requests.request_id(text) for text in written} == {"0190a3c0-7b1e-7000-8000-0123456789ab"}


def test_what_keeps_the_contract_is_given_back() -> None:
    assert requests.required("Zoë", "f") == "Zoë"
    assert requests.optional("", "f") == ""
    assert requests.company_of("companies/acme") == "acme"
    assert requests.transaction_id("0190a3c07b1e700080000123456789ab") == "0190a3c07b1e700080000123456789ab"
    assert requests.currency_code("EUR", "f") == "EUR"
    assert requests.at_most([1], 1, "f") == [1]
