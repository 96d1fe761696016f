"""The gateway's rows prove themselves: whatever is changed past the service is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from libs.access import EVERYTHING
from services.gateway.handlers import administer
from services.gateway.storage import PROOFS
from tests.gateway.world import NOW, GatewayWorld
from tests.storage.edits import unseen, unwitnessed
from tests.storage.fixtures import EngineFor

NAME = "sources/stripe/accounts/acct_1/events/txn_ch_1"


def charged(world: GatewayWorld) -> bytes:
    charge = world.account.charge("ch_1", 10800, NOW - timedelta(minutes=5), fee=343, payment_intent="pi_1")
    return world.account.event("evt_1", "charge.succeeded", charge, NOW - timedelta(minutes=5))


def lived(world: GatewayWorld) -> GatewayWorld:
    """A gateway with rows of every kind, all sealed."""
    before = GatewayWorld(seed=8)
    charged(before)
    before.run()
    world.ledger.events[NAME] = replace(before.ledger.events[NAME], transaction_id="f" * 32)
    world.deliver_stripe(charged(world))
    world.account.payout("po_1", NOW, NOW)
    world.run()
    world.wait(timedelta(days=1).total_seconds())
    world.run()
    upload = world.gateway.upload(10_000_000)
    upload.feed(b"<?xml version='1.0'?>" + b"x" * 1_500_000)
    world.gateway.store.call(upload.finish(world.sources[2].source, "a.xml"))
    world.run()
    name = "sources/stripe/accounts/acct_1/deliveries/evt_1"
    administer.replay_delivery(name, "1" * 8, "operator", EVERYTHING, new_uow=world.uow, clock=lambda: world.now)
    world.run()
    return world


def test_every_edit_by_sql_is_named_with_its_row(engine_for: EngineFor) -> None:
    tried, missed = unseen(lived(GatewayWorld(engine_for("services.gateway"))).engine, PROOFS)
    assert missed == []
    assert tried > 60, tried


def test_what_is_made_anew_after_an_edit_shows_against_a_witness_alone(engine_for: EngineFor) -> None:
    assert unwitnessed(lived(GatewayWorld(engine_for("services.gateway"))).engine, PROOFS) == []
