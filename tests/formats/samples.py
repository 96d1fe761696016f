"""Where the samples are, and a naive second opinion on a statement: the whole tree in memory and Decimal sums."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from libs.formats.camt import iter_camt, summaries
from libs.formats.errors import FormatError
from libs.money import Money

REPOSITORY = Path(__file__).resolve().parents[2]


def samples_folder(*parts: str) -> Path:
    """A folder of the samples; skips the test where they are absent."""
    root = Path(os.environ.get("CONCORD_SAMPLES") or REPOSITORY.parent / "shared" / "samples")
    folder = root.joinpath(*parts)
    if not folder.is_dir():
        pytest.skip(f"no samples: {'/'.join(parts)}")
    return folder


def _find(element: etree._Element, path: str) -> list[etree._Element]:
    steps = "/".join(f"*[local-name()='{name}']" for name in path.split("/"))
    found = element.xpath(steps)
    assert isinstance(found, list)
    return [each for each in found if isinstance(each, etree._Element)]


def _text(element: etree._Element, *paths: str) -> str | None:
    for path in paths:
        for found in _find(element, path):
            if found.text and found.text.strip():
                return found.text.strip()
    return None


def _signed(element: etree._Element) -> tuple[str, Decimal]:
    amount = _find(element, "Amt")[0]
    units = Decimal(amount.text or "")
    return amount.get("Ccy", ""), units if _text(element, "CdtDbtInd") == "CRDT" else -units


def naive_totals(path: Path) -> list[dict[str, object]]:
    """Booked entries, their sums by currency, and all balances of each statement, by the plainest means."""
    root = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
    totals: list[dict[str, object]] = []
    for name in ("Stmt", "Rpt", "Ntfctn"):
        for statement in (found for message in root for found in _find(message, name)):
            booked = [_signed(e) for e in _find(statement, "Ntry") if _text(e, "Sts", "Sts/Cd") == "BOOK"]
            totals.append(
                {
                    "id": _text(statement, "Id"),
                    "entries": len(booked),
                    "credit": sum((units for _, units in booked if units > 0), Decimal(0)),
                    "debit": -sum((units for _, units in booked if units < 0), Decimal(0)),
                    "currencies": {currency for currency, _ in booked},
                    "balances": [
                        (_text(balance, "Tp/CdOrPrtry/Cd"), *_signed(balance)) for balance in _find(statement, "Bal")
                    ],
                }
            )
    return totals


def text(amount: Money | None) -> str | None:
    return None if amount is None else amount.decimal()


def reading_of(path: Path) -> list[str] | str:
    """The table's form of what the reader makes of a file."""
    try:
        with path.open("rb") as file:
            rows = [
                f"{header.statement_id} | {header.account.identification} {header.currency} | "
                f"{end.entries} +{text(end.credit_sum)} -{text(end.debit_sum)} | "
                f"{text(end.opening)} {text(end.closing)} {end.ties}"
                for header, end in summaries(file)
            ]
        with path.open("rb") as file:
            findings = {f.reason for part in iter_camt(file) for f in getattr(part, "findings", ())}
    except FormatError as error:
        return error.reason
    return rows + sorted(findings)
