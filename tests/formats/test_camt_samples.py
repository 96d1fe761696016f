"""Every camt sample is read with these totals or refused with this reason.

The table was written from an independent reading of the files (`samples.naive_totals` repeats it in the second test).
A row is `id | account currency | booked +credits -debits | opening closing ties`; findings follow.
"""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from libs.formats.camt import iter_camt, summaries
from libs.formats.statement import StatementEnd, StatementHeader, StatementLine
from libs.money import Money, exponent_of

from .samples import naive_totals, reading_of, samples_folder, text

EXPECTED: dict[str, list[str] | str] = {
    "OCA__bank-statement-import/sftp-camt053.xml": [
        "5678ABC/1 | NL12ABCD3456789012 EUR | 1 +0.00 -1200.00 | 75000.00 None None",
    ],
    "OCA__bank-statement-import/test-camt053-bookgdt-dttm.xml": [
        "1234Test/1 | NL77ABNA0574908765 EUR | 1 +0.00 -754.25 | 15568.27 15121.12 False",
        "BALANCES_DO_NOT_TIE",
    ],
    "OCA__bank-statement-import/test-camt053-no-ntry.xml": [
        "1234Test/1 | NL77ABNA0574908765 CHF | 0 +0.00 -0.00 | 1520.76 1520.76 True",
    ],
    "OCA__bank-statement-import/test-camt053-txdtls.xml": [
        "20170323123456789012345 | CH1111000000123456789 CHF | 1 +3483.00 -0.00 | 75960.15 79443.15 True",
    ],
    "OCA__bank-statement-import/test-camt053.xml": [
        "1234Test/1 | NL77ABNA0574908765 EUR | 3 +1405.31 -1418.30 | 15568.27 15121.12 False",
        "BALANCES_DO_NOT_TIE",
    ],
    "OCA__bank-statement-import/test-camt054.xml": [
        "20220120000000000000000 | NL77ABNA0574908765 EUR | 1 +5.00 -0.00 | None None None",
    ],
    "genkgo__camt/camt052.v1.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 SEK | 1 +0.00 -200000.00 | None None None",
    ],
    "genkgo__camt/camt052.v2.other-account.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 SEK | 1 +0.00 -200000.00 | None None None",
        "BATCH_COUNT_MISMATCH",
    ],
    "genkgo__camt/camt052.v2.with-account-name.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 SEK | 1 +0.00 -200000.00 | None None None",
        "BOOKING_DATE_MISSING",
    ],
    "genkgo__camt/camt052.v2.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 SEK | 1 +0.00 -200000.00 | None None None",
        "BATCH_COUNT_MISMATCH",
    ],
    "genkgo__camt/camt052.v4.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 CHF | 0 +0.00 -0.00 | None None None",
        "ENTRY_CURRENCY_MISMATCH",
    ],
    "genkgo__camt/camt052.v6.Amt-zero.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 CHF | 0 +0.00 -0.00 | None None None",
        "ENTRY_CURRENCY_MISMATCH",
    ],
    "genkgo__camt/camt052.v6.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 CHF | 0 +0.00 -0.00 | None None None",
        "ENTRY_CURRENCY_MISMATCH",
    ],
    "genkgo__camt/camt052.v8.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 SEK | 1 +0.00 -200000.00 | None None None",
    ],
    "genkgo__camt/camt053.v2.all-balance-types.xml": [
        "CAMT0532015012200001 | CH2801234000123456789 EUR | 1 +8.85 -0.00 | 1.01 4.04 False",
        "BALANCES_DO_NOT_TIE",
    ],
    "genkgo__camt/camt053.v2.five.decimals.xml": [
        "253EURNL26VAYB8060476890 | NL26VAYB8060476890 EUR | 1 +8.85 -0.00 | 18.15 27.05 False",
        "BALANCES_DO_NOT_TIE",
    ],
    "genkgo__camt/camt053.v2.minimal.ultimate.xml": [
        "253EURNL26VAYB8060476890 | NL26VAYB8060476890 EUR | 1 +8.85 -0.00 | 18.15 None False",
        "BALANCES_DO_NOT_TIE",
        "BALANCE_CURRENCY_MISMATCH",
    ],
    "genkgo__camt/camt053.v2.minimal.xml": [
        "253EURNL26VAYB8060476890 | NL26VAYB8060476890 EUR | 1 +8.85 -0.00 | 18.15 None False",
        "BALANCES_DO_NOT_TIE",
        "BALANCE_CURRENCY_MISMATCH",
    ],
    "genkgo__camt/camt053.v2.multi.statement.xml": [
        "253EURNL26VAYB8060476890 | NL26VAYB8060476890 EUR | 1 +8.85 -0.00 | 18.15 27.00 True",
        "254EURNL26VAYB8060476890 | NL26VAYB8060476890 EUR | 1 +0.00 -7.00 | 27.00 20.00 True",
    ],
    "genkgo__camt/camt053.v2.with-account-name.xml": [
        "253EURCH2801234000123456789 | CH2801234000123456789 EUR | 1 +8.85 -0.00 | None None None",
        "BALANCE_CURRENCY_MISMATCH",
    ],
    "genkgo__camt/camt053.v2.with-party-ids.xml": [
        "253EURNL26VAYB8060476890 | NL26VAYB8060476890 EUR | 1 +8.85 -0.00 | 18.15 None False",
        "BALANCES_DO_NOT_TIE",
        "BALANCE_CURRENCY_MISMATCH",
    ],
    "genkgo__camt/camt053.v2.wrong.xml": "STATEMENT_EMPTY",
    "genkgo__camt/camt053.v3.xml": [
        "253EURNL26VAYB8060476890 | NL26VAYB8060476890 EUR | 1 +8.85 -0.00 | 18.15 None False",
        "BALANCES_DO_NOT_TIE",
        "BALANCE_CURRENCY_MISMATCH",
        "DETAILS_DO_NOT_SUM",
    ],
    "genkgo__camt/camt053.v4.xml": [
        "253EURNL26VAYB8060476890 | NL26VAYB8060476890 EUR | 1 +8.85 -0.00 | 18.15 None False",
        "BALANCES_DO_NOT_TIE",
        "BALANCE_CURRENCY_MISMATCH",
    ],
    "genkgo__camt/camt053.v8.xml": [
        "253EURNL26VAYB8060476890 | NL26VAYB8060476890 EUR | 1 +8.85 -0.00 | 18.15 None False",
        "BALANCES_DO_NOT_TIE",
        "BALANCE_CURRENCY_MISMATCH",
    ],
    "genkgo__camt/camt054.v2.with-account-name.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 SEK | 1 +0.00 -200000.00 | None None None",
        "BOOKING_DATE_MISSING",
    ],
    "genkgo__camt/camt054.v2.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 SEK | 1 +0.00 -200000.00 | None None None",
        "DETAILS_WITHOUT_AMOUNT",
    ],
    "genkgo__camt/camt054.v4.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 SEK | 1 +0.00 -200000.00 | None None None",
        "BATCH_COUNT_MISMATCH",
        "DETAILS_WITHOUT_AMOUNT",
    ],
    "genkgo__camt/camt054.v8-with-UETR.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 SEK | 1 +0.00 -200000.00 | None None None",
        "BOOKING_DATE_MISSING",
    ],
    "genkgo__camt/camt054.v8-with-financial-institution.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 SEK | 1 +0.00 -200000.00 | None None None",
        "BOOKING_DATE_MISSING",
    ],
    "genkgo__camt/camt054.v8.xml": [
        "AAAASESS-FP-ACCR001 | CH2801234000123456789 SEK | 1 +0.00 -200000.00 | None None None",
        "BATCH_COUNT_MISMATCH",
        "DETAILS_WITHOUT_AMOUNT",
    ],
    "genkgo__camt/camt53.only-Dt-with-DtTm.xml": [
        "I38y0h4YyLnQiOV6P7nEd44r2 | GB33BUKB20201555555555 RON | 0 +0.00 -0.00 | 5442.09 None None",
    ],
    "hbci4j__hbci4java/test-camt-parse-05200102.xml": [
        "camt052_ONLINEBA | DE12345678901234567890 EUR | 2 +10.50 -0.00 | 100.00 110.50 True",
    ],
    "hbci4j__hbci4java/test-camt-parse-05200108.xml": [
        "camt0528_ONLINEBA | DE12345678901234567890 EUR | 1 +0.00 -34.00 | 100.00 66.00 True",
    ],
    "hbci4j__hbci4java/test-camt-parse-5200108-invalid-saldo.xml": "STATEMENT_AMOUNT_INVALID",
    "hbci4j__hbci4java/test-camt-parse-5200108-missing-date.xml": [
        "camt0528_ONLINEBA | DE12345678901234567890 EUR | 1 +0.00 -34.00 | 100.00 66.00 True",
        "BALANCE_DATE_MISSING",
    ],
    "hbci4j__hbci4java/test-camt-parse-invalid.xml": "FORMAT_UNKNOWN",
    "hbci4j__hbci4java/test-camt-parse-none.xml": "FORMAT_UNKNOWN",
    "hbci4j__hbci4java/test-camt-ruecklastschrift.xml": [
        "camt052_ONLINEBA | DE1234567890 EUR | 1 +0.00 -53.00 | 100.00 100.00 False",
        "BALANCES_DO_NOT_TIE",
    ],
    "resilio-tech__dolibarr-camt053-reader-and-link/sample_camt053.xml": [
        "STMT001 | BE71096123456769 EUR | 3 +2500.00 -250.00 | 5000.00 6250.00 False",
        "BALANCES_DO_NOT_TIE",
    ],
}

CAMT = ("bank", "camt")


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_is_read_with_its_totals_or_refused_with_its_reason(name: str) -> None:
    assert reading_of(samples_folder(*CAMT) / name) == EXPECTED[name]


def test_no_sample_is_missing_from_the_table() -> None:
    folder = samples_folder(*CAMT)
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.xml")} == set(EXPECTED)


@pytest.mark.parametrize("name", [name for name, rows in EXPECTED.items() if isinstance(rows, list)])
def test_totals_agree_with_a_naive_reading_of_the_whole_tree(name: str) -> None:
    path = samples_folder(*CAMT) / name
    with path.open("rb") as file:
        read = list(summaries(file))
    naive = naive_totals(path)
    assert [header.statement_id for header, _ in read] == [statement["id"] for statement in naive]
    for (header, end), statement in zip(read, naive, strict=True):
        assert end.entries == statement["entries"]
        currencies = statement["currencies"]
        assert isinstance(currencies, set)
        assert currencies <= {header.currency}
        credit, debit = statement["credit"], statement["debit"]
        assert isinstance(credit, Decimal)
        assert isinstance(debit, Decimal)
        assert (Decimal(text(end.credit_sum) or 0), Decimal(text(end.debit_sum) or 0)) == (credit, debit)
        balances = [(b.code, b.amount.currency, Decimal(b.amount.decimal())) for b in end.balances]
        assert balances == statement["balances"]
        if end.opening and end.closing:
            total = Decimal(end.opening.decimal()) + credit - debit
            assert end.ties is (total == Decimal(end.closing.decimal()))


def genkgo_pairs() -> list[str]:
    # Not the file of two statements: their decoding lists the entries of one of them only.
    return [
        name
        for name, rows in EXPECTED.items()
        if name.startswith("genkgo__camt/") and isinstance(rows, list) and "multi" not in name
    ]


@pytest.mark.parametrize("name", genkgo_pairs())
def test_entries_agree_with_another_projects_decoding(name: str) -> None:
    path = samples_folder(*CAMT) / name
    oracle = path.with_suffix(".json")
    if not oracle.is_file():
        pytest.skip(f"{oracle.name} is not among the samples")
    decoded = json.loads(oracle.read_text("utf-8"))["getEntries"]
    with path.open("rb") as file:
        lines = [part for part in iter_camt(file) if isinstance(part, StatementLine)]
    assert len(lines) == len(decoded)
    for line, theirs in zip(lines, decoded, strict=True):
        amount = theirs["getAmount"]
        assert exponent_of(amount["getCurrency"]["getCode"]) == exponent_of(line.amount.currency)
        assert line.amount == Money(amount["getCurrency"]["getCode"], int(amount["getAmount"]))
        assert line.side.value == theirs["getCreditDebitIndicator"]
        assert line.status.value == theirs["getStatus"]
        assert line.reversal == theirs["getReversalIndicator"]
        assert line.account_servicer_reference == (theirs["getAccountServicerReference"] or None)
        assert line.entry_reference == (theirs["getReference"] or None)
        # Theirs is shifted to UTC, so a time near midnight may name the day before.
        for ours, key in ((line.booking_date, "getBookingDate"), (line.value_date, "getValueDate")):
            assert (ours.isoformat() if ours else None) == (theirs[key]["0"][:10] if theirs[key] else None)


@pytest.mark.parametrize("name", genkgo_pairs())
def test_every_statement_is_a_header_then_lines_then_an_end(name: str) -> None:
    with (samples_folder(*CAMT) / name).open("rb") as file:
        kinds = [type(part) for part in iter_camt(file)]
    assert kinds[0] is StatementHeader
    assert kinds[-1] is StatementEnd
    assert kinds.count(StatementHeader) == kinds.count(StatementEnd)
