"""What the provider's API lists is stored page by page, and a payout's composition goes to recon whole."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

import pytest

from libs.access import EVERYTHING
from libs.errors import ConcordError
from libs.events import BalanceTransaction, EventKind
from libs.money import Money
from providers.errors import ApiRefused, ApiUnavailable
from services.gateway.domain.errors import SourceUnknown
from services.gateway.domain.payout import PayoutState
from services.gateway.handlers import administer
from tests.gateway.world import NOW, STRIPE, UNAVAILABLE, Down, GatewayWorld

START = NOW - timedelta(hours=5)


def busy(world: GatewayWorld, charges: int) -> None:
    for number in range(charges):
        world.account.charge(f"ch_{number:04}", 1000 + number, START + timedelta(seconds=number), fee=59)


def test_pages_are_followed_to_the_end_and_each_is_a_delivery() -> None:
    world = GatewayWorld()
    busy(world, 250)
    world.run()
    assert len(world.ledger.events) == 250
    assert world.stored("delivery", "channel") == [("poll",)] * 3
    assert [request.count("starting_after") for request in world.stripe.requests] == [0, 1, 1]


def test_a_second_poll_overlaps_and_stores_nothing_twice() -> None:
    world = GatewayWorld()
    busy(world, 5)
    world.run()
    world.wait(61)
    world.run()
    assert len(world.stripe.requests) == 2
    assert world.states() == {"forwarded": 1}
    world.account.charge("ch_late", 700, START - timedelta(minutes=30), fee=10)  # shown late, dated early
    world.wait(601)
    world.run()
    assert len(world.ledger.events) == 6


def test_what_polls_store_grows_with_what_is_new_and_not_with_the_hour_before() -> None:
    world = GatewayWorld()
    busy(world, 450)
    world.run()
    before = polled_bytes(world)
    for number in range(60):
        world.wait(9)
        charge = world.account.charge(f"ch_new_{number}", 500, world.now, fee=1)
        world.deliver_stripe(world.account.event(f"evt_{number}", "charge.succeeded", charge, world.now))
        world.run()
        assert f"sources/stripe/accounts/acct_1/events/txn_ch_new_{number}" in world.ledger.events
    assert polled_bytes(world) < 3 * before


def polled_bytes(world: GatewayWorld) -> int:
    return sum(size for (size,) in world.stored("delivery", "body_bytes", channel="poll"))


def test_what_was_shown_late_is_found_after_shallow_windows_and_an_outage() -> None:
    world = GatewayWorld()
    busy(world, 2)
    world.run()
    world.wait(61)
    late = NOW - timedelta(minutes=20)
    world.account.charge("ch_1", 500, world.now, fee=1)
    world.run()
    world.account.charge("ch_late", 700, late, fee=10)
    world.wait(61)
    world.run()  # shallow: not seen yet
    assert len(world.ledger.events) == 3
    world.wait(6 * 3600)
    world.account.charge("ch_2", 500, world.now, fee=1)
    world.run()
    assert len(world.ledger.events) == 5


def test_a_shallow_window_with_more_than_a_page_is_followed_to_its_end() -> None:
    world = GatewayWorld()
    busy(world, 2)
    world.run()
    world.wait(61)
    for number in range(230):
        world.account.charge(f"ch_burst_{number}", 500, world.now, fee=1)
    world.run()
    assert len(world.ledger.events) == 232


def test_a_movement_made_while_pages_are_read_is_not_missed() -> None:
    world = GatewayWorld()
    busy(world, 150)
    world.gateway.poll.run_once()
    world.account.charge("ch_new", 5000, NOW, fee=10)
    world.run()
    assert len(world.ledger.events) == 150
    world.wait(61)
    world.run()
    assert len(world.ledger.events) == 151


def test_a_row_that_cannot_be_read_is_set_aside_and_holds_up_no_other() -> None:
    world = GatewayWorld()
    busy(world, 120)
    del world.account.transactions[5]["currency"]
    world.account.transactions[7]["created"] += 0.5
    world.run()
    assert len(world.ledger.events) == 118
    assert world.states() == {"forwarded": 1, "quarantined": 1}
    world.account.charge("ch_new", 700, NOW, fee=10)
    world.wait(61)
    world.run()
    assert len(world.ledger.events) == 119


def test_a_page_that_cannot_be_read_is_kept_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    world = GatewayWorld()
    busy(world, 1)
    monkeypatch.setattr(world.stripe, "answer", lambda *_: (HTTPStatus.OK, {"object": "list", "data": "none"}))
    with pytest.raises(ConcordError):
        world.gateway.poll.run_once()
    world.run("translate")
    assert world.stored("delivery", "state", "reason") == [("quarantined", "DELIVERY_SHAPE_INVALID")]
    monkeypatch.undo()
    world.wait(5)
    world.run()
    assert len(world.ledger.events) == 1


def test_a_movement_dated_in_the_future_hides_no_other() -> None:
    world = GatewayWorld()
    world.account.charge("ch_future", 700, NOW + timedelta(days=400), fee=10)
    world.run()
    world.account.charge("ch_now", 800, NOW, fee=10)
    world.wait(61)
    world.run()
    assert len(world.ledger.events) == 2


def test_a_source_that_is_no_longer_polled_is_left_alone_and_goes_on_where_it_stood() -> None:
    world = GatewayWorld()
    busy(world, 2)
    world.run()
    without = GatewayWorld(world.engine, poll=False)
    without.wait(3600)
    assert without.gateway.poll.run_once() == 0
    assert without.stripe.requests == []
    again = GatewayWorld(world.engine)
    again.wait(3600)
    assert again.gateway.poll.run_once() == 1


def test_a_crash_between_storing_a_page_and_noting_the_place_repeats_the_page() -> None:
    world = GatewayWorld()
    busy(world, 150)
    world.gateway.poll.run_once()
    with world.uow() as uow:
        cursor = uow.cursors.claim(among=[STRIPE.interface], owner="gateway", now=world.now, lease_seconds=30)
        assert cursor is not None
        assert cursor.after == "txn_ch_0050"
        uow.commit()
    world.gateway = world.started(99)
    world.wait(31)
    world.run()
    assert len(world.ledger.events) == 150


def test_an_api_that_fails_is_asked_again_with_growing_pauses_and_wakes_do_not_hurry_it() -> None:
    world = GatewayWorld()
    busy(world, 2)
    world.stripe.failures.extend([UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS, UNAVAILABLE])
    with pytest.raises(ApiUnavailable):
        world.gateway.poll.run_once()
    body = world.account.event("evt_1", "charge.succeeded", world.account.objects["ch_0000"], START)
    world.deliver_stripe(body)
    world.run()
    assert len(world.stripe.requests) == 1
    for _ in range(8):
        world.wait(1)
        world.run()
    assert len(world.stripe.requests) == 4
    assert len(world.ledger.events) == 3


def test_a_refused_key_is_reported_and_tried_again_later() -> None:
    world = GatewayWorld()
    world.stripe.failures.append(HTTPStatus.UNAUTHORIZED)
    with pytest.raises(ApiRefused):
        world.gateway.poll.run_once()
    assert world.gateway.poll.run_once() == 0
    world.wait(2)
    assert world.gateway.poll.run_once() == 1


def test_a_webhook_wakes_the_poll_and_silence_does_not() -> None:
    world = GatewayWorld()
    busy(world, 1)
    world.run()
    asked = len(world.stripe.requests)
    world.wait(5)
    world.run()
    assert len(world.stripe.requests) == asked
    charge = world.account.charge("ch_x", 500, NOW, fee=1)
    world.deliver_stripe(world.account.event("evt_x", "charge.succeeded", charge, NOW))
    world.run()
    assert len(world.stripe.requests) == asked + 1
    assert "sources/stripe/accounts/acct_1/events/txn_ch_x" in world.ledger.events


def test_an_operator_s_poll_fetches_all_that_is_there_now() -> None:
    world = GatewayWorld()
    poll = world.gateway.poll_source()
    busy(world, 120)
    assert poll("stripe", "acct_1", EVERYTHING) == 2
    with pytest.raises(SourceUnknown):
        poll("shopify", "shop", EVERYTHING)
    with pytest.raises(SourceUnknown):
        poll("stripe", "acct_none", EVERYTHING)


def test_a_payout_s_composition_reaches_recon_whole_with_its_references() -> None:
    world = GatewayWorld()
    busy(world, 230)
    payout = world.account.payout("po_1", NOW, NOW + timedelta(days=2), descriptor="SHOP", trace="TRACE-1", leave=10)
    world.run()
    ((settlement, delivery, transaction_id),) = world.recon.settlements
    assert len(settlement.lines) == 220
    assert settlement.ties
    assert settlement.amount.minor_units == payout["amount"]
    assert settlement.bank_references == ("TRACE-1", "po_1", "SHOP")
    assert str(settlement.arrival_date) == "2026-11-24"
    event = world.ledger.events["sources/stripe/accounts/acct_1/events/txn_po_1"]
    assert (event.kind, event.transaction_id) == (EventKind.PAYOUT, transaction_id)
    assert settlement.payout_transaction == event.object_id
    with world.uow() as uow:
        assert uow.deliveries.get(delivery).delivery.type == "payout"
    bodies = [event.body for event in world.ledger.events.values()]
    nets = [body.gross - body.fee for body in bodies if isinstance(body, BalanceTransaction)]
    assert Money.totals(nets) == [Money("USD", world.account.balance())]


def test_a_composition_that_is_still_being_made_is_asked_for_later() -> None:
    world = GatewayWorld()
    busy(world, 3)
    world.account.payout("po_1", NOW, NOW)
    world.account.objects["po_1"]["reconciliation_status"] = "in_progress"
    world.run()
    assert world.recon.settlements == []
    world.account.objects["po_1"]["reconciliation_status"] = "completed"
    world.wait(901)
    world.run()
    assert len(world.recon.settlements) == 1


def test_a_manual_payout_is_handed_on_without_lines() -> None:
    world = GatewayWorld()
    busy(world, 1)
    world.account.payout("po_1", NOW, NOW)
    world.account.objects["po_1"]["automatic"] = False
    world.account.paid_by.clear()
    world.run()
    ((settlement, _, _),) = world.recon.settlements
    assert settlement.lines == ()
    assert not settlement.ties


def test_a_payout_that_came_back_is_a_line_of_the_next_one() -> None:
    world = GatewayWorld()
    busy(world, 2)
    world.account.payout("po_1", NOW - timedelta(hours=3), NOW)
    world.account.payout_failed("po_1", NOW - timedelta(hours=2))
    second = world.account.payout("po_2", NOW - timedelta(hours=1), NOW)
    world.run()
    by_id = {settlement.payout_id: settlement for settlement, _, _ in world.recon.settlements}
    assert [line.balance_transaction for line in by_id["po_2"].lines] == ["txn_po_1_payout_reversal"]
    assert by_id["po_2"].amount.minor_units == second["amount"] > 0
    assert by_id["po_1"].ties
    assert by_id["po_2"].ties


def test_a_key_that_is_refused_for_an_hour_costs_no_settlement() -> None:
    world = GatewayWorld()
    busy(world, 1)
    world.account.payout("po_1", NOW, NOW)
    world.run("poll", "translate")
    for _ in range(8):
        world.stripe.failures.append(HTTPStatus.UNAUTHORIZED)
        world.run("compose-payout")
        world.wait(600)
    world.stripe.failures.clear()
    world.wait(900)
    world.run()
    assert len(world.recon.settlements) == 1


def test_a_settlement_that_was_refused_goes_again_with_the_replay_of_its_page() -> None:
    world = GatewayWorld()
    busy(world, 1)
    world.account.payout("po_1", NOW, NOW)
    world.recon.failures.append(ConcordError("no"))
    world.run()
    assert world.stored("payout", "state") == [("refused",)]
    assert [(company, interface) for company, interface, _ in world.set_aside] == [("demo", "stripe/acct_1")]
    ((page,),) = world.stored("delivery", "name", type="balance_transactions")
    administer.replay_delivery(str(page), "r-1", "kim", EVERYTHING, new_uow=world.uow, clock=lambda: world.now)
    world.run()
    assert world.stored("payout", "state") == [("forwarded",)]
    assert len(world.recon.settlements) == 1


@pytest.mark.parametrize(
    "error, state, sent",
    [(Down("away"), PayoutState.FORWARDED, 1), (ConcordError("no"), PayoutState.REFUSED, 0)],
)
def test_recon_s_failure_is_tried_again_and_its_refusal_is_not(
    error: ConcordError, state: PayoutState, sent: int
) -> None:
    world = GatewayWorld()
    busy(world, 1)
    world.account.payout("po_1", NOW, NOW)
    world.recon.failures.append(error)
    world.run()
    world.wait(5)
    world.run()
    assert world.stored("payout", "state") == [(state.value,)]
    assert len(world.recon.settlements) == sent


def test_lost_replies_of_the_api_lose_no_page_of_a_composition() -> None:
    world = GatewayWorld()
    busy(world, 150)
    world.account.payout("po_1", NOW, NOW)
    world.run("poll", "translate")
    world.stripe.failures.extend([UNAVAILABLE] * 4)
    for _ in range(20):
        world.run()
        world.wait(5)
    ((settlement, _, _),) = world.recon.settlements
    assert len(settlement.lines) == 150
