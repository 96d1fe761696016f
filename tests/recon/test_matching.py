"""From a settlement and a statement line to matches that Odoo shows, and differences for the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from libs.access import EVERYTHING
from libs.events import Settlement
from libs.money import Money
from services.recon.domain.match import MatchState, MatchType
from services.recon.handlers.explain import explain
from services.recon.handlers.ports import LedgerChange
from tests.recon.world import (
    Down,
    World,
    keys_of,
    money_event,
    order_event,
    payout_of,
    posting_key,
    settlement,
)
from tests.storage.fixtures import EngineFor

LINES = (("txn_1", 10000, 320), ("txn_2", 5000, 175), ("txn_3", -2000, 0))


def test_a_payout_is_matched_gross_to_net_and_then_with_its_bank_line(world: World) -> None:
    told = payout_of(world, "po_1001", *LINES)
    world.recon.import_settlement(told, "", world.ids())
    line = world.bank_line("125.05", "STRIPE po_1001")
    world.run()
    by_type = {one.type: one for one in world.matches()}
    composed, banked = by_type[MatchType.PAYOUT_TRANSACTIONS], by_type[MatchType.BANK_PAYOUT]
    payout = "acme_stripe_acct-5f1_txn-5fpo-5f1001_gross"
    keys = [f"acme_stripe_acct-5f1_txn-5f{n}" for n in (1, 2, 3)]
    anchor, members = keys_of(composed)
    assert anchor == payout
    assert sorted(members) == [
        f"{keys[0]}_fee",
        f"{keys[0]}_gross",
        f"{keys[1]}_fee",
        f"{keys[1]}_gross",
        f"{keys[2]}_gross",
    ]
    assert keys_of(banked) == (line, (payout,))
    assert banked.certificate.rule == "bank_payout_exact_reference"
    assert {one.state for one in by_type.values()} == {MatchState.WRITTEN}
    assert "CLR" not in world.ledger.postings[payout].open_roles
    assert [one.reason for one in world.differences()] == ["PAYMENT_WITHOUT_ORDER"] * 3


def test_the_order_in_which_things_arrive_does_not_matter(world: World) -> None:
    line = world.bank_line("125.05", "STRIPE po_1001")
    world.run()
    assert [one.reason for one in world.differences() if one.subject == line] == ["NO_CANDIDATE"]
    world.recon.import_settlement(settlement("po_1001", *LINES), "", world.ids())
    world.run()
    assert [one.message for one in world.differences() if one.reason == "TRANSACTIONS_MISSING"] == [
        "the payout's own transaction is not posted"
    ]
    payout_of(world, "po_1001", *LINES)
    world.run()
    assert sorted(one.type.value for one in world.matches()) == ["bank_payout", "payout_transactions"]
    assert {one.reason for one in world.differences()} == {"PAYMENT_WITHOUT_ORDER"}
    resolved = [one.subject for one in world.differences(live=False) if one.state.value == "resolved"]
    assert sorted(resolved) == sorted([line, "companies/acme/settlements/po_1001"])


@pytest.mark.parametrize(
    ("spoil", "lacks", "missing"),
    [
        (lambda one: replace(one, lines=one.lines[:-1]), "amount", ""),
        (lambda one: replace(one, lines=()), "lines", ""),
        (lambda one: replace(one, lines=(*one.lines[:-1], replace(one.lines[-1], balance_transaction="txn_9"))), "transaction", "txn_9"),
    ],
)  # fmt: skip
def test_a_composition_that_lacks_something_is_a_difference_until_it_is_complete(
    world: World, spoil: Callable[[Settlement], Settlement], lacks: str, missing: str
) -> None:
    told = payout_of(world, "po_1001", *LINES)
    world.recon.import_settlement(spoil(told), "", world.ids())
    world.run()
    (found,) = [one for one in world.differences() if one.reason == "TRANSACTIONS_MISSING"]
    assert (found.nearest_lacks, found.nearest) == (lacks, missing)
    assert world.matches() == []
    if missing:
        # Told whole already, only of a transaction that is not there yet.
        world.told(money_event(world, missing, -2000, kind="refund"))
    else:
        world.recon.import_settlement(told, "", world.ids())
    world.run()
    assert [one.type for one in world.matches()] == [MatchType.PAYOUT_TRANSACTIONS]
    assert not [one for one in world.differences() if one.reason == "TRANSACTIONS_MISSING"]


def test_payouts_that_claim_one_transaction_wait_for_a_person_and_hold_up_nothing_else(world: World) -> None:
    told = payout_of(world, "po_1001", ("txn_1", 10000, 320))
    world.told(money_event(world, "txn_po_1002", -9680, kind="payout", source="po_1002"))
    for one in (told, settlement("po_1002", ("txn_1", 10000, 320))):
        world.recon.import_settlement(one, "", world.ids())
    world.told(order_event(world, "4711", 11900))
    world.bank_line("119.00", "order 4711")
    world.run()
    assert [one.type for one in world.matches()] == [MatchType.BANK_INVOICE]
    missing = {one.subject: one for one in world.differences() if one.reason == "TRANSACTIONS_MISSING"}
    assert sorted(missing) == [f"companies/acme/settlements/po_{n}" for n in (1001, 1002)]
    assert {(one.nearest, one.nearest_lacks) for one in missing.values()} == {("txn_1", "unique")}
    (trial,) = explain("acme", "settlements", "po_1001", world.recon.new_uow).trials
    assert not trial.matched
    assert [one.name for one in trial.predicates if not one.held] == ["unique"]


def test_a_payout_that_claims_what_another_has_got_is_a_difference(world: World) -> None:
    world.recon.import_settlement(payout_of(world, "po_1001", ("txn_1", 10000, 320)), "", world.ids())
    world.ledger.pending = 10**6
    world.run("watch", "match")
    world.told(money_event(world, "txn_po_1002", -9680, kind="payout", source="po_1002"))
    world.recon.import_settlement(settlement("po_1002", ("txn_1", 10000, 320)), "", world.ids())
    world.run()
    assert [one.type for one in world.matches()] == [MatchType.PAYOUT_TRANSACTIONS]
    (found,) = [one for one in world.differences() if one.reason == "TRANSACTIONS_MISSING"]
    assert (found.subject, found.nearest_lacks) == ("companies/acme/settlements/po_1002", "unique")


def test_a_payout_that_the_bank_never_shows_is_a_difference_until_it_does(world: World) -> None:
    key = world.told(money_event(world, "txn_po_1001", -9680, kind="payout", source="po_1001"))
    world.run()
    assert world.differences() == []
    world.pass_time(4 * 86400)  # the 24th: a week after it should have arrived, and a day
    world.run()
    (found,) = world.differences()
    assert (found.subject, found.reason, found.amount) == (key, "PAYOUT_NOT_BANKED", Money("EUR", 9680))
    assert (found.nearest, found.nearest_lacks) == ("", "bank_line")
    line = world.bank_line("90.00", "STRIPE po_1001")
    world.run()
    told = {one.subject: (one.reason, one.nearest, one.nearest_lacks) for one in world.differences()}
    assert told == {
        key: ("PAYOUT_NOT_BANKED", line, "amount"),
        line: ("AMOUNT_DIFFERS", key, "amount"),
    }
    world.bank_line("96.80", "STRIPE po_1001", day="2026-03-25")
    world.run()
    assert [one.subject for one in world.differences()] == [line]


def test_payouts_of_one_amount_on_one_day_are_told_apart_by_reference_and_else_left_to_a_person(world: World) -> None:
    payouts = [world.told(money_event(world, f"txn_{n}", -9680, kind="payout", source=f"po_100{n}")) for n in range(5)]
    named = [world.bank_line("96.80", f"STRIPE po_100{n}") for n in range(3)]
    unnamed = world.bank_line("96.80", "STRIPE")
    world.run()
    assert dict(map(keys_of, world.matches())) == {
        line: (payout,) for line, payout in zip(named, payouts, strict=False)
    }
    assert [(one.subject, one.reason) for one in world.differences()] == [(unnamed, "AMBIGUOUS")]


def test_a_negative_payout_is_matched_with_what_the_bank_took(world: World) -> None:
    payout = world.told(money_event(world, "txn_1", 5000, kind="payout", source="po_1001"))
    line = world.bank_line("-50.00", "STRIPE po_1001")
    world.run()
    assert list(map(keys_of, world.matches())) == [(line, (payout,))]


def test_a_payout_that_came_back_is_not_expected_at_the_bank(world: World) -> None:
    for name, gross, kind in (("txn_1", -9680, "payout"), ("txn_2", 9680, "payout_returned")):
        world.told(money_event(world, name, gross, kind=kind, source="po_1001"))
    world.pass_time(90 * 86400)
    world.run()
    assert world.differences() == []


def test_a_bank_line_closes_the_invoice_that_it_names(world: World) -> None:
    invoices = [world.told(order_event(world, number, 11900)) for number in ("4711", "4712")]
    line = world.bank_line("119.00", "for order 4712, thanks")
    world.run()
    (match,) = world.matches()
    assert (match.type, keys_of(match)) == (MatchType.BANK_INVOICE, (line, (invoices[1],)))
    assert match.certificate.rule == "bank_invoice_exact_reference"
    assert world.differences() == []


def test_two_equal_candidates_are_left_to_a_person(world: World) -> None:
    for number in ("4711", "4712"):
        world.told(order_event(world, number, 11900))
    line = world.bank_line("119.00", "thanks")
    world.run()
    (difference,) = world.differences()
    assert world.matches() == []
    assert (difference.subject, difference.reason, difference.nearest_lacks) == (line, "AMBIGUOUS", "unique")
    world.ledger.close(posting_key(order_event(world, "4711", 11900)), "AR")  # somebody matched it in Odoo
    world.run()
    assert world.matches() == []
    (difference,) = world.differences()
    assert (difference.subject, difference.reason, difference.nearest_lacks) == (line, "UNPROVED", "evidence")


def test_explain_says_that_a_line_has_rivals_which_name_its_only_candidate(world: World) -> None:
    world.told(order_event(world, "4711", 11900, day=date(2026, 1, 20)))
    named = [world.bank_line("119.00", "order 4711", day=day) for day in ("2026-03-16", "2026-03-17")]
    line = world.bank_line("119.00", "thanks", day="2026-02-02")
    world.run()
    assert world.matches() == []
    assert {one.subject for one in world.differences() if one.reason == "AMBIGUOUS"} == {*named, line}
    trials = explain("acme", "postings", line, world.recon.new_uow).trials
    assert [(one.name, one.left) for one in trials[-1].predicates if not one.held] == [
        ("evidence", "amount and day"),
        ("unique", "3 lines"),
    ]


def test_another_amount_under_the_same_reference_is_named(world: World) -> None:
    invoice = world.told(order_event(world, "4711", 11900))
    line = world.bank_line("118.00", "order 4711")
    world.run()
    (difference,) = world.differences()
    assert (difference.subject, difference.reason, difference.nearest) == (line, "AMOUNT_DIFFERS", invoice)


def test_a_part_paid_invoice_is_not_matched_by_its_full_amount(world: World) -> None:
    key = world.told(order_event(world, "4711", 11900))
    partial = replace(world.ledger.postings[key], reconciliation="partial", version=9)
    world.ledger.changes.append(partial)
    world.bank_line("119.00", "order 4711")
    world.run()
    assert world.matches() == []


def test_nothing_is_a_difference_before_it_had_time_to_settle(engine_for: EngineFor) -> None:
    world = World(engine_for("services.recon"), evidence_wait_seconds=3600)
    line = world.bank_line("1.00")
    world.run()
    assert world.differences() == []
    world.pass_time(3599)
    world.run()
    assert world.differences() == []
    world.pass_time(1)
    world.run()
    assert [one.subject for one in world.differences()] == [line]


def test_the_watch_goes_on_where_it_stopped(world: World) -> None:
    world.told(order_event(world, "4711", 100))
    world.run()
    read = []
    inner = world.ledger.read_changes

    def watched(company: str, token: str, limit: int) -> list[LedgerChange]:
        read.append(token)
        return inner(company, token, limit)

    world.ledger.read_changes = watched  # type: ignore[method-assign]
    world.recon = world.started()
    world.told(order_event(world, "4712", 200))
    world.run()
    assert read[0] == "2"  # two changes were read before
    assert world.count("item") == 2


def test_a_repeated_or_older_change_takes_nothing_back(world: World) -> None:
    key = world.told(order_event(world, "4711", 100))
    world.run()
    before = world.ledger.postings[key]
    world.ledger.close(key, "AR")
    world.ledger.changes.append(before)  # as if two watchers overlapped
    world.bank_line("1.00", "order 4711")
    world.run()
    assert world.matches() == []


def test_a_match_is_asked_for_until_it_is_written(world: World) -> None:
    world.told(order_event(world, "4711", 11900))
    world.bank_line("119.00", "order 4711")
    world.ledger.pending = 2
    world.run()
    assert [one.state for one in world.matches()] == [MatchState.CONFIRMED]
    world.pass_time(2)
    world.run()
    assert [one.state for one in world.matches()] == [MatchState.CONFIRMED]
    world.pass_time(2)
    world.run()
    assert [one.state for one in world.matches()] == [MatchState.WRITTEN]


def test_a_ledger_that_is_down_delays_and_loses_nothing(world: World) -> None:
    world.ledger.fail_before = [Down("no")]
    with pytest.raises(Down):
        world.bank_line("119.00", "order 4711")
    world.ledger.fail_after = [Down("lost")]
    world.pass_time(3600)
    with pytest.raises(Down):
        world.run("record")
    world.pass_time(3600)
    world.run()
    assert len(world.ledger.events) == 1
    with world.recon.new_uow(read_only=True) as uow:
        (total,) = uow.trail.totals("acme", EVERYTHING)
    assert (total.bucket, total.count, total.minor_units) == ("handed_on", 1, 11900)


def test_a_match_that_odoo_refuses_is_a_difference_and_heals_once_it_can_be_written(world: World) -> None:
    world.told(order_event(world, "4711", 11900))
    line = world.bank_line("119.00", "order 4711")
    world.ledger.exceptions[MatchType.BANK_INVOICE] = "MATCHED_ELSEWHERE"
    world.run()
    (difference,) = world.differences()
    assert (difference.subject, difference.reason) == (line, "MATCH_NOT_WRITTEN")
    assert [one.reason for one in world.matches()] == ["MATCHED_ELSEWHERE"]
    world.ledger.exceptions.clear()
    world.pass_time(world.settings.stuck_poll_seconds)
    world.run()
    assert [(one.state, one.reason) for one in world.matches()] == [(MatchState.WRITTEN, "")]
    assert world.differences() == []


def test_a_refused_match_is_undone_once_its_line_was_closed_by_hand(world: World) -> None:
    world.told(order_event(world, "4711", 11900))
    line = world.bank_line("119.00", "order 4711")
    world.ledger.exceptions[MatchType.BANK_INVOICE] = "MATCHED_ELSEWHERE"
    world.run()
    world.ledger.close(line, "SUS")
    world.run()
    assert [(one.state, one.reason) for one in world.matches()] == [(MatchState.UNDONE, "CLOSED_ELSEWHERE")]
    assert world.differences() == []


def test_the_same_inputs_give_the_same_names_and_order(engine_for: EngineFor) -> None:
    world = World(engine_for("services.recon"))
    for number in range(20):
        world.told(order_event(world, f"47{number:02}", 100 + number))
        world.bank_line(f"{(100 + number) / 100:.2f}", f"order 47{number:02}")
    world.run()
    matches = world.matches()
    assert len(matches) == 20
    assert [one.name for one in matches] == sorted(one.name for one in matches)


def test_amount_and_day_alone_propose_however_long_they_stand(world: World) -> None:
    line = world.bank_line("119.00", "thanks")
    invoice = world.told(order_event(world, "4711", 11900))
    world.run()
    world.pass_time(90 * 86400)
    world.run()
    assert world.matches() == []
    (found,) = world.differences()
    assert (found.subject, found.reason) == (line, "UNPROVED")
    assert (found.nearest, found.nearest_lacks) == (invoice, "evidence")
    trials = explain("acme", "postings", line, world.recon.new_uow).trials
    assert [one.name for one in trials[-1].predicates if not one.held] == ["evidence"]


@pytest.mark.parametrize("also", ["INV/2026/04799", "order 4712", "RF19539007547034"])
def test_a_line_that_names_something_else_besides_is_a_proposal(world: World, also: str) -> None:
    invoice = world.told(order_event(world, "4711", 11900))
    world.told(order_event(world, "4712", 5000))
    line = world.bank_line("119.00", f"order 4711 {also}")
    world.run()
    assert world.matches() == []
    (found,) = world.differences()
    assert (found.subject, found.reason) == (line, "UNPROVED")
    assert (found.nearest, found.nearest_lacks) == (invoice, "contradiction")
    trials = explain("acme", "postings", line, world.recon.new_uow).trials
    (trial,) = [one for one in trials if one.candidate == invoice and one.rule == "bank_invoice_exact_reference"]
    assert [one.name for one in trial.predicates if not one.held] == ["contradiction"]


def test_an_invoice_that_is_paid_by_another_way_meanwhile_is_not_taken_by_a_line_of_its_amount(
    engine_for: EngineFor,
) -> None:
    world = World(engine_for("services.recon"), evidence_wait_seconds=3600)
    line = world.bank_line("119.00", "thanks")
    invoice = world.told(order_event(world, "4711", 11900))
    world.run()
    world.ledger.close(invoice, "AR")
    world.pass_time(3600)
    world.run()
    assert world.matches() == []
    assert [(one.subject, one.reason, one.nearest) for one in world.differences()] == [(line, "NO_CANDIDATE", "")]
