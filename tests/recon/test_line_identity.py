"""What speaks against a line's identity is told to a person: no line is lost or doubled in silence."""

from __future__ import annotations

import pytest

from libs.errors import ConcordError
from services.recon.domain.errors import BankAccountTaken
from tests.formats.camt_files import ACCOUNT, document
from tests.recon.world import World, line_entry

VALUE_DATE = "<ValDt><Dt>2026-03-16</Dt></ValDt>"


def _told(world: World, line: str, other: str) -> tuple[set[str], int]:
    """Reasons of what is in doubt, and how many lines are posted, where another statement has the other line."""
    world.statement(document(line))
    world.statement(document(other, head="<Id>S2</Id>" + ACCOUNT))
    world.run("record")
    reasons = {found.reason for found in world.differences() if "/doubts/" in found.subject}
    return reasons, len(world.ledger.events)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("INV/2026/100", set()),
        ("INV/2026/; 100 thank you", set()),
        ("", set()),
        ("INV/2026/101", {"LINE_CONTRADICTED"}),
    ],
)
def test_one_reference_of_two_payments_is_told(world: World, words: str, told: set[str]) -> None:
    line = line_entry("16.50", "INV/2026/100", servicer="0")
    assert _told(world, line, line_entry("16.50", words, servicer="0")) == (told, 1)


def test_a_line_whose_value_date_another_export_leaves_out_is_told(world: World) -> None:
    line = line_entry("22.50", "a", servicer="R-1")
    assert VALUE_DATE in line
    assert _told(world, line, line.replace(VALUE_DATE, "")) == ({"LINE_REPEATED"}, 2)


def test_lines_of_other_references_are_others(world: World) -> None:
    line = line_entry("22.50", "a", servicer="R-1")
    assert _told(world, line, line.replace(VALUE_DATE, "").replace("R-1", "R-2")) == (set(), 2)


def test_an_account_has_one_company(world: World) -> None:
    content = document(line_entry("10.00"))
    world.statement(content)
    with pytest.raises(ConcordError) as caught:
        world.statement_for("beta", content)
    assert isinstance(caught.value, BankAccountTaken)
    assert world.count("statement") == 1
