"""What makes a statement line itself."""

from __future__ import annotations

import hashlib
import json

import pytest

from libs.formats.statement import PLACEHOLDERS, fingerprint

from .camt_files import detail, document, entry, lines

ACCOUNT = "DE89370400440532013000"
WORDS = "<TxDtls><RmtInf><Ustrd>{}</Ustrd></RmtInf></TxDtls>"
SERVICER = "<AcctSvcrRef>{}</AcctSvcrRef>"


def printed(text: str = "10.00", details: str = "", more: str = "", replaced: tuple[str, str] = ("", "")) -> str:
    (line,) = lines(document(entry(text, details, more=more).replace(*replaced)))
    return fingerprint(ACCOUNT, line)


def references(text: str) -> str:
    return detail("10.00", f"<Refs><EndToEndId>{text}</EndToEndId></Refs>")


def test_the_encoding_is_the_documented_one() -> None:
    encoded = json.dumps(
        ["concord.statement-line.1", ACCOUNT, "2026-01-31", "2026-01-31", "-1000", "EUR", ["E-1"]],
        separators=(",", ":"),
    )
    expected = hashlib.sha256(encoded.encode()).hexdigest()
    (line,) = lines(document(entry("-10.00", references("E-1").replace("CRDT", "DBIT"))))
    assert fingerprint(ACCOUNT, line) == expected
    assert fingerprint("de89 3704 0044 0532 0130 00", line) == expected


@pytest.mark.parametrize(
    "other",
    [
        printed("10.01"),
        printed("-10.00"),
        printed("10.00", replaced=("<BookgDt><Dt>2026-01-31", "<BookgDt><Dt>2026-01-30")),
        printed("10.00", replaced=("<ValDt><Dt>2026-01-31", "<ValDt><Dt>2026-01-30")),
        printed("10.00", replaced=("<ValDt><Dt>2026-01-31</Dt></ValDt>", "")),
        printed("10.00", more=SERVICER.format("A-1")),
        printed("10.00", references("E-1")),
        printed("10.00", WORDS.format("order 1001")),  # without a reference, what the payer wrote tells it apart
    ],
)
def test_another_date_amount_or_reference_is_another_line(other: str) -> None:
    assert other != printed("10.00")


def test_another_account_is_another_line() -> None:
    (line,) = lines(document(entry("10.00")))
    assert fingerprint(ACCOUNT, line) != fingerprint("DE02120300000000202051", line)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        # The same line in the intraday report, without details, and in the statement with them.
        (printed(more=SERVICER.format("A-1")), printed(details=references("E-1"), more=SERVICER.format("A-1"))),
        # Entry references are numbered anew in each file.
        (printed(more="<NtryRef>1</NtryRef>"), printed(more="<NtryRef>2</NtryRef>")),
        (printed(more=SERVICER.format("NONREF")), printed()),
        (printed(details=references("NOTPROVIDED")), printed()),
        (printed(details=WORDS.format("order  1001")), printed(details=WORDS.format("order 1001 "))),
        (
            printed(details=WORDS.format("now shortened"), more=SERVICER.format("A-1")),
            printed(details=WORDS.format("now shortened by the bank"), more=SERVICER.format("A-1")),
        ),
        (printed(details=references("A") + references("B")), printed(details=references("B") + references("A"))),
    ],
)
def test_the_same_line_sent_again_has_the_same_fingerprint(one: str, two: str) -> None:
    assert one == two


def test_identical_lines_share_a_fingerprint_and_are_both_kept() -> None:
    first, second = lines(document(entry("10.00", references("E-1")), entry("10.00", references("E-1"))))
    assert fingerprint(ACCOUNT, first) == fingerprint(ACCOUNT, second)
    assert (first.sequence, second.sequence) == (1, 2)


def test_placeholders_are_compared_in_upper_case() -> None:
    assert all(text == text.upper() for text in PLACEHOLDERS)
