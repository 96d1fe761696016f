"""Pages, days and envelopes: where a statement says its balances and dates in other places than usual."""

from __future__ import annotations

import gzip
from io import BytesIO
from zipfile import ZipFile

import pytest

from libs.formats.errors import FormatError, FormatUnknown, StatementAmountInvalid, StatementDateInvalid
from libs.money import Money

from .camt_files import ACCOUNT, balance, document, ends, entry, headers, lines, read, reasons

UNDATED = "<BookgDt><Dt>2026-01-31</Dt></BookgDt><ValDt><Dt>2026-01-31</Dt></ValDt>"


def _page(number: str, last: str, *parts: str) -> bytes:
    head = f"<Id>S1</Id><StmtPgntn><PgNb>{number}</PgNb><LastPgInd>{last}</LastPgInd></StmtPgntn>{ACCOUNT}"
    return document(*parts, head=head)


@pytest.mark.parametrize(
    ("content", "opening", "closing", "ties"),
    [
        (_page("1", "false", balance("OPBD", "0.00"), balance("ITBD", "10.00"), entry("10.00")), 0, 1000, True),
        (_page("2", "true", balance("ITBD", "10.00"), balance("CLBD", "14.00"), entry("4.00")), 1000, 1400, True),
        (_page("2", "true", balance("ITBD", "10.00"), balance("CLBD", "14.00"), entry("5.00")), 1000, 1400, False),
        # Two interim balances: nobody says which of them is the page's beginning.
        (_page("2", "false", balance("ITBD", "10.00"), balance("ITBD", "14.00"), entry("4.00")), None, None, None),
        # The last page does not go on, the first one goes on from nowhere, and without pages it is a time of the day.
        (_page("1", "true", balance("OPBD", "0.00"), balance("ITBD", "10.00"), entry("10.00")), 0, None, None),
        (_page("01", "true", balance("ITBD", "0.00"), balance("CLBD", "10.00"), entry("10.00")), None, 1000, None),
        (document(balance("OPBD", "0.00"), balance("ITBD", "10.00"), entry("10.00")), 0, None, None),
    ],
)
def test_an_interim_balance_is_the_end_of_a_page_that_goes_on(
    content: bytes, opening: int | None, closing: int | None, ties: bool | None
) -> None:
    (header,), (end,) = headers(content), ends(content)
    assert [None if amount is None else amount.minor_units for amount in (end.opening, end.closing)] == [
        opening,
        closing,
    ]
    assert (header.opening, header.closing, end.ties) == (end.opening, end.closing, ties)


@pytest.mark.parametrize("order", [1, -1])
def test_a_statement_of_several_days_begins_with_the_first_and_ends_with_the_last(order: int) -> None:
    days = (
        balance("OPBD", "0.00", "2026-01-30"),
        balance("CLBD", "5.00", "2026-01-30"),
        balance("OPBD", "5.00", "2026-01-31"),
        balance("CLBD", "12.00", "2026-01-31"),
    )
    content = document(*days[::order], entry("5.00"), entry("7.00"))
    (end,) = ends(content)
    assert (end.opening, end.closing) == (Money("EUR", 0), Money("EUR", 1200))
    assert end.ties
    assert list(reasons(content)) == []


def test_an_entry_without_dates_is_booked_on_its_statements_day() -> None:
    undated = entry("10.00").replace(UNDATED, "")
    (line,) = lines(document(balance("CLBD", "10.00", "2026-01-30"), undated))
    assert (line.booking_date, line.value_date, str(line.effective_date)) == (None, None, "2026-01-30")
    assert [finding.reason for finding in line.findings] == ["BOOKING_DATE_MISSING"]
    with pytest.raises(StatementDateInvalid):
        read(document(undated))


def test_what_only_describes_refuses_no_sound_statement() -> None:
    period = "<FrToDt><FrDtTm>2026-01-31T25:00:00</FrDtTm><ToDtTm>never</ToDtTm></FrToDt>"
    content = document(period, balance("OPAV", "1.00", "2026-02-30"), entry("10.00"))
    assert list(reasons(content)) == ["PERIOD_INVALID", "BALANCE_DATE_INVALID"]


def test_a_balance_beyond_64_bits_is_no_fault_of_an_entry() -> None:
    with pytest.raises(StatementAmountInvalid) as caught:
        read(document(balance("OPBD", "99999999999999999.90"), entry("10.00")))
    assert caught.value.position == "statement 1, line 1, Bal/Amt"


def test_a_statement_in_its_business_envelope_is_one() -> None:
    inner = document(balance("OPBD", "0.00"), balance("CLBD", "6.50"), entry("6.50"))
    head = b'<AppHdr xmlns="urn:iso:std:iso:20022:tech:xsd:head.001.001.03"><Fr/></AppHdr>'
    (end,) = ends(
        b"<BizMsgEnvlp xmlns='urn:iso:std:iso:20022:tech:xsd:nvlp.001.001.01'>" + head + inner + b"</BizMsgEnvlp>"
    )
    assert end.ties
    with pytest.raises(FormatError):  # deeper, it is somebody's quotation
        read(b"<a><b>" + inner + b"</b></a>")


def test_a_packed_file_is_named() -> None:
    archive = BytesIO()
    with ZipFile(archive, "w") as file:
        file.writestr("statement.xml", document(entry("1.00")))
    for content, word in ((archive.getvalue(), "zip"), (gzip.compress(document()), "gzip"), (b"%PDF-1.7", "PDF")):
        with pytest.raises(FormatUnknown, match=word):
            read(content)


def test_account_numbers_are_compared_without_characters_that_nobody_sees() -> None:
    hidden = ACCOUNT.replace("DE89", "\u200bDE\u202e89\ufeff")
    (header,) = headers(document(head=f"<Id>S1</Id>{hidden}"))
    assert header.account.identification == "DE89370400440532013000"
    with pytest.raises(FormatError):
        read(document(head="<Id>S1</Id>" + ACCOUNT.replace("DE89370400440532013000", "\u200b")))
