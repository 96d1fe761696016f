"""Hostile and malformed XML: each file is read as its maker meant, or refused with this reason, quickly."""

from __future__ import annotations

import socket
import time
from io import BytesIO
from pathlib import Path

import pytest

from libs.formats.camt import iter_camt
from libs.formats.errors import FormatError
from libs.formats.statement import StatementLine

from .samples import reading_of, samples_folder

XML = ("malformed", "handmade", "xml")

EXPECTED: dict[str, list[str] | str] = {
    "billion-laughs.xml": "XML_DOCTYPE_FORBIDDEN",
    "camt-ccy-mismatch.xml": "STATEMENT_CURRENCY_MISMATCH",
    "camt-closing-mismatch.xml": [
        "S1 | DE89370400440532013000 EUR | 2 +10.00 -3.00 | 1000.00 1010.00 False",
        "BALANCES_DO_NOT_TIE",
    ],
    "camt-comma-amount.xml": "STATEMENT_AMOUNT_INVALID",
    "camt-duplicate-entries.xml": [
        "S1 | DE89370400440532013000 EUR | 2 +20.00 -0.00 | 1000.00 1020.00 True",
    ],
    "camt-exponent-amount.xml": "STATEMENT_AMOUNT_INVALID",
    "camt-formula-injection.xml": [
        "S1 | DE89370400440532013000 EUR | 1 +10.00 -0.00 | 1000.00 1010.00 True",
    ],
    "camt-huge-amount.xml": "STATEMENT_AMOUNT_INVALID",
    "camt-jpy-decimals.xml": "STATEMENT_AMOUNT_INVALID",
    "camt-latin1-declared-utf8.xml": "XML_ENCODING",
    "camt-negative-amount.xml": "STATEMENT_AMOUNT_INVALID",
    "camt-nul-charref.xml": "XML_MALFORMED",
    "camt-pending.xml": [
        "S1 | DE89370400440532013000 EUR | 0 +0.00 -0.00 | 1000.00 1000.00 True",
    ],
    "camt-reversal.xml": [
        "S1 | DE89370400440532013000 EUR | 2 +10.00 -10.00 | 1000.00 1000.00 True",
    ],
    "camt-rtl-control-names.xml": [
        "S1 | DE89370400440532013000 EUR | 1 +10.00 -0.00 | 1000.00 1010.00 True",
    ],
    "camt-truncated.xml": "FILE_TRUNCATED",
    "camt-unknown-namespace.xml": "FORMAT_VERSION_UNSUPPORTED",
    "camt-utf16.xml": [
        "S1 | DE89370400440532013000 EUR | 1 +10.00 -0.00 | 1000.00 1010.00 True",
    ],
    "camt-utf8-bom.xml": [
        "S1 | DE89370400440532013000 EUR | 1 +10.00 -0.00 | 1000.00 1010.00 True",
    ],
    "deep-nesting.xml": "XML_TOO_DEEP",
    "empty.xml": "FILE_EMPTY",
    "external-dtd.xml": "XML_DOCTYPE_FORBIDDEN",
    "html-instead.xml": "FORMAT_UNKNOWN",
    "xxe-file.xml": "XML_DOCTYPE_FORBIDDEN",
    "xxe-http.xml": "XML_DOCTYPE_FORBIDDEN",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_malformed_file_is_refused_with_its_reason_in_bounded_time(name: str) -> None:
    path = samples_folder(*XML) / name
    begun = time.perf_counter()
    assert reading_of(path) == EXPECTED[name]
    assert time.perf_counter() - begun < 2


def test_no_malformed_sample_is_missing_from_the_table() -> None:
    assert {path.name for path in samples_folder(*XML).glob("*.xml")} == set(EXPECTED)


@pytest.mark.parametrize("name", ["xxe-file.xml", "xxe-http.xml", "external-dtd.xml", "billion-laughs.xml"])
def test_a_refused_file_reaches_neither_the_network_nor_other_files(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("the network was touched")

    content = (samples_folder(*XML) / name).read_bytes()
    monkeypatch.setattr(socket, "socket", forbidden)
    with pytest.raises(FormatError) as refusal:
        list(iter_camt(BytesIO(content)))
    assert "root:" not in str(refusal.value)


def lines_of(path: Path) -> list[StatementLine]:
    with path.open("rb") as file:
        return [part for part in iter_camt(file) if isinstance(part, StatementLine)]


def test_text_is_kept_as_it_is_and_never_interpreted() -> None:
    folder = samples_folder(*XML)
    (formula,) = lines_of(folder / "camt-formula-injection.xml")
    assert formula.details[0].remittance == ("+SUM(1+1)",)
    assert formula.details[0].counterparty is not None
    assert formula.details[0].counterparty.name == "=cmd|' /C calc'!A0"
    (turned,) = lines_of(folder / "camt-rtl-control-names.xml")
    assert turned.details[0].counterparty is not None
    assert "\u202e" in (turned.details[0].counterparty.name or "")


def test_a_pending_entry_is_handed_over_but_not_counted() -> None:
    (line,) = lines_of(samples_folder(*XML) / "camt-pending.xml")
    assert not line.booked
