"""The gateway's tables, on both databases: the migrations give what is declared, and the walk is the same."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine

from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from libs.storage.revisions import check
from services.gateway.domain.delivery import Refusal
from services.gateway.storage.rows import metadata
from tests.gateway.day import EXPECTED, day, played
from tests.gateway.world import GOLDEN, NOW, SHOPIFY, STRIPE, GatewayWorld
from tests.storage.fixtures import database_for, drop

BOTH = ["sqlite", "postgresql"]


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(*database_for(request.param, tmp_path, "services.gateway"))
    yield opened
    drop(opened)


@pytest.mark.parametrize("engine", BOTH, indirect=True)
def test_the_migrations_give_the_declared_tables(engine: Engine) -> None:
    upgrade(engine, "services.gateway")
    upgrade(engine, "services.gateway")
    assert check(engine, metadata, "services.gateway") == []


@pytest.mark.parametrize("engine", BOTH, indirect=True)
def test_a_newer_version_goes_on_with_what_is_on_its_way(engine: Engine) -> None:
    """Before it, states were in upper case, and an event named its delivery and kind instead of origin and company."""
    upgrade(engine, "services.gateway")
    world = GatewayWorld(engine, poll=False)
    world.ledger.refuse[f"{STRIPE.name}/events/evt_1"] = "EVENT_CONFLICT"
    charge = world.account.charge("ch_1", 10800, NOW - timedelta(hours=1), fee=343)
    for name in ("evt_1", "evt_2", "evt_3"):
        world.deliver_stripe(world.account.event(name, "charge.succeeded", charge, NOW))
        world.run("translate", *(["forward"] if name == "evt_1" else []))
    columns = ("name", "company", "origin", "state")
    before = world.stored("event", *columns), world.states()
    version = importlib.import_module("services.gateway.storage.migrations.versions.0002_states_in_lower_case")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        version.downgrade()
    assert world.stored("event", "kind", "state") == [
        ("evidence", state) for state in ("REFUSED", "WAITING", "WAITING")
    ]
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        version.upgrade()
    assert (world.stored("event", *columns), world.states()) == before
    assert check(engine, metadata, "services.gateway") == []
    world.run()
    assert world.states() == {"quarantined": 1, "forwarded": 2}


@pytest.mark.parametrize("engine", BOTH, indirect=True)
def test_an_order_of_the_release_before_is_handed_on_and_its_repeat_is_known(engine: Engine) -> None:
    """Before it, orders were no documents, and a digest had no version."""
    upgrade(engine, "services.gateway")
    world = GatewayWorld(engine, poll=False)
    order = (GOLDEN / "shopify" / "order.refunded.json").read_bytes()
    world.deliver_shopify(order)
    world.run("translate")
    version = importlib.import_module("services.gateway.storage.migrations.versions.0003_versions_of_digests")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        version.downgrade()
    assert [kind for (kind,) in world.stored("event", "payload") if '"is": "order' in kind]
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        version.upgrade()
    assert check(engine, metadata, "services.gateway") == []
    world.deliver_shopify(order.replace(b'"note": null', b'"note": "again"'))  # other bytes, the same facts
    world.run()
    assert world.states() == {"forwarded": 2}
    assert {event.kind.value for event in world.ledger.events.values()} == {"document"}


@pytest.mark.parametrize("engine", BOTH, indirect=True)
def test_a_day_goes_the_same_way_on_either_database(engine: Engine) -> None:
    upgrade(engine, "services.gateway")
    world = GatewayWorld(engine)
    charge = world.account.charge("ch_1", 10800, NOW - timedelta(hours=1), fee=343)
    world.account.payout("po_1", NOW, NOW + timedelta(days=1))
    body = world.account.event("evt_1", "charge.succeeded", charge, NOW)
    first = world.deliver_stripe(body)
    assert world.deliver_stripe(body) == first
    world.deliver_shopify((GOLDEN / "shopify" / "order.refunded.json").read_bytes())
    world.deliver_shopify((GOLDEN / "shopify" / "order.paid.json").read_bytes())
    world.run()
    assert {name.rpartition("/")[2] for name in world.ledger.events} == {
        "evt_1",
        "txn_ch_1",
        "txn_po_1",
        "order-5001001-paid",
        "refund-7001",
    }
    assert len(world.recon.settlements) == 1
    assert set(world.states()) == {"forwarded", "ignored"}
    assert sum(total.count for total in world.totals()) == 5
    upload = world.gateway.upload(10_000_000)
    upload.feed(b"<?xml version='1.0'?>" + b"x" * 1_500_000)
    new = upload.finish(world.sources[2].source, "a.xml")
    world.gateway.store.call(new)
    world.run()
    assert [len(content) for _, _, content in world.recon.files] == [1_500_021]
    assert world.steps(new.delivery.transaction_id)[1][-1].step == "forwarded"


@pytest.mark.parametrize("engine", BOTH, indirect=True)
@pytest.mark.parametrize("crash_at", [1, 7, 16, 25, 33, 41])
def test_a_crash_loses_and_doubles_nothing_on_either_database(engine: Engine, crash_at: int) -> None:
    upgrade(engine, "services.gateway")
    world = GatewayWorld(engine)
    world.crash_at = world.points + crash_at
    played(world, random.Random(crash_at))
    assert {name.rpartition("/")[2] for name in world.ledger.events} == EXPECTED
    assert sum(total.count for total in world.totals()) == len(EXPECTED)


@pytest.mark.parametrize("engine", BOTH, indirect=True)
def test_two_processes_share_one_inbox(engine: Engine) -> None:
    """Each webhook at both at once, and both translate and forward."""
    upgrade(engine, "services.gateway")
    first, second = GatewayWorld(engine, seed=1, poll=False), GatewayWorld(engine, seed=2, poll=False)
    second.ledger = first.ledger
    second.gateway = second.started(3)
    bodies = day(first)
    for body in bodies:
        assert first.deliver_stripe(body) == second.deliver_stripe(body)
    for _ in range(9):
        first.run("translate", "forward")
        second.run("translate", "forward")
    assert len(first.ledger.events) == len(bodies)
    assert first.states() == {"forwarded": len(bodies)}


@pytest.mark.parametrize("engine", BOTH, indirect=True)
def test_of_refused_ones_the_newest_few_are_kept(engine: Engine) -> None:
    upgrade(engine, "services.gateway")
    world = GatewayWorld(engine, poll=False)
    ids = world.gateway.world.work.ids
    for number in range(9):
        refusal = Refusal(SHOPIFY.provider, SHOPIFY.account, f"R{number}", "0" * 64, 1, b"x")
        world.wait(1)
        with world.uow() as uow:
            uow.refusals.add(refusal, id=ids(), now=world.now, keep=3)
            uow.commit()
    assert world.stored("refused_sample", "reason") == [("R6",), ("R7",), ("R8",)]
