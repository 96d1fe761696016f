"""What the ledger tells: lists, steps, totals, and the stream of changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from libs.access import EVERYTHING
from libs.events import EventKind
from libs.listing import After
from libs.storage.revisions import check
from libs.storage.sealer import Sealer
from services.ledger.domain.case import CaseState
from services.ledger.domain.changes import PostingChange
from services.ledger.domain.master import FeeWord
from services.ledger.domain.match import AppliedMatch, AppliedMatchType
from services.ledger.domain.posting import PostingQuery
from services.ledger.domain.states import PostingState
from services.ledger.handlers.read_postings import list_exceptions, list_postings
from services.ledger.handlers.watch_postings import watch_postings
from services.ledger.storage import TABLES
from services.ledger.storage.rows import metadata
from tests.ledger.domain import books
from tests.ledger.events import CHARGE, ORDER, capture
from tests.ledger.world import World
from tests.storage.fixtures import EngineFor
from tests.storage.plans import plans_of


def test_the_migrations_make_exactly_the_declared_tables(engine_for: EngineFor) -> None:
    assert check(engine_for("services.ledger"), metadata, "services.ledger") == []


def test_a_list_is_given_in_parts_without_gap_or_repeat(world: World) -> None:
    for number in range(7):
        world.build(capture(f"txn_{number}"))
        world.pass_time(1)
    seen: list[str] = []
    after: After | None = None
    while True:
        part = list_postings(PostingQuery("acme"), 3, after, world.new_uow)
        seen += [one.key for one in part.items]
        after = part.after
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 14
    assert [key.split("_")[3] for key in seen[::2]] == [f"txn-5f{number}" for number in range(7)]


def test_postings_are_found_by_state_transaction_event_and_reference(world: World) -> None:
    event = capture(references=(CHARGE, ORDER))
    gross = next(one for one in world.build(event, capture("txn_2")) if one.effect == "gross")
    world.post(gross.key)

    def found(**filters: object) -> int:
        return len(list_postings(PostingQuery("acme", **filters), 100, None, world.new_uow).items)  # type: ignore[arg-type]

    assert found() == 4
    assert found(states=(PostingState.POSTED,)) == 1
    assert found(transaction_id=gross.transaction_id) == found(event=event.name) == found(reference="1001") == 2
    assert found(reference="nobody") == found(states=(PostingState.HELD,)) == 0
    assert list_postings(PostingQuery("other"), 100, None, world.new_uow).items == []


def test_exceptions_are_listed_with_what_is_at_risk(world: World) -> None:
    world.masterdata.unknown = {FeeWord}
    world.build(capture())
    part = list_exceptions("acme", CaseState.OPEN, EVERYTHING, 1, None, world.new_uow)
    assert part.after is not None
    (case,) = part.items
    (other,) = list_exceptions("acme", CaseState.OPEN, EVERYTHING, 1, part.after, world.new_uow).items
    assert case.subject != other.subject
    assert (case.owner, str(case.at_risk), case.doubt.actions) == ("finance", "108.00 USD", ("retry", "reject"))
    assert list_exceptions("acme", CaseState.RESOLVED, EVERYTHING, 9, None, world.new_uow).items == []


def test_steps_tell_a_transaction_from_recording_to_posting(world: World) -> None:
    event = books.money(EventKind.CAPTURE, "10.00")
    world.build(event)
    world.pass_time(5)
    world.post()
    with world.reading() as uow:
        _, steps = uow.trail.steps(event.transaction_id, EVERYTHING)
        assert uow.trail.steps("f" * 32, EVERYTHING) == ("f" * 32, [])
    assert [one.step for one in steps] == ["recorded", "validated", "ready", "posting", "posted"]
    assert steps[-1].detail.startswith("odoo number MISC/")


def test_totals_count_each_event_once_with_its_money_and_name(world: World) -> None:
    world.build(capture(), capture("txn_2", "50.00"))
    world.post()
    with world.reading() as uow:
        totals = uow.trail.totals("acme", EVERYTHING)
    held = {one.bucket: one for one in totals if one.count}
    (posted,) = held.values()
    names = sum(int(sha256(one.name.encode()).hexdigest(), 16) for one in (capture(), capture("txn_2"))) % 2**256
    assert (posted.bucket, posted.count, posted.minor_units) == ("posted", 2, 15800)
    assert posted.names_hash == f"{names:064x}"
    assert (posted.interface, str(posted.day)) == ("stripe/acct_1", "2026-03-14")
    emptied = next(one for one in totals if one.bucket == "pending")
    assert (emptied.count, emptied.minor_units, emptied.names_hash) == (0, 0, "0" * 64)


def test_a_late_commit_is_not_skipped_by_those_who_watch(world: World) -> None:
    """Numbers are given after the commit, so a watcher that goes on from the last one has missed nothing."""
    world.build(capture())
    seal(world)
    first = watched(world, 0)
    world.build(capture("txn_2"))
    assert watched(world, first[-1].number) == []
    seal(world)
    rest = watched(world, first[-1].number)
    assert [one.number for one in first + rest] == [1, 2, 3, 4]
    assert watched(world, 0) == first + rest


def test_a_change_tells_its_state_and_the_event_behind_it(world: World) -> None:
    event = capture()
    world.build(event)
    world.post()
    seal(world)
    changes = watched(world, 0)
    gross = [one for one in changes if one.posting.effect == "gross"]
    assert [one.posting.state.value for one in gross] == ["ready", "posting", "posted"]
    assert gross[-1].posting == next(one for one in world.postings(event) if one.effect == "gross")
    assert gross[0].posting.odoo_id == 0
    assert {one.event.name for one in changes} == {event.name}


def test_watchers_of_another_company_or_transaction_see_nothing(world: World) -> None:
    postings = world.build(capture(), capture("txn_2"))
    seal(world)
    assert watched(world, 0, company="other") == []
    mine = watched(world, 0, transaction_id=postings[0].transaction_id)
    assert {one.posting.transaction_id for one in mine} == {postings[0].transaction_id}
    assert len(mine) == 2


def test_what_waits_is_measured(world: World) -> None:
    world.build(capture())
    world.record(capture("txn_2"))
    world.record(replace(capture("txn_3"), company="beta"))
    world.pass_time(30)
    assert waiting(world) == {
        ("build", "acme", "stripe/acct_1"): (1, 30.0),
        ("build", "beta", "stripe/acct_1"): (1, 30.0),
        ("post", "acme", "stripe/acct_1"): (2, 30.0),
        ("held", "", ""): (0, 0.0),
        ("match", "", ""): (0, 0.0),
    }


def test_what_masterdata_delays_grows_old(world: World) -> None:
    world.masterdata.down = True
    world.record(capture())
    for _ in range(6):
        world.builder.run_once()
        world.pass_time(10)
    assert waiting(world)["build", "acme", "stripe/acct_1"] == (1, 60.0)


def test_a_match_that_was_given_up_waits_no_more(world: World) -> None:
    with world.new_uow() as uow:
        for name in ("m1", "m2"):
            match = AppliedMatch(
                name=f"companies/acme/matches/{name}",
                company="acme",
                type=AppliedMatchType.BANK_PAYOUT,
                anchor="acme_bank_a_1_1",
                members=("acme_stripe_a_txn_gross",),
                rule_revision="1",
                traceparent="",
                applied_by="recon",
                created_at=world.now,
                available_at=world.now,
            )
            uow.matches.add(match)
        claimed, _ = uow.matches.claim("acme", limit=9, owner="me", now=world.now, lease_seconds=60)
        uow.matches.finish([(claimed, replace(claimed, parked=True, reason="ODOO_DENIED"))], world.now, "me")
        uow.commit()
    assert waiting(world)["match", "acme", ""] == (1, 0.0)


def test_a_scrape_walks_the_partial_indexes_of_what_waits_and_no_table(engine_for: EngineFor) -> None:
    world = World(engine_for("services.ledger"))
    if world.engine.dialect.name == "sqlite":
        plans = [
            re.findall(r"USING (?:COVERING )?INDEX (\w+)", one)
            for one in plans_of(world.engine, lambda: waiting(world))
        ]
        assert plans == [["ix_event_build"], ["ix_posting_due"], ["ix_posting_held"], ["ix_applied_match_due"]]


def waiting(world: World) -> dict[tuple[str, str, str], tuple[int, float]]:
    with world.reading() as uow:
        lengths = uow.trail.queues(world.now)
    return {(one.queue, one.company, one.interface): (one.depth, one.oldest_seconds) for one in lengths}


def seal(world: World) -> None:
    sealer = Sealer(world.new_uow, TABLES)
    while sealer.run_once():
        pass


def watched(
    world: World,
    after: int,
    company: str = "acme",
    transaction_id: str = "",
) -> list[PostingChange]:
    """What a watcher gets until there is nothing more for now."""
    looks: list[int] = []
    may_go_on: Callable[[], bool] = lambda: not looks  # noqa: E731
    changes = watch_postings(
        company, transaction_id, after, EVERYTHING, world.new_uow, may_go_on=may_go_on, wait=lambda: looks.append(1)
    )
    return list(changes)
