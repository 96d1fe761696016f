"""What the statement reader promises, rule by rule."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from time import process_time

import pytest

from libs.formats.camt import iter_camt, summaries
from libs.formats.errors import FormatError
from libs.formats.statement import BankTransactionCode, StatementHeader
from libs.formats.statement_json import to_json
from libs.money import Money

from .camt_files import ACCOUNT, NAMESPACE, balance, detail, document, ends, entry, headers, lines, read, reasons
from .samples import REPOSITORY

GOLDEN = REPOSITORY / "tests" / "golden" / "camt"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.xml")), ids=lambda path: path.stem)
def test_a_golden_file_gives_its_recorded_parts(path: Path) -> None:
    with path.open("rb") as file:
        parts = [{type(part).__name__: to_json(part)} for part in iter_camt(file)]
    assert parts == json.loads(path.with_suffix(".json").read_text("utf-8"))


def test_there_are_golden_files() -> None:
    assert len(list(GOLDEN.glob("*.xml"))) >= 4


@pytest.mark.parametrize("message", ["camt.052", "camt.053", "camt.054"])
@pytest.mark.parametrize("version", range(1, 14))
def test_versions_1_to_13_of_each_message_are_read(message: str, version: int) -> None:
    container = {"camt.052": "Rpt", "camt.053": "Stmt", "camt.054": "Ntfctn"}[message]
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{message}.001.{version:02}"
    content = document(entry("10.00"), namespace=namespace).replace(b"Stmt>", f"{container}>".encode())
    (header,) = headers(content)
    assert header.format == f"{message}.001.{version:02}"


OPENING, CLOSING = balance("OPBD", "100.00"), balance("CLBD", "110.00")


@pytest.mark.parametrize(
    ("parts", "opening", "closing", "ties"),
    [
        ([OPENING, CLOSING, entry("10.00")], "100.00", "110.00", True),
        ([entry("10.00"), OPENING, CLOSING], "100.00", "110.00", True),  # balances after entries
        ([OPENING, entry("10.00"), CLOSING], "100.00", "110.00", True),
        ([OPENING, CLOSING, entry("10.01")], "100.00", "110.00", False),
        ([OPENING, CLOSING, entry("10.00"), entry("5.00", status="PDNG")], "100.00", "110.00", True),
        ([OPENING, CLOSING, entry("10.00"), entry("5.00", status="INFO")], "100.00", "110.00", True),
        ([OPENING, CLOSING, entry("10.00"), entry("5.00", status="FUTR")], "100.00", "110.00", True),
        ([OPENING, CLOSING, entry("10.00"), entry("5.00", status="NEWS")], "100.00", "110.00", True),
        ([balance("PRCD", "100.00"), CLOSING, entry("10.00")], "100.00", "110.00", True),
        ([balance("PRCD", "7.00"), OPENING, CLOSING, entry("10.00")], "100.00", "110.00", True),  # OPBD wins
        ([balance("OPBD", "-100.00"), balance("CLBD", "-110.00"), entry("-10.00")], "-100.00", "-110.00", True),
        ([OPENING, entry("10.00")], "100.00", None, None),
        ([CLOSING, entry("10.00")], None, "110.00", None),
        ([entry("10.00")], None, None, None),
        ([balance("OPAV", "1.00"), balance("CLAV", "2.00"), entry("10.00")], None, None, None),
        ([OPENING, balance("CLBD", "110.00 USD"), entry("10.00")], "100.00", None, False),
        ([OPENING, balance("CLBD", "110.00 USD"), CLOSING, entry("10.00")], "100.00", "110.00", True),
    ],
)
def test_the_balances_prove_the_booked_entries(
    parts: list[str], opening: str | None, closing: str | None, ties: bool | None
) -> None:
    (end,) = ends(document(*parts))
    assert (end.opening.decimal() if end.opening else None) == opening
    assert (end.closing.decimal() if end.closing else None) == closing
    assert end.ties is ties


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ([OPENING, CLOSING, entry("10.00")], []),
        ([OPENING, CLOSING, entry("9.00")], ["BALANCES_DO_NOT_TIE"]),
        # The bank counted the reversal the other way round: said, not turned.
        (
            [OPENING, balance("CLBD", "95.00"), entry("5.00", reversal=True)],
            ["BALANCES_DO_NOT_TIE", "REVERSALS_WITH_OTHER_SIGN"],
        ),
        ([OPENING, balance("CLBD", "105.00"), entry("5.00", reversal=True)], []),
        ([OPENING, balance("OPBD", "5.00"), CLOSING, entry("10.00")], ["BALANCE_AMBIGUOUS"]),
        (["<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>", entry("1.00")],
         ["ENTRY_COUNT_MISMATCH"]),
        (["<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>", entry("1.00"),
          entry("1.00", status="PDNG")], []),
        ([entry("1.00", status="NEWS")], ["STATUS_UNKNOWN"]),
        ([entry("1.00 USD", status="PDNG")], ["ENTRY_CURRENCY_MISMATCH"]),
        ([entry("1.00").replace("<BookgDt><Dt>2026-01-31</Dt></BookgDt>", "")], ["BOOKING_DATE_MISSING"]),
        ([OPENING.replace("<Dt><Dt>2026-01-31</Dt></Dt>", "")], ["BALANCE_DATE_MISSING"]),
    ],
)  # fmt: skip
def test_what_is_odd_is_reported_and_not_repaired(parts: list[str], found: list[str]) -> None:
    assert list(reasons(document(*parts))) == found


@pytest.mark.parametrize(
    ("details", "found"),
    [
        (detail("6.00") + detail("4.00"), []),
        (detail("10.00") + detail("10.00"), ["DETAILS_DO_NOT_SUM"]),  # each with the batch's total
        (detail("12.00") + detail("-2.00"), []),
        (detail("6.00") + detail("4.00 USD"), ["DETAILS_WITHOUT_AMOUNT"]),
        (detail() + detail("10.00"), ["DETAILS_WITHOUT_AMOUNT"]),
        (detail(), []),
        (detail("9.00"), ["DETAILS_DO_NOT_SUM"]),
        (detail("13.00", "<Chrgs><Rcrd><Amt Ccy='EUR'>3.00</Amt></Rcrd></Chrgs>"), []),
        (detail("13.00", "<Chrgs><TtlChrgsAndTaxAmt Ccy='EUR'>3.00</TtlChrgsAndTaxAmt></Chrgs>"), []),
        (detail("13.00", "<Chrgs><Rcrd><Amt Ccy='USD'>3.00</Amt></Rcrd></Chrgs>"), ["DETAILS_DO_NOT_SUM"]),
        (detail("", "<AmtDtls><TxAmt><Amt Ccy='EUR'>10.00</Amt></TxAmt></AmtDtls>"), []),
        (detail("", "<AmtDtls><TxAmt><Amt Ccy='EUR'>11.00</Amt></TxAmt></AmtDtls>"), ["DETAILS_DO_NOT_SUM"]),
        (detail("", "<AmtDtls><InstdAmt><Amt Ccy='EUR'>11.00</Amt></InstdAmt></AmtDtls>"), []),
        ("<TxDtls><Amt Ccy='EUR'>1,00</Amt></TxDtls>", ["DETAIL_AMOUNT_INVALID"]),
        ("<Btch><NbOfTxs>2</NbOfTxs></Btch>" + detail("10.00"), ["BATCH_COUNT_MISMATCH"]),
        ("<Btch><NbOfTxs>2</NbOfTxs></Btch>", []),
        ("<Btch><TtlAmt Ccy='EUR'>11.00</TtlAmt></Btch>" + detail("10.00"), ["BATCH_TOTAL_MISMATCH"]),
        ("<Btch><TtlAmt Ccy='EUR'>10.00</TtlAmt></Btch>" + detail("10.00"), []),
    ],
)
def test_transactions_must_add_up_to_their_entry(details: str, found: list[str]) -> None:
    content = document(entry("10.00", details))
    assert list(reasons(content)) == found
    (line,) = lines(content)
    assert line.amount == Money("EUR", 1000)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<Amt Ccy="EUR">1.005</Amt>', "STATEMENT_AMOUNT_INVALID"),
        ('<Amt Ccy="EUR">-1.00</Amt>', "STATEMENT_AMOUNT_INVALID"),
        ('<Amt Ccy="EUR">+1.00</Amt>', "STATEMENT_AMOUNT_INVALID"),
        ('<Amt Ccy="EUR">1,00</Amt>', "STATEMENT_AMOUNT_INVALID"),
        ('<Amt Ccy="EUR">1 000.00</Amt>', "STATEMENT_AMOUNT_INVALID"),
        ('<Amt Ccy="EUR">1e3</Amt>', "STATEMENT_AMOUNT_INVALID"),
        ('<Amt Ccy="EUR">NaN</Amt>', "STATEMENT_AMOUNT_INVALID"),
        ('<Amt Ccy="EUR">\u0661\u0662</Amt>', "STATEMENT_AMOUNT_INVALID"),  # digits, but not ours
        ('<Amt Ccy="EUR">.</Amt>', "STATEMENT_AMOUNT_INVALID"),
        ('<Amt Ccy="EUR"></Amt>', "STATEMENT_AMOUNT_INVALID"),
        ('<Amt Ccy="EUR">92233720368547758.08</Amt>', "STATEMENT_AMOUNT_INVALID"),
        ('<Amt Ccy="JPY">1.5</Amt>', "STATEMENT_AMOUNT_INVALID"),
        ("", "STATEMENT_AMOUNT_INVALID"),
        ("<Amt>1.00</Amt>", "STATEMENT_CURRENCY_UNKNOWN"),
        ('<Amt Ccy="ZZZ">1.00</Amt>', "STATEMENT_CURRENCY_UNKNOWN"),
        ('<Amt Ccy="eur">1.00</Amt>', "STATEMENT_CURRENCY_UNKNOWN"),
        ('<Amt Ccy="USD">1.00</Amt>', "STATEMENT_CURRENCY_MISMATCH"),
        ('<Amt Ccy="EUR">92233720368547758.07</Amt>', None),
        ('<Amt Ccy="EUR">1.00000</Amt>', None),
        ('<Amt Ccy="EUR">.5</Amt>', None),
        ('<Amt Ccy="EUR">5.</Amt>', None),
        ('<Amt Ccy="EUR"> 5 </Amt>', None),
    ],
)
def test_an_entry_amount_is_exact_or_refused(text: str, reason: str | None) -> None:
    content = document(entry("1.00").replace('<Amt Ccy="EUR">1.00</Amt>', text))
    if reason is None:
        assert len(lines(content)) == 1
        return
    with pytest.raises(FormatError) as refusal:
        read(content)
    assert refusal.value.reason == reason
    assert (refusal.value.position or "").startswith("statement 1, entry 1, line 1")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (document(entry("1.00").replace("CRDT", "BOTH")), "STATEMENT_SIDE_INVALID"),
        (document(entry("1.00").replace("2026-01-31", "2026-02-30")), "STATEMENT_DATE_INVALID"),
        (document(entry("1.00").replace("2026-01-31", "31.01.2026")), "STATEMENT_DATE_INVALID"),
        (document(entry("1.00"), head=ACCOUNT), "STATEMENT_ID_MISSING"),
        (document(entry("1.00"), head="<Id>S1</Id>"), "STATEMENT_ACCOUNT_MISSING"),
        (document(entry("1.00"), head="<Id>S1</Id><Acct><Id/></Acct>"), "STATEMENT_ACCOUNT_MISSING"),
        (document(entry("1.00"), ACCOUNT, head="<Id>S1</Id>"), "STATEMENT_ACCOUNT_MISSING"),  # too late
        (document(head="<Id>S1</Id>" + ACCOUNT.replace("EUR", "XYZ")), "STATEMENT_CURRENCY_UNKNOWN"),
        (document("<Stmt><Id>S2</Id></Stmt>"), "STATEMENT_STRUCTURE"),
        (document(f"<Odd>{entry('1.00')}</Odd>"), "STATEMENT_STRUCTURE"),
        (document(entry("1.00", entry("2.00", detail("2.00")))), "STATEMENT_STRUCTURE"),
        (document("<TxDtls/>"), "STATEMENT_STRUCTURE"),
        (document(entry("1.00"), namespace="urn:iso:std:iso:20022:tech:xsd:camt.053.001.14"),
         "FORMAT_VERSION_UNSUPPORTED"),
        (document(entry("1.00"), namespace="urn:iso:std:iso:20022:tech:xsd:camt.053.001.00"),
         "FORMAT_VERSION_UNSUPPORTED"),
        (document(entry("1.00"), namespace="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"), "FORMAT_UNKNOWN"),
        (document(entry("1.00"), namespace="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"), "STATEMENT_STRUCTURE"),
        (document(entry("92233720368547758.07"), entry("1.00")), "STATEMENT_AMOUNT_INVALID"),  # the sum
        (document().replace(b"<Stmt>", b"<Odd>").replace(b"</Stmt>", b"</Odd>"), "STATEMENT_EMPTY"),
        (b"", "FILE_EMPTY"),
        (b"\xef\xbb\xbf \n", "FILE_EMPTY"),
        (b":20:STARTUMSE\r\n", "FORMAT_UNKNOWN"),
        (b"<html><body/></html>", "FORMAT_UNKNOWN"),
        (b"PK\x03\x04", "FORMAT_UNKNOWN"),
        (b"<?xml version='1.0'", "FILE_TRUNCATED"),
        (b"<!-- never closed", "FILE_TRUNCATED"),
        (document(entry("1.00")) + b"<more/>", "XML_MALFORMED"),
        (document(entry("1.00")).replace(b"</Sts>", b"</Stz>"), "XML_MALFORMED"),
        (document(entry("1.00", more="<AddtlNtryInf>&unknown;</AddtlNtryInf>")), "XML_MALFORMED"),
        (b"<?xml version='1.0' encoding='UTF-7'?>" + document(entry("1.00")), "XML_ENCODING"),
        (b"\xff\xfe\x00\x00<\x00\x00\x00", "XML_ENCODING"),
        (b"<!-- x --><!DOCTYPE Document>" + document(entry("1.00")), "XML_DOCTYPE_FORBIDDEN"),
        ("<!DOCTYPE Document>".encode("utf-16") + document(entry("1.00")).decode().encode("utf-16-le"),
         "XML_DOCTYPE_FORBIDDEN"),
        (document("<x>" * 300), "XML_TOO_DEEP"),
    ],
)  # fmt: skip
def test_a_file_that_must_not_be_imported_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    for run in (iter_camt, summaries):
        with pytest.raises(FormatError) as refusal:
            list(run(BytesIO(content)))
        assert refusal.value.reason == reason


def test_a_file_cut_off_anywhere_is_refused() -> None:
    content = document(balance("OPBD", "1.00"), entry("1.00", detail("1.00")), balance("CLBD", "2.00"))
    assert len(lines(content)) == 1
    for size in range(len(content)):
        with pytest.raises(FormatError) as refusal:
            read(content[:size])
        assert refusal.value.reason in {"FILE_TRUNCATED", "FILE_EMPTY"}, size


def test_a_large_file_cut_off_in_the_middle_is_refused_in_the_end() -> None:
    content = document(*[entry("1.00", detail("1.00"))] * 5000)
    parts = iter_camt(BytesIO(content[: len(content) // 2]))
    assert isinstance(next(parts), StatementHeader)
    with pytest.raises(FormatError) as refusal:
        list(parts)
    assert refusal.value.reason == "FILE_TRUNCATED"


class Drip(BytesIO):
    """Gives a few bytes at a time, as a socket may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(7 if size is None or size < 0 else min(size, 7))


def test_the_reading_does_not_depend_on_how_the_bytes_arrive() -> None:
    content = document(OPENING, *[entry("1.00", detail("0.40") + detail("0.60"))] * 300, CLOSING)
    assert list(iter_camt(Drip(content))) == read(content)


@pytest.mark.parametrize(
    "flood",
    ["<Odd/>" * 1_000_000, "<Odd>" + "text " * 1_500_000 + "</Odd>", f"<AddtlStmtInf>{'x' * 5_000_000}</AddtlStmtInf>"],
)
def test_one_enormous_element_is_refused(flood: str) -> None:
    with pytest.raises(FormatError) as refusal:
        read(document(flood, entry("1.00")))
    assert refusal.value.reason == "XML_TOO_LARGE"
    assert refusal.value.position is not None


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_million_small_elements_cost_no_more_than_their_bytes(where: str) -> None:
    flood = "<a/>" * 900_000  # what still fits between two entries
    parts = [flood, entry("1.00")] if where == "before" else [entry("1.00"), flood]
    begun = process_time()
    (line,) = lines(document(*parts))
    assert line.amount == Money("EUR", 100)
    assert process_time() - begun < 20  # counted anew for each of them, it takes an hour


def test_balances_without_end_are_refused() -> None:
    content = document(*[balance("ITBD", "1.00"), entry("1.00")] * 10_001)
    with pytest.raises(FormatError, match="too many balances") as refusal:
        read(content)
    assert refusal.value.reason == "XML_TOO_LARGE"


def test_an_undeclared_entity_is_refused_where_it_stands() -> None:
    with pytest.raises(FormatError) as refusal:
        read(document(entry("1.00", more="\n<AddtlNtryInf>&odd;</AddtlNtryInf>")))
    assert (refusal.value.reason, str(refusal.value.position)[:6]) == ("XML_MALFORMED", "line 2")


@pytest.mark.parametrize(
    ("currency", "balances", "entries", "expected"),
    [
        ("<Ccy>EUR</Ccy>", [], [], "EUR"),
        ("", [balance("OPBD", "1.00 CHF")], [], "CHF"),
        ("", [balance("CLAV", "1.00 USD")], [entry("1.00")], "EUR"),  # an available balance may be elsewhere
        ("", [], [entry("1.00 SEK")], "SEK"),
        ("", [], [], None),
    ],
)
def test_the_currency_is_the_accounts_else_its_balances_else_its_entries(
    currency: str, balances: list[str], entries: list[str], expected: str | None
) -> None:
    head = "<Id>S1</Id>" + ACCOUNT.replace("<Ccy>EUR</Ccy>", currency)
    content = document(*balances, *entries, head=head)
    assert headers(content)[0].currency == expected
    assert (ends(content)[0].credit_sum is None) == (expected is None)


OURS = "<{0}Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></{0}Acct>"
RETURNED = "<RtrInf><Rsn><Cd>AC06</Cd></Rsn></RtrInf>"


def parties(debtor: str = "", creditor: str = "", own: str = "") -> str:
    named = "".join(
        f"<{role}><Pty><Nm>{name}</Nm></Pty></{role}>" for role, name in (("Dbtr", debtor), ("Cdtr", creditor)) if name
    )
    return f"<RltdPties>{named}{OURS.format(own) if own else ''}</RltdPties>"


@pytest.mark.parametrize(
    ("text", "more", "name"),
    [
        ("10.00", parties("Payer", "We"), "Payer"),
        ("-10.00", parties("We", "Payee"), "Payee"),
        ("10.00", parties("", "Payer on the wrong side"), "Payer on the wrong side"),
        ("10.00", parties("We", "Payee", own="Dbtr"), "Payee"),  # our account names us, whatever the side
        ("-10.00", parties("Customer", "We") + RETURNED, "Customer"),  # a returned debit keeps its roles
        ("10.00", parties("We", "Supplier") + RETURNED, "Supplier"),
        ("10.00", "", None),
    ],
)
def test_the_counterparty_is_the_other_side(text: str, more: str, name: str | None) -> None:
    (line,) = lines(document(entry(text, detail(text, more))))
    counterparty = line.details[0].counterparty
    assert (counterparty.name if counterparty else None) == name


def test_the_code_of_the_transactions_stands_in_for_a_missing_one_of_the_entry() -> None:
    code = "<BkTxCd><Prtry><Cd>{}</Cd></Prtry></BkTxCd>"
    (one,) = lines(document(entry("1.00", detail("1.00", code.format("166")), more="<BkTxCd/>")))
    assert one.code == BankTransactionCode(proprietary="166")
    assert one.code.text == "166"
    (two,) = lines(document(entry("2.00", detail("1.00", code.format("1")) + detail("1.00", code.format("2")))))
    assert two.code.text == ""


def test_a_comment_or_instruction_inside_changes_nothing() -> None:
    plain = document(entry("1.00", detail("1.00", "<RmtInf><Ustrd>Invoice 1</Ustrd></RmtInf>")))
    noisy = plain.replace(b"Invoice 1", b"Inv<!-- x -->oice<?php x?> 1").replace(b"<Sts>", b"<!-- <Amt/> --><Sts>")
    assert read(noisy) == read(plain)


def test_elements_of_another_namespace_are_not_mistaken_for_ours() -> None:
    foreign = '<x:Amt xmlns:x="urn:other" Ccy="EUR">999.00</x:Amt><x:Sts xmlns:x="urn:other">PDNG</x:Sts>'
    (line,) = lines(document(entry("1.00").replace("<Ntry>", f"<Ntry>{foreign}")))
    assert line.amount == Money("EUR", 100)
    assert line.booked


def test_the_namespace_of_the_message_is_the_default_one_or_a_prefix() -> None:
    plain = document(OPENING, entry("1.00"))
    prefixed = plain.replace(b"</", b"</p:").replace(b"<", b"<p:").replace(b"<p:/p:", b"</p:")
    assert read(prefixed.replace(b"xmlns=", b"xmlns:p=")) == read(plain)
    assert NAMESPACE.encode() in plain
