"""From a delivery to the ledger: stored before it is understood, handed on until it is answered, once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from libs.access import EVERYTHING
from libs.events import EventKind
from libs.storage.audit import AuditLog
from libs.storage.verification import verify
from services.gateway.domain.delivery import DeliveryState, check_transition
from services.gateway.domain.errors import DeliveryStateInvalid, DeliveryUnknown, ReplayConflict, SourceUnknown
from services.gateway.handlers import administer
from services.gateway.storage import PROOFS, TABLES
from tests.gateway.world import GOLDEN, NOW, Down, GatewayWorld

CHARGE_AT = NOW - timedelta(hours=1)
SHOP = GOLDEN / "shopify"


def charged(world: GatewayWorld) -> bytes:
    charge = world.account.charge("ch_1", 10800, CHARGE_AT, fee=343, payment_intent="pi_1")
    return world.account.event("evt_1", "charge.succeeded", charge, CHARGE_AT)


def test_a_charge_reaches_the_ledger_as_evidence_and_by_the_poll_it_woke() -> None:
    world = GatewayWorld()
    transaction_id = world.deliver_stripe(charged(world))
    world.run()
    kinds = {event.name.rpartition("/")[2]: event.kind for event in world.ledger.events.values()}
    assert kinds == {"evt_1": EventKind.EVIDENCE, "txn_ch_1": EventKind.CAPTURE}
    assert world.ledger.events["sources/stripe/accounts/acct_1/events/evt_1"].transaction_id == transaction_id
    assert world.states() == {"forwarded": 2}


def test_the_same_delivery_again_gets_the_first_answer_and_changes_nothing() -> None:
    world = GatewayWorld()
    body = charged(world)
    first = world.deliver_stripe(body)
    world.run()
    before = world.stored("delivery") + world.stored("event")
    calls = world.ledger.calls
    # Signed anew, by the second secret, and an hour later: the provider tries again.
    world.wait(30)
    assert world.deliver_stripe(body, secret=b"whsec_second") == first
    world.run("translate", "forward")
    after = world.stored("delivery") + world.stored("event")
    assert (after, world.ledger.calls) == (before, calls)


def test_a_replay_under_another_delivery_id_gets_the_first_answer() -> None:
    world = GatewayWorld()
    body = (SHOP / "order.paid.json").read_bytes()
    first = world.deliver_shopify(body, webhook_id="w-1")
    assert world.deliver_shopify(body, webhook_id="w-2") == first
    assert world.deliver_shopify(body, topic="orders/updated", webhook_id="w-3") == first
    world.run()
    assert len(world.ledger.events) == 1


def test_another_message_under_a_known_delivery_id_is_not_swallowed() -> None:
    world = GatewayWorld()
    world.deliver_shopify((SHOP / "order.paid.json").read_bytes(), webhook_id="w-1")
    world.deliver_shopify((SHOP / "refund.json").read_bytes(), topic="refunds/create", webhook_id="w-1")
    world.run()
    assert {event.kind for event in world.ledger.events.values()} == {EventKind.DOCUMENT, EventKind.DOCUMENT}


def test_a_topic_never_makes_money_of_another_body() -> None:
    world = GatewayWorld(poll=False)
    world.deliver_shopify((SHOP / "order.pending.json").read_bytes(), topic="orders/paid")
    world.deliver_shopify((SHOP / "refund.json").read_bytes(), topic="orders/paid")
    world.deliver_shopify(b'{"id": 1, "total_price": "5.00"}', topic="orders/paid")
    world.run()
    assert {event.kind for event in world.ledger.events.values()} == {EventKind.EVIDENCE, EventKind.DOCUMENT}
    assert world.states() == {"forwarded": 2, "quarantined": 1}


def test_an_echo_of_a_known_order_keeps_its_transaction_and_leaves_an_alias() -> None:
    world = GatewayWorld()
    first = world.deliver_shopify((SHOP / "order.paid.json").read_bytes())
    world.run()
    echo = json.loads((SHOP / "order.paid.json").read_text()) | {"fulfillment_status": "fulfilled"}
    second = world.deliver_shopify(json.dumps(echo).encode(), topic="orders/updated")
    world.run()
    assert second != first
    assert len(world.ledger.events) == 1
    resolved, steps = world.steps(second)
    assert resolved == first
    assert [step.step for step in steps if "/events/" in step.resource] == ["forwarded"]
    assert sum(step.step == "received" for step in steps) == 2


def test_an_order_whose_money_changed_is_set_aside_for_a_person() -> None:
    world = GatewayWorld()
    world.deliver_shopify((SHOP / "order.paid.json").read_bytes())
    world.run()
    edited = json.loads((SHOP / "order.paid.json").read_text()) | {
        "total_price": "118.00",
        "total_tip_received": "10.00",
    }
    world.deliver_shopify(json.dumps(edited).encode(), topic="orders/edited")
    world.run()
    assert world.stored("delivery", "state", "reason", state="quarantined") == [("quarantined", "EVENT_CONFLICT")]
    assert len(world.ledger.events) == 1


def test_a_webhook_s_event_that_the_poll_told_first_is_an_alias_of_it() -> None:
    world = GatewayWorld()
    world.account.charge("ch_1", 4320, CHARGE_AT, fee=155)
    dispute = world.account.dispute("dp_1", "ch_1", CHARGE_AT, fee=1500)
    world.run()
    by_poll = world.ledger.events["sources/stripe/accounts/acct_1/events/txn_dp_1"].transaction_id
    by_webhook = world.deliver_stripe(world.account.event("evt_2", "charge.dispute.created", dispute, CHARGE_AT))
    world.run()
    assert by_webhook != by_poll
    assert world.steps(by_webhook)[0] == by_poll


@pytest.mark.parametrize("lost_reply", [False, True])
def test_an_event_is_handed_on_until_the_ledger_answers_and_counted_once(lost_reply: bool) -> None:
    world = GatewayWorld(poll=False)
    failures = world.ledger.fail_after if lost_reply else world.ledger.fail_before
    failures.extend([Down("away")] * 3)
    world.deliver_stripe(charged(world))
    for _ in range(6):
        world.run()
        world.wait(10)
    assert world.ledger.calls == 4
    assert world.states() == {"forwarded": 1}
    (total,) = world.totals()
    assert (total.bucket, total.count, total.minor_units) == ("handed_on", 1, 10800)


def test_what_another_service_handed_on_first_is_not_counted_again() -> None:
    name = "sources/stripe/accounts/acct_1/events/txn_ch_1"
    before = GatewayWorld()
    charged(before)
    before.run()
    world = GatewayWorld(seed=8)
    world.ledger.events[name] = replace(before.ledger.events[name], transaction_id="f" * 32)
    world.deliver_stripe(charged(world))
    world.run()
    (total,) = world.totals()
    assert total.count == 1  # the evidence
    ((mine,),) = world.stored("event", "transaction_id", name=name)
    assert world.steps(str(mine))[0] == "f" * 32


def test_a_spent_budget_parks_the_event_and_a_replay_takes_it_up_again() -> None:
    world = GatewayWorld(poll=False)
    world.ledger.fail_before.extend([Down("away")] * 100)
    world.deliver_stripe(charged(world))
    for _ in range(110):
        world.run()
        world.wait(1800)
    assert world.stored("event", "state", "reason") == [("parked", "SERVICE_UNAVAILABLE")]
    assert world.stored("delivery", "state", "reason") == [("parked", "SERVICE_UNAVAILABLE")]
    assert world.set_aside == [("demo", "stripe/acct_1", "SERVICE_UNAVAILABLE")]
    assert world.totals() == []
    name = "sources/stripe/accounts/acct_1/deliveries/evt_1"
    administer.replay_delivery(name, "1" * 8, "operator", EVERYTHING, new_uow=world.uow, clock=lambda: world.now)
    world.run()
    assert world.states() == {"forwarded": 1}
    assert len(world.ledger.events) == 1


def test_what_the_ledger_will_not_have_is_set_aside_with_its_reason() -> None:
    world = GatewayWorld(poll=False)
    world.ledger.refuse["sources/stripe/accounts/acct_1/events/evt_1"] = "EVENT_CONFLICT"
    world.deliver_stripe(charged(world))
    world.run()
    assert world.stored("delivery", "state", "reason") == [("quarantined", "EVENT_CONFLICT")]
    assert world.set_aside == [("demo", "stripe/acct_1", "EVENT_CONFLICT")]
    assert world.totals() == []


def test_an_event_that_no_call_survives_costs_the_others_time_only() -> None:
    world = GatewayWorld(poll=False)
    world.ledger.poison.add("sources/stripe/accounts/acct_1/events/evt_1")
    world.deliver_stripe(charged(world))
    world.deliver_shopify((SHOP / "order.paid.json").read_bytes())
    world.deliver_shopify((SHOP / "refund.json").read_bytes(), topic="refunds/create")
    for _ in range(12):
        world.run()
        world.wait(1000)
    assert {event.kind for event in world.ledger.events.values()} == {EventKind.DOCUMENT, EventKind.DOCUMENT}
    assert world.states() == {"translated": 1, "forwarded": 2}


def test_an_event_that_is_handed_on_again_takes_no_other_s_place() -> None:
    world = GatewayWorld()
    charges = [world.account.charge(f"ch_{number}", 10800, CHARGE_AT, fee=343) for number in (1, 2)]
    stuck = "sources/stripe/accounts/acct_1/events/txn_ch_2"
    world.ledger.postpone.add(stuck)
    world.run()
    movement = world.account.objects["txn_ch_1"]
    told = {**charges[0], "payment_intent": "pi_new", "balance_transaction": movement}
    world.deliver_stripe(world.account.event("evt_1", "charge.updated", told, CHARGE_AT))
    world.run("translate", "forward")
    assert len(world.ledger.events) == 1
    world.ledger.postpone.clear()
    world.ledger.refuse[stuck] = "EVENT_CONFLICT"
    world.wait(1000)
    world.run("forward")
    page = world.stored("delivery", "state", "reason", channel="poll")
    assert page == [("quarantined", "EVENT_CONFLICT")]


def test_a_replay_is_asked_for_once_and_changes_no_event() -> None:
    world = GatewayWorld(poll=False)
    world.deliver_stripe(charged(world))
    world.run()
    events = world.stored("event")
    name = "sources/stripe/accounts/acct_1/deliveries/evt_1"

    def replay(request_id: str, target: str = name) -> DeliveryState:
        return administer.replay_delivery(
            target, request_id, "operator", EVERYTHING, new_uow=world.uow, clock=lambda: world.now
        ).state

    assert replay("a") is DeliveryState.RECEIVED
    world.run()
    assert replay("a") is DeliveryState.FORWARDED  # the same wish again: nothing more
    assert world.stored("event") == events
    with pytest.raises(DeliveryUnknown):
        replay("b", "sources/stripe/accounts/acct_1/deliveries/evt_none")
    world.deliver_shopify((SHOP / "order.paid.json").read_bytes())
    other = next(
        one.delivery.name
        for one in administer.list_deliveries("shopify", "", None, "", 9, EVERYTHING, new_uow=world.uow)
    )
    with pytest.raises(ReplayConflict):
        replay("a", other)


def test_a_delivery_between_two_steps_cannot_be_settled_wrongly() -> None:
    with pytest.raises(DeliveryStateInvalid):
        check_transition(DeliveryState.FORWARDED, DeliveryState.QUARANTINED)


def test_one_faulty_delivery_holds_up_no_other() -> None:
    world = GatewayWorld(poll=False)
    world.deliver_stripe(charged(world))
    world.deliver_shopify((SHOP / "order.unexplained.json").read_bytes())
    world.deliver_shopify(b'{"id": 1, "order_number": 5, "line_items": 7, "financial_status": "paid"}')
    world.deliver_shopify((SHOP / "order.paid.json").read_bytes())
    world.run()
    assert world.states() == {"forwarded": 2, "quarantined": 2}
    reasons = [row[0] for row in world.stored("delivery", "reason", state="quarantined")]
    assert reasons == ["DELIVERY_SHAPE_INVALID", "DOCUMENT_TOTAL_UNEXPLAINED"]
    assert sorted(world.set_aside) == [("demo", "shopify/shop", str(reason)) for reason in reasons]


def test_a_delivery_that_kills_its_worker_is_set_aside_in_the_end() -> None:
    world = GatewayWorld(poll=False)
    world.deliver_stripe(charged(world))
    for _ in range(6):  # claimed, and then nothing more was heard
        with world.uow() as uow:
            assert uow.deliveries.claim(files=False, limit=9, owner="x", now=world.now, lease_seconds=10)
            uow.commit()
        world.wait(11)
    world.run()
    assert world.stored("delivery", "state", "reason") == [("quarantined", "TRANSLATION_ABORTED")]


def test_a_source_that_is_configured_no_more_parks_its_deliveries() -> None:
    world = GatewayWorld(poll=False)
    world.deliver_shopify((SHOP / "order.paid.json").read_bytes())
    world.sources = world.sources[:1]
    world.gateway = world.started(9)
    world.run()
    assert world.stored("delivery", "state", "reason") == [("parked", "SOURCE_UNKNOWN")]
    with pytest.raises(SourceUnknown):
        world.deliver_shopify((SHOP / "order.paid.json").read_bytes())


def test_test_events_never_reach_a_live_company() -> None:
    world = GatewayWorld(poll=False)
    world.deliver_stripe((GOLDEN / "stripe" / "charge.succeeded.testmode.json").read_bytes())
    world.run()
    assert world.stored("delivery", "state", "reason") == [("ignored", "LIVEMODE_MISMATCH")]
    assert world.ledger.events == {}


def test_every_transition_is_in_the_audit_log_and_its_chains_hold() -> None:
    world = GatewayWorld()
    transaction_id = world.deliver_stripe(charged(world))
    world.run()
    with world.uow() as uow:
        log = AuditLog(uow.connection, TABLES)
        entries = log.of_transaction(transaction_id)
        assert [one.entry.action for one in entries] == ["RECEIVED", "TAKEN", "TRANSLATED", "FORWARDED", "FORWARDED"]
        verified = verify(uow.connection, PROOFS)
        assert verified.faults == ()
        assert verified.sealed > 0


def test_a_delivery_is_found_listed_and_fingerprinted() -> None:
    world = GatewayWorld(poll=False)
    for number in range(3):
        body = json.loads((SHOP / "order.paid.json").read_text()) | {
            "id": 5000 + number,
            "note_attributes": [{"a": number}],
        }
        world.deliver_shopify(json.dumps(body).encode())
        world.wait(1)
    world.run()
    found = administer.list_deliveries("shopify", "shop", DeliveryState.FORWARDED, "", 2, EVERYTHING, new_uow=world.uow)
    rest = administer.list_deliveries("", "", None, found[-1].delivery.transaction_id, 9, EVERYTHING, new_uow=world.uow)
    assert [len(found), len(rest)] == [2, 1]
    assert len({one.schema_fingerprint for one in (*found, *rest)}) == 1
    assert administer.get_delivery(found[0].delivery.name, EVERYTHING, new_uow=world.uow).events == found[0].events
    sources = administer.list_sources(world.gateway.world.accounts, EVERYTHING, new_uow=world.uow)
    assert [(one.name.split("/")[1], one.polled, one.last_received is not None) for one in sources] == [
        ("bank", False, False),
        ("shopify", False, True),
        ("stripe", False, False),
    ]
