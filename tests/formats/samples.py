"""Where the samples are, and a naive second opinion on a statement: the whole tree in memory and Decimal sums."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

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
