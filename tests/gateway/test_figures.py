"""What the gateway tells of itself: what it tries again, what it fetched, and what waits."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from libs.errors import ConcordError
from libs.telemetry.metrics import NOBODY, Scope
from providers.errors import ApiUnavailable
from services.gateway.telemetry import queue_readings
from tests.gateway.world import BANK, NOW, UNAVAILABLE, Down, GatewayWorld
from tests.storage.fixtures import EngineFor
from tests.storage.plans import plans_of

STRIPE_DOWN = ("demo", "stripe/acct_1", "SERVICE_UNAVAILABLE")
BANK_DOWN = ("demo", BANK.interface, "SERVICE_UNAVAILABLE")


def charged(world: GatewayWorld, number: int) -> None:
    charge = world.account.charge(f"ch_{number}", 10800, NOW, fee=343)
    world.deliver_stripe(world.account.event(f"evt_{number}", "charge.succeeded", charge, NOW))


def test_each_event_that_is_handed_on_again_is_a_retry_of_its_interface() -> None:
    world = GatewayWorld(poll=False)
    world.ledger.fail_before.extend([Down("away")] * 2)
    charged(world, 1)
    charged(world, 2)
    for _ in range(4):
        world.run("translate", "forward")
        world.wait(10)
    assert world.states() == {"forwarded": 2}
    assert world.put_back == [STRIPE_DOWN] * 4  # two events, twice


def test_an_event_that_is_postponed_is_a_retry_and_one_that_is_refused_or_parked_is_none() -> None:
    world = GatewayWorld(poll=False)
    charged(world, 1)
    world.run("translate")
    ((name,),) = world.stored("event", "name")
    world.ledger.postpone.add(str(name))
    world.run("forward")
    assert world.put_back == [("demo", "stripe/acct_1", "STORAGE_CONFLICT")]
    world.ledger.postpone.clear()
    world.ledger.refuse[str(name)] = "EVENT_CONFLICT"
    world.wait(10)
    world.run("forward")
    assert len(world.put_back) == len(world.set_aside) == 1


def test_a_file_that_recon_cannot_take_now_is_a_retry_of_its_interface() -> None:
    world = GatewayWorld(poll=False)
    upload = world.gateway.upload(10_000)
    upload.feed(b"<?xml version='1.0'?>")
    world.gateway.store.call(upload.finish(BANK, "a.xml"))
    world.recon.failures.extend([Down("away"), ConcordError("no")])
    for _ in range(3):
        world.run("forward-file")
        world.wait(10)
    assert world.put_back == [BANK_DOWN]
    assert [reason for _, _, reason in world.set_aside] == [ConcordError.reason]


def test_an_api_that_fails_is_a_retry_of_the_source_that_asks() -> None:
    world = GatewayWorld()
    world.stripe.failures.extend([UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS])
    for _ in range(3):
        world.run("poll")
        world.wait(10)
    assert world.put_back == [("demo", "stripe/acct_1", ApiUnavailable.reason)] * 2


def test_a_payout_is_retried_on_the_way_in_and_on_the_way_out_and_waiting_for_it_is_no_failure() -> None:
    world = GatewayWorld()
    world.account.charge("ch_1", 10800, NOW, fee=343)
    world.account.payout("po_1", NOW, NOW)
    world.run("poll", "translate")
    world.stripe.failures.append(UNAVAILABLE)
    world.recon.failures.append(Down("away"))
    for _ in range(4):
        world.run("compose-payout", "forward-settlement")
        world.wait(10)
    assert len(world.recon.settlements) == 1
    assert world.put_back == [("demo", "stripe/acct_1", ApiUnavailable.reason), STRIPE_DOWN]


def test_what_a_provider_s_api_answered_is_counted_once_and_again_as_a_duplicate() -> None:
    world = GatewayWorld()
    world.account.charge("ch_1", 10800, NOW, fee=343)
    world.account.payout("po_1", NOW, NOW)
    world.run()
    for seconds in (61, 601):
        world.wait(seconds)
        world.run("poll")
    stored = world.count("delivery")
    assert stored > 1  # a page of movements, and a payout with its own
    assert {told[:2] for told in world.fetched} == {("demo", "stripe/acct_1")}
    assert [known for _, _, known in world.fetched].count(False) == stored
    assert world.fetched[-1] == ("demo", "stripe/acct_1", True)


def test_what_a_partner_sends_is_counted_where_it_is_answered_and_not_here() -> None:
    world = GatewayWorld(poll=False)
    charged(world, 1)
    world.run()
    assert world.fetched == []


def test_what_waits_is_counted_by_company_and_interface(engine_for: EngineFor) -> None:
    world = GatewayWorld(engine_for("services.gateway"))
    empty = readings(world)
    assert empty == {("gateway.translate", NOBODY): (0, 0.0)} | {
        (queue, NOBODY): (0, 0.0) for queue in ("gateway.forward", "gateway.settlements")
    }
    world.account.charge("ch_1", 10800, NOW, fee=343)
    world.account.payout("po_1", NOW, NOW)
    world.run("poll", "translate")
    charged(world, 2)
    charged(world, 3)
    world.deliver_shopify(b'{"id": 1}')
    world.wait(30)
    stripe = Scope("demo", "stripe", "stripe/acct_1")
    assert readings(world) == {
        ("gateway.translate", stripe): (2, 30.0),
        ("gateway.translate", Scope("demo", "shopify", "shopify/shop")): (1, 30.0),
        ("gateway.forward", stripe): (2, 30.0),
        ("gateway.settlements", stripe): (1, 30.0),
    }


def test_what_is_tried_again_and_again_grows_old(engine_for: EngineFor) -> None:
    world = GatewayWorld(engine_for("services.gateway"), poll=False)
    world.ledger.fail_before.extend([Down("away")] * 9)
    charged(world, 1)
    for _ in range(6):
        world.run("translate", "forward")
        world.wait(100)
    assert readings(world)["gateway.forward", Scope("demo", "stripe", "stripe/acct_1")] == (1, 600.0)


def test_a_scrape_waits_for_no_writer(engine_for: EngineFor) -> None:
    world = GatewayWorld(engine_for("services.gateway"), poll=False)
    charged(world, 1)
    with ThreadPoolExecutor(1) as elsewhere, world.uow() as writing:
        writing.cursors.ensure({"stripe/acct_1": 0}, world.now)
        scraped = elsewhere.submit(readings, world).result(timeout=60)
    assert scraped["gateway.translate", Scope("demo", "stripe", "stripe/acct_1")] == (1, 0.0)


def test_a_scrape_walks_the_partial_indexes_of_what_waits_and_no_table() -> None:
    world = GatewayWorld(poll=False)
    plans = plans_of(world.engine, lambda: readings(world))
    assert [
        re.findall(r"SCAN \w+ USING (?:COVERING )?INDEX (\w+)|SEARCH \w+ USING INDEX (\w+)", one) for one in plans
    ] == [
        [("ix_delivery_received", "")],
        [("ix_event_waiting", "")],
        [("", "ix_payout_due")],
    ]


def readings(world: GatewayWorld) -> dict[tuple[str, Scope], tuple[int, float]]:
    found = queue_readings(world.uow, world.gateway.world.accounts, world.now)
    return {(one.queue, one.scope): (one.depth, one.oldest_age_seconds) for one in found}
