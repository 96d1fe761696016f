"""The tables of ADR 0023 leave nothing out: the record's fields, the standard's terms, the fields of Shopify's messages."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from libs.events import commercial

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/adr/0023-one-commercial-document.md").read_text()
RECORDS = (
    commercial.ExternalId,
    commercial.Party,
    commercial.TaxLine,
    commercial.Adjustment,
    commercial.Period,
    commercial.Dimension,
    commercial.DocumentLine,
    commercial.DocumentTotals,
    commercial.Tender,
    commercial.DocumentReference,
    commercial.Attachment,
)
LISTS = (
    "line_items",
    "shipping_lines",
    "refund_line_items",
    "refund_shipping_lines",
    "order_adjustments",
    "transactions",
)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_each_field_of_a_part_is_in_the_tables(record: Any) -> None:
    assert {each.name for each in fields(record) if f"`{record.__name__}.{each.name}`" not in TEXT} == set()


def test_each_field_of_the_document_is_in_the_tables() -> None:
    assert {each.name for each in fields(commercial.CommercialDocument) if f"`{each.name}`" not in TEXT} == set()


@pytest.mark.parametrize(("group", "last", "gaps"), [("BT", 165, {4}), ("BG", 32, set())])
def test_each_term_of_the_standard_is_in_the_tables(group: str, last: int, gaps: set[int]) -> None:
    table = TEXT[TEXT.index("## EN 16931") : TEXT.index("## Shopify")]
    found = [int(number) for row in table.splitlines() if row.startswith("| B") for number in _terms(group, row)]
    assert sorted(found) == sorted(set(range(1, last + 1)) - gaps), "each once"


def test_each_field_of_shopify_s_golden_messages_is_in_the_tables() -> None:
    golden = [path for path in (ROOT / "tests/golden/shopify").glob("*.json") if ".events." not in path.name]
    told: set[str] = set()
    for path in golden:
        if path.name.startswith(("order", "refund")):
            body = json.loads(path.read_text())
            told |= set(body).union(*(item for name in LISTS for item in body.get(name) or ()))
    assert {name for name in told if f"`{name}`" not in TEXT} == set()


def _terms(group: str, row: str) -> list[str]:
    return re.findall(rf"{group}-(\d+)", row.split("|")[1])
