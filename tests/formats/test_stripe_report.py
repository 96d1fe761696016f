"""Stripe's itemised reports: each row exact, or the whole report refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from io import BytesIO

import pytest

from libs.formats.errors import FormatError
from libs.money import Money
from providers.stripe.report import ITEMISED, iter_stripe_report
from providers.totals import settlement_totals

from .samples import samples_folder
from .stripe_files import CHARGE, DISPUTE, HEADER, PAYOUT, REFUND, report, row


def test_a_row_becomes_a_line_with_all_that_it_says() -> None:
    (line,) = iter_stripe_report(report(CHARGE))
    assert line.balance_transaction == "txn_1"
    assert (line.gross, line.fee, line.net) == (Money("EUR", 11900), Money("EUR", 375), Money("EUR", 11525))
    assert line.created == datetime(2026, 1, 28, 23, 30, tzinfo=UTC)
    assert line.available_on == date(2026, 1, 30)
    assert (line.payout_id, line.payout_effective) == ("po_1", date(2026, 1, 31))
    assert (line.source_id, line.charge_id, line.payment_intent_id) == ("ch_1", "ch_1", "pi_1")
    assert line.customer_id == "cus_1"
    assert line.description == 'Order 1001, "gift"'
    assert line.customer_facing == Money("USD", 13000)
    assert line.metadata == (("payment_metadata[order_id]", "1001"),)
    assert line.row == 2


def test_a_local_time_is_of_the_zone_that_the_caller_names() -> None:
    header = HEADER.replace("created_utc", "created")
    east = timezone(timedelta(hours=9))
    (line,) = iter_stripe_report(report(row("txn_1", "1.00", "0.00", "1.00"), header=header), east)
    assert line.created is not None
    (line,) = iter_stripe_report(report(CHARGE, header=header), east)
    assert line.created.utcoffset() == timedelta(hours=9)


def totals(source: BytesIO) -> list[dict[str, object]]:
    return [
        {name: value for name, value in found.summary_json().items() if name != "format"}
        for found in settlement_totals(ITEMISED, source)
    ]


def test_totals_are_by_payout_and_currency() -> None:
    other = row("txn_9", "1000", "36", "964", currency="jpy", automatic_payout_id="po_2")
    loose = row("txn_8", "5.00", "0.00", "5.00", automatic_payout_id="")
    assert totals(report(CHARGE, other, REFUND, DISPUTE, loose)) == [
        {"id": "po_1", "currency": "EUR", "lines": 3, "gross": "50.00", "fees": "18.75", "net": "31.25",
         "payouts": "31.25"},
        {"id": "po_2", "currency": "JPY", "lines": 1, "gross": "1000", "fees": "36", "net": "964", "payouts": "964"},
        {"id": None, "currency": "EUR", "lines": 1, "gross": "5.00", "fees": "0.00", "net": "5.00", "payouts": None},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("payout", "payouts", "ties", "found"),
    [
        (PAYOUT, "31.25", True, []),
        (PAYOUT.replace("-31.25", "-31.24"), "31.24", False, ["PAYOUT_DOES_NOT_TIE"]),
        (PAYOUT.replace("po_1,2026", ",2026"), "31.25", True, []),  # joined by its source
    ],
)
def test_a_payouts_own_row_is_proved_and_not_counted_as_activity(
    payout: str, payouts: str, ties: bool, found: list[str]
) -> None:
    (settlement,) = settlement_totals(ITEMISED, report(CHARGE, REFUND, DISPUTE, payout))
    summary = settlement.summary_json()
    assert (summary["net"], summary["payouts"], summary["lines"]) == ("31.25", payouts, 4)
    assert settlement.ties is ties
    assert [finding.reason for finding in settlement.findings] == found


def test_a_repeated_row_is_reported_and_counted_once() -> None:
    (settlement,) = settlement_totals(ITEMISED, report(CHARGE, REFUND, CHARGE))
    assert settlement.summary_json()["net"] == "96.25"
    assert [finding.reason for finding in settlement.findings] == ["ROW_REPEATED"]
    assert [line.repeated for line in iter_stripe_report(report(CHARGE, REFUND, CHARGE))] == [False, False, True]


def test_columns_may_stand_in_any_order_and_unknown_ones_are_let_through() -> None:
    header = "net,new_column,fee,gross,currency,reporting_category,balance_transaction_id,created"
    (line,) = iter_stripe_report(report("9.00,?,1.00,10.00,EUR,charge,txn_1,2026-01-01", header=header))
    assert (line.net, line.payout_id) == (Money("EUR", 900), None)


def without(column: str) -> str:
    return HEADER.replace(column, "other")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "FILE_EMPTY"),
        (f"{HEADER}\n".encode(), "SETTLEMENT_EMPTY"),
        (b"<Document/>", "FORMAT_UNKNOWN"),
        (b"id;amount\n1;2\n", "FORMAT_UNKNOWN"),
        (report(CHARGE, header=without("gross")).read(), "SETTLEMENT_HEADER_INVALID"),
        (report(CHARGE, header=without("created_utc")).read(), "SETTLEMENT_HEADER_INVALID"),
        (report(CHARGE, header=HEADER.replace("charge_id", "gross")).read(), "SETTLEMENT_HEADER_INVALID"),
        (report(CHARGE, "Total,,,").read(), "SETTLEMENT_ROW_INVALID"),
        (report(CHARGE, row("", "119.00", "3.75", "115.25")).read(), "SETTLEMENT_ROW_INVALID"),
        (report(row("txn_1", "1.00", "0.00", "1.00", currency="")).read(), "SETTLEMENT_ROW_INVALID"),
        (report(CHARGE, CHARGE.replace("1001", "1002")).read(), "SETTLEMENT_ROW_INVALID"),
        (report(row("txn_1", "1.00", "0.00", "1.00", description="\x00")).read(), "SETTLEMENT_ROW_INVALID"),
        (report(row("txn_1", "1.00", "0.00", "1.00", description='"a" b')).read(), "SETTLEMENT_ROW_INVALID"),
        (report(CHARGE).read() + b'po_1,"cut', "FILE_TRUNCATED"),
        (report(CHARGE).read() + b"po_1,2026-01-31", "SETTLEMENT_ROW_INVALID"),
        (report(row("txn_1", "1.00", "0.10", "1.10")).read(), "SETTLEMENT_NET_MISMATCH"),
        (report(row("txn_1", "1.005", "0.005", "1.00")).read(), "SETTLEMENT_AMOUNT_INVALID"),
        (report(row("txn_1", '"1,00"', "0.00", "1.00")).read(), "SETTLEMENT_AMOUNT_INVALID"),
        (report(row("txn_1", "1e2", "0.00", "100.00")).read(), "SETTLEMENT_AMOUNT_INVALID"),
        (report(row("txn_1", "10.50", "0.00", "10.50", currency="jpy")).read(), "SETTLEMENT_AMOUNT_INVALID"),
        (report(row("txn_1", "1.00", "0.00", "1.00", currency="zzz")).read(), "SETTLEMENT_CURRENCY_UNKNOWN"),
        (report(row("txn_1", "1.00", "0.00", "1.00", created_utc="31/01/2026")).read(), "SETTLEMENT_DATE_INVALID"),
        (report(row("txn_1", "1.00", "0.00", "1.00", created_utc="2026-02-30")).read(), "SETTLEMENT_DATE_INVALID"),
        (report(row("txn_1", "1.00", "0.00", "1.00", created_utc="0001-01-01 00:00:00+14:00")).read(), "SETTLEMENT_DATE_INVALID"),
        (report(row("txn_1", "1.00", "0.00", "1.00", created_utc="")).read(), "SETTLEMENT_DATE_INVALID"),
        (report(CHARGE).read().replace(b"gift", b"gif\xe9"), "FILE_ENCODING"),
    ],
)  # fmt: skip
def test_a_report_that_is_not_whole_and_exact_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(FormatError) as refusal:
        settlement_totals(ITEMISED, BytesIO(content))
    assert refusal.value.reason == reason


def test_a_report_cut_off_anywhere_in_a_row_never_gives_wrong_money() -> None:
    whole = report(CHARGE, REFUND).read()
    for size in range(len(whole)):
        try:
            found = totals(BytesIO(whole[:size]))
        except FormatError:
            continue
        assert [(each["net"], each["lines"]) for each in found] in ([("115.25", 1)], [("96.25", 2)]), size


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    plain = report(CHARGE, REFUND).read()
    assert totals(BytesIO(b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n"))) == totals(BytesIO(plain))


def test_the_callers_file_stays_open() -> None:
    source = report(CHARGE)
    list(iter_stripe_report(source))
    assert not source.closed


def test_a_real_export_is_read() -> None:
    folder = samples_folder("reconciliation", "hledger", "simonmichael__hledger")
    assert totals(BytesIO((folder / "other__stripe.csv").read_bytes())) == [
        {"id": None, "currency": "USD", "lines": 2, "gross": "11.23", "fees": "0.00", "net": "11.23", "payouts": None}
    ]
