"""What a payout pays: by the provider's API, by its report, the more complete telling winning."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.access import EVERYTHING
from libs.events import BalanceTransaction, Digest, Event, event_from_json
from libs.formats.errors import FormatError
from libs.money import Money
from providers.stripe.events import StripeTransaction, balance_transaction_event
from services.recon.domain.errors import FileChanged, SettlementConflict
from services.recon.domain.match import MatchType
from tests.formats.stripe_files import CHARGE, PAYOUT, report, row
from tests.providers.golden import expected, reports, source_of
from tests.recon.world import STRIPE, World, provenance, settlement
from tests.storage.stored import stored

LINES = (("txn_1", 10000, 320), ("txn_2", 5000, 175))
PAID = {"customer_facing_amount": "119.00", "customer_facing_currency": "eur"}
PLAIN = row("txn_1", "119.00", "3.75", "115.25", source_id="ch_1", charge_id="ch_1", **PAID)
BACK = row("txn_2", "-19.00", "0.00", "-19.00", reporting_category="refund", source_id="re_1")
OUT = row("txn_9", "-96.25", "0.00", "-96.25", reporting_category="payout", source_id="po_1")


def content(*rows: str) -> bytes:
    return report(*rows).getvalue()


def test_a_repeat_changes_nothing(world: World) -> None:
    first = world.recon.import_settlement(settlement("po_1", *LINES), "d", world.ids())
    again = world.recon.import_settlement(settlement("po_1", *LINES), "d2", world.ids())
    assert again == first
    assert world.count("audit_entry") == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_more_complete_composition_wins_whatever_comes_first(world: World, order: tuple[int, int]) -> None:
    whole = settlement("po_1", *LINES)
    tellings = (replace(whole, lines=whole.lines[:1], bank_references=("T-1",)), whole)
    for index in order:
        stored = world.recon.import_settlement(tellings[index], "d", world.ids())
    assert stored.settlement.lines == whole.lines
    assert stored.settlement.bank_references == ("T-1",)
    assert stored.ties


def test_two_parts_make_a_whole(world: World) -> None:
    whole = settlement("po_1", *LINES)
    for part in (whole.lines[:1], whole.lines[1:]):
        stored = world.recon.import_settlement(replace(whole, lines=part), "d", world.ids())
    assert stored.ties


def test_a_payout_of_another_amount_is_a_conflict(world: World) -> None:
    world.recon.import_settlement(settlement("po_1", *LINES), "d", world.ids())
    with pytest.raises(SettlementConflict):
        world.recon.import_settlement(settlement("po_1", *LINES, amount=1), "d", world.ids())


def test_a_report_brings_the_very_events_that_the_poll_brings(world: World) -> None:
    world.report(content(CHARGE))
    polled = balance_transaction_event(
        StripeTransaction(
            id="txn_1", category="charge", provider_type="charge", source_id="ch_1", gross=Money("EUR", 11900),
            fee=Money("EUR", 375), created=datetime(2026, 1, 28, 23, 30, tzinfo=UTC), customer_paid=Money("USD", 13000),
        ),
        company="acme",
        account="acct_1",
        provenance=provenance("stripe", "txn_1"),
        transaction_id=world.ids(),
    )  # fmt: skip
    world.ledger.record([polled])
    world.run("record")
    assert list(world.ledger.events) == [polled.name]
    (row_event,) = _events(world)
    assert Digest.of(row_event) == Digest.of(polled)
    assert isinstance(row_event.body, BalanceTransaction)
    # The poll handed it on, so it counts it; the file's id stays as an alias.
    with world.recon.new_uow(read_only=True) as uow:
        assert uow.trail.totals("acme", EVERYTHING) == []
        meant, steps = uow.trail.steps(row_event.transaction_id, EVERYTHING)
    assert meant == polled.transaction_id
    assert [one.step for one in steps] == ["received", "recorded"]


def test_a_report_alone_is_enough_to_match_a_payout(world: World) -> None:
    answer = world.report(content(PLAIN, BACK, OUT))
    assert (answer.settlements, answer.lines, answer.findings) == (("companies/acme/settlements/po_1",), 3, ())
    world.run()
    (match,) = [one for one in world.matches() if one.type is MatchType.PAYOUT_TRANSACTIONS]
    assert len(match.members) == 3
    with world.recon.new_uow(read_only=True) as uow:
        stored = uow.settlements.get("companies/acme/settlements/po_1")
    assert (stored.settlement.amount, stored.settlement.payout_transaction, stored.matched) == (
        Money("EUR", 9625),
        "txn_9",
        True,
    )


def test_a_report_without_the_payout_itself_ties_once_the_payout_proves_it(world: World) -> None:
    world.report(content(PLAIN, BACK))
    world.run()
    with world.recon.new_uow(read_only=True) as uow:
        assert not uow.settlements.get("companies/acme/settlements/po_1").ties
    world.report(content(OUT))
    world.run()
    with world.recon.new_uow(read_only=True) as uow:
        stored = uow.settlements.get("companies/acme/settlements/po_1")
    assert (stored.ties, stored.matched) == (True, True)


def test_the_same_report_gets_the_first_answer(world: World) -> None:
    first = world.report(content(PLAIN, OUT))
    again = world.report(content(PLAIN, OUT))
    assert replace(again, duplicate=False) == first
    assert again.duplicate
    assert world.count("outbound_event") == 2


@pytest.mark.parametrize(
    ("rows", "recorded", "finding"),
    [
        ((row("txn_1", "1.00", "0.00", "1.00"),), 0, "PRESENTMENT_UNKNOWN"),  # a charge always says it
        ((PLAIN, BACK), 2, ""),  # nothing is converted here
        ((CHARGE, row("txn_2", "-19.00", "0.00", "-19.00", reporting_category="refund")), 1, "PRESENTMENT_UNKNOWN"),
        ((PLAIN, PLAIN), 1, "ROW_REPEATED"),
        ((PLAIN, PAYOUT), 2, "PAYOUT_DOES_NOT_TIE"),
    ],
)
def test_what_a_report_does_not_say_is_told_and_never_guessed(
    world: World, rows: tuple[str, ...], recorded: int, finding: str
) -> None:
    answer = world.report(content(*rows))
    assert world.count("outbound_event") == recorded
    assert [finding.reason for finding in answer.findings] == ([finding] if finding else [])


@pytest.mark.parametrize(
    "bad", [b"", b"id,amount\n1,2\n", content(PLAIN)[:-40] + b'"', content(PLAIN, row("txn_3", "1.00", "0.00", "2.00"))]
)
def test_a_report_that_must_be_refused_changes_nothing(world: World, bad: bytes) -> None:
    with pytest.raises(FormatError):
        world.report(bad)
    with pytest.raises(FileChanged):
        world.recon.import_settlement_file(world.file(content(PLAIN), STRIPE, sha256="1" * 64), [content(PLAIN)])
    assert world.count("outbound_event") == world.count("settlement") == world.count("imported_file") == 0


def _events(world: World) -> list[Event]:
    return [event_from_json(payload) for (payload,) in stored(world.engine, "outbound_event", "payload")]


@pytest.mark.parametrize("path", reports(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_provider_s_golden_report_is_read(world: World, path: Path) -> None:
    content_of, gives = path.read_bytes(), expected(path)
    file = replace(world.file(content_of, STRIPE), interface=source_of(path.parent).interface)
    if "refused" in gives:
        with pytest.raises(FormatError) as refused:
            world.recon.import_settlement_file(file, [content_of])
        assert refused.value.reason == gives["refused"]
        return
    answer = world.recon.import_settlement_file(file, [content_of])
    assert answer.settlements == tuple(f"companies/acme/settlements/{one['id']}" for one in gives["settlements"])
    world.run("record")
    assert set(world.ledger.events) == {event["name"] for event in gives["events"]}
