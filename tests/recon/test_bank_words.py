"""What a bank line says in words: nothing that the bank wrote for people is lost."""

from __future__ import annotations

import pytest

from libs.events import BankLine, Event, ReferenceKind
from tests.formats.camt_files import detail, document, entry
from tests.recon.world import World


def _event(world: World, details: str) -> Event:
    world.statement(document(entry("-34.00", details)))
    world.run("record")
    (event,) = world.ledger.events.values()
    return event


@pytest.mark.parametrize(
    ("more", "notes"),
    [
        (
            "<RtrInf><Rsn><Cd>AM04</Cd></Rsn><AddtlInf>Not enough balance</AddtlInf></RtrInf>",
            "returned AM04 Not enough balance",
        ),
        ("<Refs><MndtId>PC.4897</MndtId></Refs>", "mandate PC.4897"),
        ("<RltdPties><UltmtCdtr><Pty><Nm>Real Seller</Nm></Pty></UltmtCdtr></RltdPties>", "ultimate creditor Real Seller"),
        ("<AmtDtls><InstdAmt><Amt Ccy='USD'>40.00</Amt></InstdAmt></AmtDtls>", "instructed -40.00 USD"),
        ("<Chrgs><TtlChrgsAndTaxAmt Ccy='EUR'>1.50</TtlChrgsAndTaxAmt></Chrgs>", "charges -1.50 EUR"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_the_bank_notes_is_kept(world: World, more: str, notes: str) -> None:
    body = _event(world, detail("-34.00", more)).body
    assert isinstance(body, BankLine)
    assert body.notes == notes


def test_a_payer_who_is_only_the_ultimate_one_is_shown(world: World) -> None:
    body = _event(world, detail("-34.00", "<RltdPties><UltmtCdtr><Nm>Real Seller</Nm></UltmtCdtr></RltdPties>")).body
    assert isinstance(body, BankLine)
    assert body.counterparty_name == "Real Seller"


def test_a_number_that_the_bank_cut_over_two_lines_is_one_again(world: World) -> None:
    written = (
        "<RmtInf><Ustrd>Rechnung vom 2.11. INV/2026/</Ustrd><Ustrd>70061 danke</Ustrd><Ustrd>bis bald</Ustrd></RmtInf>"
    )
    event = _event(world, detail("-34.00", written))
    assert isinstance(event.body, BankLine)
    assert event.body.remittance == "Rechnung vom 2.11. INV/2026/70061 danke; bis bald"
    words = [one.value for one in event.references if one.kind is ReferenceKind.REMITTANCE]
    assert words == ["Rechnung vom 2.11. INV/2026/70061 danke", "bis bald"]


def test_an_amount_at_the_limit_stops_no_neighbour(world: World) -> None:
    world.statement(document(entry("92233720368547758.07")))
    world.statement(document(entry("1.00"), entry("2.00")))
    world.run("record")
    assert len(world.ledger.events) == 3
